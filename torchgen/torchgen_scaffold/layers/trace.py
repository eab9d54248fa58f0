"""Walk a list of layers: every shape, parameter and multiply-accumulate, until the end or the first misfit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from torchgen_scaffold.errors import LayerError, Problem
from torchgen_scaffold.layers import LAYERS
from torchgen_scaffold.layers.base import (
    LayerCall,
    LayerType,
    Misfit,
    Signal,
    Step,
    TooSmall,
    Traced,
    show_shape,
)
from torchgen_scaffold.layers.dense import Codes, Columns, Embedding
from torchgen_scaffold.layers.receptive import FieldOfView
from torchgen_scaffold.records import record, replace

RECURRENT = ("rnn", "lstm", "gru")
MAX_NUMBERS = 2**28  # float32 numbers of one sample in one place: 1 GiB
MAX_PARAMS = 2**31  # float32 parameters of one layer: 8 GiB

# What torch keeps the output of, for the gradient: writing over it in place fails in backward(). Recurrent layers
# do on CUDA (cuDNN), and the LSTM on CPUs.
_KEEP_OUTPUT = ("ReLU", "Sigmoid", "Tanh", "RNN", "GRU", "LSTM")
_KEEP_OUTPUT_INPLACE = ("ELU", "LeakyReLU")


@record
class Trace:
    """Every layer, the signal that leaves the last, and what deserves saying aloud."""

    layers: tuple[Traced, ...]
    signal: Signal
    notes: tuple[str, ...]


def trace(
    calls: Sequence[LayerCall],
    signal: Signal,
    *,
    vocab_size: int | None = None,
    codes: Codes | None = None,
) -> Trace:
    """Trace `calls` on a sample of shape `signal.shape` (no batch).

    `codes` are those that stand behind the numbers of a row of a table.
    Raises LayerError at the first layer that does not fit, with those before it.
    """
    walk = _Walk(signal, vocab_size)
    if codes:
        walk.take_columns(codes)
    for index, call in _with_last_step(calls):
        try:
            walk.take(call)
        except Misfit as misfit:
            what = f"layer {index + 1}, {call}, does not fit its {_shown(walk.signal, misfit)}"
            instead = _ways_out(misfit, walk, calls[: index + 1], signal)
            problem = Problem(what, misfit.why, instead, "model.layers")
            raise LayerError(
                problem, index=index, item=str(call), layers=walk.layers, in_shape=signal.shape
            ) from misfit
    return Trace(tuple(walk.layers), walk.signal, tuple(walk.notes))


class _Walk:
    """A list of layers up to here."""

    def __init__(self, signal: Signal, vocab_size: int | None) -> None:
        self.signal, self.vocab_size = signal, vocab_size
        self.layers: list[Traced] = []
        self.notes: dict[str, None] = {}  # in order, each once
        self.view = FieldOfView(signal)
        self.kept = ""  # the layer in whose output's memory the signal is, where torch keeps that

    def step(self, call: LayerCall) -> Step:
        """What the next layer would make of the signal. Raises Misfit where it does not fit."""
        layer = _layer_type(call.name, self.vocab_size)
        given = layer.bind(call)
        if self.signal.axes == "tokens" and call.name != "embedding":
            raise Misfit(
                f"{call.name} works on numbers, and its input is token ids", "Put embedding(64) first."
            )
        step = layer.trace(self.signal, layer.complete(given), given)
        _check_amounts(step)
        if given.get("inplace") and self.kept:
            # forward() would pass and backward() fail.
            over = f"inplace=True would write over the output of {self.kept}"
            raise Misfit(f"{over}, which torch needs for the gradient", "Leave inplace out.")
        return _both_ways(step, self.layers) if call.name == "laststep" else step

    def take(self, call: LayerCall) -> None:
        """Go through one more layer. Raises Misfit where it does not fit."""
        self._pass(self.step(call), str(call))

    def take_columns(self, codes: Codes) -> None:
        """Go through the first layer of a table with categories or texts."""
        self._pass(Columns(codes).trace(self.signal, {}, {}), "columns")

    def _pass(self, step: Step, item: str) -> None:
        before = self.signal
        self.view.pass_through(step, before.shape)
        self.signal = _still_padded(step.signal, before)
        self.notes |= dict.fromkeys(step.notes)
        self.layers.append(
            Traced(
                item=item,
                kind=step.kind,
                args=step.args,
                in_shape=before.shape,
                out_shape=step.signal.shape,
                params=step.params,
                macs=step.macs,
                receptive_field=self.view.size(step.signal),
                formula=step.formula,
                why=step.why,
                form=step.form,
                padded=before.padded,
            )
        )
        if _keeps_output(self.layers[-1]):
            self.kept = item
        elif not _is_view(self.layers[-1]):
            self.kept = ""


def _still_padded(after: Signal, before: Signal) -> Signal:
    """The signal behind a layer: steps past a sequence's end stay there as long as the steps themselves do."""
    same_steps = after.axes == "sequence" and after.shape[0] == before.shape[0]
    return replace(after, padded=before.padded and same_steps)


def _layer_type(name: str, vocab_size: int | None) -> LayerType:
    if name not in LAYERS:
        raise Misfit(f"there is no layer {name[:40]!r}", "`torchgen options` lists every layer.")
    return Embedding(vocab_size) if name == "embedding" else LAYERS[name]


def _check_amounts(step: Step) -> None:
    """What no machine holds is refused with the memory it would take, instead of tried."""
    numbers = prod(step.signal.shape)
    if numbers > MAX_NUMBERS:
        raise Misfit(
            f"its output would take {_gib(numbers)} for one sample", "Use a smaller size; the most is 1 GiB."
        )
    if step.params > MAX_PARAMS:
        why = f"it would have {step.params:,} parameters, which take {_gib(step.params)}"
        raise Misfit(why, "Use a smaller size; the most is 8 GiB.")


def _gib(numbers: int) -> str:
    """The memory of so many float32, rounded up. In integers, since these may be too large for a float."""
    tenths = -(-numbers * 40 // 2**30)
    return f"{tenths // 10:,}.{tenths % 10} GiB"


def _keeps_output(layer: Traced) -> bool:
    """Whether torch needs the layer's output again, for the gradient."""
    return layer.kind in _KEEP_OUTPUT or (
        layer.kind in _KEEP_OUTPUT_INPLACE and bool(layer.args.get("inplace"))
    )


def _is_view(layer: Traced) -> bool:
    """Whether the output is the input's memory, in another shape or not."""
    if layer.kind == "Dropout":
        return layer.args.get("p") == 0 or bool(layer.args.get("inplace"))
    last = layer.kind == "LastStep" and not layer.args  # of both directions it is a copy
    return last or layer.kind in ("Flatten", "Unflatten", "Transpose")


def _both_ways(step: Step, layers: Sequence[Traced]) -> Step:
    """The last states of both directions where the recurrent layer right before reads both ways.

    The backward direction ends at the first step: at the last one it has read one step alone.
    """
    since = 0  # layers since the recurrent one
    while since < len(layers) and layers[-1 - since].form != "recurrent":
        since += 1
    if since == len(layers) or not layers[-1 - since].args.get("bidirectional"):
        return step
    if not since:
        return replace(step, args={"bidirectional": True}, why="both directions' last states")
    names = [layer.item.partition("(")[0] for layer in layers[len(layers) - since :]]
    if not all(LAYERS[name].stepwise for name in names):
        return step
    note = (
        f"laststep after {layers[-1].item} takes the last step, where the backward direction of {layers[-1 - since].item} "
        "has read one step alone; put laststep right after it."
    )
    return replace(step, notes=(*step.notes, note))


def _with_last_step(calls: Sequence[LayerCall]) -> Iterator[tuple[int, LayerCall]]:
    """The calls with their indices, and `laststep` after the last recurrent one where nothing later needs the steps.

    Layers that treat every step alike give the same whether the last step is taken before or after them, and
    before is cheaper.
    """
    last = max((index for index, call in enumerate(calls) if call.name in RECURRENT), default=len(calls))
    alike = all(call.name in LAYERS and LAYERS[call.name].stepwise for call in calls[last + 1 :])
    for index, call in enumerate(calls):
        yield index, call
        if index == last and alike:
            yield index, LayerCall("laststep")


def _shown(signal: Signal, misfit: Misfit) -> str:
    """`3×3 input` where the map is too small, `8×3×3 input` elsewhere; a single axis gets its unit."""
    if isinstance(misfit, TooSmall) and len(signal.shape) > 2:
        return f"{show_shape(signal.shape[1:])} input"
    if len(signal.shape) > 1:
        return f"{show_shape(signal.shape)} input"
    one = {"tokens": "token id", "features": "number"}.get(signal.axes, "position")
    return f"input of {signal.shape[0]:,} {one}{'' if signal.shape[0] == 1 else 's'}"


def _ways_out(misfit: Misfit, walk: _Walk, calls: Sequence[LayerCall], signal: Signal) -> str:
    """What to type instead. Each way out of a map that is too small has been tried: none is said that fails."""
    if not isinstance(misfit, TooSmall):
        return misfit.instead
    call = calls[-1]
    given = LAYERS[call.name].bind(call)
    uses = [fix.says for fix in misfit.fixes if _fits(walk, LayerCall(call.name, (), given | fix.changes))]
    pools = [index for index, call in enumerate(calls[:-1]) if call.name in ("maxpool", "avgpool")]
    drop = ""
    if pools and _all_fit([*calls[: pools[-1]], *calls[pools[-1] + 1 :]], signal, walk.vocab_size):
        drop = f", or drop the {calls[pools[-1]].name} before it"
    if not uses:
        return f"{misfit.instead.removesuffix('.')}{drop}."
    return f"Use {(', ' if drop else ' or ').join(uses)}{drop}."


def _fits(walk: _Walk, call: LayerCall) -> bool:
    try:
        walk.step(call)
    except Misfit:
        return False
    return True


def _all_fit(calls: Sequence[LayerCall], signal: Signal, vocab_size: int | None) -> bool:
    walk = _Walk(signal, vocab_size)
    try:
        for _, call in _with_last_step(calls):
            walk.take(call)
    except Misfit:
        return False
    return True
