"""The model: a preset or a person's own layers, on the input that was described; traced before it is accepted."""

from __future__ import annotations

from typing import Any

from torchgen_scaffold.answers.shapes import axes_of
from torchgen_scaffold.answers.words import Answers
from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.layers.base import Axes, LayerCall, Shape, Signal
from torchgen_scaffold.layers.dense import Codes
from torchgen_scaffold.layers.text import parse_layers
from torchgen_scaffold.network import Network, build
from torchgen_scaffold.presets import PRESETS, usual_preset
from torchgen_scaffold.shapes import show_sizes
from torchgen_scaffold.sources import Facts
from torchgen_scaffold.spec import Model

_READ_CHANNELS_FIRST = (
    *("conv", "convtranspose", "maxpool", "avgpool", "adaptive_avgpool", "adaptive_maxpool"),
    *("batchnorm", "groupnorm"),
)
_READ_TIME_FIRST = ("rnn", "lstm", "gru")


def model_of(
    answers: Answers, input_shape: Shape, output_shape: Shape, facts: Facts | None
) -> tuple[Model, Network]:
    """The Model of a Spec and its traced network. Raises SpecError, or LayerError where a layer does not fit."""
    preset: str | None = answers.get("model.preset")
    layers: str | None = answers.get("model.layers")
    vocab_size: int | None = answers.get("model.vocab_size")
    layout: str | None = answers.get("model.layout")
    if preset and layers:
        raise SpecError(
            Problem(
                "--model and --layers are two models",
                "a preset is a list of layers itself",
                "Give one of them.",
            )
        )
    calls = parse_layers(layers) if layers else ()
    if len(input_shape) == 2 and layout is None and vocab_size is None:
        layout = _layout_for(preset, calls)
    signal = Signal(input_shape, axes_of(input_shape, layout, vocab_size), bool(facts and facts.padded))
    if signal.padded and signal.axes == "map":
        raise SpecError(
            Problem(
                f"samples of several lengths are time steps of features, not channels: {show_sizes(input_shape)}",
                "past its end a sequence holds nothing, and a convolution over channels could not tell",
                'Choose --model gru, or --layers "transpose -> conv(32, 3) -> relu -> mean".',
                "model.layout" if answers.get("model.layout") else "model.preset",
            )
        )
    settings: dict[str, Any] = {}
    if not layers:
        preset = preset or usual_preset(signal)
        _check_reads(preset, signal, layout)
        settings = answers.of_row("model", PRESETS[preset].settings_for(signal.axes))
        calls = tuple(PRESETS[preset].layers(signal, settings))
    answers.leftovers("model", _chosen(preset, signal))
    model = Model(preset, calls, signal, vocab_size, layout, facts.codes if facts else Codes(), settings)
    return model, build(model, output_shape)  # raises where a layer does not fit


def _chosen(preset: str | None, signal: Signal) -> str:
    """What a setting that does nothing is told it met."""
    if not preset:
        return "your own list of layers"
    row = PRESETS[preset]
    embeds = len(row.settings_for(signal.axes)) < len(row.settings)
    return f"the {preset} preset{' without --vocab-size' if embeds else ''}"


def _layout_for(preset: str | None, calls: tuple[LayerCall, ...]) -> str | None:
    """What two axes mean when nobody said: convolutions read channels first, recurrent layers time first."""
    if preset:
        return "cl" if preset == "cnn" else None
    swapped = False
    for call in calls:
        if call.name == "transpose":  # what follows reads the axes the other way round
            swapped = not swapped
        elif call.name in (*_READ_CHANNELS_FIRST, *_READ_TIME_FIRST):
            return "cl" if (call.name in _READ_CHANNELS_FIRST) != swapped else None
    return None


_MEANS: dict[Axes, str] = {
    "features": "a row of numbers",
    "sequence": "a sequence (time, features)",
    "map": "a map (channels first)",
    "tokens": "a sequence of token ids",
}


def _check_reads(preset: str, signal: Signal, layout: str | None) -> None:
    row = PRESETS[preset]
    if signal.axes in row.reads:
        return
    fitting = [name for name, other in PRESETS.items() if signal.axes in other.reads]
    why = f"{preset} reads {' or '.join(_MEANS[axes] for axes in row.reads)}"
    instead = f"Choose --model {', '.join(fitting)}."
    if layout == "tf" and preset == "cnn":
        instead = f"Drop --layout tf if the channels come first, or choose --model {', '.join(fitting)}."
    if layout == "cl" and "sequence" in row.reads:
        instead = f"Drop --layout cl if the first axis is time, or choose --model {', '.join(fitting)}."
    raise SpecError(
        Problem(
            f"the {preset} preset cannot read {show_sizes(signal.shape)}, {_MEANS[signal.axes]}",
            why,
            instead,
            "model.preset",
        )
    )
