"""Texts as their tokens, so that code is found however it is laid out or dressed: in comments, strings, Markdown, archives."""

from __future__ import annotations

import io
import json
import re
import tokenize
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from torchgen_scaffold.records import record

_TOKEN = re.compile(r"\w+|[^\w\s]")
_UNDERSCORE = re.compile(r"(?<=[0-9])_(?=[0-9])")  # a number may be written 21_386
_DRESS = frozenset("#;`\"'\\")  # what makes a comment, a string or Markdown of code
_UNWRAPPED = ((" , ) ", " ) "), (" , ] ", " ] "), (" , } ", " } "))  # a comma that only a wrapped line has
_COMMENT = re.compile(r"#.*")
_PLAIN = {tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.ENCODING}


@record
class Line:
    """A statement, or the head of one that holds others: its tokens, and its first and last row (from 0)."""

    said: str
    count: int
    first: int
    last: int


@lru_cache(maxsize=4096)  # the students of a class share most of their texts
def spoken(text: str) -> str:
    """The tokens of a text with a space around each, without white space and what code is dressed in."""
    tokens = _TOKEN.findall(_UNDERSCORE.sub("", text))
    said = f" {' '.join([token for token in tokens if token not in _DRESS])} "
    for wrapped, plain in _UNWRAPPED:
        said = said.replace(wrapped, plain)
    return said


@lru_cache(maxsize=4096)
def lines_of(text: str) -> tuple[Line, ...]:
    """The statements of a function's text, in order. Raises SyntaxError or tokenize.TokenError where it is no Python."""
    found: list[Line] = []
    parts: list[str] = []
    rows: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in _PLAIN or token.type == tokenize.COMMENT:
            continue
        if token.type != tokenize.NEWLINE:
            parts.append(token.string)
            rows += (token.start[0] - 1, token.end[0] - 1)
        elif parts:
            said = spoken(" ".join(parts))
            found.append(Line(said, len(said.split()), rows[0], rows[-1]))
            parts, rows = [], []
    return tuple(found)


@lru_cache(maxsize=4096)
def comments_of(text: str) -> tuple[Line, ...]:
    """The comments of a function's text, each with its row."""
    rows = (
        (token.start[0] - 1, spoken(token.string))
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    )
    return tuple(Line(said, len(said.split()), row, row) for row, said in rows)


def readings(name: str, content: str | bytes) -> Iterator[tuple[str, str]]:
    """(name, text) of all that a file says: its text, the strings of its code or JSON, the members of an archive; each
    of them with its comments and without, since a comment may stand between two statements.
    """
    if isinstance(content, bytes):
        yield from _members(name, content)
    text = content if isinstance(content, str) else content.decode("utf-8", errors="replace")
    texts = [text]
    if name.endswith(".py"):
        texts.append(_strings_of_code(text))
    elif name.endswith((".json", ".ipynb")):
        texts.append(_strings_of_json(text))
    for said in texts:
        yield name, said
        if "#" in said:
            yield name, _COMMENT.sub("", said)


def _members(name: str, content: bytes) -> Iterator[tuple[str, str]]:
    if content[:4] == b"PK\x03\x04":
        import zipfile

        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                yield from readings(f"{name}/{member.filename}", archive.read(member))
    elif content[:2] == b"\x1f\x8b" or content[257:262] == b"ustar":
        import tarfile

        try:
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                for entry in archive:
                    if (file := archive.extractfile(entry)) is not None:
                        yield from readings(f"{name}/{entry.name}", file.read())
        except tarfile.TarError:  # a compressed file that is no archive, such as a table
            return


@lru_cache(maxsize=4096)
def _strings_of_code(text: str) -> str:
    """What the strings of a Python file say, as the program sees them."""
    import ast

    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    found = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return "\n".join(value for value in found if isinstance(value, str))


def _strings_of_json(text: str) -> str:
    try:
        return "\n".join(_strings_in(json.loads(text)))
    except (ValueError, RecursionError):
        return ""


def _strings_in(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings_in(inner)
