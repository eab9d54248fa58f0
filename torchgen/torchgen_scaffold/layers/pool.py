"""Pooling, in 1d, 2d or 3d by the rank of the input. Sizes after pooling_output_shape in torch's ATen/native/Pool.h."""

from __future__ import annotations

from torchgen_scaffold.layers.arguments import (
    EDGES,
    NOT_ZERO_OR_NONE,
    OUTPUT_SIZES,
    SIZES,
    SIZES_OR_NONE,
    YES_OR_NO,
    Misfit,
    Parameter,
    Value,
)
from torchgen_scaffold.layers.base import (
    STILL,
    Fix,
    LayerType,
    Shape,
    Signal,
    Step,
    TooSmall,
    Window,
    joined,
    per_axis,
    sequence_note,
    show_map,
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


def does_not_fit(what: str, sizes: Shape, kernel: Shape, padding: Shape, dilation: Shape) -> str:
    """`a 5×5 kernel does not fit a 3×3 map`, with the padding and the dilation where there are any."""
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    spread = f", spread to {show_shape(reach)} by its dilation," if tuple(reach) != kernel else ""
    padded = f" padded by {show_shape(padding)}" if any(padding) else ""
    shape = f"a {what} of {kernel[0]}" if len(sizes) == 1 else f"a {show_shape(kernel)} {what}"
    return f"{shape}{spread} does not fit {show_map(sizes)}{padded}"


class _Pool(LayerType):
    torch_name: str
    verb: str

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """(C, …) -> (C, …): no parameters and no MACs. Raises Misfit where no window fits (torch.nn.MaxPool2d, AvgPool2d)."""
        sizes = spatial(signal, self.name)
        axes = len(sizes)
        kernel = per_axis(args["kernel_size"], axes, "kernel_size")
        stride = kernel if args["stride"] is None else per_axis(args["stride"], axes, "stride")
        padding = per_axis(args["padding"], axes, "padding")
        dilation = per_axis(args.get("dilation", 1), axes, "dilation")
        ceil_mode = bool(args["ceil_mode"])
        self._check(args, sizes, kernel)
        rows = list(zip(sizes, kernel, stride, padding, dilation, strict=True))
        _check_windows(sizes, kernel, padding, dilation, [pool_size(*row, ceil_mode) for row in rows])
        new = tuple(pool_size(*row, ceil_mode) for row in rows)
        return Step(
            f"{self.torch_name}{axes}d",
            dict(given),
            Signal((signal.shape[0], *new), "map"),
            formula=joined([_formula(*row, ceil_mode) for row in rows]),
            why=f"{self.verb} of each {show_shape(kernel)} window",
            notes=sequence_note(signal, self.name),
            windows=(STILL, *(Window(k, s, d, p) for _, k, s, p, d in rows)),
        )

    def _check(self, args: dict[str, Value], sizes: Shape, kernel: Shape) -> None:
        """What one kind of pooling refuses."""


def _check_windows(sizes: Shape, kernel: Shape, padding: Shape, dilation: Shape, new: list[int]) -> None:
    """torch: padding is at most half of the window, dilation not counted, and there is at least one window."""
    whole = f"Use a window of at most {min(sizes)} with padding=0{' and dilation=1' if max(dilation) > 1 else ''}."
    if any(p > k // 2 for k, p in zip(kernel, padding, strict=True)):
        most = min(k // 2 for k in kernel)
        raise TooSmall(
            f"padding={show_shape(padding)} is more than half of the {show_shape(kernel)} window",
            whole,
            [Fix(f"padding={most}{' or less' if most else ''}", {"padding": most})],
        )
    if min(new) < 1:
        rows = list(zip(sizes, kernel, padding, dilation, strict=True))
        most = min((n + 2 * p - 1) // d + 1 for n, _, p, d in rows)
        needed = max(0, *(-(-(d * (k - 1) + 1 - n) // 2) for n, k, _, d in rows))
        raise TooSmall(
            does_not_fit("window", sizes, kernel, padding, dilation),
            whole,
            [
                Fix(f"a window of at most {most}", {"kernel_size": most}),
                Fix(f"padding={needed}", {"padding": needed}),
            ],
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

    def _check(self, args: dict[str, Value], sizes: Shape, kernel: Shape) -> None:
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
        Parameter("divisor_override", NOT_ZERO_OR_NONE, None),
    )

    def _check(self, args: dict[str, Value], sizes: Shape, kernel: Shape) -> None:
        if args["divisor_override"] is not None and len(sizes) == 1:
            raise Misfit("torch's AvgPool1d has no divisor_override", "Leave it out.")
        if len(sizes) == 3 and any(k > n for k, n in zip(kernel, sizes, strict=True)):
            most = min(sizes)
            raise TooSmall(
                f"a {show_shape(kernel)} window does not fit {show_map(sizes)}, "
                "and torch's AvgPool3d does not count padding or ceil_mode",
                f"Use a window of at most {most} with padding=0.",
                [Fix(f"a window of at most {most}", {"kernel_size": most})],
            )


class _Adaptive(LayerType):
    torch_name: str
    verb: str

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """(C, …) -> (C, …) of the size that was asked for: output o of m averages n inputs from o*n//m to ceil((o+1)*n/m).

        No parameters and no MACs (torch.nn.AdaptiveAvgPool2d, ATen/native/AdaptivePooling.h). Raises Misfit where torch
        does not take the output size.
        """
        sizes = spatial(signal, self.name)
        if args.get("return_indices"):
            raise Misfit(
                "return_indices=True gives two tensors, and the next layer takes one", "Leave it out."
            )
        new = _wanted(args["output_size"], sizes)
        rows = list(zip(sizes, new, strict=True))
        return Step(
            f"{self.torch_name}{len(sizes)}d",
            dict(given),
            Signal((signal.shape[0], *new), "map"),
            formula=joined(
                [
                    f"{n} {'position' if n == 1 else 'positions'} in {o} {'window' if o == 1 else 'windows'}"
                    for n, o in rows
                ]
            ),
            why=f"{self.verb} of each of {show_shape(new)} windows, whatever the input's size",
            notes=sequence_note(signal, self.name),
            windows=(STILL, *(STILL if n == o else Window(adaptive=True) for n, o in rows)),
        )


def _wanted(output_size: Value, sizes: Shape) -> Shape:
    """The output size, None replaced by the size it keeps. torch takes None within a pair or a triple alone."""
    if output_size is None or output_size == (None,):
        example = "a number, such as 1" if len(sizes) == 1 else f"({', '.join(['None'] * len(sizes))})"
        raise Misfit(f"torch takes no bare None in {len(sizes)}d", f"Give {example}.")
    if isinstance(output_size, tuple) and len(output_size) == len(sizes):
        return tuple(n if size is None else size for n, size in zip(sizes, output_size, strict=True))
    return per_axis(output_size, len(sizes), "output_size")


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
