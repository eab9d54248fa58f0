"""Text to black-clean text: the only file that imports black."""

from __future__ import annotations


def formatted(path: str, text: str) -> str:
    """A Python file as black leaves it, checked to compile; other files as they are, ending in one newline."""
    if not path.endswith(".py"):
        return text.rstrip("\n") + "\n"
    import black

    text = black.format_str(text, mode=black.Mode())
    compile(text, path, "exec")
    return text
