"""How one tensor looks in the drawing: a map is a box, a vector a bar, a sequence a row of steps.

Sizes are logarithmic and relative to the largest of their kind in the same network, so that a 512×512 image
and an 8×8 one both fill their place, and halving a map always takes the same bite off it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log, prod
from typing import Literal, TypeAlias

from torchgen_scaffold.layers.base import Axes, Shape
from torchgen_scaffold.records import record

Look: TypeAlias = Literal["volume", "box", "lanes", "steps", "tokens", "bar"]


@record
class Glyph:
    """A drawing of one tensor, from (0, 0), and the room it takes; arrows meet it at half its height."""

    width: float
    height: float
    svg: str


@record
class Scale:
    """The largest sizes of a network, which the others are drawn relative to."""

    side: int = 8
    channels: int = 8
    numbers: int = 16

    @classmethod
    def of(cls, tensors: Iterable[tuple[Shape, Look]]) -> Scale:
        """The scale of these tensors."""
        side, channels, numbers = [cls.side], [cls.channels], [cls.numbers]
        for shape, look in tensors:
            if look in ("volume", "box", "lanes"):
                side.extend(shape[1:])
                channels.append(shape[0])
            elif look != "tokens":
                numbers.append(shape[-1])
        return cls(max(side), max(channels), max(numbers))


def look_of(shape: Shape, axes: Axes) -> Look:
    """How a tensor of this shape is drawn; only two axes need to be told what they mean."""
    if len(shape) == 1:
        return "tokens" if axes == "tokens" else "bar"
    if len(shape) == 2:
        return "lanes" if axes == "map" else "steps"
    return "box" if len(shape) == 3 else "volume"


def draw(shape: Shape, look: Look, color: str, scale: Scale, *, arrows: str = "") -> Glyph:
    """Draw one tensor; `arrows` (→, ⇄) shows which way a recurrent layer reads its steps."""
    if look == "bar":
        return _bar(shape[0], color, scale)
    if look == "tokens":
        return _steps(shape[0], 13, color, arrows)
    if look == "steps":
        return _steps(shape[0], _size(shape[1], scale.numbers, 16, 84), color, arrows)
    if look == "lanes":
        return _lanes(shape[0], _size(shape[1], scale.side, 26, 112), color, scale)
    if look == "box":
        return _box(_size(shape[0], scale.channels, 5, 36), *_sides(shape[1:], scale, 100), color)
    return _volume(shape, color, scale)


def mix(color: str, other: str, share: float) -> str:
    """`share` of the way from one colour to another."""
    pairs = [(int(color[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def number(value: float) -> str:
    """A coordinate: one digit behind the point, and none where it is whole."""
    return f"{value:.1f}".removesuffix(".0")


def path(points: Sequence[tuple[float, float]]) -> str:
    """The closed path through these points."""
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points) + "Z"


def _size(value: int, largest: int, low: float, high: float) -> float:
    return low + (high - low) * log(max(value, 1)) / log(max(largest, 2))


def _sides(sizes: Shape, scale: Scale, high: float) -> tuple[float, float]:
    """Height and width of a map."""
    return _size(sizes[0], scale.side, 14, high), _size(sizes[1], scale.side, 14, high)


def _box(depth: float, height: float, width: float, color: str) -> Glyph:
    """A plate that stands sideways, as papers draw it: its channels are its thickness."""
    right, up = width * 0.5, width * 0.32  # the map's width runs away from the reader
    edge = f'stroke="{mix(color, "#000000", 0.35)}" stroke-width="0.8" stroke-linejoin="round"'
    front = [(0.0, up), (depth, up), (depth, up + height), (0.0, up + height)]
    top = [(0.0, up), (right, 0.0), (right + depth, 0.0), (depth, up)]
    side = [(depth, up), (right + depth, 0.0), (right + depth, height), (depth, up + height)]
    faces = ((side, mix(color, "#ffffff", 0.25)), (top, mix(color, "#ffffff", 0.6)), (front, color))
    parts = "".join(f'<path d="{path(points)}" fill="{fill}"/>' for points, fill in faces)
    return Glyph(depth + right, height + up, f"<g {edge}>{parts}</g>")


def _volume(shape: Shape, color: str, scale: Scale) -> Glyph:
    """One box of depth × height × width for a channel, and up to four for many: 1, 2, 8, 64."""
    count = min(1 + (shape[0] >= 2) + (shape[0] >= 8) + (shape[0] >= 64), 4)
    height, width = _sides(shape[-2:], scale, 66)
    deep = prod(shape[1:-2])  # more than three axes of space have no picture of their own
    one = _box(_size(min(deep, scale.side), scale.side, 10, 44), height, width, color)
    step = one.width * 0.36 + 6
    boxes = "".join(
        f'<g transform="translate({number(index * step)} {number(index * 7)})">{one.svg}</g>'
        for index in range(count)
    )
    return Glyph(one.width + step * (count - 1), one.height + 7 * (count - 1), boxes)


def _bar(count: int, color: str, scale: Scale) -> Glyph:
    """A column of numbers; each is a cell of its own while they can be told apart."""
    width = 16.0
    height = count * 15.0 if count <= 4 else max(60.0, _size(count, scale.numbers, 34, 128))
    cells = count if count <= 10 else round(height / 8)
    shade = mix(color, "#ffffff", 0.25)
    edge = mix(color, "#000000", 0.35)
    lines = "".join(f"M0 {number(height * cell / cells)}h{number(width)}" for cell in range(1, cells))
    svg = f'<rect width="{number(width)}" height="{number(height)}" rx="3"'
    svg += f' fill="{shade}" stroke="{edge}" stroke-width="0.8"/>'
    svg += f'<path d="{lines}" stroke="{edge}" stroke-width="0.6" stroke-opacity="0.55"/>' if lines else ""
    return Glyph(width, height, svg)


def _steps(count: int, height: float, color: str, arrows: str) -> Glyph:
    """One bar a time step, as tall as its features; three dots stand for the steps that do not fit."""
    shown = count if count <= 7 else 5
    width, gap = 11.0, 5.0
    lefts = [index * (width + gap) for index in range(shown)]
    dots = ""
    if shown < count:
        lefts.append(lefts[-1] + width + gap + 22)
        middle = lefts[-2] + width + gap / 2 + 11
        dots = "".join(
            f'<circle cx="{number(middle + shift)}" cy="{number(height / 2)}" r="1.7"/>'
            for shift in (-7, 0, 7)
        )
        dots = f'<g fill="{mix(color, "#000000", 0.2)}">{dots}</g>'
    total = lefts[-1] + width
    style = f'fill="{mix(color, "#ffffff", 0.25)}" stroke="{mix(color, "#000000", 0.35)}" stroke-width="0.8"'
    bars = "".join(
        f'<rect x="{number(x)}" width="{number(width)}" height="{number(height)}" rx="2"/>' for x in lefts
    )
    return Glyph(total, height, f"<g {style}>{bars}</g>{dots}{_reading(total, height, arrows, color)}")


def _reading(width: float, height: float, arrows: str, color: str) -> str:
    """The way a recurrent layer reads: an arrow under its steps, and one above them for the way back."""
    tip = f'fill="none" stroke="{mix(color, "#000000", 0.2)}" stroke-width="1.4" stroke-linecap="round"'
    parts = []
    if arrows:
        parts.append(f"M0 {number(height + 9)}H{number(width)}m-5 -3.5l5 3.5l-5 3.5")
    if arrows == "⇄":
        parts.append(f"M{number(width)} -9H0m5 -3.5l-5 3.5l5 3.5")
    return f'<path d="{"".join(parts)}" {tip}/>' if parts else ""


def _lanes(channels: int, length: float, color: str, scale: Scale) -> Glyph:
    """One strip a channel of a signal, up to eight for many."""
    shown = channels if channels <= 3 else round(_size(channels, scale.channels, 3, 8))
    thick, gap = 8.0, 3.5
    style = f'fill="{mix(color, "#ffffff", 0.25)}" stroke="{mix(color, "#000000", 0.35)}" stroke-width="0.8"'
    strips = "".join(
        f'<rect y="{number(lane * (thick + gap))}" width="{number(length)}" height="{number(thick)}" rx="2"/>'
        for lane in range(shown)
    )
    return Glyph(length, shown * (thick + gap) - gap, f"<g {style}>{strips}</g>")
