"""The same spec and version give the same bytes: two environments that have as little in common as we can arrange."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faulty import SOURCE

# Directories list their entries in an order of their own; here, in the opposite one as well.
BACKWARDS = """
import os, sys
listdir, scandir = os.listdir, os.scandir
os.listdir = lambda *place: sorted(listdir(*place), reverse=True)
class Scan(list):
    __enter__ = lambda self: self
    __exit__ = lambda self, *_: None
    close = lambda self: None
os.scandir = lambda *place: Scan(sorted(scandir(*place), key=lambda entry: entry.name, reverse=True))
from torchgen_scaffold.cli import cli
cli(prog_name="torchgen")
"""
FORWARDS = BACKWARDS.replace("reverse=True", "reverse=False")

CASES: dict[str, list[str]] = {
    "images": ["--data", "data/photos", "--model", "cnn"],
    "table": ["--config", "data/wild.toml", "--ci", "github"],
    "words": ["--data", "data/words.csv", "--target", "kind", "--profile", "lesson"],
    "steps": ["--data", "data/visits.csv", "--target", "state", "--group", "patient", "--time", "day"],
    "arrays": ["--data", "data/arrays.npz", "--model", "rnn", "--set", "project.copy_data=true"],
    "folder": ["--data", "data/photos", "--set", "project.copy_data=true", "--profile", "lesson"],
    "digits": ["--data", "sklearn:digits", "--ci", "gitlab", "--set", "training.lr=0.00031"],
    "made": ["--input-shape", "3,32,32", "--output-shape", "5", "--task", "multilabel", "--epochs", "3"],
    "layers": [
        *("--input-shape", "50", "--vocab-size", "1000", "--output-shape", "4", "--task", "multiclass"),
        *("--layers", "embedding(16) -> lstm(8, bidirectional=True) -> dropout(0.1)"),
    ],
}


def data(home: Path, backwards: bool) -> None:
    """The same data in both environments; what has no order of its own is made in another one."""
    (home / "data").mkdir(parents=True)
    lines = [
        f"{i};{i * 0.1:.2f};2024-0{1 + i % 9}-1{i % 10};{('ja', 'nein', '')[i % 3]};{'İIıi'[i % 4]};{i % 7},5"
        for i in range(60)
    ]
    (home / "data/wild.csv").write_text("\n".join(["nr;wert;tag;ob;İl;größe", *lines]) + "\n", "utf-8")
    wild = '[data]\nsource = "csv:wild.csv"\ntarget = "größe"\n'
    (home / "data/wild.toml").write_text(wild, "utf-8")
    words = [
        f"the {('cat', 'dog', 'Çiğdem')[i % 3]} number {i},{('pet', 'flower')[i % 2]}" for i in range(60)
    ]
    (home / "data/words.csv").write_text("\n".join(["text,kind", *words]) + "\n", "utf-8")
    visits = [f"p{i % 12},{i // 12},{60 + i * 7 % 40},{('ill', 'well')[i % 12 % 2]}" for i in range(72)]
    (home / "data/visits.csv").write_text("\n".join(["patient,day,pulse,state", *visits]) + "\n")
    numbers = np.random.default_rng(0)
    np.savez(
        home / "data/arrays.npz",
        X=numbers.random((40, 6, 3), dtype=np.float32),
        y=np.arange(40, dtype=np.int64) % 3,
    )
    pictures = [(name, index) for name in ("Zebra", "ant", "Ibis", "ibex", "zebu") for index in range(6)]
    for name, index in reversed(pictures) if backwards else pictures:
        (home / "data/photos" / name).mkdir(parents=True, exist_ok=True)
        pixels = np.full((9, 8, 3), index * 20 + len(name), dtype=np.uint8)
        Image.fromarray(pixels).save(home / "data/photos" / name / f"{index}.png")


def generated(home: Path, backwards: bool, environment: dict[str, str], flags: list[str], umask: int) -> Path:
    """Every case, generated in `home`; returns the folder of the projects."""
    data(home, backwards)
    for name in ("home", "tmp"):
        (home / name).mkdir()
    (home / "home/.gitconfig").write_text(f"[core]\n\tautocrlf = {str(backwards).lower()}\n")
    places = {"HOME": str(home / "home"), "TMPDIR": str(home / "tmp"), "PYTHONPATH": str(SOURCE)}
    script = BACKWARDS if backwards else FORWARDS
    for name, asked in CASES.items():
        command = [sys.executable, *flags, "-c", script, "new", name, *asked, "--yes", "-o", "out"]
        done = subprocess.run(
            command,
            cwd=home,
            env={"PATH": os.environ["PATH"], **places, **environment},
            umask=umask,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
    return home / "out"


def contents(project: Path) -> dict[str, bytes]:
    return {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    here = tmp_path_factory.mktemp("a")
    there = tmp_path_factory.mktemp("b") / "far" / "down below" / "ünder"
    plain = {  # ASCII alone, and nothing kept from an earlier run
        "LC_ALL": "C",
        "LANG": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "COLUMNS": "40",
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    wild = {
        "LC_ALL": "tr_TR.UTF-8",  # where the machine lacks it, Python takes C and UTF-8
        "LANG": "de_DE.UTF-8",
        "LANGUAGE": "tr",
        "PYTHONUTF8": "1",
        "TZ": "Asia/Kathmandu",
        "PYTHONHASHSEED": "4242",
        "COLUMNS": "300",
        "FORCE_COLOR": "1",
        "SOURCE_DATE_EPOCH": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.autocrlf",
        "GIT_CONFIG_VALUE_0": "true",
    }
    return (
        generated(here, False, plain, [], 0o022),
        generated(there, True, wild, ["-O", "-X", "dev", "-W", "ignore"], 0o077),
    )


@pytest.mark.parametrize("name", CASES)
def test_two_environments_give_the_same_bytes(both: tuple[Path, Path], name: str) -> None:
    ours, theirs = (contents(place / name) for place in both)
    assert len(ours) >= 8
    assert ours.keys() == theirs.keys()
    assert [file for file in ours if ours[file] != theirs[file]] == []


def test_no_line_ends_as_on_windows(both: tuple[Path, Path]) -> None:
    texts = (".py", ".md", ".toml", ".txt", ".yml", ".gitignore")
    for name in CASES:
        for file, text in contents(both[0] / name).items():
            assert b"\r" not in text or not file.endswith(texts), file


# Calls whose answer differs from run to run, and the modules in which no byte depends on it.
UNSTEADY = {
    "time",
    "perf_counter",
    "monotonic",
    "now",
    "today",
    "getpid",
    "urandom",
    "uuid4",
    "gethostname",
    "getuser",
}
UNSTEADY |= {"setlocale", "localtime", "random", "getpreferredencoding", "platform"}
# Ages, names of temporary files, seconds of a step or of a cell of a matrix.
FREE = {"staging.py", "places.py", "render.py", "verify.py", "run.py"}


def test_the_generator_asks_nothing_of_the_clock_or_the_machine() -> None:
    asked = [
        f"{path.name}:{node.lineno} {node.func.attr}"
        for path in sorted(SOURCE.rglob("*.py"))
        if path.name not in FREE
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in UNSTEADY
    ]
    assert not asked
