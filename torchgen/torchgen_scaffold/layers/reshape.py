"""Layers that move numbers or leave some out: flatten, dropout, and the operations that forward() does by itself."""

from __future__ import annotations

from math import prod

from torchgen_scaffold.layers.arguments import (
    COUNT,
    SHARE,
    WHOLE,
    YES_OR_NO,
    Accepts,
    Misfit,
    Parameter,
    Value,
)
from torchgen_scaffold.layers.base import STILL, Axes, LayerType, Signal, Step, integer, show_shape


class Dropout(LayerType):
    """`dropout`: training zeroes a random share of the numbers."""

    name = "dropout"
    summary = "training zeroes a random share of the numbers"
    parameters = (Parameter("p", SHARE, 0.5), Parameter("inplace", YES_OR_NO, False))
    stepwise = True

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """The same shape, any; no parameters and no MACs (torch.nn.Dropout)."""
        share = f"{float(args['p']):.4g}"  # type: ignore[arg-type]
        return Step(
            "Dropout",
            dict(given),
            signal,
            why=f"training zeroes a random {share} of the numbers",
            windows=(STILL,) * len(signal.shape),
        )


class Flatten(LayerType):
    """`flatten`: axes in a row become one."""

    name = "flatten"
    summary = "all axes become one; dims count the batch, as in torch"
    parameters = (Parameter("start_dim", WHOLE, 1), Parameter("end_dim", WHOLE, -1))

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """(A, B, …) -> (A*B*…,) from start_dim to end_dim, which count the batch: 1 is a sample's first (torch.nn.Flatten).

        Raises Misfit for dims that are not there, and for one that would mix the samples of a batch.
        """
        dims = len(signal.shape) + 1
        start, end = (integer(args[name]) for name in ("start_dim", "end_dim"))
        if not (-dims <= start < dims and -dims <= end < dims):
            raise Misfit(
                f"a {show_shape(signal.shape)} sample and its batch have dims 0 to {dims - 1}",
                "Write flatten.",
            )
        start, end = start % dims, end % dims
        if start > end:
            raise Misfit(f"start_dim {start} comes after end_dim {end}", "Write flatten.")
        if start == 0 and end > 0:
            raise Misfit("start_dim=0 would mix the samples of a batch", "Use start_dim=1.")
        shape = signal.shape if start == end else self._flat(signal.shape, start - 1, end - 1)
        flat = signal.shape[start - 1 : end] if start != end else ()
        return Step(
            "Flatten",
            dict(given),
            Signal(shape, "features" if len(shape) == 1 else signal.axes),
            windows=() if flat else (STILL,) * len(shape),
            formula=f"{' * '.join(map(str, flat))} = {prod(flat)}" if flat else "",
            why="linear layers read one axis",
        )

    @staticmethod
    def _flat(shape: tuple[int, ...], first: int, last: int) -> tuple[int, ...]:
        return (*shape[:first], prod(shape[first : last + 1]), *shape[last + 1 :])


class Unflatten(LayerType):
    """`unflatten`: one axis becomes several; the head's own, for outputs with axes."""

    name = "unflatten"
    summary = "one axis becomes several: unflatten((2, 4))"
    parameters = (
        Parameter(
            "unflattened_size",
            Accepts(
                "sizes such as (2, 4)",
                lambda value: isinstance(value, tuple)
                and 0 < len(value) <= 8
                and all(COUNT.check(size) for size in value),
            ),
        ),
    )

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """(A*B*…,) -> (A, B, …). Raises Misfit where the sizes do not multiply to the axis they replace."""
        sizes = args["unflattened_size"]
        assert isinstance(sizes, tuple)
        shape = tuple(integer(size) for size in sizes)
        if len(signal.shape) != 1 or prod(shape) != signal.shape[0]:
            raise Misfit(
                f"{show_shape(shape)} holds {prod(shape)} numbers, and the input is {show_shape(signal.shape)}",
                "Put flatten before it, or change the sizes.",
            )
        few: dict[int, Axes] = {1: "features", 2: "sequence"}
        return Step(
            "Unflatten",
            {"dim": 1, "unflattened_size": shape},
            Signal(shape, few.get(len(shape), "map")),
            formula=f"{' * '.join(map(str, shape))} = {prod(shape)}",
        )


class Mean(LayerType):
    """`mean`: over the steps of a sequence, or over the positions of a map."""

    name = "mean"
    summary = "the mean over time steps, or over the positions of a map"

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """(T, F) -> (F,) for a sequence; (C, …) -> (C,) for a map. Raises Misfit for a single axis."""
        if len(signal.shape) < 2:
            raise Misfit("there is one axis, and its mean would leave a single number", "Leave it out.")
        over_steps = signal.axes == "sequence"
        dims = (1,) if over_steps else tuple(range(2, len(signal.shape) + 1))
        shape = signal.shape[1:] if over_steps else signal.shape[:1]
        why = "the mean over the steps" if over_steps else "the mean of each channel"
        return Step("Mean", {"dim": dims}, Signal(shape, "features"), why=why, form="operation")


class LastStep(LayerType):
    """`laststep`: what a recurrent layer knows after the whole sequence."""

    name = "laststep"
    summary = "the last time step; torchgen adds it after the last recurrent layer"

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """(T, F) -> (F,). Whether the layer before it reads both ways is the trace's to know, not a person's."""
        if len(signal.shape) != 2:
            raise Misfit(
                "laststep takes the last of a sequence of (steps, features)", "Put it after lstm, say."
            )
        note = (
            f"laststep takes the last of {signal.shape[0]} channels of the {show_shape(signal.shape)} map; "
            "put transpose before it to take the last position."
        )
        return Step(
            "LastStep",
            {},
            Signal(signal.shape[1:], "features"),
            why="the last time step has seen all the others",
            form="operation",
            notes=(note,) if signal.axes == "map" else (),
        )


class Transpose(LayerType):
    """`transpose`: (channels, length) becomes (steps, features), and back."""

    name = "transpose"
    summary = "swaps two axes: channels × length to steps × features, and back"

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """(A, B) -> (B, A). Raises Misfit for any other number of axes."""
        if len(signal.shape) != 2:
            raise Misfit("transpose swaps two axes, no more and no fewer", "Leave it out.")
        return Step(
            "Transpose",
            {},
            Signal(signal.shape[::-1], "map" if signal.axes == "sequence" else "sequence"),
            why="time first, then features" if signal.axes == "map" else "channels first, then length",
            form="operation",
            swapped=True,
        )
