"""Long lines, folded as black folds them, for the shapes that generated projects have.

Templates keep to black's layout by themselves, except for a line whose length depends on the plan: a call, a list of
names, an import. Such a line stands in the template in one piece and is folded here, so that an ordinary project
needs no black. What is not surely one of these shapes is left to black itself; the tests compare the two.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from torchgen_scaffold.view.model import LINE

_INDENT = 4


def fold(text: str) -> str | None:
    """The Python file with its long lines folded, as black would; None where only black knows how."""
    folded: list[str] = []
    quoted = False  # inside a docstring: in generated code it starts a line, and ends one
    for line in text.split("\n"):
        code = line.lstrip()
        starts = not quoted and code.startswith('"""')
        ends = (quoted or starts) and line.endswith('"""') and not (starts and len(code) < 6)
        if surely_short(line) or code.startswith("#") or starts or (quoted and not ends):
            folded.append(line)
        else:
            lines = None if quoted else _folded(line)  # black may move the quotes behind a long last line
            if lines is None:
                return None
            folded += lines
        quoted = (quoted or starts) and not ends
    return "\n".join(folded)


def surely_short(line: str) -> bool:
    """Whether a line fits however wide its characters are: some take two columns, which black counts."""
    return len(line) <= LINE and (line.isascii() or len(line) + sum(char > "\x7f" for char in line) <= LINE)


def _folded(line: str) -> list[str] | None:
    """One long line of code as several; None where it is no import, call or list of one of the usual shapes."""
    if not line.isascii():
        return None
    code = line.lstrip()
    indent = line[: len(line) - len(code)]
    inner = indent + " " * _INDENT
    imported = _IMPORT.fullmatch(code)
    if imported:
        names = [f"{inner}{name}," for name in imported[2].split(", ")]
        return _if_short([f"{indent}from {imported[1]} import (", *names, f"{indent})"])
    parts = _parts_of(code)
    if parts is None:
        return None
    head, tail = f"{indent}{code[: parts.start]}", f"{indent}{code[parts.end :]}"
    whole = inner + ", ".join(parts.items)
    if parts.is_call and len(whole) <= LINE:
        return _if_short([head, whole, tail])
    if len(parts.items) == 1:  # an argument that is too long by itself
        return None
    return _if_short([head, *(f"{inner}{item}," for item in parts.items), tail])


def _if_short(lines: list[str]) -> list[str] | None:
    """The lines, unless one of them would have to be folded again."""
    return lines if all(len(line) <= LINE for line in lines) else None


_IMPORT = re.compile(r"from ([\w.]+) import (\w+(?:, \w+)+)")
# What may stand before the bracket: a statement, and the name of what is called; or no name, before a list or dict.
_HEAD = re.compile(
    r"""(?P<statement> return\ | raise\ | \w+(?:\.\w+)*(?:,\ \w+)*(?::\ [\w.]+(?:\[[\w.,\ ]+\])?)?\ =\  )?
        (?P<key> "\w+":\  )?
        (?P<called> \w+(?:\.\w+)* )? [(\[{]""",
    re.VERBOSE,
)
_TOKEN = re.compile(
    r"""  "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [()\[\]{},#] | [^()\[\]{},#'"]+  """, re.VERBOSE
)
_OWN_COMMAS = re.compile(r"\b(?:for|lambda)\b")  # a comma behind these separates no items


class _Parts(NamedTuple):
    """Where a line's one pair of brackets starts and ends, and what is in it, comma by comma."""

    start: int
    end: int
    items: list[str]
    is_call: bool


def _parts_of(code: str) -> _Parts | None:
    """The parts of `name = call(items)`, of a call as a statement or an item, or of a list; None for other code."""
    head = _HEAD.match(code)
    if head is None:
        return None
    is_call = code[head.end() - 1] == "("
    if is_call != bool(head["called"]) or not (is_call or (head["statement"] and not head["key"])):
        return None
    items, depth, item, at = [], 1, "", head.end()
    for token in _TOKEN.finditer(code, at):
        mark = token.group()
        if (
            token.start() != at
            or mark == "#"
            or (mark[0] not in "'\"" and _OWN_COMMAS.search(mark) and depth == 1)
        ):
            return None
        at = token.end()
        depth += (mark in "([{") - (mark in ")]}")
        if depth == 0:
            break
        if depth == 1 and mark == ",":
            items.append(item.strip())
            item = ""
        else:
            item += mark
    items.append(item.strip())
    is_item = code[at:] == "," and not head["statement"] and code.count(".", 0, head.end()) < 2
    ends = is_item or (code[at:] == "" and not head["key"])
    if depth or not ends or not all(items):
        return None
    return _Parts(head.end(), at - 1, items, is_call)
