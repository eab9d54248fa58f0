"""Normalisation: values brought to mean 0 and std 1, over the batch, over groups of channels, or within a sample."""

from __future__ import annotations

from math import prod

from torchgen_scaffold.layers.base import (
    COUNT,
    NUMBER,
    POSITIVE,
    YES_OR_NO,
    Accepts,
    LayerType,
    Misfit,
    Parameter,
    Signal,
    Step,
    Value,
    show_shape,
)

_MOMENTUM = Accepts("a number, or None", lambda value: value is None or NUMBER.check(value))


class BatchNorm(LayerType):
    """`batchnorm`: each channel normalised over the batch."""

    name = "batchnorm"
    summary = "each channel normalised over the batch"
    parameters = (
        Parameter("eps", POSITIVE, 1e-05),
        Parameter("momentum", _MOMENTUM, 0.1),
        Parameter("affine", YES_OR_NO, True),
        Parameter("track_running_stats", YES_OR_NO, True),
    )

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """A scale and a shift for each channel: 2C parameters."""
        if len(signal.shape) > 4:
            raise Misfit(
                f"batchnorm takes at most 3 spatial axes, not {show_shape(signal.shape)}",
                "Put flatten before it.",
            )
        channels = signal.shape[0]
        note = f"batchnorm takes the {channels} time steps as its channels; layernorm normalises each step."
        return Step(
            f"BatchNorm{max(len(signal.shape) - 1, 1)}d",
            {"num_features": channels, **given},
            signal,
            params=2 * channels if args["affine"] else 0,
            why="each channel to mean 0 and std 1 over the batch",
            notes=(note,) if signal.axes == "sequence" else (),
            keeps_positions=True,
        )


class GroupNorm(LayerType):
    """`groupnorm`: groups of channels normalised within each sample."""

    name = "groupnorm"
    summary = "groups of channels normalised within each sample"
    parameters = (
        Parameter("num_groups", COUNT),
        Parameter("eps", POSITIVE, 1e-05),
        Parameter("affine", YES_OR_NO, True),
    )

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """A scale and a shift for each channel: 2C parameters."""
        channels, groups = signal.shape[0], int(args["num_groups"])  # type: ignore[arg-type]
        if channels % groups:
            divisors = [str(number) for number in range(1, min(channels, 64) + 1) if channels % number == 0]
            raise Misfit(
                f"{groups} groups do not divide {channels} channels",
                f"Use one of {', '.join(divisors)} groups.",
            )
        if prod(signal.shape) == groups:
            raise Misfit(
                "each group would hold a single value, and normalising one value always gives 0",
                "Use fewer groups." if groups > 1 else "Leave it out.",
            )
        return Step(
            "GroupNorm",
            {"num_channels": channels, **given},
            signal,
            params=2 * channels if args["affine"] else 0,
            why=f"{groups} groups of {channels // groups} channels to mean 0 and std 1",
            keeps_positions=True,
        )


class LayerNorm(LayerType):
    """`layernorm`: each sample (each step of a sequence) normalised by itself."""

    name = "layernorm"
    summary = "each sample, or each step of a sequence, normalised by itself"
    parameters = (
        Parameter("eps", POSITIVE, 1e-05),
        Parameter("elementwise_affine", YES_OR_NO, True),
        Parameter("bias", YES_OR_NO, True),
    )
    stepwise = True

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """A scale, and a shift if bias, for each number normalised together: the last axis, or a whole 2d or 3d map."""
        shape = signal.shape if len(signal.shape) > 2 else signal.shape[-1:]
        size = prod(shape)
        if size == 1:
            raise Misfit("it would normalise a single value, which always gives 0", "Leave it out.")
        return Step(
            "LayerNorm",
            {"normalized_shape": shape[0] if len(shape) == 1 else shape, **given},
            signal,
            params=(size + (size if args["bias"] else 0)) if args["elementwise_affine"] else 0,
            why=f"the {show_shape(shape)} numbers of a {'step' if signal.axes == 'sequence' else 'sample'} to mean 0, std 1",
            keeps_positions=True,
        )
