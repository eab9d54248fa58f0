"""Words: the known one that is spelled most like an unknown one, and a number with its noun."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, options: Iterable[str]) -> str | None:
    """The option that is spelled most like `word`, or None where none is near."""
    from difflib import get_close_matches

    found = get_close_matches(word[:60].lower(), options, n=1, cutoff=0.5)
    return found[0] if found else None


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number and its noun: `1 file`, `12 files`; `plural` where an s is not enough."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {plural or noun + 's'}"
