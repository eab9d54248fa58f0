"""Hugging Face datasets, from folders that the library itself has written; the hub by the library's own function."""

from __future__ import annotations

import csv
import importlib
import io
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Sequence, Value
from PIL import Image

from projects import inside, make, run, run_tests
from torchgen_scaffold import Spec, SpecError
from torchgen_scaffold.errors import MachineError

datasets.disable_progress_bars()

REVIEWS = Features(
    {
        "text": Value("string"),
        "stars": Value("int32"),
        "vector": Sequence(Value("float32")),
        "label": ClassLabel(names=["pos", "neg"]),
    }
)


def reviews(start: int, end: int, *, labelled: bool = True) -> Dataset:
    words = ["lovely", "awful"]
    return Dataset.from_dict(
        {
            "text": [f"it was a {words[n % 2]} film of number {n}" for n in range(start, end)],
            "stars": [n % 5 for n in range(start, end)],
            "vector": [[0.5]] * (end - start),
            "label": [n % 2 if labelled else -1 for n in range(start, end)],
        },
        features=REVIEWS,
    )


def pictures(start: int, end: int) -> Dataset:
    images = []
    for number in range(start, end):
        pixels = np.zeros((12 + number % 2, 12), np.uint8)
        pixels[:, (number % 3) * 4 : (number % 3) * 4 + 4] = 200
        images.append(Image.fromarray(pixels))
    features = Features({"image": datasets.Image(), "label": ClassLabel(names=["left", "middle", "right"])})
    return Dataset.from_dict(
        {"image": images, "label": [n % 3 for n in range(start, end)]}, features=features
    )


def save(folder: Path, kind: str, made: Any) -> None:
    layouts = {
        "one": lambda: made(0, 60),
        "train and test": lambda: DatasetDict({"train": made(0, 48), "test": made(48, 60)}),
        "train and validation": lambda: DatasetDict({"train": made(0, 48), "validation": made(48, 60)}),
        "all three": lambda: DatasetDict(
            {"train": made(0, 40), "validation": made(40, 50), "test": made(50, 60)}
        ),
    }
    layouts[kind]().save_to_disk(str(folder / "d"))


LAYOUTS = {
    "one": ((), 0, 0),
    "train and test": (("train", "test"), 0, 12),
    "train and validation": (("train", "validation"), 12, 0),
    "all three": (("train", "validation", "test"), 10, 10),
}


@pytest.mark.parametrize("profile", ["lesson", "standard"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("made", [reviews, pictures], ids=["columns", "images"])
def test_splits_are_kept_as_they_were_published(tmp_path: Path, made: Any, layout: str, profile: str) -> None:
    save(tmp_path, layout, made)
    project = make(
        tmp_path,
        data={"source": "hf:d"},
        project={"profile": profile},
        training={"epochs": 30, "lr": 0.01, "batch_size": 16},
    )
    spec = Spec.from_toml(project / "torchgen.toml")
    assert spec.data.source == "hfdir" and spec.data.samples == 60
    assert (spec.data.parts, spec.data.val_samples, spec.data.test_samples) == LAYOUTS[layout]
    assert spec == Spec.from_dict(
        {
            "name": "project",
            "data": {"source": "d"},
            "project": {"profile": profile},
            "training": {"epochs": 30, "lr": 0.01, "batch_size": 16},
        },
        base=tmp_path,
    )
    run_tests(project, tmp_path)
    run(project, "train.py")
    assert "accuracy  1" in run(project, "eval.py")
    if profile == "lesson":
        return
    with (project / "outputs/splits.csv").open(newline="") as file:
        rows = {row["sample"]: row["split"] for row in csv.DictReader(file)}
    assert len(rows) == 60
    names = {"val": "validation", "test": "test"}
    for name, split in rows.items():
        own = names.get(split, "train")
        assert name.partition(":")[0] == (own if own in spec.data.parts else "train")


def test_reviews_are_predicted_from_a_csv(tmp_path: Path) -> None:
    save(tmp_path, "train and test", reviews)
    project = make(tmp_path, data={"source": "d"}, training={"epochs": 30, "lr": 0.01})
    run(project, "train.py")
    (tmp_path / "new.csv").write_text("text,stars\na lovely film,3\nan awful film,2\n")
    rows = list(csv.DictReader(io.StringIO(run(project, "predict.py", str(tmp_path / "new.csv")))))
    assert [row["prediction"] for row in rows] == ["pos", "neg"]


def test_pictures_are_predicted_from_files(tmp_path: Path) -> None:
    save(tmp_path, "train and test", pictures)
    project = make(tmp_path, data={"source": "d"}, training={"epochs": 30, "lr": 0.01})
    run(project, "train.py")
    names = []
    for number, row in enumerate(pictures(0, 6)):
        row["image"].save(tmp_path / f"{number}.png")
        names.append(str(tmp_path / f"{number}.png"))
    rows = list(csv.DictReader(io.StringIO(run(project, "predict.py", *names))))
    assert [row["prediction"] for row in rows] == ["left", "middle", "right"] * 2


def test_what_is_said_of_the_columns(tmp_path: Path) -> None:
    save(tmp_path, "one", reviews)
    spec = Spec.from_dict({"name": "demo", "data": {"source": "d"}}, base=tmp_path)
    says = dict(spec.data.says)
    assert says["label"] == "target: 2 classes (neg 30, pos 30)"
    assert says["vector"] == "left out: its cells are no single values"
    assert spec.data.columns == ("text", "stars")
    alone = Spec.from_dict({"name": "demo", "data": {"source": "d", "drop": "stars"}}, base=tmp_path)
    assert alone.model.signal.axes == "tokens"
    stars = {"name": "demo", "task": "regression", "data": {"source": "d", "target": "stars"}}
    assert Spec.from_dict(stars, base=tmp_path).data.columns == ("text", "label")


def test_a_published_test_split_without_labels_is_none(tmp_path: Path) -> None:
    parts = {"train": reviews(0, 40), "validation": reviews(40, 50), "test": reviews(50, 60, labelled=False)}
    DatasetDict(parts).save_to_disk(str(tmp_path / "d"))
    project = make(tmp_path, data={"source": "d"})
    spec = Spec.from_toml(project / "torchgen.toml")
    assert (spec.data.samples, spec.data.parts) == (50, ("train", "validation"))
    run_tests(project, tmp_path)


def test_a_dataset_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name and the configuration reach the library as they were typed, here and in the project."""
    asked = []

    def load_dataset(*arguments: str | None) -> DatasetDict:
        asked.append([argument for argument in arguments if argument])
        return DatasetDict({"train": reviews(0, 48), "test": reviews(48, 60)})

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    project = make(tmp_path, data={"source": "hf:someone/reviews:english"})
    spec = Spec.from_toml(project / "torchgen.toml")
    assert (spec.data.text, spec.name) == ("hf:someone/reviews:english", "project")
    run_tests(project, tmp_path)
    assert asked and all(call == ["someone/reviews", "english"] for call in asked)
    source = (project / "dataset.py").read_text()
    assert 'NAME = "someone/reviews"' in source and 'load_dataset(NAME, "english")' in source
    monkeypatch.undo()
    with inside(project):
        assert importlib.import_module("dataset").NAME == "someone/reviews"


def test_a_name_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load_dataset(*arguments: str | None) -> DatasetDict:
        raise FileNotFoundError("Couldn't find 'no/such' on the Hub")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(SpecError, match="the dataset 'no/such' cannot be loaded"):
        Spec.from_dict({"name": "demo", "data": {"source": "hf:no/such"}}, base=tmp_path)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"a": (0, 20), "b": (20, 40)}, "has no split for training"),
        ({"train": (0, 4)}, "there are 4 samples"),
    ],
)
def test_datasets_that_cannot_be_used(tmp_path: Path, parts: dict[str, tuple[int, int]], words: str) -> None:
    DatasetDict({name: reviews(*ends) for name, ends in parts.items()}).save_to_disk(str(tmp_path / "d"))
    with pytest.raises(SpecError, match=words):
        Spec.from_dict({"name": "demo", "data": {"source": "hf:d"}}, base=tmp_path)


def test_a_folder_that_only_looks_like_one(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/state.json").write_text("{}")
    with pytest.raises(SpecError, match="'d' holds no dataset"):
        Spec.from_dict({"name": "demo", "data": {"source": "hf:d"}}, base=tmp_path)


def test_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(MachineError, match="pip install datasets"):
        Spec.from_dict({"name": "demo", "data": {"source": "hf:imdb"}}, base=tmp_path)
