"""Three-way merges of whole projects: what was generated, what the user made of it, and what is generated now.

It writes nothing. Where both sides have changed the same file, git merges its lines.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Literal

from torchgen_scaffold.git import merge_texts
from torchgen_scaffold.records import record

# What happens to a file. "kept" and "gone" change nothing on disk, and are said because the template has changed.
Kind = Literal["added", "updated", "merged", "conflict", "removed", "kept", "gone", "taken"]

_ALIKE = 0.6  # share of lines that a renamed file has in common with what it was


@record
class Change:
    """What becomes of one file: its new text, or None where it is removed or left as it is.

    `was` is its path so far, where the templates have renamed it.
    """

    path: str
    kind: Kind
    text: str | None = None
    was: str = ""
    why: str = ""

    @property
    def writes(self) -> bool:
        """Whether the file is written."""
        return self.text is not None

    @property
    def removes(self) -> str:
        """The path that goes, or nothing."""
        return self.was or (self.path if self.kind == "removed" else "")


def merge_trees(
    base: Mapping[str, str], mine: Mapping[str, str], new: Mapping[str, str]
) -> tuple[Change, ...]:
    """What becomes of every file that the user's side, the templates' side or both have changed.

    `base` is what was generated, `mine` what stands there of the names in `base` and `new`, and `new` what is
    generated now: {path: text}. A file is "taken" where a new one would stand on one that torchgen did not write.
    """
    renamed = renames(base, new)
    before = {new_name: old_name for old_name, new_name in renamed.items()}
    changes = []
    for name in sorted({*base, *new} - renamed.keys()):
        change: Change | None
        if was := before.get(name):
            change = _renamed(name, was, base[was], mine.get(was), new[name], taken=name in mine)
        else:
            change = _merged(name, base.get(name), mine.get(name), new.get(name))
        if change:
            changes.append(change)
    return tuple(changes)


def _merged(name: str, base: str | None, mine: str | None, new: str | None) -> Change | None:
    """What becomes of one file; None where nothing does."""
    if mine == new or base == new:  # done already, or none of the templates' business
        return None
    if mine is None:
        if base is None:
            return Change(name, "added", new)
        return Change(name, "gone", why="you removed it, and so it stays")
    if base is None:
        return Change(name, "taken", why="torchgen did not write the file that is there")
    if new is None:
        if mine == base:
            return Change(name, "removed")
        return Change(name, "kept", why="it is not generated any more, and has your edits: it is yours now")
    if mine == base:
        return Change(name, "updated", new)
    text, conflicts = merge_texts(base, mine, new)
    if conflicts:
        return Change(name, "conflict", text, why="your lines and the templates' lines differ in one place")
    if name.endswith(".py") and _compiles(mine) and not _compiles(text):
        return Change(name, "conflict", text, why="the two sides fit line by line, but not as Python")
    return Change(name, "merged", text)


def _renamed(name: str, was: str, base: str, mine: str | None, new: str, *, taken: bool) -> Change:
    """What becomes of a file that the templates call `name` now, and have called `was`."""
    if mine is None:
        return Change(name, "gone", why=f"you removed {was}, as it was called, and so it stays")
    if taken:
        return Change(name, "taken", why=f"{was} is called so now, and torchgen did not write what is there")
    change = _merged(name, base, mine, new)
    if change is None:
        return Change(name, "updated", mine, was)
    return Change(name, change.kind, change.text, was, change.why)


def renames(base: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """{old path: new path} of the files that go under one name and come under another, most alike first."""
    gone, come = sorted(base.keys() - new.keys()), sorted(new.keys() - base.keys())
    pairs = sorted(_alike(base, new, gone, come), reverse=True)
    found: dict[str, str] = {}
    for _, old_name, new_name in pairs:
        if old_name not in found and new_name not in found.values():
            found[old_name] = new_name
    return found


def _alike(
    base: Mapping[str, str], new: Mapping[str, str], gone: list[str], come: list[str]
) -> Iterator[tuple[float, str, str]]:
    for old_name in gone:
        for new_name in come:
            lines = (base[old_name].splitlines(), new[new_name].splitlines())
            share = difflib.SequenceMatcher(None, *lines, autojunk=False).ratio()
            if share >= _ALIKE:
                yield share, old_name, new_name


def _compiles(text: str) -> bool:
    try:
        compile(text, "merged", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True
