"""Text to black-clean text: the only file that imports black.

Templates render black-clean by themselves, and folding.py folds what varies in length. black is for the rest: a line
that is too long by a name from outside, say.
"""

from __future__ import annotations

from functools import lru_cache

from torchgen_scaffold.folding import fold

# The one file that text from outside reaches, as a string; the others are torchgen's own words, and held by its tests.
_REACHED = "dataset.py"


def formatted(path: str, text: str, *, foreign: bool = False) -> str:
    """A Python file as black leaves it; other files as they are, ending in one newline.

    A text of `foreign` templates is compiled first, and always laid out by black. Raises SyntaxError where a template,
    or text from outside in spite of every escape, has broken a file.
    """
    if not path.endswith(".py"):
        return text.rstrip("\n") + "\n"
    if foreign:
        compile(text, path, "exec", dont_inherit=True)
        return by_black(text)
    text = laid_out(text)
    if path == _REACHED:
        compile(text, path, "exec", dont_inherit=True)
    return text


@lru_cache(maxsize=256)  # projects of one run share most of their files
def laid_out(text: str) -> str:
    """The text of one Python file, folded, or formatted by black where only black knows how."""
    folded = fold(text)
    return by_black(text) if folded is None else folded


def by_black(text: str) -> str:
    """What black makes of it; black takes longer to import than all the rest takes to run."""
    import black

    return black.format_str(text, mode=black.Mode())
