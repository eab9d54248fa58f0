"""The text of --layers: what a person writes, what is wrong with it, and what nobody should write."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from test_layers_torch import ARGUMENTS, EXAMPLES, TORCH, Args, Shape, examples
from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.layers import LAYERS
from torchgen_scaffold.layers.base import LayerCall, Misfit, Signal
from torchgen_scaffold.layers.text import LONGEST_ITEM, LONGEST_TEXT, MOST_LAYERS, MOST_PROBLEMS, parse_layers
from torchgen_scaffold.layers.trace import trace


def problems(text: Any) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        parse_layers(text)
    return caught.value.problems


# ------------------------------------------------------------------------------------------------ what is read


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("relu", [LayerCall("relu")]),
        ("relu()", [LayerCall("relu")]),
        (" conv( 32 , 3 )\n->\trelu ", [LayerCall("conv", (32, 3)), LayerCall("relu")]),
        ("conv (32, 3) → relu", [LayerCall("conv", (32, 3)), LayerCall("relu")]),
        ("conv(32,\n  3,\n  padding='same',\n)", [LayerCall("conv", (32, 3), {"padding": "same"})]),
        ("conv(8, (3, 5), [1, 2])", [LayerCall("conv", (8, (3, 5), (1, 2)))]),
        ("adaptive_avgpool((None, 2))", [LayerCall("adaptive_avgpool", ((None, 2),))]),
        (
            "flatten(1, -1) -> relu(inplace=True)",
            [LayerCall("flatten", (1, -1)), LayerCall("relu", (), {"inplace": True})],
        ),
        ("leaky_relu(-.5) -> elu(+1e-3)", [LayerCall("leaky_relu", (-0.5,)), LayerCall("elu", (0.001,))]),
        ("batchnorm(1e-3, None)", [LayerCall("batchnorm", (0.001, None))]),
        ("conv(0x10, 1_0)", [LayerCall("conv", (16, 10))]),
        (
            ["conv(32, 3)", "relu -> flatten"],
            [LayerCall("conv", (32, 3)), LayerCall("relu"), LayerCall("flatten")],
        ),
    ],
)
def test_reading(text: str | list[str], calls: list[LayerCall]) -> None:
    assert parse_layers(text) == tuple(calls)


def test_every_layer_that_its_signature_takes_reads_back() -> None:
    """`str` of a call is its text: for every layer type, by name and by place."""
    seen: set[str] = set()

    @examples(4 * EXAMPLES)
    @given(
        st.sampled_from(sorted(TORCH)).flatmap(
            lambda name: ARGUMENTS[name][0]
            .flatmap(ARGUMENTS[name][1])
            .map(lambda args: LayerCall(name, (), args))
        )
    )
    def check(call: LayerCall) -> None:
        try:
            bound = LAYERS[call.name].bind(call)
        except Misfit:
            assert problems(str(call))
            return
        seen.add(call.name)
        assert parse_layers(str(call)) == (call,)
        by_place = _by_place(call.name, bound)
        assert parse_layers(f"{by_place} -> {call}") == (by_place, call)
        assert LAYERS[call.name].bind(by_place) == bound

    check()
    assert seen == set(TORCH)


def _by_place(name: str, given: Args) -> LayerCall:
    """The same call with as many arguments by place as there are before the first gap."""
    values: list[Any] = []
    for parameter in LAYERS[name].parameters:
        if parameter.name not in given or parameter.by_name:
            break
        values.append(given[parameter.name])
    names = [parameter.name for parameter in LAYERS[name].parameters][len(values) :]
    return LayerCall(name, tuple(values), {key: value for key, value in given.items() if key in names})


# ------------------------------------------------------------------------------------------------ what is wrong


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *(("Conv2d", "conv"), ("conv2d", "conv"), ("nn.Conv1d", "conv"), ("torch.nn.Conv3d", "conv")),
        *(
            ("maxpool2d", "maxpool"),
            ("MaxPool2d", "maxpool"),
            ("max_pool", "maxpool"),
            ("AvgPool2d", "avgpool"),
        ),
        *(("ReLU", "relu"), ("LeakyReLU", "leaky_relu"), ("leakyrelu", "leaky_relu"), ("GELU", "gelu")),
        *(("BatchNorm2d", "batchnorm"), ("batch_norm", "batchnorm"), ("LayerNorm", "layernorm")),
        *(("AdaptiveAvgPool2d", "adaptive_avgpool"), ("AdaptiveMaxPool1d", "adaptive_maxpool")),
        *(("ConvTranspose2d", "convtranspose"), ("conv_transpose", "convtranspose"), ("Linear", "linear")),
        *(("LSTM", "lstm"), ("Dropout", "dropout"), ("dropout2d", "dropout"), ("Flatten", "flatten")),
        *(("dense", "linear"), ("fc", "linear"), ("liner", "linear"), ("conf", "conv"), ("swish", "silu")),
    ],
)
def test_torchs_spellings_and_slips_are_understood(written: str, meant: str) -> None:
    (problem,) = problems(f"{written}(3)")
    assert problem.why == f"there is no layer {written!r}"
    assert problem.instead == f"Did you mean {meant}?"


def test_every_class_of_torch_that_a_layer_becomes_is_understood() -> None:
    for name, kind in TORCH.items():
        for rank in (1, 2, 3):
            if kind.format(rank) not in LAYERS:
                assert problems(kind.format(rank))[0].instead == f"Did you mean {name}?"


def test_every_problem_is_told_at_once() -> None:
    found = problems("conv(8) -> nothing -> relu(1, 2) -> -> linear(4) -> flatten(start=1)")
    assert [problem.what for problem in found] == [
        "layer 1, 'conv(8)', cannot be read",
        "layer 2, 'nothing', cannot be read",
        "layer 3, 'relu(1, 2)', cannot be read",
        "layer 4 is empty",
        "layer 6, 'flatten(start=1)', cannot be read",
    ]
    assert all(problem.key == "model.layers" and problem.why and problem.instead for problem in found)
    assert found[4].instead.startswith("Did you mean start_dim?")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("conv", "out_channels and kernel_size are missing"),
        ("conv(8)", "kernel_size is missing"),
        ("conv(8, 3, kernel_size=3)", "kernel_size is given twice"),
        ("conv(8, 3, stride=1, stride=2)", "stride is given twice"),
        ("relu(True, False)", "it takes at most 1 argument by its place, not 2"),
        ("sigmoid(1)", "it takes no arguments, not 1"),
        ("groupnorm(1, 1e-5, True, False)", "it takes at most 3 arguments by their place, not 4"),
        ("conv(8, 3, in_channels=3)", "it has no argument 'in_channels'"),
        ("conv(8, 3, device='cpu')", "it has no argument 'device'"),
        ("conv(0, 3)", "out_channels must be a whole number of at least 1, not 0"),
        ("conv(8.0, 3)", "out_channels must be a whole number of at least 1, not 8.0"),
        ("conv(True, 3)", "out_channels must be a whole number of at least 1, not True"),
        (
            "conv(8, 'same')",
            "kernel_size must be a whole number of at least 1, or one for each axis, not 'same'",
        ),
        ("conv(8, ())", "kernel_size must be a whole number of at least 1, or one for each axis, not ()"),
        ("relu(1)", "inplace must be True or False, not 1"),
        ("dropout(1.5)", "p must be a number from 0 to 1, not 1.5"),
        ("dropout(True)", "p must be a number from 0 to 1, not True"),
        ("dropout(1e999)", "p must be a number from 0 to 1, not inf"),
        ("elu(1e999)", "alpha must be a number, not inf"),
        ("gelu('fast')", "approximate must be one of 'none', 'tanh', not 'fast'"),
        ("conv(8, 3, padding=(1, None))", "padding must be a whole number of at least 0"),
        ("conv(0, 0, strid=1)", "it has no argument 'strid'; out_channels must be"),
    ],
)
def test_arguments_that_do_not_fit_the_signature(text: str, why: str) -> None:
    (problem,) = problems(text)
    assert problem.why.startswith(why)
    name = text.partition("(")[0]
    assert f"Write {LAYERS[name].signature}." in problem.instead


def test_a_bool_is_no_size() -> None:
    for text in ("unflatten((True, 8))", "conv(8, (True, 3))", "conv(8, (3.0, 3))"):
        assert problems(text)[0].why == "a tuple holds whole numbers alone"


def test_softmax_is_left_to_the_loss() -> None:
    assert problems("softmax")[0].instead == "Leave it out: the loss applies it."
    assert problems("nn.LogSoftmax(1)")[0].instead == "Leave it out: the loss applies it."


# ------------------------------------------------------------------------------------------------ hostile text

HOSTILE = [
    *(
        "",
        " ",
        "->",
        "-> relu",
        "relu ->",
        "relu -> -> relu",
        "→",
        "()",
        "(",
        ")",
        "relu(",
        "relu)",
        "relu((",
        "relu()()",
    ),
    *(
        "conv(3)(4)",
        "conv(3) + g(4)",
        "conv(3).x",
        "conv(3)[0]",
        "relu();relu()",
        "relu) or (relu",
        "relu(*[True])",
    ),
    *("relu(**{'inplace': True})", "relu(inplace=__import__('os').system('true'))", "relu((lambda: True)())"),
    *("relu(x := True)", "relu(True if True else False)", "relu(not False)", "conv(2**3, 3)", "conv(2+1, 3)"),
    *(
        "conv([[1]], 3)",
        "conv((1, (2, 3)), 3)",
        "conv({1: 2}, 3)",
        "conv({1}, 3)",
        "conv(b'3', 3)",
        "conv(3j, 3)",
    ),
    *(
        "conv(..., 3)",
        "conv(f'{1}', 3)",
        "conv(x, 3)",
        "conv(3 for x in y)",
        "conv(await x, 3)",
        "conv(yield, 3)",
    ),
    *(
        "relu\x00",
        "relu(\x00)",
        "conv('\x00', 3)",
        "\x00",
        "relu(\ud800)",
        "\udcff",
        "conv('\ud800', 3)",
        "relu(\\d)",
    ),
    *(
        r"gelu('\d')",
        r"gelu('\N{nothing}')",
        r"gelu('\ud800')",
        "conv(1if 2else 3, 3)",
        "conv(0x1for x in y, 3)",
    ),
    *("conv(--3, 3)", "conv(-+3, 3)", "conv(~3, 3)", "conv(-True, 3)", "conv(-'3', 3)", "conv(-None, 3)"),
    *(
        "ｃｏｎｖ(3, 3)",
        "conv\u202e(3, 3)",
        "conv(３, 3)",
        "conv(3,\u00a03\u2028)",
        "# conv(3, 3)",
        "conv(3, 3 # x",
    ),
    *(
        "relu\n\n\n(\n",
        "import os",
        "conv=3",
        "relu # -> conv",
        "conv(3, 3,,)",
        "conv(,)",
        "conv(a=)",
        "conv(=1)",
    ),
    *("conv(" + "(" * 400, "conv(" + "[" * 150 + "]" * 150 + ")", "conv(" + "-" * 480 + "1, 3)"),
    *("conv(" + "9" * 300 + ", 3)", "conv(0x" + "f" * 400 + ", 3)", "conv(1" + "_0" * 200 + ", 3)"),
    *("elu(1e400)", "elu(-1e400)", "elu(0." + "0" * 400 + "1j)", "x" * 499, "conv(" + "a." * 200 + "a)"),
    *(
        "conv(" + "1," * 200 + ")",
        "conv(" + "(1," * 120 + ")" * 120 + ")",
        "unflatten((" + "9" * 18 + "," * 1 + "))",
    ),
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            calls = parse_layers(text)
        except SpecError as error:
            assert error.problems
            assert all(len(str(problem)) < 1000 for problem in error.problems)
            return
        assert parse_layers(" -> ".join(map(str, calls))) == calls


def test_only_harmless_hostile_texts_are_read() -> None:
    read = []
    for text in HOSTILE:
        try:
            parse_layers(text)
        except SpecError:
            continue
        read.append(text)
    assert read == ["unflatten((" + "9" * 18 + ",))"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("->" * 500_000, "1,000,000 characters"),
        ("relu" * (LONGEST_TEXT // 4) + "x", "characters"),
        ("→" * LONGEST_TEXT, f"more than {MOST_LAYERS:,} layers"),
        ("->".join(["relu"] * (MOST_LAYERS + 1)), f"more than {MOST_LAYERS:,} layers"),
        (["relu"] * (MOST_LAYERS + 1), f"more than {MOST_LAYERS:,} layers"),
        ([1, 2], "a list of texts"),
        (["relu", None], "a list of texts"),
    ],
)
def test_too_much_text_is_one_problem(text: Any, said: str) -> None:
    (problem,) = problems(text)
    assert said in problem.what
    assert problem.instead


def test_the_limits_themselves_are_within() -> None:
    assert len(parse_layers("->".join(["relu"] * MOST_LAYERS))) == MOST_LAYERS
    assert len(problems("->" * (MOST_LAYERS - 1))) == MOST_PROBLEMS
    spaces = " " * (LONGEST_ITEM - len("conv(8,3)"))
    assert parse_layers(f"conv(8,{spaces}3)") == (LayerCall("conv", (8, 3)),)
    assert "501 characters" in problems(f"conv(8,{spaces} 3)")[0].why


PIECES = st.sampled_from(
    [
        *LAYERS,
        *"()[]{},=-+.*#'\"\\\n\x00→ ",
        "->",
        "1",
        "0.5",
        "99999999999",
        "None",
        "True",
        "kernel_size",
        "padding",
        *("'same'", "lambda:0", "**", "f''", "\ud800", "(2, 3)", "(8, 3)", "in_channels=1", "é", "1e9"),
    ]
)


def test_no_text_raises_anything_but_a_spec_error() -> None:
    read = 0

    @examples(6 * EXAMPLES)
    @given(st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=60))
    def check(text: str) -> None:
        nonlocal read
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                calls = parse_layers(text)
            except SpecError as error:
                assert 1 <= len(error.problems) <= MOST_PROBLEMS
                return
        read += 1
        assert parse_layers(" -> ".join(map(str, calls))) == calls

    check()
    assert read >= 10


def test_whatever_is_read_can_be_traced_or_refused() -> None:
    """The largest numbers that the text takes, through every layer: no crash, no hang."""
    big = "9" * 18
    signals = [Signal((4,), "features"), Signal((6, 4), "sequence"), Signal((2, 4, 4), "map")]
    for name, layer in LAYERS.items():
        required = [parameter.name for parameter in layer.parameters if str(parameter) == parameter.name]
        for parameter in layer.parameters:
            for value in (big, f"({big}, {big})", f"-{big}", "1", "True", "'same'", "1e300"):
                written = {**dict.fromkeys(required, "2"), parameter.name: value}
                text = f"{name}({', '.join(f'{key}={given}' for key, given in written.items())})"
                for signal in signals:
                    try:
                        trace(parse_layers(text), signal, vocab_size=10)
                    except SpecError as error:
                        assert all(problem.what for problem in error.problems)


def test_shapes_have_no_part_in_reading() -> None:
    shape: Shape = (1, 2, 2)
    calls = parse_layers("conv(8, 99)")
    with pytest.raises(SpecError):
        trace(calls, Signal(shape, "map"))
