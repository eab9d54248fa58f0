"""Shapes as people type them: `1,28,28`, `1x28x28`, `(1, 28, 28)`. The batch dimension is never part of one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod

from torchgen_scaffold.layers.base import Shape

MAX_AXES = 8
# One float32 sample of 2**28 numbers takes 1 GiB; a batch of them trains nowhere.
MAX_NUMBERS = 2**28

_SEPARATOR = r"\s*[,xX×*\s]\s*"
# 18 digits is far beyond MAX_NUMBERS, and int() of a megabyte of digits is slow.
_SIZE = "[0-9]{1,18}"
_SIZES = rf"\s*\+?{_SIZE}(?:{_SEPARATOR}\+?{_SIZE}){{0,{MAX_AXES - 1}}}\s*,*\s*"

# What parse_shape takes, as JSON Schema; that the sizes make at most MAX_NUMBERS together, it cannot say,
# and of a text it sees the form alone.
SHAPE_SCHEMA = {
    "anyOf": [
        {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_AXES,
            "items": {"type": "integer", "minimum": 1, "maximum": MAX_NUMBERS},
        },
        {"type": "integer", "minimum": 1, "maximum": MAX_NUMBERS},
        {
            "type": "string",
            "pattern": rf"^\s*(?:{_SIZES}|\({_SIZES}\)|\[{_SIZES}\])\s*$",
        },
    ]
}


def parse_shape(value: object) -> Shape:
    """Read a shape from text or from a list of whole numbers.

    Raises ValueError, whose message says what would be right.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float, list, tuple)):
        raise ValueError("a shape is whole numbers such as 1,28,28")
    sizes = _sizes_of_text(value) if isinstance(value, str) else _sizes_of_list(value)
    if not sizes:
        raise ValueError("a shape needs at least one number, such as 10 or 1,28,28")
    if len(sizes) > MAX_AXES:
        raise ValueError(f"a shape has at most {MAX_AXES} axes, and this one has {len(sizes)}")
    smallest = min(sizes)
    if smallest < 1:
        shown = str(smallest) if smallest > -(10**18) else "a huge negative number"
        raise ValueError(f"every size is at least 1, and this shape has {shown}; leave the batch out")
    if prod(sizes) > MAX_NUMBERS:
        gib = -(-prod(sizes) * 4 // 2**30)  # rounded up: 1.5 GiB is not 1
        shown = f"{gib:,} GiB" if gib < 10**9 else "more than any memory holds"
        raise ValueError(f"one sample of this shape would take {shown}; the most is 1 GiB")
    return sizes


def _sizes_of_text(text: str) -> Shape:
    inner = unbracketed(text).strip().rstrip(",").strip()
    sizes = []
    for part in re.split(_SEPARATOR, inner) if inner else []:
        if not re.fullmatch(f"[+-]?{_SIZE}", part):
            shown = part if len(part) <= 20 else part[:20] + "…"
            raise ValueError(f"{shown!r} is not a whole number; write a shape as 1,28,28")
        sizes.append(int(part))
    return tuple(sizes)


def unbracketed(text: str) -> str:
    """The text without space around it, and without one pair of brackets around all of it."""
    inner = text.strip()
    return inner[1:-1] if inner[:1] + inner[-1:] in ("()", "[]") else inner


def _sizes_of_list(value: float | list[object] | tuple[object, ...]) -> Shape:
    sizes: list[int] = []
    for size in [value] if isinstance(value, (int, float)) else value:
        if isinstance(size, float) and size.is_integer():
            size = int(size)  # 28.0 is 28 wherever numbers are of one kind
        if isinstance(size, bool) or not isinstance(size, int):
            raise ValueError(f"{type(size).__name__} is no whole number; write a shape as [1, 28, 28]")
        sizes.append(size)
    return tuple(sizes)


def show_sizes(shape: Sequence[int]) -> str:
    """The shape as it is typed: `1,28,28`."""
    return ",".join(str(size) for size in shape)


def looks_channels_last(shape: Shape) -> bool:
    """True for `28,28,1` or `224,224,3`: an image whose channels were put last."""
    return len(shape) in (3, 4) and shape[-1] in (1, 3, 4) and min(shape[:-1]) > 4
