"""{path: text} to disk: all of it or nothing, whatever comes in between."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import Mock

import pytest

from torchgen_scaffold import changing, staging, write
from torchgen_scaffold.errors import DestinationError, MachineError, SpecError, TorchgenError
from torchgen_scaffold.write import change_tree, check_destination, recover, replace_file, write_tree

FILES = {"README.md": "hello\n", "model.py": "x = 'é'\n", "ci/a/b.yml": "a: 1\n", "data/empty.csv": ""}
OLD = {"README.md": "mine\n", "notes.txt": "keep me\n", "ci/own.yml": "b: 2\n", "model.py": "old\n"}


def tree(root: Path) -> dict[str, str]:
    """Everything under `root`, directories and temporary files too."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        found[name] = path.read_bytes().decode() if path.is_file() else "<dir>"
    return found


def with_folders(files: dict[str, str]) -> dict[str, str]:
    folders = {str(p): "<dir>" for name in files for p in Path(name).parents if str(p) != "."}
    return {**folders, **files}


def make(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.fixture(params=["absent", "deep", "empty", "git", "force"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, bool]]:
    """A destination in each state that is fine, and whether it takes `force`."""
    destination = tmp_path / "home" / ("p/q/r" if request.param == "deep" else "p")
    (tmp_path / "home").mkdir()
    if request.param in ("empty", "git", "force"):
        destination.mkdir()
    if request.param == "git":
        make(destination, {".git/HEAD": "ref\n"})
    if request.param == "force":
        make(destination, OLD)
    yield destination, request.param == "force"


def test_the_result(case: tuple[Path, bool], tmp_path: Path) -> None:
    destination, force = case
    before = tree(destination)
    source = tmp_path / "user.csv"
    source.write_bytes(b"a,b\r\n1,2\r\n")
    names = write_tree(FILES, destination, force=force, copies={"data/user.csv": source})
    assert names == sorted([*FILES, "data/user.csv"])
    expected = before | with_folders({**FILES, "data/user.csv": "a,b\r\n1,2\r\n"})
    assert tree(destination) == expected
    assert not list((tmp_path / "home").rglob(".torchgen-*"))


def test_line_endings_and_encoding_are_the_same_everywhere(tmp_path: Path) -> None:
    write_tree({"a": "é\n\r\nx"}, tmp_path / "p")
    assert (tmp_path / "p/a").read_bytes() == b"\xc3\xa9\n\r\nx"


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077, 0o777])
def test_permissions_are_the_umasks_but_always_the_owners(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_tree({"a/b": "x"}, tmp_path / "p")
    finally:
        os.umask(before)
    for path, most in ((tmp_path / "p", 0o777), (tmp_path / "p/a", 0o777), (tmp_path / "p/a/b", 0o666)):
        assert stat.S_IMODE(path.stat().st_mode) == most & (~umask | 0o700)


def test_force_keeps_the_mode_and_everything_else(tmp_path: Path) -> None:
    make(tmp_path, OLD)
    (tmp_path / "model.py").chmod(0o755)
    write_tree(FILES, tmp_path, force=True)
    assert tree(tmp_path) == with_folders({**OLD, **FILES})
    assert stat.S_IMODE((tmp_path / "model.py").stat().st_mode) == 0o755


# What is in the way.


def test_conflicts_are_all_named_generated_files_first(tmp_path: Path) -> None:
    make(tmp_path, OLD)
    make(tmp_path, {".git/HEAD": "x", "aaa": "1"})
    with pytest.raises(DestinationError) as caught:
        write_tree(FILES, tmp_path)
    assert "In the way: README.md, model.py, aaa, ci, notes.txt." in str(caught.value)
    assert "--force" in str(caught.value)
    assert tree(tmp_path) == with_folders({**OLD, ".git/HEAD": "x", "aaa": "1"})


def test_many_conflicts_are_counted(tmp_path: Path) -> None:
    make(tmp_path, {f"f{i:02}": "" for i in range(13)})
    with pytest.raises(DestinationError, match=r"f00, .*f09 and 3 more\."):
        write_tree(FILES, tmp_path)


def test_names_on_disk_are_shown_so_that_they_can_be_printed(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\x1b[31m\xff")).touch()
    with pytest.raises(DestinationError) as caught:
        write_tree(FILES, tmp_path)
    assert r"\x1b[31m\udcff" in str(caught.value)


def test_a_file_where_the_destination_should_be(tmp_path: Path) -> None:
    make(tmp_path, {"p": "mine"})
    for destination in (tmp_path / "p", tmp_path / "p/q/r"):
        for force in (False, True):
            with pytest.raises(DestinationError, match="not a directory"):
                write_tree(FILES, destination, force=force)
    assert tree(tmp_path) == {"p": "mine"}


def test_force_does_not_replace_directories_by_files_or_files_by_directories(tmp_path: Path) -> None:
    make(tmp_path, {"model.py/x": "", "ci": ""})
    with pytest.raises(DestinationError, match=r"In the way: model\.py, ci\."):
        write_tree(FILES, tmp_path, force=True)


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a/../../x", "a\\x", "C:/x", ".git/hooks/x", "", "\0", "\ud800"]
)
def test_paths_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DestinationError, match="cannot be written"):
        write_tree({**FILES, name: "x"}, tmp_path / "p")
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("other", ["ci", "ci/a", "ci/a/b.yml/c", "README.MD", "CI/x"])
def test_two_names_of_which_a_disk_holds_one(tmp_path: Path, other: str) -> None:
    with pytest.raises(DestinationError):
        write_tree({**FILES, other: "x"}, tmp_path / "p")
    assert tree(tmp_path) == {}


def test_a_copy_does_not_replace_a_generated_file(tmp_path: Path) -> None:
    source = tmp_path / "s"
    source.touch()
    with pytest.raises(DestinationError, match="twice"):
        write_tree(FILES, tmp_path / "p", copies={"model.py": source})


@pytest.mark.parametrize("destination", ["a\0b", "\ud800", "x" * 300])
def test_destinations_that_are_no_paths(tmp_path: Path, destination: str) -> None:
    with pytest.raises(DestinationError):
        write_tree(FILES, tmp_path / destination)
    assert tree(tmp_path) == {}


def test_check_destination_writes_nothing(tmp_path: Path) -> None:
    assert check_destination(tmp_path / "a/b", FILES) == (tmp_path / "a/b").resolve()
    assert tree(tmp_path) == {}


# Symlinks.


def test_symlinks_inside_the_destination_are_not_followed_out(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "p"
    outside.mkdir()
    root.mkdir()
    (root / "ci").symlink_to(outside, target_is_directory=True)
    with pytest.raises(DestinationError, match="symlink"):
        write_tree(FILES, root, force=True)
    assert tree(outside) == {}


def test_a_symlink_in_a_files_place_is_replaced_and_its_target_kept(tmp_path: Path) -> None:
    make(tmp_path, {"outside": "mine"})
    root = tmp_path / "p"
    root.mkdir()
    (root / "model.py").symlink_to(tmp_path / "outside")
    (root / "README.md").symlink_to("nowhere")
    write_tree(FILES, root, force=True)
    assert (tmp_path / "outside").read_text() == "mine"
    assert not (root / "model.py").is_symlink()
    assert tree(root) == with_folders(FILES)


def test_symlinked_destinations(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    write_tree(FILES, tmp_path / "link")
    assert tree(tmp_path / "real") == with_folders(FILES)
    for name in ("dangling", "loop", "loop/x"):
        with pytest.raises(DestinationError):
            write_tree(FILES, tmp_path / name)
    (tmp_path / "real/loop").symlink_to("loop")
    with pytest.raises(DestinationError):
        write_tree({"loop/x": ""}, tmp_path / "real", force=True)


# Failures.

CALLS = ["os.mkdir", "os.rename", "os.replace", "os.fsync", "os.link", "shutil.copymode"]


def fail_at(
    monkeypatch: pytest.MonkeyPatch, call: str, turn: int, error: BaseException, *, after: bool = False
) -> list[int]:
    """Make the given turn of a system call raise, before or after it did its work."""
    module: Any = {"os": os, "shutil": shutil}[call.split(".")[0]]
    name = call.split(".")[1]
    real, turns = getattr(module, name), [0]

    def call_or_fail(*args: Any, **kwargs: Any) -> Any:
        turns[0] += 1
        if turns[0] != turn:
            return real(*args, **kwargs)
        if after:
            real(*args, **kwargs)
        raise error

    monkeypatch.setattr(module, name, call_or_fail)
    return turns


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), MachineError),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), MachineError),
        (OSError(errno.EIO, "Input/output error"), MachineError),
        (OSError(errno.EACCES, "Permission denied"), DestinationError),
        (OSError(errno.EROFS, "Read-only file system"), DestinationError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
    ids=["full", "quota", "io", "denied", "readonly", "ctrl-c"],
)
def test_every_failure_leaves_the_old_or_the_new(
    case: tuple[Path, bool], call: str, error: BaseException, told: type[BaseException], tmp_path: Path
) -> None:
    destination, force = case
    home = tmp_path / "home"
    old = tree(home)
    for turn in range(1, 20):
        for after in (False, True) if told is KeyboardInterrupt else (False,):
            with pytest.MonkeyPatch.context() as monkeypatch:
                turns = fail_at(monkeypatch, call, turn, error, after=after)
                try:
                    write_tree(FILES, destination, force=force)
                except told as caught:
                    if isinstance(caught, TorchgenError):
                        (problem,) = caught.problems
                        assert problem.what and problem.why and problem.instead
                        assert caught.exit_code == (2 if told is DestinationError else 1)
            now = tree(home)
            if now != old:  # the last step was done, or the failure was got round
                new = tree(destination)
                assert new == new | with_folders(FILES)
                assert not list(home.rglob(".torchgen-*"))
                shutil.rmtree(home)
                home.mkdir()
                for name, text in old.items():
                    path = home / name
                    path.mkdir(parents=True, exist_ok=True) if text == "<dir>" else path.write_text(text)
                assert tree(home) == old
        if turns[0] < turn:
            break
    assert turns[0] < turn, "not every turn was tried"


class InterruptAtLine:
    """Raise KeyboardInterrupt at the n-th line that runs in the modules that write, as Ctrl-C may."""

    def __init__(self, n: int) -> None:
        self.left = n
        self.where = ""

    def __call__(self, frame: FrameType, event: str, arg: object) -> Callable[..., Any] | None:
        if frame.f_code.co_filename not in (write.__file__, staging.__file__, changing.__file__):
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                self.where = frame.f_code.co_name
                raise KeyboardInterrupt
        return self


# Between open() and `with`, an interrupt leaves a file for the garbage collector to close.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_ctrl_c_at_any_line_leaves_the_old_or_the_new(case: tuple[Path, bool], tmp_path: Path) -> None:
    destination, force = case
    home, spare = tmp_path / "home", tmp_path / "spare"
    shutil.copytree(home, spare)
    old, new = tree(home), None
    for line in range(1, 5000):
        interrupt = InterruptAtLine(line)
        before = sys.gettrace()
        sys.settrace(interrupt)
        try:
            write_tree(FILES, destination, force=force)
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        now = tree(home)
        if interrupt.where:
            # The clean-up itself cannot be guarded to its last line; the destination is whole all the same.
            if interrupt.where in ("surely", "write_tree"):
                now = {name: text for name, text in now.items() if ".torchgen-" not in name}
            if now != old:
                project = {name: text for name, text in tree(destination).items() if ".torchgen-" not in name}
                assert project == project | with_folders(FILES), interrupt.where
            else:
                continue
        else:
            new = now
        shutil.rmtree(home)
        shutil.copytree(spare, home)
        if new is not None:
            break
    assert new is not None


def test_a_failure_and_then_ctrl_c_while_it_is_undone(tmp_path: Path) -> None:
    make(tmp_path, OLD)
    real, calls = os.replace, 0

    def replace(source: Path, target: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)
        if calls == 3:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(os, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            write_tree(FILES, tmp_path, force=True)
    assert tree(tmp_path) == with_folders(OLD)


def test_originals_that_cannot_be_put_back_are_kept_and_named(tmp_path: Path) -> None:
    make(tmp_path, OLD)
    real, calls = os.replace, 0

    def replace(source: Path, target: Path) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise OSError(errno.EIO, "Input/output error")
        real(source, target)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(os, "replace", replace)
        with pytest.raises(MachineError, match="originals") as caught:
            write_tree(FILES, tmp_path, force=True)
    (stage,) = tmp_path.glob(".torchgen-*")
    assert str(stage / "old") in str(caught.value)
    assert (stage / "old/README.md").read_text() == "mine\n"
    recover(tmp_path)  # once the disk is well again
    assert tree(tmp_path) == with_folders(OLD)


def test_without_hard_links_originals_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, OLD)
    (tmp_path / "model.py").unlink()
    (tmp_path / "model.py").symlink_to("nowhere")

    def no_links(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    real = os.replace

    def replace(source: Path, target: Path) -> None:
        real(source, target)
        if source.parts[-2:] == ("new", "model.py"):
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        write_tree(FILES, tmp_path, force=True)
    assert (tmp_path / "model.py").readlink() == Path("nowhere")
    (tmp_path / "model.py").unlink()
    assert tree(tmp_path) == with_folders({k: v for k, v in OLD.items() if k != "model.py"})


def test_ctrl_c_while_cleaning_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_at(monkeypatch, "shutil.rmtree", 1, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        write_tree(FILES, tmp_path / "p")
    assert tree(tmp_path / "p") == with_folders(FILES)
    assert not list(tmp_path.glob(".torchgen-*"))


def test_a_destination_that_appears_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.rename

    def rename(source: Path, target: Path) -> None:
        make(tmp_path, {"p/theirs": "1"})
        real(source, target)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(DestinationError, match="appeared"):
        write_tree(FILES, tmp_path / "p")
    assert tree(tmp_path) == with_folders({"p/theirs": "1"})


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.replace

    def replace(source: Path, target: Path) -> None:
        real(source, target)
        make(tmp_path, {"model.py": "theirs"})

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(DestinationError, match="appeared"):
        write_tree(FILES, tmp_path)
    assert tree(tmp_path) == {"model.py": "theirs"}


def test_text_that_is_not_utf8_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="surrogate"):
        write_tree({"a": "fine", "b": "\ud800"}, tmp_path / "p")
    assert tree(tmp_path) == {}


def test_files_to_copy_are_checked_first(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for source in (tmp_path / "absent", tmp_path, tmp_path / "pipe"):
        with pytest.raises(SpecError, match="cannot be copied"):
            write_tree(FILES, tmp_path / "p", copies={"data.csv": source})
    assert not (tmp_path / "p").exists()


def test_a_parent_that_really_is_read_only() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own directories are closed to other users
        home, me = Path(name), os.geteuid()
        home.chmod(0o555)
        if me == 0:
            os.seteuid(65534)  # root may write everywhere
        try:
            for write_it in (write_tree, lambda files, path: replace_file(path, "x")):
                with pytest.raises(DestinationError, match="denied"):
                    write_it(FILES, home / "p")
        finally:
            os.seteuid(me)
        home.chmod(0o755)
        assert tree(home) == {}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 64 kB, where the machine lets us mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("no permission to mount a small file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_is_really_full(small_disk: Path, tmp_path: Path) -> None:
    make(small_disk, {"p/old.py": "old"})
    big = tmp_path / "big"
    big.write_bytes(b"x" * 200_000)
    before = tree(small_disk)
    for destination in ("new", "a/b/new", "p"):
        for files, copies in (({"big": "x" * 200_000}, {}), ({}, {"big": big})):
            with pytest.raises(MachineError, match="no room"):
                write_tree({**FILES, **files}, small_disk / destination, force=True, copies=copies)
            assert tree(small_disk) == before
    with pytest.raises(MachineError, match="no room"):
        replace_file(small_disk / "p/old.py", "x" * 200_000)
    assert tree(small_disk) == before
    write_tree(FILES, small_disk / "p", force=True)


# Other processes.

CHILD = """
import sys
from pathlib import Path
from torchgen_scaffold.errors import DestinationError
from torchgen_scaffold.write import write_tree
files = {f"d{i % 7}/f{i:03}.py": f"x = {i}\\n" * 50 for i in range(120)}
print("ready", flush=True)
sys.stdin.readline()
try:
    write_tree(files, Path(sys.argv[1]))
except DestinationError:
    sys.exit(2)
"""
CHILD_FILES = with_folders({f"d{i % 7}/f{i:03}.py": f"x = {i}\n" * 50 for i in range(120)})


def start_child(destination: Path) -> subprocess.Popen[str]:
    """Start a process that is ready to write, and waits for a line."""
    source = str(Path(write.__file__).parent.parent)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(destination)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": source},
    )
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    return child


def go(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


def finish(child: subprocess.Popen[str]) -> int:
    with child:
        return child.wait()


def test_a_kill_leaves_the_destination_whole_or_absent(tmp_path: Path) -> None:
    child = start_child(tmp_path / "timed")
    started = time.perf_counter()
    go(child)
    assert finish(child) == 0
    seconds = time.perf_counter() - started
    moments = random.Random(0)
    for turn in range(10):
        destination = tmp_path / "deep" / f"p{turn}"
        child = start_child(destination)
        go(child)
        time.sleep(moments.uniform(0, seconds))
        child.kill()
        finish(child)
        assert not destination.exists() or tree(destination) == CHILD_FILES
    write_tree(FILES, tmp_path / "deep/last")
    write_tree(FILES, tmp_path / "last")
    assert not list(tmp_path.rglob(".torchgen-*"))


@pytest.mark.parametrize("state", ["absent", "deep", "empty"])
def test_of_writers_at_the_same_time_exactly_one_wins(tmp_path: Path, state: str) -> None:
    for turn in range(3):
        destination = tmp_path / f"home{turn}" / ("a/b/p" if state == "deep" else "p")
        if state == "empty":
            destination.mkdir(parents=True)
        children = [start_child(destination) for _ in range(3)]
        for child in children:
            go(child)
        assert sorted(finish(child) for child in children) == [0, 2, 2]
        assert tree(destination) == CHILD_FILES
        assert not list(tmp_path.rglob(".torchgen-*"))


def test_a_destination_that_another_torchgen_holds(tmp_path: Path) -> None:
    make(tmp_path, OLD)
    with staging.locked(tmp_path), pytest.raises(DestinationError, match="Another torchgen"):
        write_tree(FILES, tmp_path, force=True)
    assert tree(tmp_path) == with_folders(OLD)


def test_what_came_before_the_lock_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked_late(root: Path) -> contextlib.AbstractContextManager[None]:
        make(root, {"theirs": "1"})
        return staging.locked(root)

    monkeypatch.setattr(write, "locked", locked_late)
    with pytest.raises(DestinationError, match="theirs"):
        write_tree(FILES, tmp_path)
    assert tree(tmp_path) == {"theirs": "1"}


def test_threads_that_overwrite_do_not_mix(tmp_path: Path) -> None:
    make(tmp_path / "p", OLD)
    outcomes: list[str] = []

    def overwrite(word: str) -> None:
        try:
            write_tree({f"f{i}": word for i in range(50)}, tmp_path / "p", force=True)
        except DestinationError as error:
            assert "Another torchgen" in str(error)
        else:
            outcomes.append(word)

    threads = [threading.Thread(target=overwrite, args=(word,)) for word in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes
    assert len({text for name, text in tree(tmp_path / "p").items() if name.startswith("f")}) == 1


# What a killed process leaves.


def leave(home: Path, name: str = ".torchgen-0123456789abcdef") -> Path:
    make(home / name, {"new/x": "1"})
    return home / name


def test_leftovers_of_the_dead_are_removed_at_once(tmp_path: Path) -> None:
    for home in (tmp_path, tmp_path / "there"):
        leave(home)
        leave(home, ".torchgen-0123456789abcdee.change")  # nothing was begun
    write_tree(FILES, tmp_path / "p")
    write_tree(FILES, tmp_path / "there", force=True)
    assert tree(tmp_path) == with_folders(
        {f"{top}/{name}": text for top in ("p", "there") for name, text in FILES.items()}
    )


def test_those_of_the_living_stay(tmp_path: Path) -> None:
    stage = leave(tmp_path)
    lock = staging.Lock(stage)
    write_tree(FILES, tmp_path / "p")
    replace_file(tmp_path / "a.svg", "1")
    write_tree(FILES, tmp_path, force=True)
    assert (stage / "new/x").exists()
    lock.close()
    recover(tmp_path)
    assert not stage.exists()


@pytest.mark.parametrize(
    "name",
    [
        ".torchgen-notes",
        ".torchgen-0123456789abcdeg",
        ".torchgen-0123456789abcdef0",
        ".torchgen-0123456789abcdef.x",
    ],
)
def test_what_is_only_called_alike_stays_and_is_in_the_way(tmp_path: Path, name: str) -> None:
    leave(tmp_path, name)
    (tmp_path / ".torchgen-0123456789abcdef").symlink_to(name)
    with pytest.raises(DestinationError, match=name):
        write_tree(FILES, tmp_path)
    write_tree(FILES, tmp_path / "p")
    assert (tmp_path / name / "new/x").exists() and (tmp_path / ".torchgen-0123456789abcdef").is_symlink()


@pytest.mark.parametrize(("age", "goes"), [(7200, True), (60, False)])
def test_without_locks_age_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: float, goes: bool
) -> None:
    import fcntl

    def no_locks(*args: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    stage = leave(tmp_path)
    os.utime(stage, (time.time() - age,) * 2)
    monkeypatch.setattr(fcntl, "flock", no_locks)
    write_tree(FILES, tmp_path / "p")
    assert stage.exists() is not goes
    assert tree(tmp_path / "p") == with_folders(FILES)


def test_without_locks_a_change_that_may_go_on_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    stage = leave(tmp_path, ".torchgen-0123456789abcdef.change")
    make(stage, {"journal": '{"put": {"x": [1, 1]}, "replaced": [], "removed": [], "folders": []}'})
    monkeypatch.setattr(fcntl, "flock", Mock(side_effect=OSError(errno.ENOLCK, "No locks available")))
    with pytest.raises(DestinationError, match="less than an hour ago"):
        recover(tmp_path)
    os.utime(stage, (0, 0))
    recover(tmp_path)
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("moment", ["before it is locked", "before it is opened"])
def test_a_stage_that_is_taken_for_dead_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Between making a directory and locking it, another torchgen may come along and clean up."""
    real, turns, theirs = staging.Lock, 0, []

    class Late(real):  # type: ignore[misc, valid-type]
        def __init__(self, path: Path) -> None:
            nonlocal turns
            turns += 1
            if turns == 1:
                theirs.append(real(path))
                if moment == "before it is opened":
                    path.rmdir()
            super().__init__(path)

    monkeypatch.setattr(staging, "Lock", Late)
    write_tree(FILES, tmp_path / "p")
    assert turns > 1
    assert tree(tmp_path / "p") == with_folders(FILES)


# A change of what is there.


def test_change_tree_writes_and_removes(tmp_path: Path) -> None:
    make(tmp_path, {**OLD, "gone/deep/x": "1", "gone/y": "2", "ci/z": "3"})
    (tmp_path / "model.py").chmod(0o755)
    (tmp_path / "gone/folder.py").mkdir()
    removed = ["gone/deep/x", "gone/y", "ci/z", "never.txt", "gone/folder.py", "notes.txt/x"]
    change_tree({"model.py": "new\n", "data/x.bin": b"\xff\r\n"}, removed, tmp_path)
    (tmp_path / "gone/folder.py").rmdir()
    (tmp_path / "gone").rmdir()
    assert (tmp_path / "data/x.bin").read_bytes() == b"\xff\r\n"
    (tmp_path / "data/x.bin").write_text("")
    assert tree(tmp_path) == with_folders({**OLD, "model.py": "new\n", "data/x.bin": ""})
    assert stat.S_IMODE((tmp_path / "model.py").stat().st_mode) == 0o755


@pytest.mark.parametrize("name", ["../x", "/x", ".git/config", "out/x", "README.md", "Model.py", "ci"])
def test_what_change_tree_may_not_touch(tmp_path: Path, name: str) -> None:
    root = tmp_path / "p"
    make(root, OLD)
    make(tmp_path, {"x": "mine", "outside/x": "mine"})
    (root / "out").symlink_to(tmp_path / "outside")
    before = tree(tmp_path)
    for files, removed in (
        ({"README.md": "1", "model.py": "2", name: "3"}, ()),
        ({"README.md": "1", "model.py": "2"}, [name]),
    ):
        if name == "README.md" and not removed:
            continue
        if name == "ci" and removed:
            continue  # it is a folder: no file to remove
        with pytest.raises(DestinationError):
            change_tree(files, removed, root)
        assert tree(tmp_path) == before


def test_change_tree_removes_a_symlink_and_not_its_target(tmp_path: Path) -> None:
    make(tmp_path, {"p/a": "1", "target": "mine"})
    (tmp_path / "p/link").symlink_to(tmp_path / "target")
    (tmp_path / "p/folder").symlink_to(tmp_path)
    change_tree({}, ["link", "folder"], tmp_path / "p")
    assert tree(tmp_path) == with_folders({"p/a": "1", "target": "mine"})


def test_change_tree_needs_a_directory(tmp_path: Path) -> None:
    make(tmp_path, {"file": ""})
    for place in ("absent", "file", "a\0b"):
        with pytest.raises(DestinationError):
            change_tree(FILES, [], tmp_path / place)
        recover(tmp_path / "absent")
    assert tree(tmp_path) == {"file": ""}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()], ids=["io", "ctrl-c"]
)
def test_every_failure_of_a_change_leaves_the_old_or_the_new(
    tmp_path: Path, call: str, error: BaseException
) -> None:
    removed = ["notes.txt", "ci/own.yml"]
    for turn in range(1, 60):
        root = tmp_path / str(turn)
        make(root, {**OLD, "alone/x": "1"})
        with pytest.MonkeyPatch.context() as monkeypatch:
            turns = fail_at(monkeypatch, call, turn, error)
            with contextlib.suppress(TorchgenError, KeyboardInterrupt):
                change_tree(FILES, [*removed, "alone/x"], root)
        old = with_folders({**OLD, "alone/x": "1"})
        new = with_folders({name: text for name, text in {**OLD, **FILES}.items() if name not in removed})
        assert tree(root) in (old, new)
        if turns[0] < turn:
            break
    assert turns[0] < turn, "not every turn was tried"


# One file.


def test_replace_file(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    replace_file(path, "é\n")
    path.chmod(0o640)
    replace_file(path, "2\n")
    assert tree(tmp_path) == {"a.svg": "2\n"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_replace_file_writes_through_symlinks_and_into_pipes(tmp_path: Path) -> None:
    (tmp_path / "real").touch()
    (tmp_path / "link").symlink_to("real")
    replace_file(tmp_path / "link", "x")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_text() == "x"
    replace_file(Path("/dev/null"), "x")
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("name", [".", "absent/a.svg", "file/a.svg", "a\0b", "\ud800", "loop", "x" * 300])
def test_replace_file_where_it_cannot(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(DestinationError):
        replace_file(tmp_path / name, "x")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("call", ["os.replace", "os.fsync", "shutil.copymode"])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), OSError(errno.EACCES, "no"), KeyboardInterrupt()]
)
def test_replace_file_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: BaseException
) -> None:
    make(tmp_path, {"a.svg": "old"})
    fail_at(monkeypatch, call, 1, error)
    with contextlib.suppress(TorchgenError, KeyboardInterrupt):
        replace_file(tmp_path / "a.svg", "new")
    assert tree(tmp_path) == {"a.svg": "old"}
