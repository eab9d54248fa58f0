"""Recurrent layers: a memory that is updated at every time step. batch_first is always True."""

from __future__ import annotations

from typing import ClassVar

from torchgen_scaffold.layers.arguments import (
    COUNT,
    NOT_NEGATIVE,
    SHARE,
    YES_OR_NO,
    Misfit,
    Parameter,
    Value,
    one_of,
)
from torchgen_scaffold.layers.base import LayerType, Signal, Step, integer, show_shape

_HIDDEN = Parameter("hidden_size", COUNT)
_LAYERS = Parameter("num_layers", COUNT, 1)
_TAIL = (
    Parameter("bias", YES_OR_NO, True),
    Parameter("batch_first", YES_OR_NO, True),
    Parameter("dropout", SHARE, 0.0),
    Parameter("bidirectional", YES_OR_NO, False),
)


class _Recurrent(LayerType):
    gates: ClassVar[int]

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """(T, in) -> (T, D*R) for D directions of R = proj_size or hidden_size numbers.

        A layer and direction has G*H*in + G*H*R + 2*G*H (+ proj*H) parameters for G gates and H = hidden_size, and
        as many MACs at each step, less the biases (torch.nn.LSTM). Raises Misfit for anything but a sequence.
        """
        self._check(signal, args)
        steps, features = signal.shape
        hidden, layers = integer(args["hidden_size"]), integer(args["num_layers"])
        projection = integer(args.get("proj_size", 0))
        directions = 2 if args["bidirectional"] else 1
        state = projection or hidden
        # The layers after the first read the outputs of all directions, and are all of one size.
        inputs = features + (layers - 1) * directions * state
        weights = directions * (
            self.gates * hidden * (inputs + layers * state) + layers * projection * hidden
        )
        biases = directions * layers * 2 * self.gates * hidden if args["bias"] else 0
        return Step(
            type(self).__name__.upper(),
            {"input_size": features, **_batch_first(given if layers > 1 else _without(given, "dropout"))},
            Signal((steps, directions * state), "sequence"),
            params=weights + biases,
            macs=weights * steps,
            why=f"a memory of {state} numbers{', read both ways' if directions == 2 else ''}, at each of {steps} steps",
            form="recurrent",
            notes=tuple(self._notes(signal, args)),
        )

    def _check(self, signal: Signal, args: dict[str, Value]) -> None:
        if len(signal.shape) != 2:
            row = "Give an input such as 50,8, or put it before laststep, mean and flatten."
            raise Misfit(
                f"{self.name} reads a sequence of (steps, features)",
                row if len(signal.shape) == 1 else "Use conv on maps.",
            )
        if not args["batch_first"]:
            raise Misfit(
                "batch_first=False would read the batch as time: batches come first here",
                "Leave it out: torchgen sets it to True.",
            )
        hidden, projection = integer(args["hidden_size"]), integer(args.get("proj_size", 0))
        if projection >= hidden:
            instead = f"Use proj_size={hidden - 1} or less." if hidden > 1 else "Leave proj_size out."
            raise Misfit(f"proj_size={projection} must be smaller than hidden_size={hidden}", instead)

    def _notes(self, signal: Signal, args: dict[str, Value]) -> list[str]:
        notes = []
        if signal.axes == "map":
            notes.append(
                f"{self.name} reads the {show_shape(signal.shape)} map as {signal.shape[0]} steps of "
                f"{signal.shape[1]} features; put transpose before it to read it along its length."
            )
        if args["dropout"] and args["num_layers"] == 1:
            notes.append(
                f"dropout in {self.name} acts between stacked layers, and there is one: it is left out; put dropout after it."
            )
        if args.get("proj_size"):
            notes.append(
                f"torch warns on CPUs that {self.name} with proj_size runs without oneDNN, more slowly."
            )
        return notes


def _without(given: dict[str, Value], name: str) -> dict[str, Value]:
    return {key: value for key, value in given.items() if key != name}


def _batch_first(given: dict[str, Value]) -> dict[str, Value]:
    """The arguments as written, with batch_first behind the hidden size whether it was written or not."""
    rest = {name: value for name, value in given.items() if name not in ("hidden_size", "batch_first")}
    return {"hidden_size": given["hidden_size"], **rest, "batch_first": True}


class Rnn(_Recurrent):
    """`rnn`: the plain recurrent layer."""

    name = "rnn"
    summary = "the plain recurrent layer"
    gates = 1
    parameters = (_HIDDEN, _LAYERS, Parameter("nonlinearity", one_of("tanh", "relu"), "tanh"), *_TAIL)


class Lstm(_Recurrent):
    """`lstm`: a recurrent layer that decides what to keep and what to forget."""

    name = "lstm"
    summary = "a recurrent layer with long memory"
    gates = 4
    parameters = (_HIDDEN, _LAYERS, *_TAIL, Parameter("proj_size", NOT_NEGATIVE, 0))


class Gru(_Recurrent):
    """`gru`: like lstm, with fewer weights."""

    name = "gru"
    summary = "like lstm, with fewer weights"
    gates = 3
    parameters = (_HIDDEN, _LAYERS, *_TAIL)
