"""{path: text} to disk, all of it or nothing: check first, stage in a temporary directory, move into place.

A destination that does not exist appears by one rename, with the parents that are missing: whatever stops the process,
it is whole or absent. It is not synced, since after a power cut the same command makes it again. One that exists is
changed under a lock, synced, and gets its files back if anything fails; after a kill, from the next torchgen there.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from torchgen_scaffold.changing import change, settle
from torchgen_scaffold.escape import visible
from torchgen_scaffold.places import (
    check_contents,
    check_names,
    check_source,
    encoded,
    in_the_way,
    nearest,
    resolved,
    told,
)
from torchgen_scaffold.staging import leftovers, locked, make_directory, staged, sweep, write_all, write_new

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_OTHER_FILE = "Choose another file."


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
    contents = {name: encoded(name, text) for name, text in files.items()}
    for source in sources.values():
        check_source(source)
    names = sorted([*contents, *sources])
    with told(destination):
        root = _usable(destination)
        if root.is_dir():
            with locked(root):
                settle(root)
                check_destination(destination, names, force=force)
                change(root, contents, sources)
        else:
            check_destination(destination, names, force=force)
            _appear(root, contents, sources)
    return names


def change_tree(files: Mapping[str, str | bytes], removed: Iterable[str], destination: Path) -> None:
    """Change the existing directory `destination`: write `files` ({relative path: contents}), delete `removed`.

    All of it or nothing. A text is written as UTF-8, bytes as they are. A file that is replaced keeps its
    permissions; a symlink in its place goes, its target stays. Folders that are missing are made, and those that
    are emptied go. Of `removed`, what is no file (any more) is passed over. Everything else stays as it is.

    It holds a lock on `destination` meanwhile, and first calls `recover`. Raises DestinationError if `destination`
    is no directory, if another torchgen is writing into it, if a path leads out of it, is named twice, or is that of
    a directory, and if it cannot be written; MachineError if the disk is full or fails, SpecError for a text that is
    not UTF-8. Whatever is raised, Ctrl-C too, the disk is as it was before; after a kill, `recover` makes it so.
    """
    contents = {name: encoded(name, text) for name, text in files.items()}
    removed = sorted(set(removed))
    names = sorted(contents)
    with told(destination):
        root = _usable(destination)
        if not root.is_dir():
            raise in_the_way(destination, "It is not there, or is not a directory.", "Check its path.")
        with locked(root):
            settle(root)
            check_names(root, [*names, *removed])
            check_contents(root, names, force=True)
            change(root, contents, {}, [name for name in removed if _is_file(root / name)])


def recover(destination: Path) -> None:
    """Bring to an end what a killed torchgen left in the directory `destination`; call it before reading a project.

    A change that was not made to its end is undone, so that `destination` is as it was before; what was only staged
    is removed. It does nothing, and takes no lock, where nothing was left. Raises DestinationError if another
    torchgen is writing into `destination`, or if a file was edited since that undoing would overwrite; MachineError
    if the disk refuses. It may be killed as well: the next call goes on.
    """
    with told(destination):
        root = _usable(destination)
        if leftovers(root):
            with locked(root):
                settle(root)


def check_destination(destination: Path, names: Iterable[str] = (), *, force: bool = False) -> Path:
    """Return where `destination` really is, after every check that `write_tree` makes; writes nothing.

    Absent, empty and holding only `.git` are fine. Raises DestinationError for anything else without
    `force`; and with it for files that cannot be replaced, and for paths that lead out of `destination`.
    """
    with told(destination):
        root = _usable(destination)
        there = nearest(root)
        if not there.is_dir():
            raise in_the_way(destination, f"{visible(str(there))} is not a directory.")
        names = sorted(names)
        check_names(root, names)
        if there == root:
            check_contents(root, names, force=force)
        return root


def replace_file(path: Path, text: str) -> None:
    """Write `text` (UTF-8) to the one file `path`, whole or not at all; a symlink's target is written.

    Raises DestinationError if `path` is a directory or cannot be written, MachineError if the disk is
    full, SpecError if the text is not UTF-8.
    """
    data = encoded(str(path), text)
    with told(path, _OTHER_FILE):
        if path.is_dir():
            raise in_the_way(path, "It is a directory, and a file belongs there.", _OTHER_FILE)
        if path.exists() and not path.is_file():  # a pipe or /dev/stdout: nothing to put in its place
            path.write_bytes(data)
            return
        target = resolved(path)
        sweep(target.parent)
        with staged(target.parent, mode=0o700) as stage:
            write_new(stage / "file", data, durably=True)
            if target.exists():
                shutil.copymode(target, stage / "file")
            (stage / "file").replace(target)


def _usable(destination: Path) -> Path:
    """Where `destination` really is, whether or not it exists."""
    if destination.is_symlink() and not destination.exists():
        raise in_the_way(destination, "It is a symlink that leads nowhere.")
    return resolved(destination)


def _is_file(path: Path) -> bool:
    return os.path.lexists(path) and (path.is_symlink() or not path.is_dir())


def _appear(root: Path, contents: Mapping[str, bytes], sources: Mapping[str, Path]) -> None:
    """Make `root` and its missing parents appear by one rename, unless something is there by now.

    What is staged becomes the first of them that is missing: when it has appeared, nothing is left to clean up.
    """
    top = nearest(root)
    missing = root.relative_to(top).parts
    if not missing:
        raise in_the_way(root, "It appeared while this was being written.")
    sweep(top)
    with staged(top) as stage:
        inside = stage
        for part in missing[1:]:
            inside /= part
            make_directory(inside)
        write_all(inside, contents, sources, durably=False)
        _rename_into(stage, root, missing, top)


def _rename_into(stage: Path, root: Path, missing: Sequence[str], top: Path) -> None:
    """Call `stage` what is missing first below `top`; where a parent has appeared, add to it what it lacks."""
    source, target = stage, top / missing[0]
    for part in missing[1:]:
        try:
            source.rename(target)
            return
        except OSError:
            if not target.is_dir():
                raise
        source, target = source / part, target / part
    try:
        source.rename(target)
    except OSError as error:
        if os.path.lexists(root):
            raise in_the_way(root, "It appeared while this was being written.") from error
        raise
