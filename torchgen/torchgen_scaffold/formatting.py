"""Text to black-clean text: the only file that imports black."""

from __future__ import annotations


def formatted(path: str, text: str) -> str:
    """A Python file as black leaves it, checked to compile; other files as they are, ending in one newline."""
    if not path.endswith(".py"):
        return text.rstrip("\n") + "\n"
    import black

    try:
        text = black.format_file_contents(text, fast=False, mode=black.Mode())
    except black.NothingChanged:
        pass
    compile(text, path, "exec")
    return text
