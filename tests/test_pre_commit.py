"""The hook that other repositories take from this one."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from projects import ROOT, make

MANIFEST = ROOT / ".pre-commit-hooks.yaml"


def pre_commit(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pre_commit", *arguments]
    home = {"PRE_COMMIT_HOME": str(folder.parent / "pre-commit"), "NO_COLOR": "1"}
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **home, **environment}, capture_output=True, text=True
    )


def hook() -> dict[str, Any]:
    (found,) = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    return dict(found)


def test_pre_commit_takes_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    done = pre_commit("validate-manifest", str(MANIFEST), folder=tmp_path / "work")
    assert done.returncode == 0, done.stdout
    (tmp_path / "bad.yaml").write_text("- id: torchgen-check\n", encoding="utf-8")
    assert (
        pre_commit("validate-manifest", str(tmp_path / "bad.yaml"), folder=tmp_path / "work").returncode == 1
    )


def test_it_runs_on_the_folder_and_not_on_the_files_of_a_commit() -> None:
    assert hook()["id"] == "torchgen-check"
    assert [*shlex.split(hook()["entry"]), *hook()["args"]] == ["torchgen", "check", "."]
    assert hook()["pass_filenames"] is False
    assert hook()["always_run"] is True  # a commit that deletes a file has no file to start it


def test_a_commit_of_a_project_that_drifted_is_stopped(tmp_path: Path) -> None:
    """With the program of this checkout in place of an installed one; to install it takes a network."""
    program = tmp_path / "bin" / "torchgen"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m torchgen_scaffold "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    project = make(tmp_path, task="binary", input_shape=4)
    local = {"repo": "local", "hooks": [{**hook(), "language": "system"}]}
    (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [local]}), encoding="utf-8")
    for command in ("init -q", "add -A"):
        subprocess.run(["git", *command.split()], cwd=project, check=True)
    as_made = pre_commit("run", folder=project, PATH=path)
    assert as_made.returncode == 0, as_made.stdout
    (project / "train.py").write_text("print('another')\n", encoding="utf-8")
    subprocess.run(["git", "add", "-A"], cwd=project, check=True)
    drifted = pre_commit("run", folder=project, PATH=path)
    assert drifted.returncode == 1
    assert "+print('another')" in drifted.stdout
