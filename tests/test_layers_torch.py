"""torch is the oracle: legality, shapes, parameters and multiply-accumulates of every layer type, by itself and in stacks.

Legal means for torch: the constructor and a forward pass of two samples on the CPU raise nothing, and the output is
not empty. Where torchgen refuses more than that on purpose, `STRICTER` says so and a test of its own holds it.
"""

from __future__ import annotations

import inspect
import itertools
import math
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from torchgen_scaffold.errors import LayerError
from torchgen_scaffold.layers import LAYERS
from torchgen_scaffold.layers.arguments import REQUIRED
from torchgen_scaffold.layers.base import Axes, LayerCall, Signal, Traced
from torchgen_scaffold.layers.trace import trace

EXAMPLES = 250  # configurations of each layer type; TORCHGEN_EXAMPLES=10 tries ten times as many


def examples(count: int = EXAMPLES) -> settings:
    """Deterministic: the same configurations in every run, which is what a CI needs to be believed."""
    factor = int(os.environ.get("TORCHGEN_EXAMPLES", "1"))
    return settings(derandomize=True, deadline=None, database=None, max_examples=count * factor)


TORCH = {
    "conv": "Conv{}d",
    "convtranspose": "ConvTranspose{}d",
    "maxpool": "MaxPool{}d",
    "avgpool": "AvgPool{}d",
    "adaptive_avgpool": "AdaptiveAvgPool{}d",
    "adaptive_maxpool": "AdaptiveMaxPool{}d",
    "batchnorm": "BatchNorm{}d",
    "groupnorm": "GroupNorm",
    "layernorm": "LayerNorm",
    "linear": "Linear",
    "rnn": "RNN",
    "lstm": "LSTM",
    "gru": "GRU",
    "embedding": "Embedding",
    "dropout": "Dropout",
    "flatten": "Flatten",
    "relu": "ReLU",
    "leaky_relu": "LeakyReLU",
    "gelu": "GELU",
    "silu": "SiLU",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "elu": "ELU",
    "softplus": "Softplus",
}
RECURRENT = ("rnn", "lstm", "gru")
VOCABULARY = 11
Shape = tuple[int, ...]
Args = dict[str, Any]


def torch_args(name: str, shape: Shape, args: Args) -> Args:
    """The constructor's arguments with the input size, worked out apart from torchgen."""
    sizes: Args = {
        "conv": {"in_channels": shape[0]},
        "convtranspose": {"in_channels": shape[0]},
        "batchnorm": {"num_features": shape[0]},
        "groupnorm": {"num_channels": shape[0]},
        "layernorm": {"normalized_shape": shape if len(shape) > 2 else shape[-1]},
        "linear": {"in_features": shape[-1]},
        **{recurrent: {"input_size": shape[-1]} for recurrent in RECURRENT},
        "embedding": {"num_embeddings": VOCABULARY},
    }
    return {**sizes.get(name, {}), **args, **({"batch_first": True} if name in RECURRENT else {})}


def torch_kind(name: str, shape: Shape) -> str:
    return TORCH[name].format(max(len(shape) - 1, 1))


def sample(name: str, shape: Shape, device: str = "cpu") -> Tensor:
    if name == "embedding":
        return torch.randint(VOCABULARY, (2, *shape), device=device)
    return torch.randn(2, *shape, device=device)


class Facts:
    """What torch makes of one layer: its output's shape, its parameters, its warnings; or its error."""

    def __init__(self, name: str, shape: Shape, args: Args) -> None:
        self.error: Exception | None = None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                self.module = getattr(nn, torch_kind(name, shape))(**torch_args(name, shape, args))
                output = self.module(sample(name, shape))
                output = output[0] if isinstance(output, tuple) else output
                self.shape = tuple(output.shape[1:])
                if output.numel() == 0:
                    self.error = ValueError("an empty output")
            except (
                RuntimeError,
                ValueError,
                TypeError,
                AssertionError,
                ArithmeticError,
                IndexError,
            ) as error:
                self.error = error
        self.warned = [str(warning.message) for warning in caught]

    @property
    def params(self) -> int:
        return sum(parameter.numel() for parameter in self.module.parameters() if parameter.requires_grad)


@contextmanager
def every_warning() -> Iterator[None]:
    """torch says some warnings once a process; here it says them each time."""
    torch.set_warn_always(True)
    try:
        yield
    finally:
        torch.set_warn_always(False)


def torch_macs(name: str, shape: Shape, args: Args) -> int:
    """Half of what FlopCounterMode counts, of one sample. On the meta device: on the CPU it counts an LSTM as 0."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        module = getattr(nn, torch_kind(name, shape))(**torch_args(name, shape, args))
        module(sample(name, shape, "meta"))
    assert counter.get_total_flops() % 4 == 0
    return int(counter.get_total_flops()) // 4


def traced(name: str, shape: Shape, args: Args, axes: Axes = "map") -> tuple[Traced, tuple[str, ...]]:
    vocabulary = VOCABULARY if axes == "tokens" else None
    found = trace([LayerCall(name, (), args)], Signal(shape, axes), vocab_size=vocabulary)
    assert len(found.layers) == 2 if name in RECURRENT else 1
    return found.layers[0], found.notes


def refused(name: str, shape: Shape, args: Args, axes: Axes = "map") -> str:
    """Why torchgen refuses it."""
    with pytest.raises(LayerError) as caught:
        traced(name, shape, args, axes)
    return caught.value.problems[0].why


# ------------------------------------------------------------------------------------------------ strategies


def mostly(usual: list[Any], odd: list[Any]) -> st.SearchStrategy[Any]:
    """A usual value four times of five, so that legal configurations are many and illegal ones too."""
    return st.integers(0, 4).flatmap(lambda roll: st.sampled_from(usual if roll else odd))


def some(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Args]:
    return st.fixed_dictionaries(required, optional=optional)


def each(axes: int, usual: list[Any], odd: list[Any]) -> st.SearchStrategy[Any]:
    one = mostly(usual, odd)
    return one | st.tuples(*[one] * axes)


def maps() -> st.SearchStrategy[Shape]:
    size = st.integers(1, 9)
    return st.integers(1, 3).flatmap(lambda n: st.tuples(st.sampled_from([1, 2, 3, 4, 6]), *[size] * n))


BIAS = st.booleans()
GROUPS = mostly([1, 1, 1, 2], [3, 4, 0])
CHANNELS = mostly([1, 2, 4, 6], [0, -1])


def conv_args(shape: Shape) -> st.SearchStrategy[Args]:
    n = len(shape) - 1
    return some(
        {"out_channels": CHANNELS, "kernel_size": each(n, [1, 2, 3], [0, 4, 5, 7])},
        {
            "stride": each(n, [1, 1, 2, 3], [0, 4]),
            "padding": each(n, [0, 1, 2], [3, 5, -1]) | st.sampled_from(["same", "same", "valid"]),
            "dilation": each(n, [1, 2], [0, 3]),
            "groups": GROUPS,
            "bias": BIAS,
            "padding_mode": mostly(["zeros", "reflect", "replicate", "circular"], ["mirror"]),
        },
    )


def transposed_args(shape: Shape) -> st.SearchStrategy[Args]:
    n = len(shape) - 1
    return some(
        {"out_channels": CHANNELS, "kernel_size": each(n, [1, 2, 3], [0, 5])},
        {
            "stride": each(n, [1, 2, 3], [0]),
            "padding": each(n, [0, 1], [2, 4, -1]),
            "output_padding": each(n, [0, 0, 1], [2, 3, -1]),
            "dilation": each(n, [1, 2], [0, 3]),
            "groups": GROUPS,
            "bias": BIAS,
            "padding_mode": mostly(["zeros"], ["reflect"]),
        },
    )


def pool_args(shape: Shape, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Args]:
    n = len(shape) - 1
    return some(
        {"kernel_size": each(n, [1, 2, 3, 4], [0, 7])},
        {
            "stride": each(n, [1, 2, 3], [0, 5]) | st.none(),
            "padding": each(n, [0, 0, 1], [2, 3, -1]),
            "ceil_mode": st.booleans(),
            **more,
        },
    )


def max_args(shape: Shape) -> st.SearchStrategy[Args]:
    return pool_args(shape, dilation=each(len(shape) - 1, [1, 2], [0, 3]), return_indices=st.just(False))


def avg_args(shape: Shape) -> st.SearchStrategy[Args]:
    divisor = {"divisor_override": mostly([None, 3], [-2, 0])} if len(shape) > 2 else {}
    return pool_args(shape, count_include_pad=st.booleans(), **divisor)


def adaptive_args(shape: Shape) -> st.SearchStrategy[Args]:
    return some({"output_size": each(len(shape) - 1, [1, 2, 5], [0, None, -1])}, {})


def recurrent_args(name: str) -> Callable[[Shape], st.SearchStrategy[Args]]:
    own = {
        "rnn": {"nonlinearity": mostly(["tanh", "relu"], ["gelu"])},
        "lstm": {"proj_size": mostly([0, 1, 2], [-1, 9])},
        "gru": {},
    }[name]
    return lambda shape: some(
        {"hidden_size": mostly([2, 3, 5], [0, 1])},
        {
            "num_layers": mostly([1, 2, 3], [0]),
            "bias": BIAS,
            "dropout": mostly([0.0, 0.3], [1, -0.1, 1.5]),
            "bidirectional": BIAS,
            **own,
        },
    )


def plain(required: dict[str, Any], optional: dict[str, Any]) -> Callable[[Shape], st.SearchStrategy[Args]]:
    return lambda shape: some(required, optional)


EPS = st.sampled_from([1e-5, 1e-3])
MAPS_OR_ROWS = st.integers(1, 4).flatmap(lambda n: st.tuples(*[st.integers(1, 5)] * n))
ANY = st.integers(1, 5).flatmap(lambda n: st.tuples(*[st.integers(1, 5)] * n))
SEQUENCES = st.tuples(st.integers(1, 6), st.integers(1, 6))
DIMS = st.integers(-6, 6)
ARGUMENTS: dict[str, tuple[st.SearchStrategy[Shape], Callable[[Shape], st.SearchStrategy[Args]]]] = {
    "conv": (maps(), conv_args),
    "convtranspose": (maps(), transposed_args),
    "maxpool": (maps(), max_args),
    "avgpool": (maps(), avg_args),
    "adaptive_avgpool": (maps(), adaptive_args),
    "adaptive_maxpool": (maps(), adaptive_args),
    "batchnorm": (
        MAPS_OR_ROWS,
        plain(
            {},
            {
                "eps": mostly([1e-5, 1], [0.0, -1.0]),
                "momentum": st.sampled_from([None, 0, 0.3]),
                "affine": BIAS,
                "track_running_stats": BIAS,
                "bias": BIAS,
            },
        ),
    ),
    "groupnorm": (
        ANY,
        plain({"num_groups": mostly([1, 2], [3, 4, 0, -1])}, {"eps": EPS, "affine": BIAS, "bias": BIAS}),
    ),
    "layernorm": (ANY, plain({}, {"eps": EPS, "elementwise_affine": BIAS, "bias": BIAS})),
    "linear": (ANY, plain({"out_features": mostly([1, 3, 7], [0, -1])}, {"bias": BIAS})),
    **{name: (SEQUENCES, recurrent_args(name)) for name in RECURRENT},
    "embedding": (
        st.tuples(st.integers(1, 6)),
        plain(
            {"embedding_dim": mostly([1, 4], [0, -1])},
            {
                "padding_idx": mostly([None, 0, -1, 10, -11], [11, -12]),
                "max_norm": st.sampled_from([None, 1.0]),
                "norm_type": st.sampled_from([1, 2.0]),
                "scale_grad_by_freq": BIAS,
            },
        ),
    ),
    "dropout": (ANY, plain({}, {"p": mostly([0, 0.5, 1], [-0.1, 1.5]), "inplace": BIAS})),
    "flatten": (ANY, plain({}, {"start_dim": DIMS, "end_dim": DIMS})),
    "leaky_relu": (ANY, plain({}, {"negative_slope": st.sampled_from([0.2, 1]), "inplace": BIAS})),
    "gelu": (ANY, plain({}, {"approximate": st.sampled_from(["none", "tanh", "sigmoid"])})),
    "elu": (ANY, plain({}, {"alpha": st.sampled_from([0.2, 2]), "inplace": BIAS})),
    "softplus": (ANY, plain({}, {"beta": st.sampled_from([0.2, 2, -1]), "threshold": st.just(9)})),
    **{name: (ANY, plain({}, {"inplace": BIAS})) for name in ("relu", "silu")},
    **{name: (ANY, plain({}, {})) for name in ("sigmoid", "tanh")},
}
NEVER_ILLEGAL = ("layernorm", "leaky_relu", "elu", "softplus", "relu", "silu", "sigmoid", "tanh")


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _one_value_a_group(shape: Shape, args: Args) -> bool:
    return bool(math.prod(shape) == args["num_groups"])


# What torchgen refuses and torch does not: a layer whose output is always the same, and the batch in flatten.
STRICTER: dict[str, Callable[[Shape, Args], bool]] = {
    "groupnorm": _one_value_a_group,
    # oneDNN refuses it for kernels above 1, and torch itself does not look.
    "convtranspose": lambda shape, args: 0 in _tuple(args.get("dilation")),
    "layernorm": lambda shape, args: math.prod(shape if len(shape) > 2 else shape[-1:]) == 1,
    "flatten": lambda shape, args: (
        args.get("start_dim", 1) % (len(shape) + 1) == 0 and args.get("end_dim", -1) % (len(shape) + 1) > 0
    ),
}


def axes_of(name: str) -> Axes:
    return "tokens" if name == "embedding" else "sequence" if name in RECURRENT else "map"


# ------------------------------------------------------------------------------------------------ one layer


def compare(name: str, shape: Shape, args: Args) -> str:
    """Hold one configuration against torch; the verdict they agree on: legal, illegal or stricter."""
    facts = Facts(name, shape, args)
    if facts.error is None and name in STRICTER and STRICTER[name](shape, args):
        assert refused(name, shape, args, axes_of(name))
        return "stricter"
    if facts.error is not None:
        assert refused(name, shape, args, axes_of(name)), facts.error
        return "illegal"
    layer, notes = traced(name, shape, args, axes_of(name))
    assert layer.kind == torch_kind(name, shape)
    written = torch_args(name, shape, args)
    if name in RECURRENT and args.get("num_layers", 1) == 1:
        written.pop("dropout", None)  # torch ignores it with a warning, so it is left out with a note
    assert layer.args == written
    assert list(layer.args)[: len(layer.args) - len(args)][:1] == list(torch_args(name, shape, {}))[:1]
    assert (layer.in_shape, layer.out_shape) == (shape, facts.shape)
    assert layer.params == facts.params
    # torch warns of what torchgen has said already, and torchgen does not cry wolf.
    meant = [note for note in notes if "torch warns" in note or "between stacked layers" in note]
    assert bool(facts.warned) == bool(meant), (facts.warned, notes)
    return "legal"


@pytest.mark.parametrize("name", ARGUMENTS)
def test_legality_shape_and_parameters_are_torchs(name: str) -> None:
    shapes, arguments = ARGUMENTS[name]
    verdicts: Counter[str] = Counter()

    @examples()
    @given(shapes.flatmap(lambda shape: st.tuples(st.just(shape), arguments(shape))))
    def check(case: tuple[Shape, Args]) -> None:
        verdicts[compare(name, *case)] += 1

    with every_warning():
        check()
    if name in ("sigmoid", "tanh"):
        assert verdicts["legal"] >= 30
        return
    assert verdicts["legal"] >= 50, verdicts
    assert verdicts["illegal"] >= (0 if name in NEVER_ILLEGAL else 20), verdicts
    assert bool(verdicts["stricter"]) == (name in STRICTER), verdicts


@pytest.mark.parametrize("name", ["conv", "convtranspose", "linear", *RECURRENT])
def test_macs_are_half_of_what_torch_counts(name: str) -> None:
    shapes, arguments = ARGUMENTS[name]
    counted: Counter[str] = Counter()

    @examples(EXAMPLES // 2)
    @given(shapes.flatmap(lambda shape: st.tuples(st.just(shape), arguments(shape))))
    def check(case: tuple[Shape, Args]) -> None:
        shape, args = case
        try:
            layer, _ = traced(name, shape, args, axes_of(name))
        except LayerError:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert layer.macs == torch_macs(name, shape, args)
        counted["legal"] += 1

    check()
    assert counted["legal"] >= 20


@pytest.mark.parametrize("name", sorted(set(ARGUMENTS) - {"conv", "convtranspose", "linear", *RECURRENT}))
def test_layers_without_products_count_no_macs(name: str) -> None:
    required = {
        **{pool: {"kernel_size": 2} for pool in ("maxpool", "avgpool")},
        **{pool: {"output_size": 2} for pool in ("adaptive_avgpool", "adaptive_maxpool")},
        "groupnorm": {"num_groups": 1},
        "embedding": {"embedding_dim": 3},
    }
    shape = (4,) if name == "embedding" else (2, 4, 4)
    layer, _ = traced(name, shape, required.get(name, {}), axes_of(name))
    assert layer.macs == 0
    assert torch_macs(name, shape, required.get(name, {})) == 0


@pytest.mark.parametrize("name", sorted(set(TORCH) - set(RECURRENT)))
def test_signatures_are_torchs(name: str) -> None:
    """Names, order and defaults, less the input size and where the numbers live."""
    filled_in = {
        *("in_channels", "num_features", "num_channels", "normalized_shape", "in_features", "num_embeddings"),
        *("device", "dtype", "_weight", "_freeze", "self", "args", "kwargs"),
    }
    longest: dict[str, object] = {}
    for rank in (1, 2, 3):
        signature = inspect.signature(getattr(nn, TORCH[name].format(rank)).__init__)
        theirs = {p.name: p.default for p in signature.parameters.values() if p.name not in filled_in}
        longest = theirs if len(theirs) > len(longest) else longest
    ours = {
        p.name: inspect.Parameter.empty if p.default is REQUIRED else p.default
        for p in LAYERS[name].parameters
    }
    assert list(ours.items()) == list(longest.items())


@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent_arguments_by_place_are_torchs(name: str) -> None:
    """RNN, LSTM and GRU take *args; by place they must mean the same."""
    own = [p for p in LAYERS[name].parameters if p.name != "nonlinearity"]
    values: Args = {"hidden_size": 4, "num_layers": 2, "bias": False, "batch_first": True, "dropout": 0.25}
    values |= {"bidirectional": True, "proj_size": 2}
    module = getattr(nn, torch_kind(name, (3, 3)))
    built = module(3, 4, 2, "relu", False, True, 0.25, True) if name == "rnn" else None
    built = built or module(3, *[values[p.name] for p in own])
    for parameter in own:
        assert getattr(built, parameter.name) == values[parameter.name]
        if parameter.name not in ("hidden_size", "batch_first"):
            assert getattr(module(3, 4), parameter.name) == parameter.default
    assert [p.name for p in LAYERS["rnn"].parameters][:3] == ["hidden_size", "num_layers", "nonlinearity"]


def test_every_layer_type_is_held_against_torch() -> None:
    assert set(ARGUMENTS) == set(TORCH)
    assert set(LAYERS) - set(TORCH) == {"mean", "laststep", "unflatten", "transpose"}
    assert all(LAYERS[name].name == name and LAYERS[name].summary for name in LAYERS)


@pytest.mark.parametrize(
    ("name", "shape", "args", "why"),
    [
        ("maxpool", (2, 4, 4), {"kernel_size": 2, "return_indices": True}, "two tensors"),
        ("adaptive_maxpool", (2, 4, 4), {"output_size": 2, "return_indices": True}, "two tensors"),
        (
            "convtranspose",
            (2, 4, 4),
            {"out_channels": 2, "kernel_size": 3, "padding": "same"},
            "padding must be",
        ),
        ("lstm", (4, 4), {"hidden_size": 2, "batch_first": False}, "batches come first"),
        ("avgpool", (2, 4), {"kernel_size": 2, "divisor_override": 2}, "no divisor_override"),
        ("groupnorm", (4,), {"num_groups": 4}, "single value"),
        ("layernorm", (1,), {}, "single value"),
        ("leaky_relu", (4,), {"negative_slope": -0.1, "inplace": True}, "gradient"),
        ("elu", (4,), {"alpha": -1, "inplace": True}, "gradient"),
        ("softplus", (4,), {"beta": 0}, "other than 0"),
        ("conv", (2, 4, 4), {"out_channels": 2, "kernel_size": (3,)}, "2 spatial axes"),
        ("conv", (2, 4, 4), {"out_channels": 2, "kernel_size": 3, "stride": (2,)}, "2 spatial axes"),
        ("conv", (2, 4, 4), {"out_channels": 2, "kernel_size": 3, "device": "cpu"}, "no argument 'device'"),
        ("batchnorm", (2, 2, 2, 2, 2), {}, "at most 3 spatial axes"),
        ("conv", (8,), {"out_channels": 2, "kernel_size": 3}, "works on a map"),
        ("maxpool", (8,), {"kernel_size": 2}, "works on a map"),
        ("conv", (1, 2, 2, 2, 2), {"out_channels": 2, "kernel_size": 1}, "one to three spatial axes"),
        ("lstm", (8,), {"hidden_size": 2}, "(steps, features)"),
        ("lstm", (2, 8, 8), {"hidden_size": 2}, "(steps, features)"),
        ("embedding", (8,), {"embedding_dim": 2}, "its input is numbers"),
        ("transpose", (8,), {}, "two axes"),
        ("transpose", (2, 8, 8), {}, "two axes"),
        ("mean", (8,), {}, "one axis"),
        ("laststep", (8,), {}, "(steps, features)"),
        ("unflatten", (8,), {"unflattened_size": (2, 3)}, "holds 6"),
        ("unflatten", (2, 4), {"unflattened_size": (2, 4)}, "holds 8"),
    ],
)
def test_what_torchgen_refuses_beyond_torch(name: str, shape: Shape, args: Args, why: str) -> None:
    assert why in refused(name, shape, args)


@pytest.mark.parametrize("sparse", [True])
def test_sparse_embeddings_are_refused_since_adam_refuses_them(sparse: bool) -> None:
    assert "Adam" in refused("embedding", (4,), {"embedding_dim": 2, "sparse": sparse}, "tokens")
    layer = nn.Embedding(5, 2, sparse=True)
    layer(torch.tensor([1])).sum().backward()
    with pytest.raises(RuntimeError, match="Adam does not support sparse"):
        torch.optim.Adam(layer.parameters()).step()


def test_output_padding_is_held_to_stride_or_dilation_as_torch_does() -> None:
    verdicts: Counter[str] = Counter()
    with every_warning():
        for stride, dilation, extra in itertools.product((1, 2, 3), (1, 2, 3), (0, 1, 2, 3)):
            args = {"out_channels": 1, "kernel_size": 2, "stride": stride, "dilation": dilation}
            verdicts[compare("convtranspose", (1, 4), {**args, "output_padding": extra})] += 1
    assert verdicts == {"legal": 22, "illegal": 14}
