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
    lines = text.split("\n")
    if text.isascii() and max(map(len, lines)) <= LINE:
        return text
    folded: list[str] = []
    quoted = False  # inside a docstring: in generated code it starts a line, and ends one
    for line in lines:
        code = line.lstrip()
        starts = not quoted and code.startswith('"""')
        ends = (quoted or starts) and line.endswith('"""') and not (starts and len(code) < 6)
        if surely_short(line) or starts or (quoted and not ends) or _CANNOT_FOLD.fullmatch(code):
            folded.append(line)
        else:
            several = None if quoted else _folded(line)  # black may move the quotes behind a long last line
            if several is None:
                return None
            folded += several
        quoted = (quoted or starts) and not ends
    return "\n".join(folded)


def surely_short(line: str) -> bool:
    """Whether a line fits however wide its characters are: some take two columns, which black counts."""
    return len(line) <= LINE and (line.isascii() or len(line) + sum(char > "\x7f" for char in line) <= LINE)


def _folded(line: str) -> list[str] | None:
    """One long line of code as several; None where it is of none of the usual shapes."""
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
    if len(whole) <= LINE and not parts.always_one_each:
        return _if_short([head, whole, tail])
    return (
        _if_short([head, *(f"{inner}{item}," for item in parts.items), tail])
        if parts.may_be_one_each
        else None
    )


def _if_short(lines: list[str]) -> list[str] | None:
    """The lines, unless one of them would have to be folded again."""
    return lines if all(len(line) <= LINE for line in lines) else None


_CANNOT_FOLD = re.compile(
    r"""\#.* | f?"(?:[^"\\]|\\.)*",?""", re.VERBOSE
)  # a comment, or one piece of a text
_IMPORT = re.compile(r"from ([\w.]+) import (\w+(?:, \w+)+)")
# How a statement may begin, up to what is called or to a list or dict; and what may then follow the closing bracket.
_STATEMENTS = tuple(
    (re.compile(start, re.VERBOSE), re.compile(end))
    for start, end in (
        (r"def\ ", r"(?: -> [^()#'\"]+)?:"),
        (r"for\ \w+(?:,\ \w+)*\ in\ ", ":"),
        (r"return\ ", ""),
        (r"raise\ ", r"(?: from \w+)?"),
        (r"\w+(?:\.\w+)*(?:,\ \w+)*(?::\ [\w.]+(?:\[[\w.,\ ]+\])?)?\ =\ ", ""),
        (r'"\w+":\ ', ","),
        (r"(?=\w+(?:\.\w+)?\()", ",?"),
        (r"(?=\w+(?:\.\w+)*\()", ""),
    )
)
_OPENING = re.compile(r"(\w+(?:\.\w+)*)?([(\[{])")
_TOKEN = re.compile(
    r"""  "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [()\[\]{},#] | [^()\[\]{},#'"]+  """, re.VERBOSE
)
_OWN_COMMAS = re.compile(r"\b(?:for|lambda)\b")  # a comma behind these separates no items


class _Parts(NamedTuple):
    """Where a line's one pair of brackets starts and ends, what is in it comma by comma, and how it may be laid out."""

    start: int
    end: int
    items: list[str]
    always_one_each: bool
    may_be_one_each: bool


def _parts_of(code: str) -> _Parts | None:
    """The parts of a statement, or of an item, that ends with a call, a list or a dict; None for other code."""
    found = ((start.match(code), end) for start, end in _STATEMENTS)
    statement, end = next(((start, end) for start, end in found if start), (None, None))
    opening = _OPENING.match(code, statement.end()) if statement else None
    if statement is None or end is None or opening is None:
        return None
    is_call = opening[2] == "("
    if is_call != bool(opening[1]):  # a pair of parentheses, or a subscript
        return None
    inside = _inside(code, opening.end())
    if inside is None or not end.fullmatch(code, inside[1] + 1):
        return None
    items, close, own_commas = inside
    if is_call and statement[0] == "def ":
        return _Parts(opening.end(), close, items, len(items) == 1, may_be_one_each=True)
    # Whether a comma may follow *arguments depends on the Python that black thinks the file is for.
    unpacks = is_call and any(item.startswith("*") for item in items)
    several = len(items) > 1
    return _Parts(
        opening.end(), close, items, several and not is_call, several and not own_commas and not unpacks
    )


def _inside(code: str, start: int) -> tuple[list[str], int, bool] | None:
    """The items behind an opening bracket, where it closes, and whether one of them may have commas of its own."""
    items, item, depth, own_commas, at = [], "", 1, False, start
    for token in _TOKEN.finditer(code, start):
        mark = token.group()
        if token.start() != at or mark == "#":
            return None
        at = token.end()
        depth += (mark in "([{") - (mark in ")]}")
        if depth == 0:
            items.append(item.strip())
            return (items, token.start(), own_commas) if all(items) else None
        if depth == 1 and mark == ",":
            if own_commas:
                return None
            items.append(item.strip())
            item = ""
            continue
        item += mark
        own_commas = own_commas or (depth == 1 and mark[0] not in "'\"" and bool(_OWN_COMMAS.search(mark)))
    return None
