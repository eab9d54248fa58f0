"""The names of cells: what the matrix is called, and a word for each value that a cell does not share with all others.

A name follows from the file's name and the cell's own values, so that a new cell renames no other; only what would
be called alike is numbered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from torchgen_scaffold.names import MAX_LENGTH, plain_text, project_name_problem, suggest_name

_LONGEST_WORD = 24  # a list of layers is no name


class Names:
    """Names of which no two are alike, on disks that hold no capitals apart either."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, name: str) -> str:
        """The name itself, or with the first number that makes it one of its own."""
        free, number = name, 1
        while free.lower() in self._taken:
            number += 1
            free = f"{name[: MAX_LENGTH - len(str(number)) - 1]}-{number}"
        self._taken.add(free.lower())
        return free

    def of_cell(self, base: str, words: Iterable[str]) -> str:
        """The name of a cell. One that is too long ends in eight digits that stand for all of it."""
        name = "-".join((base, *words))
        if len(name) > MAX_LENGTH:
            from hashlib import sha256

            name = f"{name[: MAX_LENGTH - 9].rstrip('-_')}-{sha256(name.encode()).hexdigest()[:8]}"
        return self.take(suggest_name(name) if project_name_problem(name) else name)


def words_of(key: str, values: Iterable[Any]) -> dict[Any, str]:
    """A word for each of the values that a setting takes in turn, no two alike."""
    names = Names()
    return {value: names.take(word_of(key, value)) for value in values}


def word_of(key: str, value: Any) -> str:
    """A value as a part of a name: `adam`, `1x28x28`, `lr0_001`, `no-schedule`."""
    name = key.rpartition(".")[2]
    if isinstance(value, bool) or value == "none":
        return name if value is True else f"no-{name}"
    if isinstance(value, (int, float)):
        return name + _number(value)
    if isinstance(value, tuple) and not isinstance(value[0], str):
        sizes = "x".join(_number(item) for item in value)
        is_image = name.endswith("_shape") and len(value) > 1  # which no other number looks like
        word = sizes if is_image else name.removesuffix("_shape") + sizes
        return word[:_LONGEST_WORD].rstrip("-_")
    text = "-".join(value) if isinstance(value, tuple) else str(value)
    if key == "data.source":  # csv:data/houses.csv is known as houses
        source, _, place = text.partition(":")
        last = re.split(r"[/\\]", (place or source).rstrip("/\\"))[-1]
        text = last.rpartition(".")[0] or last
    return plain_text(text)[:_LONGEST_WORD].rstrip("-_") or name


def _number(value: float) -> str:
    return repr(value).removesuffix(".0").replace(".", "_").replace("+", "")
