"""The mechanics of `write.py`: a temporary directory, the moves out of it, and how they are undone."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import sys
import time
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from torchgen_scaffold.errors import DestinationError, MachineError, Problem, TorchgenError
from torchgen_scaffold.escape import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

PREFIX = ".torchgen-"
_MARKER = "made-by-torchgen"
_STALE_SECONDS = 3600

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_TAKEN = (errno.EEXIST, errno.EISDIR, errno.ENOTDIR)
_NO_PATH = (errno.EINVAL, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT)
_ELSEWHERE = "Choose another directory with -o DIR."


class Stage:
    """A temporary directory in `home`: what is to come in `new`, and in `old` what it replaces.

    Its name is drawn before it is made, so that no interrupt finds it made and not known.
    """

    def __init__(self, home: Path) -> None:
        """Name the directory; `fill` makes it."""
        self.path = home / f"{PREFIX}{os.urandom(8).hex()}"
        self.new = self.path / "new"
        self.old = self.path / "old"
        self.keep = False  # it holds originals that are in no other place

    def fill(self, contents: Mapping[str, bytes], sources: Mapping[str, Path], *, durably: bool) -> None:
        """Write everything into `new`, and through to the disk if `durably`; leftovers of killed processes go."""
        for path in self.path.parent.glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):
                if leftover(path) and time.time() - path.stat().st_mtime > _STALE_SECONDS:
                    shutil.rmtree(path, ignore_errors=True)
        _make_directory(self.path, mode=0o700)
        (self.path / _MARKER).touch()
        for folder in (self.new, *(self.new / name for name in folders_of([*contents, *sources]))):
            _make_directory(folder)
        for name, data in contents.items():
            write_new(self.new / name, data, durably=durably)
        for name, source in sources.items():
            write_new(self.new / name, source, durably=durably)

    def discard(self) -> None:
        """Remove the directory, unless originals are in it."""
        if not self.keep:
            shutil.rmtree(self.path, ignore_errors=True)


def surely(clean: Callable[[], None]) -> None:
    """Run `clean` to its end: a Ctrl-C meanwhile takes effect after it. Running it twice does no harm."""
    try:
        clean()
    except KeyboardInterrupt:
        clean()
        raise


def remove_empty(folders: Sequence[Path]) -> None:
    """Remove directories, given parents first; those that hold something stay."""
    for folder in reversed(folders):
        with contextlib.suppress(OSError):
            folder.rmdir()


def leftover(path: Path) -> bool:
    """Is `path` a stage that a killed process left, with no originals in it?"""
    ours = path.name.startswith(PREFIX) and not path.is_symlink() and (path / _MARKER).is_file()
    return ours and not (path / "old").exists()


def move_whole(stage: Stage, root: Path) -> None:
    """Make the new directory appear as `root` by one rename, unless something is there by now."""
    try:
        stage.new.rename(root)
    except OSError as error:
        if os.path.lexists(root):
            raise in_the_way(root, "It appeared while this was being written.") from error
        raise


def move_files(stage: Stage, root: Path, names: Sequence[str], *, force: bool) -> None:
    """Move the new files into `root` one by one; if anything fails, put everything back."""
    folders = [root / name for name in folders_of(names) if not (root / name).exists()]
    replaced: set[str] = set()
    try:
        stage.keep = True
        for folder in folders:
            _make_directory(folder)
        for name in names:
            if os.path.lexists(root / name):
                if not force:
                    raise in_the_way(root / name, "It appeared while this was being written.")
                replaced.add(name)
                _save(root / name, stage.old / name)
                if not (root / name).is_symlink():
                    shutil.copymode(root / name, stage.new / name)
            (stage.new / name).replace(root / name)
        stage.keep = False
    except BaseException:

        def undo() -> None:
            _move_back(stage, root, names, replaced)
            remove_empty(folders)
            stage.keep = False

        surely(undo)
        raise


def _save(original: Path, saved: Path) -> None:
    """Keep `original` as `saved` too, so that at no moment it is in neither place."""
    saved.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(original, saved, follow_symlinks=False)
    except (OSError, NotImplementedError):  # not every file system has hard links
        shutil.copy2(original, saved, follow_symlinks=False)


def _move_back(stage: Stage, root: Path, names: Iterable[str], replaced: Iterable[str]) -> None:
    """Undo every move that was made, as the disk tells it: an interrupt may come between any two lines."""
    try:
        for name in names:
            if os.path.lexists(stage.new / name):
                continue  # it was not moved
            if os.path.lexists(stage.old / name):
                (stage.old / name).replace(root / name)
            elif name not in replaced:
                (root / name).unlink(missing_ok=True)
    except OSError as error:
        what = f"{visible(str(root))} could not be put back as it was."
        why = f"{error.strerror}. The originals that are missing are in {visible(str(stage.old))}."
        raise MachineError(Problem(what, why, "Copy them back by hand.")) from error


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold `root` against other torchgens; the system lets go of it even if this process is killed."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    handle = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise in_the_way(root, "Another torchgen is writing into it.", "Try again.") from error
        except OSError:
            pass  # a network file system without locks
        yield
    finally:
        os.close(handle)


def make_parents(root: Path, made: list[Path]) -> None:
    """Make the missing parents of `root`, and note in `made` which those were."""
    for parent in reversed(root.parents):
        if not parent.is_dir():
            made.append(parent)
            try:
                _make_directory(parent)
            except FileExistsError:  # someone was faster; it is theirs
                made.pop()


def _make_directory(path: Path, mode: int = 0o777) -> None:
    """Make a directory as the umask says, but always one that its owner can write into."""
    path.mkdir(mode=mode)
    _own(path, stat.S_IRWXU)


def write_new(path: Path, content: bytes | Path, *, durably: bool) -> None:
    """Write a new file; `durably` where it is to replace another, which a power cut must not take away with it."""
    with path.open("xb") as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            with content.open("rb") as source:
                shutil.copyfileobj(source, file)
        if durably:
            file.flush()
            os.fsync(file.fileno())
    _own(path, stat.S_IRUSR | stat.S_IWUSR)


def _own(path: Path, bits: int) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & bits != bits:
        path.chmod(mode | bits)


def folders_of(names: Iterable[str]) -> list[str]:
    """List the directories that `names` need, parents first."""
    nested = (name for name in names if "/" in name)  # few are: most files lie in the project itself
    return sorted({str(p) for name in nested for p in PurePosixPath(name).parents} - {"."})


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
