"""Pooling, in 1d, 2d or 3d by the rank of the input. Sizes after pooling_output_shape in torch's ATen/native/Pool.h."""

from __future__ import annotations

from torchgen_scaffold.layers.base import (
    COUNT_OR_NONE,
    EDGES,
    OUTPUT_SIZES,
    SIZES,
    SIZES_OR_NONE,
    YES_OR_NO,
    LayerType,
    Misfit,
    Parameter,
    Signal,
    Step,
    Value,
    Window,
    joined,
    per_axis,
    show_shape,
    spatial,
)


def pool_size(n: int, k: int, s: int, p: int, d: int, ceil_mode: bool) -> int:
    """Outputs along one axis; with ceil_mode the last window must still start inside the input or its left padding."""
    size = (n + 2 * p - d * (k - 1) - 1 + (s - 1 if ceil_mode else 0)) // s + 1
    return size - 1 if ceil_mode and (size - 1) * s >= n + p else size


def _formula(n: int, k: int, s: int, p: int, d: int, ceil_mode: bool) -> str:
    size = pool_size(n, k, s, p, d, ceil_mode)
    up = f" + {s - 1}" if ceil_mode and s > 1 else ""
    full = (n + 2 * p - d * (k - 1) - 1 + (s - 1 if ceil_mode else 0)) // s + 1
    less = " - 1" if full != size else ""
    return f"({n} + 2*{p} - {d}*({k}-1) - 1{up})//{s} + 1{less} = {size}"


class _Pool(LayerType):
    torch_name: str
    verb: str

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """No parameters and no MACs; channels stay."""
        sizes = spatial(signal, self.name)
        axes = len(sizes)
        kernel = per_axis(args["kernel_size"], axes, "kernel_size")
        stride = kernel if args["stride"] is None else per_axis(args["stride"], axes, "stride")
        padding = per_axis(args["padding"], axes, "padding")
        dilation = per_axis(args.get("dilation", 1), axes, "dilation")
        ceil_mode = bool(args["ceil_mode"])
        self._check(args, axes)
        rows = list(zip(sizes, kernel, stride, padding, dilation, strict=True))
        for row in rows:
            _check_window(sizes, *row, ceil_mode)
        new = tuple(pool_size(*row, ceil_mode) for row in rows)
        return Step(
            f"{self.torch_name}{axes}d",
            dict(given),
            Signal((signal.shape[0], *new), "map"),
            formula=joined([_formula(*row, ceil_mode) for row in rows]),
            why=f"{self.verb} of each {show_shape(kernel)} window",
            windows=tuple(Window(k, s, d, p) for _, k, s, p, d in rows),
        )

    def _check(self, args: dict[str, Value], axes: int) -> None:
        """What one kind of pooling refuses."""


def _check_window(sizes: tuple[int, ...], n: int, k: int, s: int, p: int, d: int, ceil_mode: bool) -> None:
    if p > k // 2:
        raise Misfit(f"padding={p} is more than half of the window of {k}", f"Use padding={k // 2} or less.")
    if pool_size(n, k, s, p, d, ceil_mode) < 1 or (n + 2 * p < d * (k - 1) + 1 and not ceil_mode):
        most = (n + 2 * p - 1) // d + 1
        raise Misfit(
            f"a window of {k} does not fit {n} positions of a {show_shape(sizes)} map",
            f"Use a window of at most {most}",
        )


class MaxPool(_Pool):
    """`maxpool`: the largest value of each window."""

    name = "maxpool"
    summary = "the largest value of each window; the map shrinks by the stride"
    torch_name, verb = "MaxPool", "the largest value"
    parameters = (
        Parameter("kernel_size", SIZES),
        Parameter("stride", SIZES_OR_NONE, None),
        Parameter("padding", EDGES, 0),
        Parameter("dilation", SIZES, 1),
        Parameter("return_indices", YES_OR_NO, False),
        Parameter("ceil_mode", YES_OR_NO, False),
    )

    def _check(self, args: dict[str, Value], axes: int) -> None:
        if args["return_indices"]:
            raise Misfit(
                "return_indices=True gives two tensors, and the next layer takes one", "Leave it out."
            )


class AvgPool(_Pool):
    """`avgpool`: the mean of each window."""

    name = "avgpool"
    summary = "the mean of each window; the map shrinks by the stride"
    torch_name, verb = "AvgPool", "the mean"
    parameters = (
        Parameter("kernel_size", SIZES),
        Parameter("stride", SIZES_OR_NONE, None),
        Parameter("padding", EDGES, 0),
        Parameter("ceil_mode", YES_OR_NO, False),
        Parameter("count_include_pad", YES_OR_NO, True),
        Parameter("divisor_override", COUNT_OR_NONE, None),
    )

    def _check(self, args: dict[str, Value], axes: int) -> None:
        if args["divisor_override"] is not None and axes == 1:
            raise Misfit("torch's AvgPool1d has no divisor_override", "Leave it out.")


class _Adaptive(LayerType):
    torch_name: str
    verb: str

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """Windows of nearly even size, so that the output has the size that was asked for."""
        sizes = spatial(signal, self.name)
        axes = len(sizes)
        if args.get("return_indices"):
            raise Misfit(
                "return_indices=True gives two tensors, and the next layer takes one", "Leave it out."
            )
        wanted = args["output_size"]
        if axes == 1 and wanted in (None, (None,)):
            raise Misfit("in 1d torch wants a number", "Give the output size, such as 1.")
        if isinstance(wanted, tuple) and len(wanted) != axes:
            per_axis(wanted, axes, "output_size")
        each = wanted if isinstance(wanted, tuple) else (wanted,) * axes
        new = tuple(n if w is None else int(w) for n, w in zip(sizes, each, strict=True))  # type: ignore[call-overload]
        return Step(
            f"{self.torch_name}{axes}d",
            dict(given),
            Signal((signal.shape[0], *new), "map"),
            formula=joined(
                [
                    f"{n} positions in {o} {'window' if o == 1 else 'windows'}"
                    for n, o in zip(sizes, new, strict=True)
                ]
            ),
            why=f"{self.verb} of each of {show_shape(new)} windows, whatever the input's size",
            windows=tuple(Window(adaptive=(n, o)) for n, o in zip(sizes, new, strict=True)),
        )


class AdaptiveAvgPool(_Adaptive):
    """`adaptive_avgpool`: means, to a size that is asked for."""

    name = "adaptive_avgpool"
    summary = "means over windows, to the output size that you name"
    torch_name, verb = "AdaptiveAvgPool", "the mean"
    parameters = (Parameter("output_size", OUTPUT_SIZES),)


class AdaptiveMaxPool(_Adaptive):
    """`adaptive_maxpool`: largest values, to a size that is asked for."""

    name = "adaptive_maxpool"
    summary = "largest values over windows, to the output size that you name"
    torch_name, verb = "AdaptiveMaxPool", "the largest value"
    parameters = (Parameter("output_size", OUTPUT_SIZES), Parameter("return_indices", YES_OR_NO, False))
