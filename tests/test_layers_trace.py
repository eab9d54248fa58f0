"""The walk: where laststep goes, what is said aloud, and that every way out of a misfit is one."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from test_layers_torch import ARGUMENTS, EXAMPLES, Args, Facts, examples
from torchgen_scaffold.errors import LayerError
from torchgen_scaffold.layers import LAYERS
from torchgen_scaffold.layers.base import Axes, LayerCall, Shape, Signal, Traced, show_shape
from torchgen_scaffold.layers.text import parse_layers
from torchgen_scaffold.layers.trace import Trace, trace

IMAGE = Signal((1, 8, 8), "map")
SEQUENCE = Signal((20, 6), "sequence")


def walk(text: str, signal: Signal = IMAGE, vocab_size: int | None = None) -> Trace:
    return trace(parse_layers(text), signal, vocab_size=vocab_size)


def stopped(text: str, signal: Signal = IMAGE, vocab_size: int | None = None) -> LayerError:
    with pytest.raises(LayerError) as caught:
        walk(text, signal, vocab_size)
    return caught.value


# ------------------------------------------------------------------------------------------------ the facts


def test_the_design_sketch() -> None:
    error = stopped("conv(8, 3) -> maxpool(2) -> conv(8, 5)")
    assert (error.index, error.item) == (2, "conv(8, 5)")
    assert [layer.out_shape for layer in error.layers] == [(8, 6, 6), (8, 3, 3)]
    (problem,) = error.problems
    assert problem.what == "layer 3, conv(8, 5), does not fit its 3×3 input"
    assert problem.why == "a 5×5 kernel does not fit a 3×3 map"
    assert problem.instead == "Use a kernel of at most 3, padding=1, or drop the maxpool before it."
    assert problem.key == "model.layers"


def test_a_layer_of_the_contract() -> None:
    (layer,) = walk("conv(32, 3)", Signal((1, 28, 28), "map")).layers
    assert layer == Traced(
        item="conv(32, 3)",
        kind="Conv2d",
        args={"in_channels": 1, "out_channels": 32, "kernel_size": 3},
        in_shape=(1, 28, 28),
        out_shape=(32, 26, 26),
        params=320,
        macs=194688,
        receptive_field=(3, 3),
        formula="(28 + 2*0 - 1*(3-1) - 1)//1 + 1 = 26",
        why="32 kernels of 3×3 look at 1 channel each",
    )


def value_of(formula: str) -> list[tuple[int, int]]:
    """Both sides of each equation, worked out. The text is torchgen's own, of digits and signs alone."""
    pairs = []
    for part in formula.split("; "):
        left, _, right = part.partition(" = ")
        assert re.fullmatch(r"[0-9+\-*/() ]+", left), formula
        pairs.append((eval(left, {"__builtins__": {}}), int(right)))
    return pairs


@pytest.mark.parametrize("name", ["conv", "convtranspose", "maxpool", "avgpool"])
def test_formulas_are_true(name: str) -> None:
    """Both sides of every formula agree, and the right one is the size."""
    shapes, arguments = ARGUMENTS[name]
    seen: Counter[str] = Counter()

    @examples()
    @given(shapes.flatmap(lambda shape: st.tuples(st.just(shape), arguments(shape))))
    def check(case: tuple[Shape, Args]) -> None:
        try:
            (layer,) = trace([LayerCall(name, (), case[1])], Signal(case[0], "map")).layers
        except LayerError:
            return
        sides = value_of(layer.formula)
        assert all(left == right for left, right in sides), layer.formula
        assert {right for _, right in sides} == set(layer.out_shape[1:])
        seen["several"] += len(sides) > 1
        seen["legal"] += 1

    check()
    assert seen["legal"] >= 50 and seen["several"] >= 10, seen


def test_formulas_of_each_kind() -> None:
    layers = walk("conv(2, (3, 2)) -> maxpool(2, ceil_mode=True) -> flatten").layers
    assert [layer.formula for layer in layers] == [
        "(8 + 2*0 - 1*(3-1) - 1)//1 + 1 = 6; (8 + 2*0 - 1*(2-1) - 1)//1 + 1 = 7",
        "(6 + 2*0 - 1*(2-1) - 1 + 1)//2 + 1 = 3; (7 + 2*0 - 1*(2-1) - 1 + 1)//2 + 1 = 4",
        "2 * 3 * 4 = 24",
    ]
    assert walk("relu -> dropout(0.5)").layers[0].formula == ""


def test_axes_follow_the_layers() -> None:
    assert walk("conv(4, 3)", SEQUENCE).signal == Signal((4, 4), "map")
    assert walk("transpose -> conv(4, 3)", SEQUENCE).signal == Signal((4, 18), "map")
    assert walk("transpose -> transpose", SEQUENCE).signal == SEQUENCE
    assert walk("lstm(3) -> flatten", SEQUENCE).signal == Signal((60,), "features")
    assert walk("flatten -> unflatten((8, 8))").signal == Signal((8, 8), "sequence")
    assert walk("embedding(5) -> relu", Signal((7,), "tokens"), 9).signal == Signal((7, 5), "sequence")
    assert walk("mean").layers[0].args == {"dim": (2, 3)}
    assert walk("mean", SEQUENCE).layers[0].args == {"dim": (1,)}
    assert walk("mean", SEQUENCE).signal == Signal((6,), "features")


# ------------------------------------------------------------------------------------------------ laststep


def items(text: str, signal: Signal = SEQUENCE) -> list[str]:
    return [layer.item for layer in walk(text, signal).layers]


@pytest.mark.parametrize("later", ["", " -> relu -> dropout(0.2)", " -> linear(4) -> layernorm -> gelu"])
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_laststep_follows_the_last_recurrent_layer(name: str, later: str) -> None:
    found = items(f"{name}(8) -> relu -> {name}(8){later}")
    assert found[:4] == [f"{name}(8)", "relu", f"{name}(8)", "laststep"]
    assert found.count("laststep") == 1
    assert len(walk(f"{name}(8){later}", SEQUENCE).signal.shape) == 1


@pytest.mark.parametrize(
    "later",
    [
        *(
            "mean",
            "flatten",
            "laststep",
            "relu -> mean",
            "transpose -> conv(2, 3)",
            "conv(2, 3)",
            "batchnorm",
        ),
        *("groupnorm(1)", "maxpool(2)", "linear(4) -> flatten"),
    ],
)
def test_the_steps_are_kept_where_a_later_layer_needs_them(later: str) -> None:
    assert items(f"lstm(8) -> {later}") == ["lstm(8)", *later.split(" -> ")]


def test_both_directions_end_at_different_steps() -> None:
    for text in ("lstm(8, bidirectional=True)", "lstm(8, bidirectional=True) -> laststep"):
        last = walk(text, SEQUENCE).layers[-1]
        assert (last.item, last.kind, last.args) == ("laststep", "LastStep", {"bidirectional": True})
        assert (last.form, last.in_shape, last.out_shape) == ("operation", (20, 16), (16,))
    assert walk("lstm(8)", SEQUENCE).layers[-1].args == {}
    assert walk("lstm(8, bidirectional=False)", SEQUENCE).layers[-1].args == {}
    between = walk("lstm(8, bidirectional=True) -> dropout(0.1) -> laststep", SEQUENCE)
    assert between.layers[-1].args == {}
    assert any("one step alone" in note for note in between.notes)
    assert walk("lstm(8, bidirectional=True) -> gru(4) -> laststep", SEQUENCE).layers[-1].args == {}


@pytest.mark.parametrize("later", [["relu", "linear(4)", "tanh"], ["layernorm", "gelu", "linear(3)"]])
def test_taking_the_last_step_early_changes_no_value(later: list[str]) -> None:
    """The claim that laststep may move before layers that treat every step alike, in torch."""
    layers = walk(" -> ".join(["gru(8)", *later]), SEQUENCE).layers
    torch.manual_seed(0)
    modules = [getattr(nn, layer.kind)(**layer.args) for layer in layers[2:]]
    sequence = nn.GRU(6, 8, batch_first=True)(torch.randn(2, 20, 6))[0]
    early, late = sequence[:, -1], sequence
    for module in modules:
        early, late = module(early), module(late)
    torch.testing.assert_close(early, late[:, -1])


def test_an_index_counts_the_items_a_person_wrote() -> None:
    error = stopped(
        "lstm(8) -> relu -> dropout(0.1) -> layernorm -> linear(5) -> relu(True) -> relu(True)", SEQUENCE
    )
    assert (error.index, error.item) == (6, "relu(True)")
    assert error.layers[1].item == "laststep"
    assert stopped("relu -> lstm(8, proj_size=8)", SEQUENCE).index == 1


# ------------------------------------------------------------------------------------------------ notes


@pytest.mark.parametrize(
    ("text", "signal", "said"),
    [
        ("linear(4)", IMAGE, "put flatten before it"),
        ("linear(4)", Signal((4, 8), "map"), "last axis alone"),
        ("lstm(4)", Signal((4, 8), "map"), "put transpose before it"),
        ("batchnorm", SEQUENCE, "time steps as its channels"),
        ("groupnorm(1)", SEQUENCE, "time steps as its channels"),
        ("conv(4, 3)", SEQUENCE, "time steps as channels"),
        ("convtranspose(4, 3)", SEQUENCE, "time steps as channels"),
        ("maxpool(2)", SEQUENCE, "time steps as channels"),
        ("adaptive_avgpool(2)", SEQUENCE, "time steps as channels"),
        ("lstm(4, dropout=0.2)", SEQUENCE, "between stacked layers"),
        ("lstm(4, proj_size=2)", SEQUENCE, "torch warns"),
        ('conv(4, 2, padding="same")', IMAGE, "torch warns"),
        ("laststep", Signal((4, 8), "map"), "put transpose before it"),
    ],
)
def test_what_is_legal_and_most_likely_not_meant_is_said(text: str, signal: Signal, said: str) -> None:
    (note,) = walk(text, signal).notes
    assert said in note
    assert len(walk(f"{text} -> relu -> relu", signal).notes) == 1


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ("conv(4, 3) -> batchnorm -> relu -> maxpool(2) -> flatten -> linear(4)", IMAGE),
        ("linear(4) -> layernorm -> lstm(4, 2, dropout=0.2) -> dropout(0.1)", SEQUENCE),
        ("transpose -> conv(4, 3) -> batchnorm -> transpose -> gru(4)", SEQUENCE),
        ('conv(4, 3, padding="same") -> conv(2, 2, dilation=2, padding="same")', IMAGE),
        ('conv(4, 2, padding="same", padding_mode="reflect")', IMAGE),
        ("linear(4) -> batchnorm", Signal((8,), "features")),
    ],
)
def test_what_is_usual_goes_without_a_word(text: str, signal: Signal) -> None:
    assert walk(text, signal).notes == ()


# ------------------------------------------------------------------------------------------------ misfits


def ways_out(instead: str) -> list[dict[str, int | str]]:
    """The changes of arguments that a suggestion names, one dictionary for each way out."""
    if found := re.fullmatch(
        r"Use a (?:kernel|window) of at most (\d+) with padding=0( and dilation=1)?.*", instead
    ):
        return [{"kernel_size": int(found[1]), "padding": 0, **({"dilation": 1} if found[2] else {})}]
    if found := re.fullmatch(r"Use padding=0 and a kernel of at most (\d+).*", instead):
        return [{"kernel_size": int(found[1]), "padding": 0}]
    ways: list[dict[str, int | str]] = []
    ways += [{"kernel_size": int(n)} for n in re.findall(r"(?:kernel|window) of at most (\d+)", instead)]
    ways += [{name: int(n)} for name, n in re.findall(r"\b([a-z_]+)=(\d+)", instead)]
    ways += [{"padding_mode": "zeros"}] if 'padding_mode="zeros"' in instead else []
    ways += [{"num_groups": int(n)} for n in re.findall(r"(\d+)(?= or \d+| groups)", instead)]
    return ways


@pytest.mark.parametrize("name", ["conv", "convtranspose", "maxpool", "avgpool", "groupnorm", "lstm"])
def test_every_suggestion_works_in_torch(name: str) -> None:
    shapes, arguments = ARGUMENTS[name]
    tried: Counter[str] = Counter()

    @examples(2 * EXAMPLES)
    @given(shapes.flatmap(lambda shape: st.tuples(st.just(shape), arguments(shape))))
    def check(case: tuple[Shape, Args]) -> None:
        shape, args = case
        axes: Axes = "sequence" if name == "lstm" else "map"
        try:
            trace([LayerCall(name, (), args)], Signal(shape, axes))
            return
        except LayerError as error:
            problem = error.problems[0]
        if problem.instead.startswith(("Write", "Did you")):
            return  # the value itself is no size: the signature is shown
        assert problem.why and problem.instead.endswith(".")
        if problem.instead in ("Leave it out.", "Leave proj_size out."):
            return
        ways = ways_out(problem.instead)
        assert ways, problem
        for way in ways:
            settled = {"output_padding": "is not smaller than", "groups": "does not divide"}
            settled |= {"padding": "so it needs stride 1"} if "needs stride 1" in problem.why else {}
            if found := next((why for argument, why in settled.items() if argument in way), None):
                # Its own trouble is over; what else is wrong with the layer is said next.
                assert found not in _why(name, shape, args | way)
                tried["settled"] += 1
                continue
            trace([LayerCall(name, (), args | way)], Signal(shape, axes))
            assert Facts(name, shape, args | way).error is None, (problem, way)
            tried[next(iter(way))] += 1

    check()
    least = {"conv": 40, "maxpool": 40, "avgpool": 40, "convtranspose": 3, "groupnorm": 5, "lstm": 1}
    assert sum(tried.values()) >= least[name], tried


def _why(name: str, shape: Shape, args: Args) -> str:
    """Why it is refused still, if it is: several things may be wrong with one layer, and each is said in turn."""
    try:
        trace([LayerCall(name, (), args)], Signal(shape, "map"))
    except LayerError as error:
        return error.problems[0].why
    return ""


def test_dropping_the_pool_is_said_only_where_it_helps() -> None:
    sizes, kernels = st.integers(2, 14), st.integers(2, 7)
    seen: Counter[bool] = Counter()

    @examples()
    @given(sizes, kernels, st.sampled_from(["maxpool(2)", "avgpool(3)", "maxpool(2) -> relu -> maxpool(2)"]))
    def check(size: int, kernel: int, pool: str) -> None:
        text = f"{pool} -> relu -> conv(2, {kernel})"
        try:
            walk(text, Signal((1, size, size), "map"))
            return
        except LayerError as error:
            if error.index != len(text.split(" -> ")) - 1:
                return
            said = "drop the " in error.problems[0].instead
            pools = pool.split(" -> ")
            shorter = " -> ".join([*pools[:-1], "relu", f"conv(2, {kernel})"])
            try:
                walk(shorter, Signal((1, size, size), "map"))
                helps = True
            except LayerError:
                helps = False
            assert said == helps
            seen[said] += 1

    check()
    assert seen[True] >= 10 and seen[False] >= 10, seen


@pytest.mark.parametrize(
    ("text", "what", "instead"),
    [
        (
            "flatten -> conv(8, 3)",
            "layer 2, conv(8, 3), does not fit its input of 64 numbers",
            "Put it before flatten",
        ),
        ("conv(8, 3, groups=2)", "does not fit its 1×8×8 input", "Use groups=1, or any number"),
        ("conv(6, 3) -> groupnorm(4)", "its 6×6×6 input", "Use 1, 2, 3 or 6 groups."),
        ("lstm(4)", "its 1×8×8 input", "Use conv on maps."),
        ("maxpool(9)", "its 8×8 input", "Use a window of at most 8 or padding=1."),
        ("conv(2, 9, padding_mode='circular', padding=9)", "8×8", 'Use padding=8 or padding_mode="zeros".'),
        ("relu -> relu(True)", "1×8×8", "Leave inplace out."),
        ("linear(300000000)", "1×8×8", "Use a smaller size; the most is 1 GiB."),
    ],
)
def test_messages_say_what_and_what_instead(text: str, what: str, instead: str) -> None:
    (problem,) = stopped(text).problems
    assert what in problem.what
    assert instead in problem.instead
    assert problem.why


def test_token_ids_need_their_embedding_first() -> None:
    error = stopped("conv(8, 3)", Signal((12,), "tokens"), 5)
    assert "does not fit its input of 12 token ids" in error.problems[0].what
    assert error.problems[0].instead == "Put embedding(64) first."
    assert "--vocab-size" in stopped("embedding(8)", Signal((12,), "tokens")).problems[0].instead
    assert stopped("embedding(8) -> embedding(8)", Signal((12,), "tokens"), 5).index == 1


def test_what_no_machine_holds_is_refused_with_the_memory_it_would_take() -> None:
    row = Signal((2**16,), "features")
    assert "parameters, which take 8.1 GiB" in stopped(f"linear({2**15 + 1})", row).problems[0].why
    assert "1.1 GiB" in stopped("unflatten((1, 65536)) -> convtranspose(4097, 1)", row).problems[0].why
    assert walk(f"linear({2**15 - 1})", row).layers[0].params == (2**16 + 1) * (2**15 - 1)
    huge = 10**17
    for text in (
        f"conv({huge}, {huge}, padding={huge})",
        f"lstm({huge}, {huge})",
        f"convtranspose(1, 1, {huge})",
        f"adaptive_avgpool(({huge}, {huge}))",
    ):
        signal = Signal((4, 4), "sequence") if text.startswith("lstm") else IMAGE
        assert "GiB" in stopped(text, signal).problems[0].why


def test_arguments_of_a_preset_are_checked_like_a_persons() -> None:
    for call in (LayerCall("conv", (8,)), LayerCall("linear", ("x",)), LayerCall("nonsense")):
        with pytest.raises(LayerError) as caught:
            trace([LayerCall("relu"), call], IMAGE)
        assert caught.value.index == 1


def test_a_thousand_layers() -> None:
    layers = walk(" -> ".join(["conv(4, 3, padding=1)", "relu"] * 500)).layers
    assert len(layers) == 1000
    assert layers[-1].receptive_field == (1001, 1001)


def test_signatures_are_shown_as_torch_writes_them() -> None:
    assert LAYERS["relu"].signature == "relu(inplace=False)"
    assert LAYERS["sigmoid"].signature == "sigmoid"
    assert LAYERS["groupnorm"].signature == "groupnorm(num_groups, eps=1e-05, affine=True, *, bias=True)"
    assert LAYERS["laststep"].signature == "laststep"
    assert show_shape((1, 8, 8)) == "1×8×8"
