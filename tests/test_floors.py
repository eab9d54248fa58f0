"""Learning floors: what small, correct networks reach on real data, each from one command and no edited line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from projects import make, run

FLOORS: list[tuple[str, dict[str, Any], str, float]] = [
    ("digits", {}, "accuracy", 0.95),
    ("digits", {"model": {"preset": "lstm"}}, "accuracy", 0.90),
    ("iris", {}, "accuracy", 0.90),
    ("wine", {}, "accuracy", 0.92),
    ("breast_cancer", {}, "accuracy", 0.94),
    ("diabetes", {}, "r2", 0.25),
]


@pytest.mark.parametrize(("name", "extra", "metric", "floor"), FLOORS)
def test_a_real_set_reaches_its_floor(
    name: str, extra: dict[str, Any], metric: str, floor: float, tmp_path: Path
) -> None:
    project = make(tmp_path, name="learned", data={"source": f"sklearn:{name}"}, **extra)
    run(project, "train.py")
    run(project, "eval.py")
    assert json.loads((project / "outputs/metrics.json").read_text())[metric] >= floor


@pytest.mark.parametrize(
    ("name", "metric", "floor"), [("digits", "accuracy", 0.95), ("diabetes", "r2", 0.25)]
)
def test_a_lesson_reaches_it_too(name: str, metric: str, floor: float, tmp_path: Path) -> None:
    project = make(
        tmp_path, name="learned", data={"source": f"sklearn:{name}"}, project={"profile": "lesson"}
    )
    run(project, "train.py")
    printed = dict(line.split() for line in run(project, "eval.py").splitlines())
    assert float(printed[metric]) >= floor


def test_too_few_to_score_still_trains(tmp_path: Path) -> None:
    project = make(tmp_path, name="learned", data={"source": "sklearn:linnerud"})
    run(project, "train.py", "--epochs", "2")
    run(project, "eval.py")
    assert json.loads((project / "outputs/metrics.json").read_text())["loss"] > 0


def test_real_images_from_files(tmp_path: Path) -> None:
    from PIL import Image

    digits = datasets.load_digits()
    for index, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        if label < 3:
            folder = tmp_path / "images" / f"digit {label}"
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray((pixels * 15).astype(np.uint8)).save(folder / f"{index}.png")
    project = make(tmp_path, name="learned", data={"source": "images:images"})
    run(project, "train.py", "--epochs", "8")
    run(project, "eval.py")
    assert json.loads((project / "outputs/metrics.json").read_text())["accuracy"] >= 0.95
    one = next((tmp_path / "images/digit 2").iterdir())
    header, row = run(project, "predict.py", str(one)).splitlines()
    assert header == "sample,prediction,p(digit 0),p(digit 1),p(digit 2)"
    assert row.split(",")[1] == "digit 2"


def test_real_rows_from_a_csv_file_and_predictions_on_more_of_them(tmp_path: Path) -> None:
    cancer = datasets.load_breast_cancer(as_frame=True)
    table = cancer.frame.assign(target=[("malignant", "benign")[label] for label in cancer.target])
    table[:500].to_csv(tmp_path / "tumours.csv", index=False)
    project = make(tmp_path, name="learned", data={"source": "csv:tumours.csv", "target": "target"})
    run(project, "train.py")
    new = table[500:]
    new.drop(columns="target").to_csv(tmp_path / "new.csv", index=False)
    run(project, "predict.py", str(tmp_path / "new.csv"), "--output", "predictions.csv")
    predicted = [line.split(",")[1] for line in (project / "predictions.csv").read_text().splitlines()[1:]]
    right = sum(one == other for one, other in zip(predicted, new["target"], strict=True))
    assert right / len(new) >= 0.94


@pytest.mark.parametrize("own_test_set", [False, True])
def test_arrays_from_an_npz_file(tmp_path: Path, own_test_set: bool) -> None:
    diabetes = datasets.load_diabetes()
    arrays = {"X": diabetes.data, "y": diabetes.target}
    if own_test_set:
        arrays = {"X_train": diabetes.data[:350], "y_train": diabetes.target[:350]}
        arrays |= {"X_test": diabetes.data[350:], "y_test": diabetes.target[350:]}
    np.savez(tmp_path / "arrays.npz", **arrays)
    project = make(tmp_path, name="learned", data={"source": "npz:arrays.npz"}, task="regression")
    run(project, "train.py")
    said = run(project, "eval.py")
    assert ("92 test samples" if own_test_set else "66 test samples") in said
    assert json.loads((project / "outputs/metrics.json").read_text())["r2"] >= 0.25
    np.savez(tmp_path / "new.npz", X=diabetes.data[:4])
    assert len(run(project, "predict.py", str(tmp_path / "new.npz")).splitlines()) == 5


def test_made_data_is_learned_in_the_first_run(tmp_path: Path) -> None:
    for number, (task, outputs) in enumerate((("multiclass", "4"), ("binary", "1"), ("multilabel", "3"))):
        project = make(tmp_path, name=f"made{number}", task=task, input_shape="1,8,8", output_shape=outputs)
        run(project, "train.py", "--epochs", "8")
        run(project, "eval.py")
        assert json.loads((project / "outputs/metrics.json").read_text())["accuracy"] >= 0.85, task
    project = make(tmp_path, name="made", task="regression", input_shape="12", output_shape="2")
    run(project, "train.py", "--epochs", "20")
    run(project, "eval.py")
    assert json.loads((project / "outputs/metrics.json").read_text())["r2"] >= 0.7
