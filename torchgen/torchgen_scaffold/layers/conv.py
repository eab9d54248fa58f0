"""Convolutions, in 1d, 2d or 3d by the rank of their input. Sizes after torch.nn.Conv2d and ConvTranspose2d."""

from __future__ import annotations

from math import prod

from torchgen_scaffold.layers.base import (
    COUNT,
    EDGES,
    PADDING,
    SIZES,
    YES_OR_NO,
    LayerType,
    Misfit,
    Parameter,
    Signal,
    Step,
    Value,
    Window,
    joined,
    one_of,
    per_axis,
    show_shape,
    spatial,
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
            "Give a number that divides both, such as groups=1.",
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
        """Weights Cout * Cin/groups * prod(k); MACs the same times prod(out)."""
        sizes = spatial(signal, "conv")
        axes, channels = len(sizes), signal.shape[0]
        out, groups = int(args["out_channels"]), int(args["groups"])  # type: ignore[arg-type]
        _check_groups(channels, out, groups)
        kernel, stride, dilation = (per_axis(args[n], axes, n) for n in ("kernel_size", "stride", "dilation"))
        same = args["padding"] == "same"
        if same and max(stride) > 1:
            raise Misfit(
                'padding="same" needs stride 1: it keeps the size', "Drop the stride, or give a number."
            )
        padding = (
            (0,) * axes
            if args["padding"] in ("same", "valid")
            else per_axis(args["padding"], axes, "padding")
        )
        if not same:
            for size, k, p, d in zip(sizes, kernel, padding, dilation, strict=True):
                _check_kernel(sizes, size, k, p, d)
        widest = [
            d * (k - 1) - d * (k - 1) // 2 if same else p
            for k, p, d in zip(kernel, padding, dilation, strict=True)
        ]
        _check_mode(str(args["padding_mode"]), sizes, widest)
        new = sizes if same else tuple(map(conv_size, sizes, kernel, stride, padding, dilation))
        weights = out * (channels // groups) * prod(kernel)
        odd = same and any(k % 2 == 0 and d % 2 for k, d in zip(kernel, dilation, strict=True))
        note = 'padding="same" with an even kernel pads one more on the right, and torch warns that it copies the input.'
        return Step(
            f"Conv{axes}d",
            {"in_channels": channels, **given},
            Signal((out, *new), "map"),
            params=weights + (out if args["bias"] else 0),
            macs=weights * prod(new),
            formula=(
                _same_formula(sizes, kernel, dilation)
                if same
                else _formula(sizes, kernel, stride, padding, dilation)
            ),
            why=f"{out} kernels of {show_shape(kernel)} look at {channels // groups} channels each",
            notes=(note,) if odd else (),
            windows=tuple(
                Window(k, s, d, d * (k - 1) // 2 if same else p)
                for k, s, d, p in zip(kernel, stride, dilation, padding, strict=True)
            ),
        )


def _formula(sizes: tuple[int, ...], *rest: tuple[int, ...]) -> str:
    return joined(
        [
            f"({n} + 2*{p} - {d}*({k}-1) - 1)//{s} + 1 = {conv_size(n, k, s, p, d)}"
            for n, k, s, p, d in zip(sizes, *rest, strict=True)
        ]
    )


def _same_formula(sizes: tuple[int, ...], kernel: tuple[int, ...], dilation: tuple[int, ...]) -> str:
    return joined(
        [
            f"({n} + {d * (k - 1)} - {d}*({k}-1) - 1)//1 + 1 = {n}"
            for n, k, d in zip(sizes, kernel, dilation, strict=True)
        ]
    )


def _check_kernel(sizes: tuple[int, ...], n: int, k: int, p: int, d: int) -> None:
    """A kernel must fit its padded input: n + 2p >= d(k-1) + 1."""
    if n + 2 * p >= d * (k - 1) + 1:
        return
    most = (n + 2 * p - 1) // d + 1
    needed = -(-(d * (k - 1) + 1 - n) // 2)
    spread = f" (spread to {d * (k - 1) + 1} by dilation {d})" if d > 1 else ""
    padded = f" padded by {p}" if p else ""
    raise Misfit(
        f"a kernel of {k}{spread} does not fit {n} positions{padded} of a {show_shape(sizes)} map",
        f"Use a kernel of at most {most}, padding={needed}",
    )


def _check_mode(mode: str, sizes: tuple[int, ...], padding: list[int]) -> None:
    """torch: reflect needs p <= n-1, circular p <= n."""
    limits = {"reflect": -1, "circular": 0}
    if mode not in limits:
        return
    for n, p in zip(sizes, padding, strict=True):
        if p > n + limits[mode]:
            raise Misfit(
                f'padding_mode="{mode}" can pad {n} positions by at most {n + limits[mode]}, not by {p}',
                f'Use padding={n + limits[mode]}, or padding_mode="zeros".',
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
        """Weights Cin * Cout/groups * prod(k); MACs the same times prod(in)."""
        sizes = spatial(signal, "convtranspose")
        axes, channels = len(sizes), signal.shape[0]
        out, groups = int(args["out_channels"]), int(args["groups"])  # type: ignore[arg-type]
        _check_groups(channels, out, groups)
        names = ("kernel_size", "stride", "padding", "dilation", "output_padding")
        kernel, stride, padding, dilation, extra = (per_axis(args[name], axes, name) for name in names)
        for s, d, op in zip(stride, dilation, extra, strict=True):
            if op >= max(s, d):
                raise Misfit(
                    f"output_padding={op} must be smaller than the stride ({s}) or the dilation ({d})",
                    f"Use output_padding={max(s, d) - 1} or less.",
                )
        new = tuple(map(transposed_size, sizes, kernel, stride, padding, dilation, extra))
        if min(new) < 1:
            raise Misfit(
                f"padding takes away all of the {show_shape(sizes)} map: {show_shape(new)} is left",
                "Use padding=0.",
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
            windows=tuple(
                Window(k, s, d, p, transposed=True)
                for k, s, d, p in zip(kernel, stride, dilation, padding, strict=True)
            ),
        )
