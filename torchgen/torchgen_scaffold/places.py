"""Where files may go: what is in the way, which names a disk can hold, and the system's errors in words."""

from __future__ import annotations

import contextlib
import errno
import os
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from torchgen_scaffold.errors import DestinationError, MachineError, Problem, SpecError, TorchgenError
from torchgen_scaffold.escape import visible
from torchgen_scaffold.names import path_problem, windows_clash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PREFIX = ".torchgen-"
CHANGE = ".change"  # the ending of a temporary directory from which a change can be undone
_HEX = 16

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_TAKEN = (errno.EEXIST, errno.EISDIR, errno.ENOTDIR)
_NO_PATH = (errno.EINVAL, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT)
_ELSEWHERE = "Choose another directory with -o DIR."
_NAMED = 10  # files in the way that a message names before it counts


def drawn_name(suffix: str) -> str:
    """Draw the name of a temporary directory: `suffix` is "" or CHANGE."""
    return f"{PREFIX}{os.urandom(_HEX // 2).hex()}{suffix}"


def is_temporary(name: str) -> bool:
    """Is `name` one that `drawn_name` draws? Nobody else names a directory like this."""
    middle = name.removeprefix(PREFIX).removesuffix(CHANGE)
    return name.startswith(PREFIX) and len(middle) == _HEX and not middle.strip("0123456789abcdef")


def folders_of(names: Iterable[str]) -> list[str]:
    """List the directories that `names` need, parents first."""
    nested = (name for name in names if "/" in name)  # few are: most files lie in the project itself
    return sorted({str(p) for name in nested for p in PurePosixPath(name).parents} - {"."})


def nearest(path: Path) -> Path:
    """The nearest of `path` and its parents that is on the disk."""
    return next((place for place in (path, *path.parents) if os.path.lexists(place)), path)


def resolved(path: Path) -> Path:
    """`path` without symlinks, whether or not it exists. Raises DestinationError where it is no usable path."""
    try:
        return path.resolve()
    except (ValueError, RuntimeError) as error:  # a NUL, half a character, a loop of symlinks
        raise in_the_way(path, f"It is no usable path: {error}.") from error


def encoded(name: str, text: str | bytes) -> bytes:
    """The bytes of a file called `name`. Raises SpecError for a text that is not UTF-8."""
    if isinstance(text, bytes):
        return text
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        why = "It holds half of a character (a lone surrogate), which UTF-8 cannot."
        raise SpecError(Problem(f"{visible(name)} cannot be written.", why)) from error


def check_source(source: Path) -> None:
    """Raise SpecError unless `source` is a file that can be read."""
    problem = Problem(f"{visible(str(source))} cannot be copied.", "It is not a file.", "Check its path.")
    if not source.is_file():
        raise SpecError(problem)
    try:
        source.open("rb").close()
    except OSError as error:
        raise SpecError(Problem(problem.what, f"{error.strerror}.", problem.instead)) from error


def check_names(root: Path, names: Sequence[str]) -> None:
    """Refuse paths that leave `root`, and names of which a disk could hold only one. Raises DestinationError."""
    problems = []
    folders = set(folders_of(names))
    faults, times = {name: path_problem(name) for name in names}, Counter(names)
    sound = folders_of(name for name, fault in faults.items() if fault is None)
    outside = {folder for folder in sound if not Path(os.path.realpath(root / folder)).is_relative_to(root)}
    for name, fault in faults.items():
        if fault is None and str(PurePosixPath(name).parent) in outside:
            fault = "leads out through a symlink"
        if fault is None and (name in folders or times[name] > 1):
            fault = "is there twice"
        if fault is not None:
            what = f"'{visible(name)}' cannot be written into {visible(str(root))}."
            problems.append(Problem(what, f"It {fault}."))
    for first, second in windows_clash(names):
        what = f"'{visible(first)}' and '{visible(second)}' cannot both be written."
        problems.append(Problem(what, "On Windows and macOS they are one name.", "Rename one of them."))
    if problems:
        raise DestinationError(problems)


def check_contents(root: Path, names: Sequence[str], *, force: bool) -> None:
    """Refuse what is in the way in the directory `root`; torchgen's own leftovers are not."""
    instead = "Choose another directory with -o DIR"
    if force:
        in_way = [name for name in names if (root / name).is_dir() and not (root / name).is_symlink()]
        in_way += [f for f in folders_of(names) if os.path.lexists(root / f) and not (root / f).is_dir()]
        why, instead = "A file and a directory cannot replace each other", f"{instead}, or move them."
    else:
        in_way = [name for name in names if os.path.lexists(root / name)]
        known = {".git", *(name.split("/")[0] for name in in_way)}
        in_way += sorted(e.name for e in root.iterdir() if e.name not in known and not is_temporary(e.name))
        why = "The directory is not empty"
        instead += ", or add --force: it replaces the files torchgen writes and leaves all others."
    if in_way:
        raise in_the_way(root, f"{why}. In the way: {some_of(in_way)}.", instead)


def some_of(names: Sequence[str]) -> str:
    """The first of `names` for a message, and how many more there are."""
    listed = ", ".join(visible(name) for name in names[:_NAMED])
    return listed + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def in_the_way(place: Path, why: str, instead: str = _ELSEWHERE) -> DestinationError:
    """Make the error that says why nothing can be written at `place`."""
    return DestinationError(Problem(f"{visible(str(place))} cannot be written.", why, instead))


@contextlib.contextmanager
def told(place: Path, instead: str = _ELSEWHERE) -> Iterator[None]:
    """Turn the system's errors into problems: the place's fault, or the machine's."""
    try:
        yield
    except OSError as error:
        raise _explained(error, place, instead) from error


def _explained(error: OSError, place: Path, instead: str) -> TorchgenError:
    where = f" ({visible(str(error.filename))})" if error.filename else ""
    reason = f"{error.strerror or error}{where}."
    if error.errno in _FULL:
        what = f"There is no room for {visible(str(place))}."
        return MachineError(Problem(what, reason, "Free some space and try again; nothing was written."))
    if error.errno in (*_FORBIDDEN, *_TAKEN, *_NO_PATH):
        return in_the_way(place, reason, instead)
    return MachineError(Problem(f"{visible(str(place))} cannot be written.", reason, instead))
