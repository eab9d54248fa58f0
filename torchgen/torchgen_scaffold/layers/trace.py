"""Walk a list of layers: every shape, parameter and multiply-accumulate, until the end or the first misfit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

from torchgen_scaffold.errors import LayerError, Problem
from torchgen_scaffold.layers import LAYERS
from torchgen_scaffold.layers.base import (
    LayerCall,
    Misfit,
    Shape,
    Signal,
    Step,
    Traced,
    Window,
    show_shape,
)
from torchgen_scaffold.layers.dense import Embedding

RECURRENT = ("rnn", "lstm", "gru")
MAX_NUMBERS = 2**28  # float32 numbers of one sample in one place: 1 GiB
MAX_PARAMS = 2**31  # float32 parameters of one layer: 8 GiB


@dataclass(frozen=True)
class Trace:
    """Every layer, the signal that leaves the last, and what deserves saying aloud."""

    layers: tuple[Traced, ...]
    signal: Signal
    notes: tuple[str, ...]


def trace(calls: Sequence[LayerCall], signal: Signal, *, vocab_size: int | None = None) -> Trace:
    """Trace `calls` on a sample of shape `signal.shape` (no batch).

    Raises LayerError at the first layer that does not fit, with those before it.
    """
    layers: list[Traced] = []
    notes: list[str] = []
    field_of_view = FieldOfView(len(signal.shape) - 1 if signal.axes == "map" else 0)
    for index, call in _with_last_step(calls):
        try:
            step = _step(call, signal, vocab_size)
        except Misfit as misfit:
            raise _error(misfit, index, call, signal, layers) from misfit
        field_of_view.pass_through(step, signal)
        layers.append(
            Traced(
                item=str(call),
                kind=step.kind,
                args=step.args,
                in_shape=signal.shape,
                out_shape=step.signal.shape,
                params=step.params,
                macs=step.macs,
                receptive_field=field_of_view.size(step.signal),
                formula=step.formula,
                why=step.why,
                form=step.form,
            )
        )
        notes += [note for note in step.notes if note not in notes]
        signal = step.signal
    return Trace(tuple(layers), signal, tuple(notes))


def _step(call: LayerCall, signal: Signal, vocab_size: int | None) -> Step:
    layer = Embedding(vocab_size) if call.name == "embedding" else LAYERS[call.name]
    given = layer.bind(call)
    if signal.axes == "tokens" and call.name != "embedding":
        raise Misfit(f"{call.name} works on numbers, and its input is token ids", "Put embedding(64) first.")
    step = layer.trace(signal, layer.complete(given), given)
    if prod(step.signal.shape) > MAX_NUMBERS:
        gib = prod(step.signal.shape) * 4 / 2**30
        raise Misfit(
            f"its output would take {gib:,.1f} GiB for one sample", "Use a smaller size; the most is 1 GiB."
        )
    if step.params > MAX_PARAMS:
        gib = step.params * 4 / 2**30
        raise Misfit(
            f"it would have {step.params:,} parameters, {gib:,.1f} GiB",
            "Use a smaller size; the most is 8 GiB.",
        )
    return step


def _with_last_step(calls: Sequence[LayerCall]) -> list[tuple[int, LayerCall]]:
    """The calls with their indices, and `laststep` after the last recurrent one where nothing later needs the steps.

    Layers that treat every step alike give the same whether the last step is taken before or after them, and
    before is cheaper.
    """
    numbered = list(enumerate(calls))
    last = max((index for index, call in numbered if call.name in RECURRENT), default=None)
    if last is None or not all(LAYERS[call.name].stepwise for call in calls[last + 1 :]):
        return numbered
    layer = LAYERS[calls[last].name]
    try:
        both = layer.complete(layer.bind(calls[last]))["bidirectional"] is True
    except Misfit:
        both = False  # said when the walk gets there
    step = LayerCall("laststep", kwargs={"bidirectional": True} if both else {})
    return [*numbered[: last + 1], (last, step), *numbered[last + 1 :]]


def _error(
    misfit: Misfit, index: int, call: LayerCall, signal: Signal, layers: Sequence[Traced]
) -> LayerError:
    instead = misfit.instead
    if instead and not instead.endswith((".", "?")):
        # A size that does not fit: what shrank the map last is a third way out.
        before = [layer.item for layer in layers if layer.kind.startswith(("MaxPool", "AvgPool"))]
        name = before[-1].partition("(")[0] if before else ""
        instead += f", or drop the {name} before it." if before else "."
        instead = instead if instead.count(",") > 1 else instead.replace(", padding", " or padding")
    problem = Problem(
        f"layer {index + 1}, {call}, does not fit its {show_shape(signal.shape)} input",
        misfit.why,
        instead,
        "model.layers",
    )
    return LayerError(problem, index=index, item=str(call), layers=layers)


@dataclass
class FieldOfView:
    """How large an input patch one position sees, along each spatial axis; nothing once positions are gone.

    r += (k-1)*d*j and j *= s from r = j = 1. Where a transposed or adaptive layer makes windows uneven, the largest
    patch is found by walking intervals of outputs back through every layer.
    """

    axes: int
    history: list[tuple[Window, ...]] = field(default_factory=list)
    sizes: tuple[int, ...] = ()
    jumps: tuple[int, ...] = ()
    uneven: bool = False

    def __post_init__(self) -> None:
        self.sizes = self.jumps = (1,) * self.axes

    def pass_through(self, step: Step, signal: Signal) -> None:
        """Take one more layer into account."""
        if step.windows:
            if not self.axes and not self.history and signal.axes != "features":
                self.axes = len(signal.shape) - 1
                self.sizes = self.jumps = (1,) * self.axes
            self.history.append(step.windows)
            self.uneven = self.uneven or any(window.transposed or window.adaptive for window in step.windows)
            if self.uneven and self.axes:
                self.sizes = tuple(
                    self._largest(axis, step.signal.shape[axis + 1]) for axis in range(self.axes)
                )
            elif self.axes:
                rows = list(zip(self.sizes, self.jumps, step.windows, strict=True))
                self.sizes = tuple(r + (w.kernel - 1) * w.dilation * j for r, j, w in rows)
                self.jumps = tuple(j * w.stride for _, j, w in rows)
        elif not step.keeps_positions:
            self.axes = 0  # every output may see every input from here on

    def size(self, signal: Signal) -> Shape | None:
        """The patch that one position of `signal` sees, or None where there are no positions."""
        return self.sizes if self.axes and signal.axes == "map" else None

    def _largest(self, axis: int, outputs: int) -> int:
        largest = 0
        for position in range(outputs):
            low = high = position
            for windows in reversed(self.history):
                low, high = windows[axis].back(low, high)
            largest = max(largest, high - low + 1)
        return largest
