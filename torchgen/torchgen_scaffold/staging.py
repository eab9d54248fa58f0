"""The mechanics of `write.py`: locks, temporary directories that tell whether their owner lives, and files in them.

A temporary directory is named `.torchgen-` and 16 digits, and its owner holds a lock on it. The system lets go of the
lock when the process ends, however it ends. So the next torchgen knows at once which of them are dead, and takes them away.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from torchgen_scaffold.places import CHANGE, drawn_name, folders_of, in_the_way, is_temporary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

JOURNAL = "journal"  # in a temporary directory: what changing.py is about to do
_STALE_SECONDS = 3600  # where there are no locks: nobody writes for so long
_NO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)  # file systems that cannot sync a directory


class Lock:
    """A hold on a directory, which the system lets go of when the process ends, however it ends.

    `known` is False where there are no such locks; then nobody can tell whether a holder lives. Raises
    BlockingIOError while another holds it, and FileNotFoundError if the directory is not there any more.
    """

    def __init__(self, path: Path) -> None:
        self.known = False
        self._handle = -1
        if sys.platform == "win32":
            return
        import fcntl

        try:
            self._handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.known = True
            except BlockingIOError:
                raise
            except OSError:  # a network file system without locks
                pass
            if not os.path.samestat(os.fstat(self._handle), path.lstat()):
                raise FileNotFoundError(errno.ENOENT, "It was moved away", str(path))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    __del__ = close  # an interrupt may come between making a lock and noting it


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold the directory `root` against other torchgens. Raises DestinationError while another holds it."""
    try:
        lock = Lock(root)
    except BlockingIOError as error:
        raise in_the_way(root, "Another torchgen is writing into it.", "Try again.") from error
    try:
        yield
    finally:
        lock.close()


class _Stage:
    """A temporary directory. Its name is drawn before it is made: no interrupt finds it made and not known."""

    def __init__(self, home: Path, suffix: str) -> None:
        self.home = home
        self.suffix = suffix
        self.path = home / drawn_name(suffix)
        self.lock: Lock | None = None

    def make(self, mode: int) -> None:
        while self.lock is None:
            self.path.mkdir(mode)
            try:
                _own(self.path, stat.S_IRWXU)
                self.lock = Lock(self.path)
            except (BlockingIOError, FileNotFoundError):
                # Not locked yet, it looked like a dead one's, and another torchgen is taking it away.
                self.path = self.home / drawn_name(self.suffix)


@contextlib.contextmanager
def staged(home: Path, suffix: str = "", mode: int = 0o777) -> Iterator[Path]:
    """A new temporary directory in `home`. At the end it goes, unless it was moved or a change must still be undone."""
    stage = _Stage(home, suffix)
    try:
        stage.make(mode)
        yield stage.path
    finally:
        surely(lambda: discard(stage.path))
        if stage.lock:
            stage.lock.close()


def discard(stage: Path) -> None:
    """Remove a temporary directory, unless a change that was begun must be undone from it."""
    if not begun(stage):
        shutil.rmtree(stage, ignore_errors=True)


def begun(stage: Path) -> bool:
    """Does this temporary directory hold a change that was begun and neither ended nor undone?"""
    return stage.name.endswith(CHANGE) and (stage / JOURNAL).is_file()


def leftovers(home: Path) -> list[Path]:
    """The temporary directories in `home`, of the living too."""
    try:
        with os.scandir(home) as entries:
            return [
                home / e.name for e in entries if is_temporary(e.name) and e.is_dir(follow_symlinks=False)
            ]
    except OSError:  # it may not be read; then it cannot be written either
        return []


@contextlib.contextmanager
def taken(stage: Path) -> Iterator[bool]:
    """Hold another's temporary directory, and say whether its owner is dead. Where locks say nothing, age decides."""
    try:
        lock = Lock(stage)
        dead = lock.known or time.time() - stage.stat().st_mtime > _STALE_SECONDS
    except OSError:  # it is in use, gone by now, or another user's
        yield False
        return
    try:
        yield dead
    finally:
        lock.close()


def sweep(home: Path) -> None:
    """Remove what killed processes have staged in `home`. A change that was begun stays: its own directory undoes it."""
    for path in leftovers(home):
        if not begun(path):
            with taken(path) as dead:
                if dead:
                    discard(path)


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


def write_all(
    place: Path, contents: Mapping[str, bytes], sources: Mapping[str, Path], *, durably: bool
) -> None:
    """Write new files below the directory `place`, and through to the disk if `durably`."""
    make_folders(place, [*contents, *sources])
    for name, data in contents.items():
        write_new(place / name, data, durably=durably)
    for name, source in sources.items():
        write_new(place / name, source, durably=durably)


def make_folders(place: Path, names: Iterable[str]) -> None:
    """Make the directories that files of these names need below `place`."""
    for folder in folders_of(names):
        make_directory(place / folder)


def make_directory(path: Path) -> None:
    """Make a directory as the umask says, but always one that its owner can write into."""
    path.mkdir()
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


def sync(path: Path) -> None:
    """Wait until the file or directory `path` is on the disk: a directory's names, a file's contents."""
    if sys.platform == "win32":  # it has no handles of directories
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(handle)


def _own(path: Path, bits: int) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & bits != bits:
        path.chmod(mode | bits)
