"""The lessons that ship: every one is a kit that builds, and its page tells of a run that really was.

`python tests/test_lessons.py` runs the solutions again, and writes down what they gave.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from torchgen_scaffold.cli import cli
from torchgen_scaffold.lessons import LESSONS, Lesson
from torchgen_scaffold.overlay import own_templates

WITH_RUN = [name for name, lesson in LESSONS.items() if not lesson.pitfalls]


def build(name: str, folder: Path) -> Path:
    result = CliRunner().invoke(cli, ["kit", "--lesson", name, "-o", str(folder / name)])
    assert result.exit_code == 0, result.output
    return folder / name


def run(solution: Path, lesson: Lesson) -> dict[str, Any]:
    """Train and evaluate a solution: its history, and the metrics of the test split."""
    started = time.perf_counter()
    train, test = (
        subprocess.run(
            [sys.executable, script, "--device", "cpu"],
            cwd=solution,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for script in ("train.py", "eval.py")
    )
    history = []
    for line in train.splitlines():
        if found := re.match(r"epoch +(\d+)  train loss ([\d.]+)  val (.*)", line):
            val = {f"val {name}": float(value) for name, value in pairs(found[3])}
            history.append({"epoch": int(found[1]), "train loss": float(found[2]), **val})
    return {
        "command": "python train.py",
        "seconds": round(time.perf_counter() - started, 1),
        "history": history,
        "test": {name: float(value) for name, value in pairs(test)},
    }


def pairs(text: str) -> list[tuple[str, str]]:
    return re.findall(r"(\w+) +(-?[\d.]+)", text)


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_is_a_page_with_its_pictures_and_rules(name: str, tmp_path: Path) -> None:
    kit = build(name, tmp_path)
    for folder in ("starter", "solution"):
        page = (kit / folder / "LESSON.md").read_text("utf-8")
        assert page.startswith(f"# {LESSONS[name].title}\n")
        for said in ("Shapes always matter", "The loss decides the output's form", "Coming from TensorFlow"):
            assert said in page
        for picture in re.findall(r"\]\((.*?)\)", page):
            assert (kit / folder / picture).is_file(), picture
        assert ("curves.png" in page) == (name in WITH_RUN)
    assert (kit / "instructor.md").read_text("utf-8").count("\n## Gap ") == len(gaps_of(kit))


def gaps_of(kit: Path) -> list[dict[str, Any]]:
    gaps: list[dict[str, Any]] = json.loads((kit / "grader" / "kit.json").read_text("utf-8"))["gaps"]
    return gaps


@pytest.mark.parametrize("name", LESSONS)
def test_the_starter_gets_nothing_and_the_solution_all(name: str, tmp_path: Path) -> None:
    kit = build(name, tmp_path)
    for folder in ("starter", "solution"):
        shutil.copytree(kit / folder, tmp_path / "handed-in" / folder)
    grade = [sys.executable, str(kit / "grader" / "grade.py"), "--all", "handed-in", "--results", "results"]
    subprocess.run(grade, cwd=tmp_path, check=True, capture_output=True)
    starter, solution = (
        json.loads((tmp_path / "results" / f"{folder}.json").read_text("utf-8"))["tests"]
        for folder in ("starter", "solution")
    )
    assert all(test["score"] == test["max_score"] for test in solution)
    assert sum(test["max_score"] for test in solution) == pytest.approx(
        sum(gap["points"] for gap in gaps_of(kit)), abs=0.01
    )
    assert sum(test["score"] for test in starter) == 0
    if lesson := LESSONS[name].pitfalls:
        worth = [test for test in starter if test["max_score"]]
        assert len(worth) == len(lesson) == 7 and all(test["output"] for test in worth)
        assert all(
            test["output"] == "" or "Judged once" in test["output"] for test in starter if test not in worth
        )
    for gap in gaps_of(kit):
        said = " ".join(test["output"] for test in starter)
        assert lesson or f"Gap {gap['number']} is still open" in said


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_RUN)
def test_a_run_of_the_solution_gives_what_the_page_says(name: str, tmp_path: Path) -> None:
    """But for rounding, which grows over the epochs on another processor."""
    recorded = LESSONS[name].run
    again = run(build(name, tmp_path) / "solution", LESSONS[name])
    assert [row["epoch"] for row in again["history"]] == [row["epoch"] for row in recorded["history"]]
    assert again["history"][0] == pytest.approx(recorded["history"][0], rel=0.05, abs=0.02)
    assert again["test"] == pytest.approx(recorded["test"], rel=0.1, abs=0.03)


def test_a_lesson_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["kit", "--lesson", "cnm", "-o", str(tmp_path / "kit")])
    assert result.exit_code == 2 and "Did you mean cnn?" in result.stderr
    assert not (tmp_path / "kit").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--model", "mlp"], "has its own model.preset"),
        (["--data", "sklearn:wine", "--input-shape", "13"], "has its own data.source"),
        (["--roster", "students.csv", "--vary", "sizes"], "varies in its data alone"),
        (["--level", "1"], "has its own gaps"),
    ],
)
def test_what_a_lessons_text_would_contradict_is_refused(tmp_path: Path, more: list[str], said: str) -> None:
    (tmp_path / "students.csv").write_text("id\nada\n")
    with contextlib.chdir(tmp_path):
        result = CliRunner().invoke(cli, ["kit", "--lesson", "cnn", "-o", "kit", *more])
    assert result.exit_code == 2 and said in result.stderr, result.stderr
    assert not (tmp_path / "kit").exists()


def test_a_lesson_on_debugging_has_no_gaps_to_choose(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli, ["kit", "--lesson", "debugging", "--gaps", "3", "-o", str(tmp_path / "kit")]
    )
    assert result.exit_code == 2 and "has no gaps" in result.stderr


def test_a_recorded_run_is_told_only_where_it_is_this_one(tmp_path: Path) -> None:
    """Another seed rounds otherwise; other epochs are another run."""
    for more, told in ((["--seed", "3"], True), (["--epochs", "3"], False)):
        place = tmp_path / more[0]
        result = CliRunner().invoke(cli, ["kit", "--lesson", "mlp", "-o", str(place), *more])
        assert result.exit_code == 0, result.output
        assert ("## What to expect\n" in (place / "starter" / "LESSON.md").read_text("utf-8")) is told
        assert (place / "starter" / "curves.png").exists() is told


def record() -> None:
    """Run each solution, and keep what it gave beside the lesson's words."""
    from matplotlib import pyplot

    for name in WITH_RUN:
        with tempfile.TemporaryDirectory() as folder:
            made = run(build(name, Path(folder)) / "solution", LESSONS[name])
        place = own_templates() / "lessons" / f"{name}.json"
        rows = ",\n    ".join(json.dumps(row) for row in made["history"])
        head = json.dumps({**made, "history": []}, indent=2)
        place.write_text(head.replace('"history": []', f'"history": [\n    {rows}\n  ]') + "\n", "utf-8")
        figure, axes = pyplot.subplots(figsize=(6, 3.5), layout="constrained")
        epochs = [row["epoch"] for row in made["history"]]
        for split in ("train", "val"):
            axes.plot(epochs, [row[f"{split} loss"] for row in made["history"]], label=split)
        axes.set(xlabel="epoch", ylabel="loss", ylim=(0, None))
        axes.grid(alpha=0.3)
        axes.legend()
        figure.savefig(place.with_suffix(".png"), dpi=100)
        pyplot.close(figure)


if __name__ == "__main__":
    record()
