"""The receptive field: how large a patch of the input one output position sees, along each axis.

Through convolutions and pools of one stride it is a running formula, r += (k-1)*d*j and j *= s from r = j = 1
(Araujo, Norris, Sim: Computing Receptive Fields of Convolutional Neural Networks, Distill 2019), with padding
counted as input. A transposed convolution or an adaptive pool gives windows of uneven size: from there on each
position has its own span of input positions, and the largest is what is told.
"""

from __future__ import annotations

from math import gcd
from typing import TypeAlias

from torchgen_scaffold.layers.base import STILL, Shape, Signal, Step, Window
from torchgen_scaffold.records import record

# Spans are worked out one by one; past this many looks (a third of a second) no receptive field is told.
MOST_LOOKS = 300_000
# A number that JSON readers keep exactly. Larger ones need absurd strides and mean nothing.
LARGEST = 2**53


@record
class Even:
    """Each position sees `size` inputs, `jump` after those of the one before. Where the first begins changes no size."""

    size: int = 1
    jump: int = 1

    def span(self, low: int, high: int) -> tuple[int, int]:
        """The first and last input that the positions from low to high see, from the first of position 0."""
        return low * self.jump, high * self.jump + self.size - 1


@record
class Uneven:
    """The first and last input that each position sees, None for a position that sees none."""

    spans: tuple[tuple[int, int] | None, ...]

    @property
    def size(self) -> int:
        """The widest span."""
        return max((span[1] - span[0] + 1 for span in self.spans if span), default=0)


# None: a position sees all of the axis, or what it sees is not worth telling.
Sight: TypeAlias = Even | Uneven | None


class FieldOfView:
    """What one position sees of the input, kept for every axis of the signal while it passes through layers."""

    def __init__(self, signal: Signal) -> None:
        self.sights: list[Sight] = [Even()] * len(signal.shape)
        self._looks = MOST_LOOKS

    def pass_through(self, step: Step, before: Shape) -> None:
        """Take one more layer into account; `before` is the shape that reaches it."""
        if step.swapped:
            self.sights.reverse()
            return
        after = step.signal.shape
        if not step.windows:
            self.sights = [None] * len(after)
            return
        known: dict[tuple[int, Window | None, int, int], Sight] = {}  # square maps: both axes at one price
        sights: list[Sight] = []
        for axis, window in enumerate(step.windows):
            # Embedding adds an axis, which its None says; the others keep their number of axes.
            old, size = (self.sights[axis], before[axis]) if axis < len(before) else (None, 0)
            key = (id(old), window, size, after[axis])
            if key not in known:
                known[key] = self._through(old, window, size, after[axis])
            sights.append(known[key])
        self.sights = sights

    def size(self, signal: Signal) -> Shape | None:
        """The patch that one position of a map sees, or None where it sees everything or there are no positions."""
        spatial = self.sights[1:]
        if signal.axes != "map" or not spatial:
            return None
        sizes = tuple(sight.size for sight in spatial if sight is not None)
        return sizes if len(sizes) == len(spatial) and max(sizes) <= LARGEST else None

    def _through(self, old: Sight, window: Window | None, before: int, after: int) -> Sight:
        if window == STILL:
            return old
        if old is None or window is None:
            return None
        if isinstance(old, Even) and not window.adaptive and (not window.transposed or window.stride == 1):
            return _even(old, window)
        if isinstance(old, Even):
            self._looks -= after  # a span needs its ends alone
        else:
            self._looks -= before + after if window.adaptive else after * min(window.kernel, before)
        if self._looks < 0:
            return None
        seen = (seen_inputs(window, output, before, after) for output in range(after))
        return Uneven(tuple(_span(old, positions) for positions in seen))


def _even(old: Even, window: Window) -> Even:
    # At stride 1 a transposed convolution is a convolution, with its kernel turned round.
    return Even(old.size + (window.kernel - 1) * window.dilation * old.jump, old.jump * window.stride)


def seen_inputs(window: Window, output: int, before: int, after: int) -> range:
    """The input positions that exist and that one output sees. They lie evenly, so that a range holds them."""
    if window.adaptive:
        return range(output * before // after, -(-(output + 1) * before // after))
    if window.transposed:
        return _seen_transposed(window, output, before)
    first, step = output * window.stride - window.padding, window.dilation
    last = first + (window.kernel - 1) * step
    if first < 0:
        first %= step  # the first one that is not in the padding
    return range(first, min(last, before - 1) + 1, step)


def _seen_transposed(window: Window, output: int, before: int) -> range:
    """The inputs i with output = i*stride - padding + j*dilation for a whole j from 0 to kernel-1."""
    stride, dilation = window.stride, window.dilation
    place = output + window.padding
    common = gcd(stride, dilation)
    if place % common:
        return range(0)
    # j is whole for every step-th i: i*stride = place, modulo the dilation.
    step = dilation // common
    rest = place // common * pow(stride // common, -1, step) % step
    lowest = max(0, -(((window.kernel - 1) * dilation - place) // stride))
    return range(lowest + (rest - lowest) % step, min(place // stride, before - 1) + 1, step)


def _span(old: Even | Uneven, positions: range) -> tuple[int, int] | None:
    if not positions:
        return None
    if isinstance(old, Even):
        return old.span(positions[0], positions[-1])
    spans = [span for span in (old.spans[position] for position in positions) if span]
    return (min(low for low, _ in spans), max(high for _, high in spans)) if spans else None
