"""Golden projects: real files, found by glob, that a reviewer can read and a diff can show.

`python tests/test_golden.py` writes them again after a template was changed on purpose.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from torchgen_scaffold import Spec, generate

FOLDER = Path(__file__).parent / "golden"
PROJECTS = sorted(path.parent for path in FOLDER.glob("*/torchgen.toml"))


def files_of(project: Path) -> dict[str, str]:
    return {
        path.relative_to(project).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(project.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_a_project_is_made_again_from_its_own_toml(project: Path) -> None:
    made = generate(Spec.from_toml(project / "torchgen.toml"))
    assert dict(sorted(made.items())) == files_of(project)


def test_there_are_enough_to_read() -> None:
    specs = [Spec.from_toml(project / "torchgen.toml") for project in PROJECTS]
    assert {spec.task for spec in specs} == {"regression", "binary", "multiclass", "multilabel"}
    assert {spec.data.source for spec in specs} == {
        *("synthetic", "sklearn", "npz", "csv", "parquet", "images", "hfdir")
    }
    assert {spec.project.profile for spec in specs} == {"lesson", "standard"}
    assert {spec.project.ci for spec in specs} == {"none", "github", "gitlab"}


def write_again() -> None:
    for project in PROJECTS:
        made = generate(Spec.from_toml(project / "torchgen.toml"))
        for name in files_of(project).keys() - made.keys():
            (project / name).unlink()
        for name, text in made.items():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_again()
