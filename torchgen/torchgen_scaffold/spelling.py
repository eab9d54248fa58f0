"""Did you mean: the known word that is spelled most like an unknown one."""

from __future__ import annotations

from collections.abc import Sequence


def nearest(word: str, options: Sequence[str]) -> str | None:
    """The option that is spelled most like `word`, or None where none is near."""
    from difflib import get_close_matches

    found = get_close_matches(word[:60].lower(), options, n=1, cutoff=0.5)
    return found[0] if found else None
