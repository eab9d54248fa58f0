"""`torchgen verify`: a project that works, and projects that do not."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from projects import make
from torchgen_scaffold.cli import cli
from torchgen_scaffold.errors import SpecError
from torchgen_scaffold.verify import verify

SMALL: dict[str, Any] = {"task": "binary", "input_shape": "4", "data": {"samples": 60}}


def test_a_sound_project(tmp_path: Path) -> None:
    project = make(tmp_path, **SMALL)
    before = sorted(path.name for path in project.iterdir())
    result = CliRunner().invoke(
        cli, ["verify", str(project), "--json", "--junit", str(tmp_path / "report.xml")]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["ok"] is True
    assert [step["name"] for step in found["steps"]] == ["tests", "train", "eval", "predict"]
    assert all(step["ok"] and step["seconds"] > 0 and step["detail"] for step in found["steps"])
    suite = ElementTree.parse(tmp_path / "report.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("4", "0")
    assert sorted(path.name for path in project.iterdir()) == before  # it ran in a copy


def test_a_lesson_has_nothing_to_predict_with(tmp_path: Path) -> None:
    project = make(tmp_path, **SMALL, project={"profile": "lesson"})
    result = CliRunner().invoke(cli, ["verify", str(project), "--python", sys.executable])
    assert result.exit_code == 0, result.output
    assert [line.split()[1] for line in result.stdout.splitlines() if "✓" in line] == [
        "tests",
        "train",
        "eval",
    ]


def test_a_torchgen_toml_whose_data_is_no_table_is_no_crash(tmp_path: Path) -> None:
    project = make(tmp_path, **SMALL, project={"profile": "lesson"})
    for said in ("data = 3\n", "[data]\nsource = 3\n", "[data]\nsource = [1]\n"):
        (project / "torchgen.toml").write_text(said)
        (project / "model.py").write_text("import nowhere\n")
        result = CliRunner().invoke(cli, ["verify", str(project)])
        assert result.exit_code == 1 and isinstance(result.exception, SystemExit), said


def test_a_broken_project_fails_and_says_where(tmp_path: Path) -> None:
    project = make(tmp_path, **SMALL)
    model = project / "model.py"
    model.write_text(model.read_text().replace("nn.Linear(64, 1)", "nn.Linear(63, 1)"))
    result = CliRunner().invoke(cli, ["verify", str(project), "--junit", str(tmp_path / "report.xml")])
    assert result.exit_code == 1
    assert "mat1 and mat2 shapes cannot be multiplied" in result.stdout
    suite = ElementTree.parse(tmp_path / "report.xml").getroot()
    assert suite.get("failures") == "2"  # the tests and the training; there was nothing to evaluate


@pytest.mark.parametrize("copied", [True, False])
def test_data_beside_the_project_is_found_from_the_copy(tmp_path: Path, copied: bool) -> None:
    rows = "\n".join(f"{i % 5},{i % 3},{'yes' if i % 5 > 2 else 'no'}" for i in range(60))
    (tmp_path / "flips.csv").write_text(f"a,b,y\n{rows}\n")
    data = {"source": "csv:flips.csv", "target": "y"}
    project = make(tmp_path, data=data, project={"copy_data": copied})
    result = verify(project, sys.executable)
    assert result.ok, result
    assert (tmp_path / "flips.csv").is_file()


def test_what_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="not a torchgen project"):
        verify(tmp_path, sys.executable)
    project = make(tmp_path, **SMALL)
    with pytest.raises(SpecError, match="there is no Python"):
        verify(project, str(tmp_path / "no-python"))
