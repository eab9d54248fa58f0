"""Model presets: input shape, output shape and task to a list of layers.

A preset is a function that writes the list a person could have written after --layers; torchgen adds the head. It
declares the settings that it alone reads, keys of `[model]` in torchgen.toml. Adding a preset is adding one here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.kinds import Flag, Integer, Number, Setting
from torchgen_scaffold.layers.base import Axes, LayerCall, Shape, Signal
from torchgen_scaffold.lists import Many
from torchgen_scaffold.plugins import Rows
from torchgen_scaffold.records import field, record

Settings = Mapping[str, Any]
WIDEST = 256  # channels of the cnn preset stop doubling here


@record
class Preset:
    """A ready list of layers: what it reads, the settings it has, and the function that writes it.

    `paces` has how many times the optimizer's usual learning rate it is trained with, by what it reads; else once.
    """

    name: str
    summary: str
    reads: tuple[Axes, ...]
    layers: Callable[[Signal, Settings], list[LayerCall]]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    paces: Mapping[Axes, int] = field(default_factory=dict)

    def settings_for(self, axes: Axes) -> Mapping[str, Setting]:
        """Its settings on such an input: only token ids are embedded."""
        return {
            name: setting
            for name, setting in self.settings.items()
            if setting is not _EMBEDDING or axes == "tokens"
        }


_DROPOUT = Setting(Number(0, 0.95), "share of the values that training zeroes", 0.0)
_EMBEDDING = Setting(Integer(1, 100_000), "numbers that stand for one token", 64)
_HIDDEN = Setting(Many(Integer(1, 1_000_000), limit=100), "width of each hidden layer", (128, 64))


def _linear(signal: Signal, settings: Settings) -> list[LayerCall]:
    """Nothing but the head: one Linear over all the numbers."""
    return []


def _mlp(signal: Signal, settings: Settings) -> list[LayerCall]:
    """Hidden layers of Linear and ReLU over all the numbers."""
    calls = [LayerCall("flatten")] if len(signal.shape) > 1 else []
    for width in settings["hidden"]:
        calls += [LayerCall("linear", (width,)), LayerCall("relu")]
        calls += [LayerCall("dropout", (settings["dropout"],))] if settings["dropout"] else []
    return calls


def _cnn(signal: Signal, settings: Settings) -> list[LayerCall]:
    """Blocks of convolution, ReLU and pooling, each with twice the channels; pools while a map can be halved."""
    sizes = signal.shape[1:]
    channels = settings["channels"] or usual_channels(sizes)
    calls: list[LayerCall] = []
    for depth, width in enumerate(channels, start=1):
        calls.append(LayerCall("conv", (width, 3), {"padding": 1}))
        calls += [LayerCall("batchnorm")] if settings["batchnorm"] else []
        calls.append(LayerCall("relu"))
        # An axis that is short already is left alone: a 3x200 map is halved along its second axis only.
        window = tuple(2 if size >= 4 else 1 for size in sizes)
        if max(window) == 2:
            calls.append(LayerCall("maxpool", (2 if min(window) == 2 else window,)))
        elif settings["channels"] and depth > len(usual_channels(signal.shape[1:])):
            raise SpecError(_too_deep(signal.shape, len(channels)))
        sizes = tuple(size // step for size, step in zip(sizes, window, strict=True))
        calls += [LayerCall("dropout", (settings["dropout"],))] if settings["dropout"] else []
    return calls


def usual_channels(sizes: Shape) -> tuple[int, ...]:
    """The channels of each block: one block for each halving that leaves at least 2, at least one block.

    `sizes` are the spatial ones: (8, 8) gives (32, 64), and a 512x512 image stops at 256 channels of 2x2.
    """
    depth = 0
    longest = max(sizes)
    while longest >= 4:
        depth, longest = depth + 1, longest // 2
    first = 32 if len(sizes) < 3 else 16  # a volume has many more positions, so it starts thinner
    return tuple(min(first * 2**block, WIDEST) for block in range(max(depth, 1)))


def _too_deep(shape: Shape, depth: int) -> Problem:
    most = len(usual_channels(shape[1:]))
    size = "x".join(str(part) for part in shape[1:])
    return Problem(
        f"model.channels: {depth} blocks are too deep for an input of {size}",
        f"each block halves the map, and after {most} there is nothing left to halve",
        f"Give at most {most} {'number' if most == 1 else 'numbers'}, or write the layers yourself with --layers.",
        "model.channels",
    )


def _embedding(signal: Signal, settings: Settings) -> LayerCall:
    """The table of token embeddings; id 0 stays zeros where it stands past the end of a text."""
    options: dict[str, Any] = {"padding_idx": 0} if signal.padded else {}
    return LayerCall("embedding", (settings["embedding_dim"],), options)


def _recurrent(name: str) -> Callable[[Signal, Settings], list[LayerCall]]:
    def layers(signal: Signal, settings: Settings) -> list[LayerCall]:
        options: dict[str, Any] = {}
        if settings["num_layers"] > 1:
            options["num_layers"] = settings["num_layers"]
            # torch drops out between stacked layers only, so that one layer takes none.
            options |= {"dropout": settings["dropout"]} if settings["dropout"] else {}
        if settings["bidirectional"]:
            options["bidirectional"] = True
        calls = [_embedding(signal, settings)] if signal.axes == "tokens" else []
        calls.append(LayerCall(name, (settings["hidden_size"],), options))
        single = settings["dropout"] and settings["num_layers"] == 1
        return calls + ([LayerCall("dropout", (settings["dropout"],))] if single else [])

    return layers


def _mean(signal: Signal, settings: Settings) -> list[LayerCall]:
    """The mean of the tokens' embeddings, then hidden layers."""
    calls = [_embedding(signal, settings), LayerCall("mean")]
    if settings["dropout"] and not settings["hidden"]:
        calls.append(LayerCall("dropout", (settings["dropout"],)))
    return calls + _mlp(Signal((settings["embedding_dim"],), "features"), settings)


_STEADY: Mapping[Axes, int] = {}
# At Adam's usual rate a gru needs several times the steps: seen on series of 275 of them, and on reviews of 40 words.
_BRISK: Mapping[Axes, int] = {"sequence": 10, "tokens": 3}

_RECURRENT_SETTINGS = {
    "hidden_size": Setting(Integer(1, 100_000), "numbers that the memory holds", 64),
    "num_layers": Setting(Integer(1, 100), "recurrent layers on top of each other", 1),
    "bidirectional": Setting(Flag(), "also read the sequence backwards", False),
    "dropout": _DROPOUT,
    "embedding_dim": _EMBEDDING,
}

PRESETS = Rows(
    "presets",
    Preset,
    (
        Preset(
            "linear",
            "one linear layer: linear or logistic regression, the baseline to beat",
            ("features", "sequence", "map"),
            _linear,
        ),
        Preset(
            "mlp",
            "hidden linear layers with ReLU: the usual network for a row of numbers",
            ("features", "sequence", "map"),
            _mlp,
            {"hidden": _HIDDEN, "dropout": _DROPOUT},
        ),
        Preset(
            "cnn",
            "convolution, ReLU and pooling in 1d, 2d or 3d: the usual network for images",
            ("map",),
            _cnn,
            {
                "channels": Setting(Many(Integer(1, 100_000), limit=100), "channels of each block"),
                "batchnorm": Setting(Flag(), "normalise after each convolution", False),
                "dropout": _DROPOUT,
            },
        ),
        *(
            Preset(name, summary, ("sequence", "tokens"), _recurrent(name), _RECURRENT_SETTINGS, paces)
            for name, summary, paces in (
                ("rnn", "the plain recurrent layer: short sequences, and lessons", _STEADY),
                ("lstm", "a recurrent layer with long memory", _STEADY),
                ("gru", "like lstm, with fewer weights: the usual network for sequences", _BRISK),
            )
        ),
        Preset(
            "mean",
            "the mean of the tokens' embeddings: the baseline to beat for text",
            ("tokens",),
            _mean,
            {
                "embedding_dim": _EMBEDDING,
                "hidden": Setting(_HIDDEN.kind, _HIDDEN.help, ()),
                "dropout": _DROPOUT,
            },
        ),
    ),
)


def usual_preset(signal: Signal) -> str:
    """What a person most likely wants when they name no model; beyond three spatial axes there are no convolutions."""
    if len(signal.shape) > 4:
        return "mlp"
    usual: dict[Axes, str] = {"features": "mlp", "sequence": "gru", "map": "cnn", "tokens": "gru"}
    return usual[signal.axes]
