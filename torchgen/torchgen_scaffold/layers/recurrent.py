"""Recurrent layers: a memory that is updated at every time step. batch_first is always True."""

from __future__ import annotations

from typing import ClassVar

from torchgen_scaffold.layers.base import (
    COUNT,
    NOT_NEGATIVE,
    SHARE,
    YES_OR_NO,
    LayerType,
    Misfit,
    Parameter,
    Signal,
    Step,
    Value,
    one_of,
    show_shape,
)

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
        """A layer and direction has G*H*in + G*H*R + 2*G*H (+ proj*H) parameters, R = proj or H (torch.nn.LSTM)."""
        if len(signal.shape) != 2:
            raise Misfit(
                f"{self.name} reads a sequence (steps, features), and its input is {show_shape(signal.shape)}",
                (
                    "Give an input such as 50,8, or token ids with embedding first."
                    if len(signal.shape) == 1
                    else "Use conv on maps."
                ),
            )
        if not args["batch_first"]:
            raise Misfit(
                "batch_first=False reads the batch as time here", "Leave it out: torchgen sets it to True."
            )
        steps, features = signal.shape
        hidden, layers, projection = (int(args.get(n, 0) or 0) for n in ("hidden_size", "num_layers", "proj_size"))  # type: ignore[arg-type]
        if projection and projection >= hidden:
            raise Misfit(
                f"proj_size={projection} must be smaller than hidden_size={hidden}",
                f"Use proj_size={max(hidden - 1, 0)}.",
            )
        directions = 2 if args["bidirectional"] else 1
        state = projection or hidden
        params = macs = 0
        size = features
        for _ in range(layers):
            weights = self.gates * hidden * (size + state) + projection * hidden
            params += directions * (weights + (2 * self.gates * hidden if args["bias"] else 0))
            macs += directions * weights * steps
            size = directions * state
        return Step(
            type(self).__name__.upper(),
            {"input_size": features, **_batch_first(given)},
            Signal((steps, size), "sequence"),
            params=params,
            macs=macs,
            why=f"a memory of {state} numbers{', read both ways' if directions == 2 else ''}, at each of {steps} steps",
            form="recurrent",
            notes=tuple(self._notes(signal, args)),
        )

    def _notes(self, signal: Signal, args: dict[str, Value]) -> list[str]:
        notes = []
        if signal.axes == "map":
            notes.append(
                f"{self.name} reads the {show_shape(signal.shape)} map as {signal.shape[0]} steps of "
                f"{signal.shape[1]} features; put transpose before it to read it along its length."
            )
        if args["dropout"] and args["num_layers"] == 1:
            notes.append(
                f"dropout in {self.name} acts between stacked layers, and there is one; put dropout after it."
            )
        return notes


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
