"""Stacks of layers against real torch modules: forward, backward, and in-place layers where backward would fail."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from test_layers_torch import BIAS, EXAMPLES, Args, Shape, compare, examples, some, torch_kind
from torchgen_scaffold.errors import LayerError
from torchgen_scaffold.layers.base import LayerCall, Signal, Traced
from torchgen_scaffold.layers.trace import trace


def module_of(layer: Traced) -> Callable[[Tensor], Tensor]:
    """The layer as the generated model has it, from its kind and arguments alone."""
    args: Args = dict(layer.args)
    if layer.kind == "Mean":
        dims: tuple[int, ...] = args["dim"]
        return lambda x: x.mean(dim=dims)
    if layer.kind == "Transpose":
        return lambda x: x.transpose(1, 2)
    if layer.kind == "LastStep":
        return lambda x: x[:, -1]
    module = getattr(nn, layer.kind)(**args)
    if layer.form == "recurrent":
        return lambda x: module(x)[0]
    assert isinstance(module, nn.Module)
    return module


ITEMS: dict[str, st.SearchStrategy[Args]] = {
    "conv": some(
        {"out_channels": st.integers(1, 4), "kernel_size": st.integers(1, 4)},
        {"stride": st.integers(1, 2), "padding": st.sampled_from([0, 1, "same"])},
    ),
    "convtranspose": some(
        {"out_channels": st.integers(1, 4), "kernel_size": st.integers(1, 3)},
        {"stride": st.integers(1, 2), "padding": st.integers(0, 1)},
    ),
    "maxpool": some({"kernel_size": st.integers(2, 3)}, {"ceil_mode": BIAS}),
    "avgpool": some({"kernel_size": st.integers(2, 3)}, {"padding": st.just(1)}),
    "adaptive_avgpool": some({"output_size": st.integers(1, 4)}, {}),
    "batchnorm": st.just({}),
    "groupnorm": st.just({"num_groups": 1}),
    "layernorm": st.just({}),
    "linear": some({"out_features": st.integers(1, 8)}, {}),
    "lstm": some({"hidden_size": st.integers(1, 4)}, {"bidirectional": BIAS}),
    "gru": some({"hidden_size": st.integers(1, 4)}, {"num_layers": st.just(2)}),
    "dropout": some({}, {"p": st.sampled_from([0.0, 0.5]), "inplace": BIAS}),
    "flatten": some({}, {"start_dim": st.sampled_from([1, 2, -1])}),
    **{name: st.just({}) for name in ("mean", "laststep", "transpose", "gelu", "sigmoid", "tanh")},
    **{name: some({}, {"inplace": BIAS}) for name in ("relu", "leaky_relu", "elu", "silu")},
}
CALLS = st.sampled_from(sorted(ITEMS)).flatmap(
    lambda name: ITEMS[name].map(lambda args: LayerCall(name, (), args))
)
STARTS: st.SearchStrategy[Signal] = st.one_of(
    st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)).map(lambda s: Signal(s, "map")),
    st.tuples(st.integers(1, 8), st.integers(1, 12)).map(lambda s: Signal(s, "map")),
    st.tuples(st.integers(1, 8), st.integers(1, 8)).map(lambda s: Signal(s, "sequence")),
    st.tuples(st.integers(1, 9)).map(lambda s: Signal(s, "features")),
)
# Refused because backward() fails, which a forward pass does not show; a test of its own holds these.
_BACKWARD = "needs for the gradient"


def run_stack(layers: list[Traced] | tuple[Traced, ...], start: Signal) -> None:
    """Forward and backward through real modules, each shape held against the trace; then parameters and MACs."""
    inputs = torch.randn(2, *start.shape, requires_grad=True)
    # The first layer of a model may be in-place, and a leaf that wants a gradient must not be written over.
    x = inputs.clone()
    built = [module_of(layer) for layer in layers]
    with FlopCounterMode(display=False) as counter:
        for layer, module in zip(layers, built, strict=True):
            assert tuple(x.shape[1:]) == layer.in_shape
            x = module(x)
            assert tuple(x.shape[1:]) == layer.out_shape, layer
    x.sum().backward()  # type: ignore[no-untyped-call]
    # On the CPU torch counts no LSTM and some of a GRU, so it is asked where there is none.
    if all(layer.form != "recurrent" for layer in layers):
        assert counter.get_total_flops() == 4 * sum(layer.macs for layer in layers)
    for layer, module in zip(layers, built, strict=True):
        if isinstance(module, nn.Module):
            assert layer.params == sum(parameter.numel() for parameter in module.parameters())


def test_random_stacks_run_in_torch_and_stop_where_torch_stops() -> None:
    seen: Counter[str] = Counter()

    @examples(3 * EXAMPLES)
    @given(STARTS, st.lists(CALLS, min_size=1, max_size=8))
    def check(start: Signal, calls: list[LayerCall]) -> None:
        try:
            run_stack(trace(calls, start).layers, start)
            seen["whole"] += 1
            seen["layers"] += len(calls)
        except LayerError as error:
            run_stack(error.layers, start)
            at = Signal(error.layers[-1].out_shape if error.layers else start.shape, "map")
            call = calls[error.index]
            seen["stopped"] += 1
            if _BACKWARD in error.problems[0].why:
                seen["backward"] += 1
            elif ("conv" in call.name or "pool" in call.name) and len(at.shape) > 1:
                assert compare(call.name, at.shape, call.kwargs) != "legal"
                seen["torch too"] += 1

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using padding='same' with even")
        check()
    assert seen["whole"] >= 60 and seen["layers"] >= 150, seen
    assert seen["stopped"] >= 100 and seen["torch too"] >= 10 and seen["backward"] >= 5, seen


@pytest.mark.parametrize("view", ["", "flatten", "unflatten((3, 4))", "transpose", "dropout(0.0)"])
@pytest.mark.parametrize("second", ["relu", "leaky_relu", "elu", "silu", "dropout"])
@pytest.mark.parametrize(
    ("first", "args"),
    [(name, {"inplace": True}) for name in ("relu", "leaky_relu", "elu", "silu", "dropout")]
    + [(name, {}) for name in ("relu", "leaky_relu", "elu", "silu", "dropout")]
    + [
        (name, {})
        for name in ("gelu", "sigmoid", "tanh", "softplus", "lstm", "batchnorm", "mean", "layernorm")
    ],
)
def test_inplace_is_refused_exactly_where_backward_fails(
    first: str, args: Args, second: str, view: str
) -> None:
    hidden = {"lstm": {"hidden_size": 4}}.get(first, {})
    calls = [LayerCall("linear", (4,)), LayerCall(first, (), {**hidden, **args})]
    shape: Shape = (3, 4)
    if view == "unflatten((3, 4))":
        if first in ("lstm", "mean"):
            return  # these need two axes
        shape = (12,)
        calls[0] = LayerCall("linear", (12,))
        calls.append(LayerCall("unflatten", ((3, 4),)))
    elif view == "dropout(0.0)":
        calls.append(LayerCall("dropout", (0.0,)))
    elif view and not (first == "mean" and view == "transpose"):
        calls.append(LayerCall(view))
    allowed = trace(calls, Signal(shape, "sequence")).layers  # without the last: always fine
    calls.append(LayerCall(second, (), {"inplace": True}))
    last = Traced(second, torch_kind(second, shape), {"inplace": True}, (), ())
    try:
        # With one sample flatten is a view of an LSTM's output; with several it copies, which is no promise.
        x = torch.randn(1 if first == "lstm" else 2, *shape)
        for layer in (*allowed, last):
            x = module_of(layer)(x)
        x.sum().backward()  # type: ignore[no-untyped-call]
        works = True
    except RuntimeError:
        works = False
    if works:
        trace(calls, Signal(shape, "sequence"))
    else:
        with pytest.raises(LayerError, match=_BACKWARD):
            trace(calls, Signal(shape, "sequence"))


@pytest.mark.parametrize("name", ["rnn", "gru"])
def test_inplace_after_a_recurrent_layer_is_refused_for_cudnn_which_keeps_its_output(name: str) -> None:
    calls = [LayerCall(name, (4,)), LayerCall("relu", (True,))]
    with pytest.raises(LayerError, match=_BACKWARD):
        trace(calls, Signal((3, 4), "sequence"))
    calls[0] = LayerCall(name, (4,), {"bidirectional": True})  # both directions' states are a copy
    assert trace(calls, Signal((3, 4), "sequence")).signal.shape == (8,)
