"""Normalisation: values brought to mean 0 and std 1, over the batch, over groups of channels, or within a sample."""

from __future__ import annotations

from math import prod

from torchgen_scaffold.layers.arguments import (
    COUNT,
    NUMBER_OR_NONE,
    POSITIVE,
    YES_OR_NO,
    Misfit,
    Parameter,
    Value,
)
from torchgen_scaffold.layers.base import STILL, LayerType, Signal, Step, integer, show_shape


def _affine(size: int, affine: bool, args: dict[str, Value]) -> int:
    """Parameters of a scale for each of `size` numbers, and of a shift if bias."""
    return size * (2 if args["bias"] else 1) if affine else 0


class BatchNorm(LayerType):
    """`batchnorm`: each channel normalised over the batch."""

    name = "batchnorm"
    summary = "each channel normalised over the batch"
    parameters = (
        Parameter("eps", POSITIVE, 1e-05),
        Parameter("momentum", NUMBER_OR_NONE, 0.1),
        Parameter("affine", YES_OR_NO, True),
        Parameter("track_running_stats", YES_OR_NO, True),
        Parameter("bias", YES_OR_NO, True, by_name=True),
    )

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """(C, …) with at most three spatial axes; a scale, and a shift if bias, for each channel: 2C parameters at most (torch.nn.BatchNorm2d)."""
        if len(signal.shape) > 4:
            raise Misfit(
                f"batchnorm takes at most 3 spatial axes, not {show_shape(signal.shape)}",
                "Put flatten before it.",
            )
        channels = signal.shape[0]
        return Step(
            f"BatchNorm{max(len(signal.shape) - 1, 1)}d",
            {"num_features": channels, **given},
            signal,
            params=_affine(channels, bool(args["affine"]), args),
            why="each channel to mean 0 and std 1 over the batch",
            notes=_steps_note(signal, "batchnorm"),
            windows=(STILL,) * len(signal.shape),
        )


class GroupNorm(LayerType):
    """`groupnorm`: groups of channels normalised within each sample."""

    name = "groupnorm"
    summary = "groups of channels normalised within each sample"
    parameters = (
        Parameter("num_groups", COUNT),
        Parameter("eps", POSITIVE, 1e-05),
        Parameter("affine", YES_OR_NO, True),
        Parameter("bias", YES_OR_NO, True, by_name=True),
    )

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """(C, …); a scale, and a shift if bias, for each channel: 2C parameters at most (torch.nn.GroupNorm).

        Raises Misfit where groups do not divide C, or would hold one value each.
        """
        channels, groups = signal.shape[0], integer(args["num_groups"])
        if channels % groups:
            raise Misfit(f"{groups} groups do not divide {channels} channels", _fitting_groups(signal.shape))
        if prod(signal.shape) == groups:
            raise Misfit(
                "each group would hold a single value, and normalising one value always gives 0",
                _fitting_groups(signal.shape),
            )
        return Step(
            "GroupNorm",
            {"num_channels": channels, **given},
            signal,
            params=_affine(channels, bool(args["affine"]), args),
            why=f"{_counted(groups, 'group')} of {_counted(channels // groups, 'channel')} to mean 0 and std 1",
            notes=_steps_note(signal, "groupnorm"),
            windows=(STILL,) * len(signal.shape),
        )


def _fitting_groups(shape: tuple[int, ...]) -> str:
    """The numbers of groups that divide the channels and leave each group two values or more."""
    channels = shape[0]
    fitting = [n for n in range(1, min(channels, 64) + 1) if channels % n == 0 and prod(shape) > n]
    *others, last = map(str, fitting or [0])
    return f"Use {', '.join(others)}{' or ' if others else ''}{last} groups." if fitting else "Leave it out."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _steps_note(signal: Signal, name: str) -> tuple[str, ...]:
    if signal.axes != "sequence":
        return ()
    return (
        f"{name} takes the {signal.shape[0]} time steps as its channels; layernorm normalises each step.",
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
        """Any shape; a scale, and a shift if bias, for each number normalised together (torch.nn.LayerNorm).

        That is the last axis of one or two, and the whole sample of three or more. Raises Misfit where it is one number.
        """
        shape = signal.shape if len(signal.shape) > 2 else signal.shape[-1:]
        size = prod(shape)
        if size == 1:
            raise Misfit("it would normalise a single value, which always gives 0", "Leave it out.")
        return Step(
            "LayerNorm",
            {"normalized_shape": shape[0] if len(shape) == 1 else shape, **given},
            signal,
            params=_affine(size, bool(args["elementwise_affine"]), args),
            why=f"{show_shape(shape)} numbers of a {'step' if signal.axes == 'sequence' else 'sample'} to mean 0, std 1",
            windows=(STILL,) * len(signal.shape),
        )
