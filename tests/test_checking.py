"""torchgen check: what differs is shown so that it can be applied, and what is the user's is left alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from projects import make
from test_golden import PROJECTS
from torchgen_scaffold.checking import check
from torchgen_scaffold.cli import cli
from torchgen_scaffold.version import __version__
from torchgen_scaffold.written import MEMORY

SIZES: dict[str, Any] = {"input_shape": [4], "output_shape": [3], "task": "multiclass"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make(tmp_path, **SIZES)


def checked(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["check", *map(str, arguments)])


@pytest.mark.parametrize("golden", PROJECTS, ids=lambda path: path.name)
def test_a_project_equals_its_own_answers_where_its_data_is_not(golden: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(golden, tmp_path / "elsewhere"))
    result = checked(home)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "all as torchgen.toml gives them" in result.stderr


def test_it_is_right_from_any_folder(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    assert checked(".").exit_code == 0
    monkeypatch.chdir(tmp_path / "..")
    assert checked(os.path.relpath(project)).exit_code == 0


def test_what_the_user_changed_is_a_diff_that_git_can_take_back(project: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in project.iterdir()}
    train = (project / "train.py").read_text()
    (project / "train.py").write_text(train.replace("import argparse", "import argparse  # mine ü"))
    (project / "eval.py").write_text((project / "eval.py").read_text() + "# the end, without one")
    (project / "predict.py").unlink()
    (project / "notes.txt").write_text("mine\n")
    (project / "data").mkdir()
    result = checked(project)
    assert result.exit_code == 1
    assert "3 files not as torchgen.toml gives them" in result.stderr
    assert f"torchgen check {project} | git -C {project} apply -R" in result.stderr
    assert "predict.py is missing" in result.stderr and "notes.txt" not in result.output
    assert "+import argparse  # mine ü\n" in result.stdout and "\\ No newline at end of file" in result.stdout
    subprocess.run(["git", "apply", "-R", "-"], cwd=project, input=result.stdout.encode(), check=True)
    (project / "notes.txt").unlink()
    (project / "data").rmdir()
    assert {path.name: path.read_bytes() for path in project.iterdir()} == before


def test_it_changes_nothing(project: Path) -> None:
    (project / "train.py").write_text("x = 1\n")
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in project.iterdir()}
    assert checked(project).exit_code == 1
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in project.iterdir()} == before


def test_an_answer_that_was_changed_shows_where_it_would_arrive(project: Path) -> None:
    answers = project / "torchgen.toml"
    answers.write_text(answers.read_text().replace("epochs = ", "epochs = 7"))
    result = checked(project)
    assert result.exit_code == 1
    assert "train.py would be generated otherwise by now" in result.stderr
    assert "torchgen update" in result.stderr and "torchgen.toml" not in result.stderr.partition("them.")[2]


def test_comments_and_order_of_the_answers_do_not_count(project: Path) -> None:
    answers = project / "torchgen.toml"
    head, name, rest = answers.read_text().partition('name = "project"\n')
    task, line, tables = rest.partition('task = "multiclass"\n')
    answers.write_text(f"# mine\n{head}{task}{line}{name.strip()}  # it was above\n{tables}")
    assert answers.read_text().count("#") == 3
    assert checked(project).exit_code == 0


def test_other_line_endings_do_not_count(project: Path) -> None:
    for path in project.iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert checked(project).exit_code == 0


def test_a_file_of_an_earlier_generation_is_reported_until_it_is_edited(project: Path) -> None:
    memory = json.loads((project / MEMORY).read_text())
    memory["files"]["helper.py"] = ["old = 1", ""]
    (project / MEMORY).write_text(json.dumps(memory))
    assert checked(project).exit_code == 0  # it is not there
    (project / "helper.py").write_text("old = 1\n")
    result = checked(project)
    assert result.exit_code == 1 and "helper.py is generated no more" in result.stderr
    (project / "helper.py").write_text("old = 2\n")
    assert checked(project).exit_code == 0


@pytest.mark.parametrize(
    "damage", ["", "[]", '{"files": {"a": "text"}}', '{"files": {"../a": [""]}}', "[" * 100_000]
)
def test_a_damaged_memory_is_done_without(project: Path, damage: str) -> None:
    (project / MEMORY).write_text(damage)
    assert checked(project).exit_code == 0


def test_another_versions_project_says_so(project: Path) -> None:
    answers = project / "torchgen.toml"
    answers.write_text(answers.read_text().replace(f'torchgen = "{__version__}"', 'torchgen = "0.0.1"'))
    result = checked(project)
    assert result.exit_code == 1
    assert f"torchgen 0.0.1 wrote it, and this is {__version__}" in result.stderr
    assert f"torchgen update {project}" in result.stderr


def test_json_is_one_document(project: Path) -> None:
    result = checked(project, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["ok"] is True
    (project / "eval.py").unlink()
    result = checked(project, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1 and document["ok"] is False and result.stderr == ""
    (only,) = document["files"]
    assert (only["path"], only["kind"]) == ("eval.py", "removed")
    assert only["diff"].startswith("--- a/eval.py\n+++ /dev/null\n")


@pytest.mark.parametrize("make_it", ["nothing", "a folder", "wrong answers", "a binary file"])
def test_what_cannot_be_checked_is_said(tmp_path: Path, make_it: str) -> None:
    home = tmp_path / "home"
    if make_it == "a folder":
        home.mkdir()
    elif make_it != "nothing":
        home = make(tmp_path, **SIZES)
        if make_it == "wrong answers":
            (home / "torchgen.toml").write_text('task = "guess"\n')
        else:
            (home / "model.py").write_bytes(b"\xff\xfe\x00")
    result = checked(home)
    assert result.exit_code == 2 and result.stdout == "" and "Error: " in result.stderr
    assert "Traceback" not in result.stderr


def test_a_file_of_the_user_on_a_terminal_cannot_act(project: Path) -> None:
    (project / "eval.py").write_text("\x1b[2J\n")
    (difference,) = check(project).differences
    assert "\x1b[2J" in difference.diff  # as data it stays what it is
