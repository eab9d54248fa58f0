"""Generate a project and run its scripts, for the tests.

Scripts run inside the test's own process, because importing torch takes longer than the small runs here; what must
run in a process of its own (verify, resume, a clean environment) uses `subprocess` where it is tested.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import runpy
import sys
import warnings
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from torchgen_scaffold.create import create

MODULES = ("model", "dataset", "batches", "train", "eval", "predict", "runtime", "test_project")
ROOT = Path(__file__).parents[1]


def make(folder: Path, name: str = "project", **answers: Any) -> Path:
    """Write the project of these answers into `folder / name`; paths in them are relative to `folder`."""
    return create({"name": name, **answers}, base=folder, output_dir=folder).path


@contextlib.contextmanager
def inside(project: Path) -> Iterator[None]:
    """As if a fresh Python had been started in the project: its modules are found, and forgotten afterwards."""
    sys.path.insert(0, str(project))
    for name in MODULES:
        sys.modules.pop(name, None)
    try:
        with contextlib.chdir(project):
            yield
    finally:
        sys.path.remove(str(project))
        for name in MODULES:
            sys.modules.pop(name, None)


def run(project: Path, script: str, *arguments: str) -> str:
    """Run one script of a project; returns what it printed. An exception of the script is the test's."""
    printed = io.StringIO()
    argv = sys.argv
    sys.argv = [script, *arguments]
    try:
        with inside(project), contextlib.redirect_stdout(printed):
            runpy.run_path(str(project / script), run_name="__main__")
    finally:
        sys.argv = argv
    return printed.getvalue()


def run_tests(project: Path, tmp_path: Path, but: Collection[str] = ()) -> int:
    """Call every test of the project's test_project.py, but for those; returns how many were called."""
    with inside(project):
        tests = importlib.import_module("test_project")
        found: Mapping[str, Any] = {
            name: test for name, test in vars(tests).items() if name.startswith("test_") and name not in but
        }
        for test in found.values():
            with contextlib.ExitStack() as stack:
                stack.enter_context(warnings.catch_warnings())
                for text in getattr(getattr(tests, "pytestmark", None), "args", ()):
                    warnings.filterwarnings("ignore", message=text.partition(":")[2])  # as pytest would
                test(tmp_path) if test.__code__.co_argcount else test()
    return len(found)


def script_fails(project: Path, script: str, *arguments: str) -> str:
    """Run a script that must stop with a message; returns the message."""
    with pytest.raises(SystemExit) as stopped:
        run(project, script, *arguments)
    return str(stopped.value)
