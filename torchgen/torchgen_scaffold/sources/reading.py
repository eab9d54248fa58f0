"""Read the facts of a data source from disk, once for as long as somebody keeps asking."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from torchgen_scaffold.sources.base import Facts, Request, Source

_Read = dict[tuple[str, str, Request], Facts | None]
_read: ContextVar[_Read | None] = ContextVar("_read", default=None)


@contextmanager
def reading_once() -> Iterator[None]:
    """Inside, the same question to the same data is answered from memory: a prompt checks its answers at every key."""
    token = _read.set({})
    try:
        yield
    finally:
        _read.reset(token)


def read_facts(source: Source, place: str, request: Request) -> Facts | None:
    """The facts of the data at `place`; see Source.facts. Raises SpecError where the data is unfit."""
    read = _read.get()
    if read is None:
        return source.facts(place, request)
    question = source.name, place, request
    if question not in read:
        read[question] = source.facts(place, request)
    return read[question]
