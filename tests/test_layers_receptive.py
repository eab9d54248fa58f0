"""Receptive fields against torch: which inputs change which outputs, measured through real layers.

The layers get weights of one and max becomes sum, so that the network is linear and nothing cancels: feeding it every
one-hot input shows what each output sees.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from test_layers_torch import EXAMPLES, examples
from torchgen_scaffold.errors import LayerError
from torchgen_scaffold.layers.base import LayerCall, Shape, Signal, Traced, Window
from torchgen_scaffold.layers.receptive import LARGEST, MOST_LOOKS, seen_inputs
from torchgen_scaffold.layers.text import parse_layers
from torchgen_scaffold.layers.trace import trace


def linear_twin(layer: Traced) -> nn.Module:
    """A layer that sees the same inputs, with weights of one."""
    module: nn.Module
    args = dict(layer.args)
    rank = int(layer.kind[-2])
    if layer.kind.startswith("MaxPool"):
        # A pool of sums: what it sees is what a convolution of its kernel sees. ceil_mode is AvgPool's to show.
        args = {"stride": args["kernel_size"], **args, "bias": False}
        module = getattr(nn, f"Conv{rank}d")(1, 1, **args)
    elif layer.kind.startswith("AdaptiveMaxPool"):
        module = getattr(nn, f"AdaptiveAvgPool{rank}d")(**args)
    else:
        module = getattr(nn, layer.kind)(**args, **({"bias": False} if "Conv" in layer.kind else {}))
    for parameter in module.parameters():
        nn.init.ones_(parameter)
    return module


@torch.no_grad()
def measured(layers: tuple[Traced, ...], shape: Shape) -> Shape:
    """The largest extent, along each axis, of the inputs that one output depends on."""
    numbers = int(torch.tensor(shape).prod())
    x: Tensor = torch.eye(numbers, dtype=torch.float64).reshape(numbers, *shape)
    for layer in layers:
        x = linear_twin(layer).double()(x)
        x = (x.sum(1, keepdim=True) > 0).double()  # one channel again, and no overflow however deep
    seen = (x.reshape(numbers, -1) > 0).reshape(*shape[1:], -1)
    sizes = []
    for axis in range(len(shape) - 1):
        others = [other for other in range(len(shape) - 1) if other != axis]
        along = seen.any(dim=others) if others else seen
        places = torch.arange(shape[axis + 1]).unsqueeze(1)
        low = torch.where(along, places, shape[axis + 1]).amin(0)
        high = torch.where(along, places, -1).amax(0)
        sizes.append(max(int((high - low + 1).amax()), 0))
    return tuple(sizes)


def call(name: str, required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[LayerCall]:
    arguments = st.fixed_dictionaries(required, optional=optional)
    return arguments.map(lambda args: LayerCall(name, (), args))


def regular(paddings: list[Any]) -> st.SearchStrategy[LayerCall]:
    """Layers whose windows are all alike. The channels are one throughout."""
    kernel, stride, dilation = st.integers(1, 4), st.integers(1, 3), st.integers(1, 2)
    padding = st.sampled_from(paddings)
    half = st.integers(0, 1) if max(p for p in paddings if isinstance(p, int)) else st.just(0)
    return st.one_of(
        call(
            "conv",
            {"out_channels": st.just(1), "kernel_size": kernel},
            {"stride": stride, "padding": padding, "dilation": dilation},
        ),
        call("conv", {"out_channels": st.just(1), "kernel_size": kernel}, {"padding": padding}),
        call("maxpool", {"kernel_size": st.integers(2, 3)}, {"stride": stride, "padding": half}),
        call("avgpool", {"kernel_size": st.integers(2, 3)}, {"stride": stride, "padding": half}),
    )


TRANSPOSED = call(
    "convtranspose",
    {"out_channels": st.just(1), "kernel_size": st.integers(1, 4)},
    {"stride": st.integers(1, 3), "padding": st.integers(0, 2), "dilation": st.integers(1, 3)},
)
ADAPTIVE = call("adaptive_avgpool", {"output_size": st.integers(1, 7)}, {}) | call(
    "adaptive_maxpool", {"output_size": st.integers(1, 7)}, {}
)
CEILED = call(
    "avgpool", {"kernel_size": st.integers(2, 3)}, {"stride": st.integers(1, 4), "ceil_mode": st.just(True)}
)


def layers_of(calls: list[LayerCall], shape: Shape) -> tuple[Traced, ...]:
    """As many of them as fit."""
    try:
        return trace(calls, Signal(shape, "map")).layers
    except LayerError as error:
        return error.layers


@pytest.mark.filterwarnings("ignore:Using padding='same' with even")
def test_the_formula_is_what_torch_shows_away_from_the_borders() -> None:
    seen: Counter[str] = Counter()

    @examples(EXAMPLES)
    @given(st.lists(regular([0, 1, 2, "same"]), min_size=1, max_size=4))
    def check(calls: list[LayerCall]) -> None:
        size = 300
        layers = layers_of(calls, (1, size))
        if not layers:
            return
        (told,) = layers[-1].receptive_field or (0,)
        (shown,) = measured(layers, (1, size))
        assert shown <= told
        if 3 * told < size:
            assert shown == told
            seen["equal"] += 1

    check()
    assert seen["equal"] >= 100, seen


def test_without_padding_every_output_sees_the_whole_patch() -> None:
    seen: Counter[int] = Counter()

    @examples(EXAMPLES)
    @given(st.integers(1, 60), st.lists(regular([0]), min_size=1, max_size=5))
    def check(size: int, calls: list[LayerCall]) -> None:
        if layers := layers_of(calls, (1, size)):
            assert measured(layers, (1, size)) == layers[-1].receptive_field
            seen[len(layers)] += 1

    check()
    assert sum(seen.values()) >= 100 and seen[3] >= 5, seen


@pytest.mark.filterwarnings("ignore:Using padding='same' with even")
def test_uneven_windows_are_exact_at_every_size() -> None:
    """From the first transposed or adaptive layer on, borders too: only real inputs count."""
    seen: Counter[str] = Counter()
    later = st.one_of(regular([0, 1, 2, "same"]), TRANSPOSED, ADAPTIVE, CEILED)

    @examples(2 * EXAMPLES)
    @given(
        st.integers(1, 40),
        st.lists(regular([0]), max_size=2),
        ADAPTIVE | TRANSPOSED,
        st.lists(later, max_size=4),
    )
    def check(size: int, first: list[LayerCall], uneven: LayerCall, last: list[LayerCall]) -> None:
        layers = layers_of([*first, uneven, *last], (1, size))
        if len(layers) <= len(first) or layers[-1].out_shape[-1] > 400:
            return
        starts = [layer for layer in layers if _uneven(layer)]
        before = layers[: layers.index(starts[0])] if starts else layers
        if not starts or any(
            layer.kind == "ConvTranspose1d" or layer.args.get("padding") for layer in before
        ):
            return  # at stride 1 a transposed convolution is even, and its border counts
        if any(layer.args.get("ceil_mode") for layer in before):
            return
        assert layers[-1].receptive_field == measured(layers, (1, size))
        seen[starts[0].kind] += 1

    check()
    assert seen["ConvTranspose1d"] >= 30 and seen["AdaptiveAvgPool1d"] >= 30, seen


def _uneven(layer: Traced) -> bool:
    if layer.kind == "ConvTranspose1d":
        return int(layer.args.get("stride", 1)) > 1  # type: ignore[arg-type]
    return layer.kind.startswith("Adaptive") and layer.in_shape != layer.out_shape


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("conv(1, 3) -> maxpool(2) -> conv(1, 3)", (1, 16, 20)),
        ("conv(1, (3, 5), (1, 2)) -> avgpool((1, 2)) -> conv(1, 2, dilation=(1, 2))", (1, 12, 24)),
        ("conv(1, 3) -> adaptive_avgpool((3, None)) -> conv(1, (2, 3))", (1, 12, 9)),
        ("convtranspose(1, (2, 4), (2, 3)) -> conv(1, 3)", (1, 6, 7)),
        ("maxpool(2) -> convtranspose(1, 2, 2) -> conv(1, 3)", (1, 8, 8)),
        ("conv(1, 2) -> convtranspose(1, 3, 2, 1) -> adaptive_maxpool((2, 3, 1))", (1, 5, 4, 6)),
    ],
)
def test_each_axis_has_its_own(text: str, shape: Shape) -> None:
    layers = trace(parse_layers(text), Signal(shape, "map")).layers
    for count in range(1, len(layers) + 1):
        assert layers[count - 1].receptive_field == measured(layers[:count], shape), layers[count - 1].item


def fields(text: str, signal: Signal, vocab_size: int | None = None) -> list[Shape | None]:
    layers = trace(parse_layers(text), signal, vocab_size=vocab_size).layers
    return [layer.receptive_field for layer in layers]


@pytest.mark.parametrize(
    ("text", "signal", "expected"),
    [
        (
            "relu -> batchnorm -> conv(2, 3) -> gelu -> groupnorm(1)",
            Signal((2, 8), "map"),
            [(1,), (1,), (3,), (3,), (3,)],
        ),
        ("conv(2, 3) -> layernorm -> dropout(0.1)", Signal((2, 8, 8), "map"), [(3, 3), (3, 3), (3, 3)]),
        ("conv(2, 3) -> flatten -> linear(4)", Signal((2, 8, 8), "map"), [(3, 3), None, None]),
        ("conv(2, 3) -> linear(4) -> conv(2, 3)", Signal((2, 8, 8), "map"), [(3, 3), None, None]),
        ("conv(2, 3) -> mean", Signal((2, 8, 8), "map"), [(3, 3), None]),
        ("relu -> linear(4)", Signal((8,), "features"), [None, None]),
        ("lstm(4) -> conv(2, 3)", Signal((8, 8), "sequence"), [None, None]),
        ("conv(2, 3) -> flatten(2) -> conv(2, 3)", Signal((2, 8, 8), "map"), [(3, 3), None, None]),
        # Along time, whichever side it stands on.
        (
            "linear(4) -> transpose -> conv(2, 3) -> transpose",
            Signal((8, 8), "sequence"),
            [None, (1,), (3,), None],
        ),
        ("linear(4) -> conv(2, 3)", Signal((8, 8), "sequence"), [None, None]),
    ],
)
def test_layers_that_keep_it_and_layers_that_end_it(
    text: str, signal: Signal, expected: list[Shape | None]
) -> None:
    assert fields(text, signal) == expected


def test_a_text_is_seen_through_its_embedding() -> None:
    text = "embedding(4) -> transpose -> conv(8, 3) -> maxpool(2) -> conv(8, 3)"
    assert fields(text, Signal((20,), "tokens"), 9) == [None, (1,), (3,), (4,), (8,)]


def test_what_is_too_long_to_work_out_is_left_out() -> None:
    """Spans cost a look each; a hostile size must not take the afternoon."""
    grown = "convtranspose(1, 2, 2) -> relu -> conv(1, 3)"
    assert fields(grown, Signal((1, MOST_LOOKS), "map")) == [None] * 3
    assert fields(grown, Signal((1, 100), "map")) == [(1,), (1,), (2,)]
    assert fields("conv(1, 1) -> adaptive_avgpool(200000000)", Signal((1, 5), "map")) == [(1,), None]


def test_absurd_strides_give_no_number_that_json_cannot_hold() -> None:
    huge = 10**17
    calls = [LayerCall("conv", (1, 1, huge)), LayerCall("conv", (1, 3, huge, 1))] * 300
    layers = trace(calls, Signal((1, 4), "map")).layers
    assert layers[-1].receptive_field is None
    assert max(size for layer in layers for size in layer.receptive_field or ()) <= LARGEST


def test_the_inputs_of_an_output_are_those_of_the_definition() -> None:
    """Every small window against the definition, found by trying each pair of an input and a place in the kernel."""
    sizes = itertools.product(range(1, 5), range(1, 4), range(1, 4), range(4), (True, False))
    for kernel, stride, dilation, padding, transposed in sizes:
        window = Window(kernel, stride, dilation, padding, transposed=transposed)
        for before, output in itertools.product(range(1, 7), range(9)):
            pairs = itertools.product(range(before), range(kernel))
            if transposed:
                found = {i for i, j in pairs if output == i * stride - padding + j * dilation}
            else:
                found = {i for i, j in pairs if i == output * stride - padding + j * dilation}
            assert list(seen_inputs(window, output, before, 9)) == sorted(found), (window, before, output)
