"""Convolutions, in 1d, 2d or 3d by the rank of their input. Sizes after torch.nn.Conv2d and ConvTranspose2d."""

from __future__ import annotations

from math import gcd, prod

from torchgen_scaffold.layers.arguments import (
    COUNT,
    EDGES,
    PADDING,
    SIZES,
    YES_OR_NO,
    Misfit,
    Parameter,
    Value,
    one_of,
)
from torchgen_scaffold.layers.base import (
    Fix,
    LayerType,
    Shape,
    Signal,
    Step,
    TooSmall,
    Window,
    integer,
    joined,
    per_axis,
    sequence_note,
    show_map,
    show_shape,
    spatial,
)
from torchgen_scaffold.layers.pool import does_not_fit

_SAME_WARNS = (
    'padding="same" with an even kernel pads one more on the right, and torch warns that it copies the input.'
)


def conv_size(n: int, k: int, s: int, p: int, d: int) -> int:
    """Outputs along one axis: (n + 2p - d(k-1) - 1)//s + 1, as torch.nn.Conv2d documents it."""
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


def transposed_size(n: int, k: int, s: int, p: int, d: int, op: int) -> int:
    """Outputs along one axis: (n-1)s - 2p + d(k-1) + op + 1, as torch.nn.ConvTranspose2d documents it."""
    return (n - 1) * s - 2 * p + d * (k - 1) + op + 1


def _check_groups(channels: int, out_channels: int, groups: int) -> None:
    if channels % groups or out_channels % groups:
        raise Misfit(
            f"groups={groups} does not divide both {channels} input and {out_channels} output channels",
            f"Use groups={gcd(channels, out_channels)}, or any number that divides both.",
        )


class Conv(LayerType):
    """`conv`: a kernel slides over the map; each output channel is a weighted sum of all input channels."""

    name = "conv"
    summary = "convolution in 1d, 2d or 3d, by the input's rank"
    parameters = (
        Parameter("out_channels", COUNT),
        Parameter("kernel_size", SIZES),
        Parameter("stride", SIZES, 1),
        Parameter("padding", PADDING, 0),
        Parameter("dilation", SIZES, 1),
        Parameter("groups", COUNT, 1),
        Parameter("bias", YES_OR_NO, True),
        Parameter("padding_mode", one_of("zeros", "reflect", "replicate", "circular"), "zeros"),
    )

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """(Cin, …) -> (Cout, …): Cout * Cin/groups * prod(k) weights and Cout biases (torch.nn.Conv2d).

        The MACs are the weights times prod(out). Raises Misfit where groups do not divide the channels, or no kernel fits.
        """
        sizes = spatial(signal, "conv")
        axes, channels = len(sizes), signal.shape[0]
        out, groups = integer(args["out_channels"]), integer(args["groups"])
        _check_groups(channels, out, groups)
        kernel, stride, dilation = (per_axis(args[n], axes, n) for n in ("kernel_size", "stride", "dilation"))
        same, mode = args["padding"] == "same", str(args["padding_mode"])
        if same and max(stride) > 1:
            raise Misfit(
                'padding="same" keeps the size, so it needs stride 1',
                "Leave the stride out, or use padding=1.",
            )
        padding = _padding(args["padding"], kernel, dilation)
        # The odd one of "same" goes to the right.
        right = tuple(
            d * (k - 1) - p if same else p for k, d, p in zip(kernel, dilation, padding, strict=True)
        )
        _check_mode(mode, sizes, right)
        new = sizes if same else tuple(map(conv_size, sizes, kernel, stride, padding, dilation))
        if min(new) < 1:
            raise _too_small(sizes, kernel, padding, dilation)
        weights = out * (channels // groups) * prod(kernel)
        warns = same and mode == "zeros" and padding != right
        rows = zip(sizes, kernel, stride, padding, dilation, right, new, strict=True)
        return Step(
            f"Conv{axes}d",
            {"in_channels": channels, **given},
            Signal((out, *new), "map"),
            params=weights + (out if args["bias"] else 0),
            macs=weights * prod(new),
            formula=joined([_formula(*row) for row in rows]),
            why=_why(out, kernel, channels // groups),
            notes=(*sequence_note(signal, "conv"), *((_SAME_WARNS,) if warns else ())),
            windows=(None, *map(Window, kernel, stride, dilation, padding)),
        )


def _why(out: int, kernel: Shape, channels: int) -> str:
    kernels = (
        f"a {show_shape(kernel)} kernel looks" if out == 1 else f"{out} kernels of {show_shape(kernel)} look"
    )
    return f"{kernels} at {channels} {'channel' if channels == 1 else 'channels'}{' each' if out > 1 else ''}"


def _padding(padding: Value, kernel: Shape, dilation: Shape) -> Shape:
    """What is added on the left of each axis."""
    if padding == "same":
        return tuple(d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True))
    return per_axis(0 if padding == "valid" else padding, len(kernel), "padding")


def _formula(n: int, k: int, s: int, left: int, d: int, right: int, out: int) -> str:
    both = f"2*{left}" if left == right else f"({left} + {right})"
    return f"({n} + {both} - {d}*({k}-1) - 1)//{s} + 1 = {out}"


def _too_small(sizes: Shape, kernel: Shape, padding: Shape, dilation: Shape) -> TooSmall:
    """A kernel fits its padded input where n + 2p >= d(k-1) + 1."""
    rows = list(zip(sizes, kernel, padding, dilation, strict=True))
    most = min((n + 2 * p - 1) // d + 1 for n, _, p, d in rows)
    needed = max(0, *(-(-(d * (k - 1) + 1 - n) // 2) for n, k, _, d in rows))
    return TooSmall(
        does_not_fit("kernel", sizes, kernel, padding, dilation),
        f"Use a kernel of at most {min(sizes)} with padding=0{' and dilation=1' if max(dilation) > 1 else ''}.",
        [
            Fix(f"a kernel of at most {most}", {"kernel_size": most}),
            Fix(f"padding={needed}", {"padding": needed}),
        ],
    )


def _check_mode(mode: str, sizes: Shape, padding: Shape) -> None:
    """torch: reflect needs p <= n-1, circular p <= n."""
    limits = {"reflect": -1, "circular": 0}
    if mode not in limits or all(p <= n + limits[mode] for n, p in zip(sizes, padding, strict=True)):
        return
    most = min(sizes) + limits[mode]
    raise TooSmall(
        f'padding_mode="{mode}" can pad {show_map(sizes)} by at most {most}, not by {show_shape(padding)}',
        f"Use padding=0 and a kernel of at most {min(sizes)}.",
        [
            Fix(f"padding={most}", {"padding": most}),
            Fix('padding_mode="zeros"', {"padding_mode": "zeros"}),
        ],
    )


class ConvTranspose(LayerType):
    """`convtranspose`: the map grows; each input position writes a kernel-sized patch."""

    name = "convtranspose"
    summary = "transposed convolution: the map grows by the stride"
    parameters = (
        Parameter("out_channels", COUNT),
        Parameter("kernel_size", SIZES),
        Parameter("stride", SIZES, 1),
        Parameter("padding", EDGES, 0),
        Parameter("output_padding", EDGES, 0),
        Parameter("groups", COUNT, 1),
        Parameter("bias", YES_OR_NO, True),
        Parameter("dilation", SIZES, 1),
        Parameter("padding_mode", one_of("zeros"), "zeros"),
    )

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """(Cin, …) -> (Cout, …): Cin * Cout/groups * prod(k) weights and Cout biases (torch.nn.ConvTranspose2d).

        The MACs are the weights times prod(in). Raises Misfit where groups do not divide the channels, output_padding
        is not smaller than stride or dilation, or nothing is left.
        """
        sizes = spatial(signal, "convtranspose")
        axes, channels = len(sizes), signal.shape[0]
        out, groups = integer(args["out_channels"]), integer(args["groups"])
        _check_groups(channels, out, groups)
        names = ("kernel_size", "stride", "padding", "dilation", "output_padding")
        kernel, stride, padding, dilation, extra = (per_axis(args[name], axes, name) for name in names)
        _check_extra(stride, dilation, extra)
        new = tuple(map(transposed_size, sizes, kernel, stride, padding, dilation, extra))
        if min(new) < 1:
            raise TooSmall(
                f"padding={show_shape(padding)} takes away all of {show_map(sizes)}",
                "Use padding=0.",
                [],
            )
        weights = channels * (out // groups) * prod(kernel)
        rows = zip(sizes, kernel, stride, padding, dilation, extra, new, strict=True)
        return Step(
            f"ConvTranspose{axes}d",
            {"in_channels": channels, **given},
            Signal((out, *new), "map"),
            params=weights + (out if args["bias"] else 0),
            macs=weights * prod(sizes),
            formula=joined(
                [f"({n}-1)*{s} - 2*{p} + {d}*({k}-1) + {op} + 1 = {o}" for n, k, s, p, d, op, o in rows]
            ),
            why=f"each position writes a {show_shape(kernel)} patch, {show_shape(stride)} apart",
            notes=sequence_note(signal, "convtranspose"),
            windows=(
                None,
                *(
                    Window(k, s, d, p, transposed=True)
                    for k, s, d, p in zip(kernel, stride, dilation, padding, strict=True)
                ),
            ),
        )


def _check_extra(stride: Shape, dilation: Shape, extra: Shape) -> None:
    """torch: output_padding must be smaller than the stride or the dilation of its axis."""
    limits = [max(s, d) - 1 for s, d in zip(stride, dilation, strict=True)]
    if any(op > limit for op, limit in zip(extra, limits, strict=True)):
        most = f"output_padding={min(limits)} or less" if min(limits) else "output_padding=0"
        raise Misfit(
            f"output_padding={show_shape(extra)} is not smaller than the stride ({show_shape(stride)}) "
            f"or the dilation ({show_shape(dilation)})",
            f"Use {most}.",
        )
