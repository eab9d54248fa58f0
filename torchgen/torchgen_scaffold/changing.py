"""A change of a directory that exists: staged, written down, made; and undone if anything comes in between.

    .torchgen-<16 digits>.change/
        new/      what is to come
        old/      the originals of what it replaces, from before the first move
        gone/     what it removes, once it is removed
        journal   what is to be done: while it is there, the change is undone, by this process or by the next
        done      what the journal is called once every move was made: from then on the change stands

Both steps, from nothing to `journal` and from `journal` to `done`, are one rename. Every move between them is one
rename too, and the disk shows which were made, so undoing may be killed as well, and starts again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchgen_scaffold.errors import DestinationError, MachineError, Problem
from torchgen_scaffold.escape import visible
from torchgen_scaffold.places import CHANGE, check_names, folders_of, in_the_way, some_of
from torchgen_scaffold.records import record
from torchgen_scaffold.staging import (
    JOURNAL,
    begun,
    discard,
    leftovers,
    make_directory,
    make_folders,
    remove_empty,
    staged,
    surely,
    sync,
    taken,
    write_all,
    write_new,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DONE = "done"
_NEW, _OLD, _GONE = "new", "old", "gone"


@record
class _Change:
    """What a journal says. Names are relative to the directory that is changed."""

    put: dict[str, list[int]]  # each new file, and by what it is known again: its size, and its time in ns
    replaced: list[str]  # those of them that take another's place
    removed: list[str]
    folders: list[str]  # directories that are made, parents first


def change(
    root: Path, contents: Mapping[str, bytes], sources: Mapping[str, Path], removed: Sequence[str] = ()
) -> None:
    """Write and remove files of the directory `root`, which is locked and settled; all of it or nothing.

    Every write is through to the disk before what it depends on. Raises OSError, DestinationError for a file that
    appears meanwhile, and MachineError where nothing can be put back.
    """
    with staged(root, CHANGE, 0o700) as stage:
        try:
            _make(stage, root, _prepare(stage, root, contents, sources, removed))
        finally:
            surely(lambda: _end(stage, root))


def settle(root: Path) -> None:
    """Bring to an end what killed processes left in the directory `root`, which is locked.

    A change that was made stands, any other is undone, and what was only staged is removed. Raises DestinationError
    where nobody can tell whether its owner lives, or where a file was edited since.
    """
    for stage in leftovers(root):
        with taken(stage) as dead:
            if not dead and begun(stage):
                why = "Another torchgen is writing into it, or was stopped less than an hour ago."
                raise in_the_way(root, why, "Try again later.")
            if dead:
                _end(stage, root)
                discard(stage)


def _prepare(
    stage: Path,
    root: Path,
    contents: Mapping[str, bytes],
    sources: Mapping[str, Path],
    removed: Sequence[str],
) -> _Change:
    """Put everything that the change needs, and that undoing it needs, into `stage`; the journal last."""
    names = sorted([*contents, *sources])
    folders = [f for f in folders_of(names) if not (root / f).exists()]
    replaced = [name for name in names if os.path.lexists(root / name)]
    for place, inside in {_NEW: [], _OLD: replaced, _GONE: removed}.items():
        make_directory(stage / place)
        make_folders(stage / place, inside)
    write_all(stage / _NEW, contents, sources, durably=True)
    for name in replaced:
        _save(root / name, stage / _OLD / name)
        if not (root / name).is_symlink():
            shutil.copymode(root / name, stage / _NEW / name)
    put = {name: _known_by(stage / _NEW / name) for name in names}
    planned = _Change(put, replaced, list(removed), folders)
    for place, inside in {_NEW: names, _OLD: replaced, _GONE: removed}.items():
        _sync_folders(stage / place, inside)
    _write_journal(stage, planned)
    return planned


def _write_journal(stage: Path, planned: _Change) -> None:
    import json

    write_new(stage / "part", json.dumps(vars(planned)).encode(), durably=True)
    (stage / "part").rename(stage / JOURNAL)
    sync(stage)


def _make(stage: Path, root: Path, planned: _Change) -> None:
    """Make every move, and then call the journal done."""
    for folder in planned.folders:
        make_directory(root / folder)
    for name in planned.put:
        if name not in planned.replaced and os.path.lexists(root / name):
            raise in_the_way(root / name, "It appeared while this was being written.")
        (stage / _NEW / name).replace(root / name)
    for name in planned.removed:
        (root / name).rename(stage / _GONE / name)
    _sync_folders(root, [*planned.put, *planned.removed])
    (stage / JOURNAL).rename(stage / _DONE)
    with contextlib.suppress(OSError):  # the change stands
        sync(stage)


def _end(stage: Path, root: Path) -> None:
    """After a change that was made, remove the folders that it emptied; undo one that was not made to its end."""
    if (planned := _read(stage, root, _DONE)) is not None:
        remove_empty([root / folder for folder in folders_of(planned.removed)])
    _undo(stage, root)


def _undo(stage: Path, root: Path) -> None:
    """Undo the change that was begun in `stage`, as far as the disk shows that it was made; else do nothing.

    Running it half and then whole does no harm. Raises DestinationError for files that were edited since, before
    anything is moved, and MachineError where the disk refuses.
    """
    planned = _read(stage, root, JOURNAL)
    if planned is None:
        return
    edited = [name for name in [*planned.put, *planned.removed] if _edited(stage, root, planned, name)]
    if edited:
        what = f"{visible(str(root))} holds half of a change that was interrupted: {some_of(edited)} was edited since."
        why = "To undo the change would lose the edits."
        where = f"The files as they were before are in {visible(str(stage / _OLD))} and {_GONE} beside it."
        instead = f"{where} Take from there what you want, delete {visible(str(stage))}, and run this again."
        raise DestinationError(Problem(what, why, instead))
    try:
        _move_back(stage, root, planned)
        remove_empty([root / folder for folder in planned.folders])
        _sync_folders(root, [*planned.put, *planned.removed])
    except OSError as error:
        what = f"{visible(str(root))} could not be put back as it was."
        why = f"{error.strerror}. The originals that are missing are in {visible(str(stage / _OLD))} and {_GONE} beside it."
        instead = "Mend what the disk refuses: the next torchgen here tries again. Or copy them back by hand."
        raise MachineError(Problem(what, why, instead)) from error
    (stage / JOURNAL).unlink()


def _move_back(stage: Path, root: Path, planned: _Change) -> None:
    for name in planned.removed:
        if os.path.lexists(stage / _GONE / name):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (stage / _GONE / name).rename(root / name)
    for name in planned.put:
        if os.path.lexists(stage / _NEW / name):
            continue  # it was not moved, or is back
        if name in planned.replaced:
            if os.path.lexists(stage / _OLD / name):
                (stage / _OLD / name).replace(root / name)
        elif os.path.lexists(root / name):
            (root / name).rename(stage / _NEW / name)  # not deleted: once more, the disk shows it


def _edited(stage: Path, root: Path, planned: _Change, name: str) -> bool:
    """Is this file another than the change left there?"""
    if not os.path.lexists(root / name):
        return False
    if name in planned.removed:
        return os.path.lexists(stage / _GONE / name)
    waits = os.path.lexists(stage / _NEW / name)
    back = name in planned.replaced and not os.path.lexists(stage / _OLD / name)
    return not waits and not back and _known_by(root / name) != planned.put[name]


def _known_by(path: Path) -> list[int]:
    """What stays when a file is moved, and not when it is edited."""
    facts = path.lstat()
    return [facts.st_size, facts.st_mtime_ns]


def _read(stage: Path, root: Path, name: str) -> _Change | None:
    """The journal of this name, or None. It is text from outside: a project may come from anywhere."""
    import json

    if not (stage / name).is_file():
        return None
    try:
        planned = _checked(json.loads((stage / name).read_text("utf-8")))
        if any((stage / place).is_symlink() for place in (_NEW, _OLD, _GONE)):
            raise ValueError("it leads out")
    except (ValueError, RecursionError) as error:
        why = f"It was left by a torchgen that was stopped, and cannot be read: {visible(str(error))}."
        instead = f"Take from it what you miss, and delete {visible(str(stage))}."
        raise in_the_way(stage / name, why, instead) from error
    names = [*planned.put, *planned.removed]
    for place in (root, stage / _NEW, stage / _OLD, stage / _GONE):
        check_names(place, names)
    return planned


def _checked(values: Any) -> _Change:
    """Raises ValueError for what no torchgen has written."""
    try:
        planned = _Change(**values)
        if not isinstance(planned.put, dict):
            raise ValueError("it lists no files")
        texts = [*planned.put, *planned.replaced, *planned.removed, *planned.folders]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("a name is no text")
        if not {*planned.replaced} <= {*planned.put} or not {*planned.folders} <= {*folders_of(planned.put)}:
            raise ValueError("a name is missing")
    except TypeError as error:
        raise ValueError(str(error)) from error
    return planned


def _save(original: Path, saved: Path) -> None:
    """Keep `original` as `saved` too, so that at no moment it is in neither place."""
    try:
        os.link(original, saved, follow_symlinks=False)
    except (OSError, NotImplementedError):  # not every file system has hard links
        shutil.copy2(original, saved, follow_symlinks=False)
        if not saved.is_symlink():
            sync(saved)


def _sync_folders(place: Path, names: Sequence[str]) -> None:
    for folder in (place, *(place / name for name in folders_of(names))):
        with contextlib.suppress(FileNotFoundError):  # a folder that was made and is undone
            sync(folder)
