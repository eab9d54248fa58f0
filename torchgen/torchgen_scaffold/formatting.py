"""Text to black-clean text: the only file that imports black.

Templates render black-clean by themselves, and folding.py folds what varies in length. black is for the rest: a line
that is too long by a name from outside, say.
"""

from __future__ import annotations

import re
from functools import lru_cache

from torchgen_scaffold.folding import fold


def formatted(path: str, text: str) -> str:
    """A Python file as black leaves it, checked to compile; other files as they are, ending in one newline."""
    return python(text) if path.endswith(".py") else text.rstrip("\n") + "\n"


@lru_cache(maxsize=256)  # projects of one run share most of their files
def python(text: str) -> str:
    """The text of one Python file, formatted and compiled once in a run."""
    folded = fold(text)
    if folded is None:
        folded = by_black(text)
    _compile(_NUMBER.sub("0", folded))
    return folded


_NUMBER = re.compile(r"\b(?:0|[1-9][0-9]*)\b")


@lru_cache(maxsize=256)
def _compile(text: str) -> None:
    """Raise SyntaxError where the text is no Python; of files that differ by whole numbers, one is compiled."""
    compile(text, "generated.py", "exec", dont_inherit=True)


def by_black(text: str) -> str:
    """What black makes of it; black takes longer to import than all the rest takes to run."""
    import black

    return black.format_str(text, mode=black.Mode())
