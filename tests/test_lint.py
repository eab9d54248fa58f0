"""Generated projects are clean by the tools a team would run on them: black, ruff, mypy --strict."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import black
import pytest

from projects import ROOT
from test_map import ROWS
from torchgen_scaffold import Spec, generate

GOLDEN = sorted(path.parent for path in (ROOT / "tests" / "golden").glob("*/torchgen.toml"))


def write(folder: Path, answers: dict[str, Any]) -> None:
    folder.mkdir()
    for name, text in generate(Spec.from_dict({"name": "row", **answers})).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def test_every_row_of_the_map_is_clean_by_ruff_and_black(tmp_path: Path) -> None:
    ruff = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--extend-select",
        "I,UP,B,RUF100",
        "--no-cache",
    ]
    for number, row in enumerate(ROWS):
        project = tmp_path / f"row{number}"
        write(project, row)
        # In the project's own folder, as its user does: that is how ruff knows which imports are local.
        done = subprocess.run([*ruff, "."], cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    for path in tmp_path.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert black.format_str(text, mode=black.Mode()) == text, path


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """torch's types take ten seconds to read; read them once."""
    return tmp_path_factory.mktemp("mypy")


@pytest.mark.parametrize("project", GOLDEN, ids=lambda path: path.name)
def test_a_golden_project_is_clean_by_mypy_strict(project: Path, cache: Path) -> None:
    # The libraries without types (scikit-learn, tqdm, pandas) are what --ignore-missing-imports is for.
    mypy = [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", "--config-file", ""]
    files = sorted(path.name for path in project.glob("*.py"))
    done = subprocess.run(
        [*mypy, f"--cache-dir={cache}", *files], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_there_are_golden_projects_to_check() -> None:
    assert len(GOLDEN) >= 8
