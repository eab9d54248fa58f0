"""What torchgen brings into a house: no network, no shell, no code out of data; in the generator and in what it makes."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

import numpy as np
import pytest

from faulty import SOURCE

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests/golden"

# Any socket, of any kind, and any process: the event is raised before it is made.
CLOSED = """
import sys
def closed(event, arguments):
    if event.split(".")[0] == "socket" or event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"):
        sys.stderr.write(f"FORBIDDEN {event} {arguments}\\n")
        sys.stderr.flush()
        import os
        os._exit(77)
sys.addaudithook(closed)
"""
COMMAND = "from torchgen_scaffold.cli import cli\ncli(prog_name='torchgen')\n"
PYTHON = """
from pathlib import Path
from torchgen_scaffold import Spec, generate, plan
for answers in (
    {"name": "a", "input_shape": [4], "output_shape": [1], "task": "regression"},
    {"name": "b", "data": {"source": "sklearn:digits"}},
    {"name": "c", "data": {"source": "csv:houses.csv", "target": "price"}},
):
    spec = Spec.from_dict(answers, base=Path())
    plan(spec).to_dict()
    generate(spec)
"""
PROBE = "import socket\nsocket.socket()\n"

COMMANDS = [
    ["--help"],
    ["--version"],
    ["options"],
    ["options", "--json"],
    ["plan", "--input-shape", "1,28,28", "--output-shape", "10", "--task", "multiclass", "--json"],
    ["plan", "--data", "houses.csv", "--target", "price", "--svg", "a.svg"],
    ["new", "a", "--data", "sklearn:digits", "--yes"],
    ["new", "b", "--data", "houses.csv", "--target", "price", "--yes", "--json"],
    ["new", "c", "--data", "arrays.npz", "--yes", "--ci", "github"],
    ["new", "d", "--input-shape", "4", "--output-shape", "1", "--task", "regression", "--yes", "--dry-run"],
    ["new", "e", "--config", "a/torchgen.toml", "--yes", "--set", "name=e"],
    ["new", "a", "--data", "sklearn:digits", "--yes", "--force"],
]


def run(folder: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CLOSED + script, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("closed")
    rows = "".join(f"{i % 5},{i * 1.5},{i * 100}\n" for i in range(40))
    (home / "houses.csv").write_text(f"rooms,area,price\n{rows}")
    np.savez(home / "arrays.npz", X=np.zeros((30, 4), np.float32), y=np.arange(30) % 3)
    return home


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_opens_a_socket_or_starts_a_process(folder: Path, command: list[str]) -> None:
    if "--config" in command or "--force" in command:
        run(folder, COMMAND, *COMMANDS[6])  # what they find there
    elif command[0] == "new":
        shutil.rmtree(folder / command[1], ignore_errors=True)
    done = run(folder, COMMAND, *command)
    assert "FORBIDDEN" not in done.stderr
    assert done.returncode == 0, done.stderr


def test_neither_does_the_python_interface(folder: Path) -> None:
    done = run(folder, PYTHON)
    assert done.returncode == 0, done.stderr


def test_the_closed_door_is_closed(folder: Path) -> None:
    assert run(folder, PROBE).returncode == 77


# What may not stand in our code, nor in what it makes.

OURS = sorted(SOURCE.rglob("*.py"))
MADE = sorted(GOLDEN.rglob("*.py"))
RUNS_TEXT = {"eval", "exec", "compile", "__import__"}
SHELLS = {("os", "system"), ("os", "popen"), ("subprocess", "getoutput"), ("subprocess", "getstatusoutput")}
UNPICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def dangers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, what) for each call or import that could make code out of data."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            )
            yield from ((node.lineno, f"import {name}") for name in names if name.split(".")[0] in UNPICKLES)
        if not isinstance(node, ast.Call):
            continue
        keywords = {word.arg: word.value for word in node.keywords}
        if isinstance(node.func, ast.Name) and node.func.id in RUNS_TEXT:
            yield node.lineno, node.func.id
        if "shell" in keywords:
            yield node.lineno, "shell="
        if "allow_pickle" in keywords and not is_constant(keywords["allow_pickle"], False):
            yield node.lineno, "allow_pickle"
        if not isinstance(node.func, ast.Attribute) or not isinstance(node.func.value, ast.Name):
            continue
        called = (node.func.value.id, node.func.attr)
        if called in SHELLS:
            yield node.lineno, ".".join(called)
        if called in (("np", "load"), ("numpy", "load")) and "allow_pickle" not in keywords:
            yield node.lineno, "np.load without allow_pickle=False"
        if called == ("torch", "load") and not is_constant(keywords.get("weights_only"), True):
            yield node.lineno, "torch.load without weights_only=True"
        if called in (("pd", "read_pickle"), ("pandas", "read_pickle"), ("yaml", "load")):
            yield node.lineno, ".".join(called)


def is_constant(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


# (file, what): why it is none.
ALLOWED = {
    ("merging.py", "compile"): "only whether a merged file is Python is asked; what comes out is thrown away",
    ("formatting.py", "compile"): "only whether the text is Python is asked; what comes out is thrown away",
    (
        "test_project.py",
        "import pickle",
    ): "the test sends the dataset through it as a loader's workers get it",
}


@pytest.mark.parametrize("files", [OURS, MADE], ids=["ours", "made"])
def test_no_call_makes_code_out_of_data(files: list[Path]) -> None:
    assert len(files) > 40
    found = {(path.name, what) for path in files for _, what in dangers(ast.parse(path.read_text("utf-8")))}
    assert found <= set(ALLOWED)
    assert found


@pytest.mark.parametrize(
    "line",
    [
        "eval(text)",
        "subprocess.run(line, shell=True)",
        "os.system(line)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "import pickle",
        "from joblib import load",
        "pd.read_pickle(path)",
    ],
)
def test_such_a_call_would_be_seen(line: str) -> None:
    assert list(dangers(ast.parse(line)))


def test_what_is_installed_with_torchgen_is_what_pyproject_says() -> None:
    """Five libraries, each with a floor: nothing comes in unseen."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert {line.partition(">=")[0] for line in declared} == {
        "black",
        "click",
        "jinja2",
        "questionary",
        "tomlkit",
    }
    assert all(">=" in line for line in declared)
    installed = [line for line in requires("torchgen-scaffold") or [] if "extra ==" not in line]
    assert sorted(installed) == sorted(declared)
