"""{path: text} to disk, all of it or nothing: check first, stage in a temporary directory, move into place.

A destination that does not exist appears by one rename: whatever stops the process, it is whole or
absent. It is not synced, since after a power cut the same command makes it again. One that exists gets
its files one by one, synced and under a lock, and gets its own back if anything fails; only a kill in
the middle of that leaves it mixed, with the originals in `.torchgen-*/old` beside them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from torchgen_scaffold.errors import DestinationError, Problem, SpecError
from torchgen_scaffold.escape import visible
from torchgen_scaffold.names import path_problem, windows_clash
from torchgen_scaffold.staging import (
    PREFIX,
    Stage,
    folders_of,
    in_the_way,
    leftover,
    locked,
    make_parents,
    move_files,
    move_whole,
    remove_empty,
    surely,
    told,
    write_new,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_OTHER_FILE = "Choose another file."
_NAMED = 10  # files in the way that a message names before it counts


def write_tree(
    files: Mapping[str, str],
    destination: Path,
    *,
    force: bool = False,
    copies: Mapping[str, Path] | None = None,
) -> list[str]:
    """Write `files` ({relative path: text}) and `copies` ({relative path: file}) into `destination`.

    Missing parents are made. With `force`, files of the same names are replaced and all others stay.
    Returns the sorted relative paths. Raises DestinationError if something is in the way or the place
    cannot be written, MachineError if the disk is full or fails, SpecError for a text that is not UTF-8
    or a file to copy that cannot be read. Whatever is raised, Ctrl-C too, the disk is as it was before.
    """
    sources = copies or {}
    contents = {name: _encoded(name, text) for name, text in files.items()}
    for source in sources.values():
        _check_source(source)
    names = sorted([*contents, *sources])
    with told(destination):
        root = check_destination(destination, names, force=force)
        existed = root.is_dir()
        stage = Stage(root if existed else root.parent)
        made: list[Path] = []

        def clean() -> None:
            stage.discard()
            remove_empty(made)  # the parents that were made; those that hold the new project stay

        with locked(root) if existed else contextlib.nullcontext():
            check_destination(destination, names, force=force)  # again: only now does the lock hold
            try:
                make_parents(root, made)
                stage.fill(contents, sources, durably=existed)
                if existed:
                    move_files(stage, root, names, force=force)
                else:
                    move_whole(stage, root)
            finally:
                surely(clean)
    return names


def check_destination(destination: Path, names: Iterable[str] = (), *, force: bool = False) -> Path:
    """Return where `destination` really is, after every check that `write_tree` makes; writes nothing.

    Absent, empty and holding only `.git` are fine. Raises DestinationError for anything else without
    `force`; and with it for files that cannot be replaced, and for paths that lead out of `destination`.
    """
    with told(destination):
        if destination.is_symlink() and not destination.exists():
            raise in_the_way(destination, "It is a symlink that leads nowhere.")
        root = _resolved(destination)
        nearest = next((place for place in (root, *root.parents) if os.path.lexists(place)), root)
        if not nearest.is_dir():
            raise in_the_way(destination, f"{visible(str(nearest))} is not a directory.")
        names = sorted(names)
        _check_names(root, names)
        if nearest == root:
            _check_contents(root, names, force=force)
        return root


def replace_file(path: Path, text: str) -> None:
    """Write `text` (UTF-8) to the one file `path`, whole or not at all; a symlink's target is written.

    Raises DestinationError if `path` is a directory or cannot be written, MachineError if the disk is
    full, SpecError if the text is not UTF-8.
    """
    data = _encoded(str(path), text)
    with told(path, _OTHER_FILE):
        if path.is_dir():
            raise in_the_way(path, "It is a directory, and a file belongs there.", _OTHER_FILE)
        if path.exists() and not path.is_file():  # a pipe or /dev/stdout: nothing to put in its place
            path.write_bytes(data)
            return
        target = _resolved(path)
        staged = target.with_name(f"{PREFIX}{os.urandom(8).hex()}")
        try:
            write_new(staged, data, durably=True)
            if target.exists():
                shutil.copymode(target, staged)
            staged.replace(target)
        finally:
            staged.unlink(missing_ok=True)


# Checks, before anything is written.


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (ValueError, RuntimeError) as error:  # a NUL, half a character, a loop of symlinks
        raise in_the_way(path, f"It is no usable path: {error}.") from error


def _encoded(name: str, text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        why = "It holds half of a character (a lone surrogate), which UTF-8 cannot."
        raise SpecError(Problem(f"{visible(name)} cannot be written.", why)) from error


def _check_source(source: Path) -> None:
    problem = Problem(f"{visible(str(source))} cannot be copied.", "It is not a file.", "Check its path.")
    if not source.is_file():
        raise SpecError(problem)
    try:
        source.open("rb").close()
    except OSError as error:
        raise SpecError(Problem(problem.what, f"{error.strerror}.", problem.instead)) from error


def _check_names(root: Path, names: Sequence[str]) -> None:
    """Refuse paths that leave `root`, and names of which a disk could hold only one."""
    problems = []
    folders = folders_of(names)
    faults = {name: path_problem(name) for name in names}
    sound = folders_of(name for name, fault in faults.items() if fault is None)
    outside = {folder for folder in sound if not Path(os.path.realpath(root / folder)).is_relative_to(root)}
    for name, fault in faults.items():
        if fault is None and str(PurePosixPath(name).parent) in outside:
            fault = "leads out through a symlink"
        if fault is None and (name in folders or names.count(name) > 1):
            fault = "is there twice"
        if fault is not None:
            what = f"'{visible(name)}' cannot be written into {visible(str(root))}."
            problems.append(Problem(what, f"It {fault}."))
    for first, second in windows_clash(names):
        what = f"'{visible(first)}' and '{visible(second)}' cannot both be written."
        problems.append(Problem(what, "On Windows and macOS they are one name.", "Rename one of them."))
    if problems:
        raise DestinationError(problems)


def _check_contents(root: Path, names: Sequence[str], *, force: bool) -> None:
    """Refuse what is in the way in the directory `root`; torchgen's own leftovers are not."""
    instead = "Choose another directory with -o DIR"
    if force:
        in_way = [name for name in names if (root / name).is_dir() and not (root / name).is_symlink()]
        in_way += [f for f in folders_of(names) if os.path.lexists(root / f) and not (root / f).is_dir()]
        why, instead = "A file and a directory cannot replace each other", f"{instead}, or move them."
    else:
        in_way = [name for name in names if os.path.lexists(root / name)]
        known = {".git", *(name.split("/")[0] for name in in_way)}
        in_way += sorted(e.name for e in root.iterdir() if e.name not in known and not leftover(e))
        why = "The directory is not empty"
        instead += ", or add --force: it replaces the files torchgen writes and leaves all others."
    if in_way:
        listed = ", ".join(visible(name) for name in in_way[:_NAMED])
        more = f" and {len(in_way) - _NAMED} more" if len(in_way) > _NAMED else ""
        raise in_the_way(root, f"{why}. In the way: {listed}{more}.", instead)
