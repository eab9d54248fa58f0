"""What comes in between: kills, Ctrl-C, full and closed disks, others in the same place. The old state or the new one.

Two ways lead there. At every step: `faulty` forks torchgen and strikes before each of its steps on the disk, one after
another. At random moments: real processes, struck after a random time; `--nightly` does that fifty times a case.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from conftest import often
from faulty import INTERRUPT, KILL, SOURCE, THEIRS, Faulty
from torchgen_scaffold.write import change_tree, recover

State = dict[str, tuple[int, bytes]]

SPEC = ["--input-shape", "4", "--output-shape", "1", "--task", "regression", "--yes"]


def state(root: Path) -> State:
    """Everything below `root`: its mode, and its contents. Temporary directories too."""
    found = {}
    for path in sorted(root.rglob("*")):
        data = (
            b"" if path.is_dir() else os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        )
        found[path.relative_to(root).as_posix()] = (path.lstat().st_mode, data)
    return found


def temporary(home: Path) -> list[Path]:
    return list(home.rglob(".torchgen-*"))


@pytest.fixture(scope="module")
def faulty() -> Iterator[Faulty]:
    with Faulty() as process:
        yield process


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, faulty: Faulty) -> Path:
    """A project, and what its owner did to it: edits, a file of their own, a permission, a file deleted."""
    home = tmp_path_factory.mktemp("made")
    assert faulty("torchgen", "new", "p", *SPEC, "-o", home, home=home) == 0
    project = home / "p"
    with (project / "train.py").open("a") as file:
        file.write("# my own line\n")
    (project / "notes.txt").write_text("mine")
    (project / "data").mkdir()
    (project / "data/mine.csv").write_text("1,2\n")
    (project / "train.py").chmod(0o755)
    (project / "eval.py").unlink()
    return project


# What a change does, for `change_tree` by itself: every kind of it, and folders that come and go.
BEFORE = {
    "README.md": "old\n",
    "old/only.py": "x = 1\n",
    "a/kept.py": "kept\n",
    "a/goes.py": "goes\n",
    "m.py": "1\n",
}
FILES = {"README.md": "new\n", "m.py": "2\n", "fresh/deep/n.py": "n\n", "a/b.py": "b\n"}
REMOVED = ["old/only.py", "a/goes.py", "never/was.py"]


def before_change(home: Path) -> Path:
    project = home / "p"
    for name, text in BEFORE.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    (project / "m.py").chmod(0o755)
    return project


# At every step.


def steps(config: pytest.Config, stride: int) -> Iterator[int]:
    """1, 2, 3, …; without `--nightly`, only every `stride`-th. A command that has fewer steps comes to its end."""
    yield from count(1, often(config, nightly=1, otherwise=stride))


def test_a_kill_at_any_step_of_new_leaves_it_absent_or_whole(
    faulty: Faulty, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    new: State = {}
    for step in steps(request.config, 15):
        home = tmp_path / str(step)
        home.mkdir()
        (home / "mine.txt").write_text("mine")
        command = ("torchgen", "new", "p", *SPEC, "-o", home / "not/there")
        code = faulty(*command, home=home, at=step)
        project = home / "not/there/p"
        if not new:
            clean = tmp_path / "clean"
            assert faulty("torchgen", "new", "p", *SPEC, "-o", clean, home=tmp_path) == 0
            new = state(clean / "p")
        if code == 0:
            break
        assert code == -signal.SIGKILL
        whole = project.exists()
        if not whole:
            assert not (home / "not").exists(), "a parent was made, and no project in it"
        assert faulty(*command, home=home) == (2 if whole else 0)
        assert state(project) == new
        assert not temporary(home), step
        assert (home / "mine.txt").read_text() == "mine"
    assert step > len(new)


@pytest.mark.parametrize("happens", [KILL, INTERRUPT])
def test_what_strikes_at_any_step_of_force_leaves_the_old_or_the_new(
    faulty: Faulty, made: Path, tmp_path: Path, happens: str, request: pytest.FixtureRequest
) -> None:
    old = state(made)
    new: State = {}
    seen = set()
    for step in steps(request.config, 29):
        project = tmp_path / str(step) / "p"
        shutil.copytree(made, project)
        command = ("torchgen", "new", "p", *SPEC, "-o", project.parent, "--force")
        code = faulty(*command, home=project.parent, at=step, happens=happens)
        if not new:
            spare = tmp_path / "spare/p"
            shutil.copytree(made, spare)
            assert faulty(*command[:-3], "-o", spare.parent, "--force", home=tmp_path) == 0
            new = state(spare)
            assert new["notes.txt"] == old["notes.txt"] and stat.S_IMODE(new["train.py"][0]) == 0o755
        if code == 0:
            break
        if happens == KILL:
            assert code == -signal.SIGKILL
            recover(project)
        else:
            assert code == 130
        assert state(project) in (old, new), step
        assert not temporary(tmp_path)
        seen.add(state(project) == new)
    assert seen == {False, True}


def test_a_kill_at_any_step_of_a_change_and_of_its_recovery(
    faulty: Faulty, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Two kills: one in the change, one in the recovery from it."""
    old = state(before_change(tmp_path / "old"))
    change_tree(FILES, REMOVED, before_change(tmp_path / "new"))
    new = state(tmp_path / "new/p")
    assert not {"old", "a/goes.py"} & new.keys() and stat.S_IMODE(new["m.py"][0]) == 0o755
    outcomes = set()
    for step in steps(request.config, 13):
        killed = before_change(tmp_path / f"{step}")
        code = faulty("change", killed, FILES, REMOVED, home=killed, at=step)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        for second in steps(request.config, 11):
            project = tmp_path / f"{step}-{second}" / "p"
            shutil.copytree(killed, project, symlinks=True)  # copy2 keeps the times by which files are known
            code = faulty("recover", project, home=project, at=second)
            recover(project)
            assert state(project) in (old, new), (step, second)
            outcomes.add(state(project) == new)
            shutil.rmtree(project)
            if code == 0:
                break
            assert code == -signal.SIGKILL
    assert outcomes == {False, True}


@pytest.mark.parametrize("happens", [KILL, INTERRUPT])
def test_what_strikes_at_any_step_of_a_change(
    faulty: Faulty, tmp_path: Path, happens: str, request: pytest.FixtureRequest
) -> None:
    old = state(before_change(tmp_path / "old"))
    change_tree(FILES, REMOVED, before_change(tmp_path / "new"))
    new = state(tmp_path / "new/p")
    for step in steps(request.config, 9):
        project = before_change(tmp_path / f"{step}")
        code = faulty("change", project, FILES, REMOVED, home=project, at=step, happens=happens)
        if code == 0:
            break
        if happens == KILL:
            recover(project)
        else:
            assert code == 130
        assert state(project) in (old, new), step
    assert step > 20


def test_ctrl_c_at_any_step_of_new_leaves_nothing_or_all(
    faulty: Faulty, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    for step in steps(request.config, 25):
        home = tmp_path / str(step)
        home.mkdir()
        code = faulty(
            "torchgen", "new", "p", *SPEC, "-o", home / "deep", home=home, at=step, happens=INTERRUPT
        )
        if code == 0:
            break
        assert code == 130
        assert not temporary(home)
        assert state(home) == {} or (home / "deep/p/torchgen.toml").exists()
    assert step > 10


def test_a_destination_that_appears_at_any_step_is_kept(
    faulty: Faulty, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    codes = set()
    for step in steps(request.config, 25):
        home = tmp_path / str(step)
        home.mkdir()
        theirs = home / "deep/p/README.md"
        command = ("torchgen", "new", "p", *SPEC, "-o", home / "deep")
        code = faulty(*command, home=home, at=step, happens=THEIRS, place=theirs)
        codes.add(code)
        if code == 0 and theirs.read_text() != "theirs":
            break  # it has fewer steps
        if code == 2:
            assert state(home / "deep") == {name: theirs_alone(home)[name] for name in ("p", "p/README.md")}
        else:  # it came after ours, and wrote over it
            assert (home / "deep/p/train.py").exists()
        assert not temporary(home)
        assert theirs.read_text() in ("theirs", (home / "deep/p/README.md").read_text())
    assert 2 in codes


def theirs_alone(home: Path) -> State:
    return {
        "p": ((home / "deep/p").stat().st_mode, b""),
        "p/README.md": ((home / "deep/p/README.md").stat().st_mode, b"theirs"),
    }


def test_a_parent_that_appears_at_any_step_gets_the_project(
    faulty: Faulty, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    for step in steps(request.config, 25):
        home = tmp_path / str(step)
        home.mkdir()
        theirs = home / "deep/theirs.txt"
        command = ("torchgen", "new", "p", *SPEC, "-o", home / "deep")
        assert faulty(*command, home=home, at=step, happens=THEIRS, place=theirs) == 0
        assert (home / "deep/p/train.py").exists()
        assert not temporary(home)
        if not theirs.exists():
            break
        assert theirs.read_text() == "theirs"


# What a stopped change asks of the next run.


def half_changed(faulty: Faulty, home: Path) -> Path:
    """A project whose change was killed before its last move; README.md and m.py are new."""
    for step in count(1):
        project = before_change(home / str(step))
        faulty("change", project, FILES, REMOVED, home=project, at=step)
        if (project / "m.py").read_text() == "2\n":
            assert (project / "old/only.py").exists() and temporary(project)
            return project
    raise AssertionError


def test_files_that_were_edited_after_a_kill_are_never_lost(faulty: Faulty, tmp_path: Path) -> None:
    project = half_changed(faulty, tmp_path)
    (project / "README.md").write_text("edited since, by its owner\n")
    half = state(project)
    (stage,) = temporary(project)
    for command in (("recover", project), ("change", project, FILES, REMOVED)):
        assert faulty(*command, home=project) == 2
        assert state(project) == half
    assert (stage / "old/README.md").read_text() == "old\n"
    shutil.rmtree(stage)  # as the error says
    assert faulty("change", project, FILES, REMOVED, home=project) == 0


def test_a_file_made_where_one_was_removed_stops_the_recovery(faulty: Faulty, tmp_path: Path) -> None:
    project = half_changed(faulty, tmp_path)
    (stage,) = temporary(project)
    (stage / "gone/old").mkdir(parents=True, exist_ok=True)
    (project / "old/only.py").rename(stage / "gone/old/only.py")
    (project / "old/only.py").write_text("new, of its owner")
    assert faulty("recover", project, home=project) == 2
    assert (project / "old/only.py").read_text() == "new, of its owner"


@pytest.mark.parametrize(
    "journal",
    [
        "",
        "[]",
        "[" * 100_000,
        json.dumps({"put": ["a"], "replaced": [], "removed": [], "folders": []}),
        json.dumps({"put": {}, "replaced": ["a"], "removed": [], "folders": []}),
        json.dumps({"put": {}, "replaced": [], "removed": [1], "folders": []}),
        json.dumps({"put": {}, "replaced": [], "removed": [], "folders": ["../out"]}),
        json.dumps({"put": {}, "replaced": [], "removed": ["../out/mine"], "folders": []}),
        json.dumps({"put": {"/etc/x": [1, 1]}, "replaced": [], "removed": [], "folders": []}),
        json.dumps({"put": {".git/hooks/x": [1, 1]}, "replaced": [], "removed": [], "folders": []}),
        json.dumps({"put": {"link/mine": [1, 1]}, "replaced": ["link/mine"], "removed": [], "folders": []}),
    ],
)
@pytest.mark.parametrize("name", ["journal", "done"])
def test_a_journal_that_no_torchgen_wrote_moves_nothing(tmp_path: Path, journal: str, name: str) -> None:
    """A project may come from anywhere, with a temporary directory in it."""
    stage = tmp_path / "p" / f".torchgen-{'0' * 16}.change"
    for folder in ("old/link", "gone/out", "new"):
        (stage / folder).mkdir(parents=True)
    (stage / "old/link/mine").write_text("theirs")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("mine")
    (tmp_path / "p/link").symlink_to(tmp_path / "out")
    (stage / name).write_text(journal)
    with pytest.raises(Exception, match="cannot be written"):
        recover(tmp_path / "p")
    assert (tmp_path / "out/mine").read_text() == "mine"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


def test_a_temporary_directory_that_leads_out_moves_nothing(tmp_path: Path) -> None:
    stage = tmp_path / "p" / f".torchgen-{'0' * 16}.change"
    stage.mkdir(parents=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("mine")
    (stage / "old").symlink_to(tmp_path / "out")
    put = {"put": {"mine": [1, 1]}, "replaced": ["mine"], "removed": [], "folders": []}
    (stage / "journal").write_text(json.dumps(put))
    with pytest.raises(Exception, match="leads out"):
        recover(tmp_path / "p")
    assert (tmp_path / "out/mine").read_text() == "mine"


# At random moments, of real processes.

# The command that changes a project, as users start it.
CHANGE = f"""
import sys
from pathlib import Path
from torchgen_scaffold.errors import TorchgenError
from torchgen_scaffold.write import change_tree
files = {{f"part{{i % 7}}/f{{i:03}}.py": f"x = {{i}}\\n" * 50 for i in range(120)}}
try:
    change_tree({{**files, **{FILES!r}}}, ["predict.py", "data/never.csv"], Path(sys.argv[1]))
except TorchgenError as error:
    sys.stderr.write(f"Error: {{error}}")
    sys.exit(error.exit_code)
except KeyboardInterrupt:
    sys.exit(130)
"""


def new_command(project: Path) -> list[str]:
    return [sys.executable, "-m", "torchgen_scaffold", "new", project.name, *SPEC, "-o", str(project.parent)]


def force_command(project: Path) -> list[str]:
    return [*new_command(project), "--force"]


def change_command(project: Path) -> list[str]:
    return [sys.executable, "-c", CHANGE, str(project)]


def update_command(project: Path) -> list[str]:
    """It adds, changes and removes files."""
    asked = ["--profile", "lesson", "--ci", "github", "--lr", "0.25"]
    return [sys.executable, "-m", "torchgen_scaffold", "update", str(project), *asked]


COMMANDS = {
    "new": new_command,
    "force": force_command,
    "change": change_command,
    "update": update_command,
}


def start(command: list[str], preexec_fn: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.Popen(
        command,
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=preexec_fn,
    )


def finish(child: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code, and what it said on stderr."""
    _, said = child.communicate()
    return child.returncode, said


@pytest.mark.parametrize("what", COMMANDS)
@pytest.mark.parametrize("struck", [signal.SIGKILL, signal.SIGINT], ids=["kill", "ctrl-c"])
def test_what_strikes_at_a_random_moment(
    what: str, struck: signal.Signals, made: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    project = tmp_path / "home/p"

    def as_before() -> None:
        shutil.rmtree(tmp_path / "home", ignore_errors=True)
        project.parent.mkdir()
        if what != "new":
            shutil.copytree(made, project)

    as_before()
    old = state(project.parent)
    command = COMMANDS[what](project)
    seconds = []
    for _ in range(2):  # the first one compiles what Python keeps compiled
        as_before()
        started = time.perf_counter()
        code, said = finish(start(command))
        seconds.append(time.perf_counter() - started)
        assert code == 0, said
    new = state(project.parent)
    moments = random.Random(what)
    for _ in range(often(request.config, nightly=50, otherwise=2)):
        as_before()
        child = start(command)
        time.sleep(moments.uniform(0, min(seconds)))
        child.send_signal(struck)
        code, said = finish(child)
        if struck == signal.SIGINT:
            assert code in (0, 130, -signal.SIGINT, 1), said
            if code in (-signal.SIGINT, 1):  # Python itself was still starting, or already ending
                assert "KeyboardInterrupt" in said or "Error" not in said
        elif code != 0:
            assert code == -signal.SIGKILL
            recover(project)
            recover(project.parent)
        assert state(project.parent) in (old, new)
        code, said = finish(start(command))  # the next run
        assert code == (
            2 if what == "new" and new == state(project.parent) and "In the way" in said else 0
        ), said
        assert state(project.parent) == new


@pytest.mark.parametrize("place", ["p", "not/there/p"])
def test_of_several_new_in_one_place_exactly_one_wins(tmp_path: Path, place: str) -> None:
    for turn in range(2):
        project = tmp_path / str(turn) / place
        (tmp_path / str(turn)).mkdir()
        ended = [finish(child) for child in [start(new_command(project)) for _ in range(3)]]
        assert sorted(code for code, _ in ended) == [0, 2, 2]
        assert all("Error" in said and "Traceback" not in said for code, said in ended if code == 2)
        assert (project / "train.py").exists()
        assert not temporary(tmp_path)


def test_several_new_side_by_side_do_not_take_each_others_temporary_directories(tmp_path: Path) -> None:
    children = [start(new_command(tmp_path / f"not/there/p{index}")) for index in range(4)]
    for child in children:
        code, said = finish(child)
        assert code == 0, said
    assert sorted(path.name for path in (tmp_path / "not/there").iterdir()) == ["p0", "p1", "p2", "p3"]
    assert not temporary(tmp_path)


# Disks that are full or closed.


@contextlib.contextmanager
def mounted(disk: Path, options: str) -> Iterator[None]:
    """A small file system of its own, where the machine lets us mount one."""
    disk.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("no permission to mount a small file system")
    try:
        yield
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("what", COMMANDS)
def test_a_full_disk_leaves_the_old_state(what: str, made: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with mounted(disk, "size=2m"):
        project = disk / "p"
        if what != "new":
            shutil.copytree(made, project)
        for left in (0, 4_096, 16_384, 32_768):
            (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free - left))
            old = state(disk)
            code, said = finish(start(COMMANDS[what](project)))
            assert code == 1 and "There is no room" in said and "Traceback" not in said
            assert state(disk) == old
            (disk / "filler").unlink()
        assert finish(start(COMMANDS[what](project)))[0] == 0


def limited() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))


@pytest.mark.parametrize("what", COMMANDS)
def test_a_file_larger_than_the_system_allows_leaves_the_old_state(
    what: str, made: Path, tmp_path: Path
) -> None:
    if what != "new":
        shutil.copytree(made, tmp_path / "p")
    old = state(tmp_path)
    command = COMMANDS[what](tmp_path / "p")
    if what == "change":
        command[2] = command[2].replace("* 50", "* 5000")
    code, said = finish(start(command, preexec_fn=limited))
    assert code == 1
    assert "There is no room" in said
    assert state(tmp_path) == old


@pytest.mark.parametrize("what", ["new", "force"])
def test_a_disk_that_is_read_only(what: str, made: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with mounted(disk, "size=1m"):
        if what == "force":
            shutil.copytree(made, disk / "p")
        old = state(disk)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        code, said = finish(start(COMMANDS[what](disk / "p")))
        assert code == 2 and "Read-only" in said and "Traceback" not in said
        assert state(disk) == old


def obedient(command: list[str]) -> list[str]:
    """The command under the permissions of files: root may else write everywhere."""
    if os.geteuid() != 0:
        return command
    if shutil.which("setpriv") is None:
        pytest.skip("root, and no setpriv to do without root's rights")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]


@pytest.mark.parametrize("place", ["closed/p", "closed/a/b/p"])
def test_a_parent_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed").chmod(0o555)
    code, said = finish(start(obedient(new_command(tmp_path / place))))
    assert code == 2 and "denied" in said and "Traceback" not in said
    assert state(tmp_path).keys() == {"closed"}


def test_a_folder_that_refuses_half_way_leaves_the_old_state(tmp_path: Path) -> None:
    """The moves have begun when the closed folder refuses: all of them are undone."""
    project = before_change(tmp_path)
    (project / "m").mkdir()
    (project / "m").chmod(0o555)
    old = state(project)
    command = change_command(project)
    code, said = finish(
        start(obedient([*command[:2], command[2].replace("fresh/deep", "m/deep"), command[3]]))
    )
    assert code == 2 and "denied" in said
    assert state(project) == old
    (project / "a").chmod(0o555)
    old = state(project)
    code, said = finish(start(obedient(command)))
    assert code == 2 and "denied" in said
    assert state(project) == old
