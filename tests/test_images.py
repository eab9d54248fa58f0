"""Images as people have them: of any size, with splits of their own, listed in a table; and varied in training."""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from projects import inside, make, run, run_tests, script_fails
from torchgen_scaffold import Spec, SpecError

KINDS = ("left", "right")


def write(path: Path, kind: str, size: tuple[int, int] = (16, 16), seed: int = 0) -> None:
    """A picture whose bright half says what it is; `size` is height, width."""
    pixels = np.random.default_rng(seed).integers(0, 60, (*size, 3)).astype(np.uint8)
    half = slice(None, size[1] // 2) if kind == "left" else slice(size[1] // 2, None)
    pixels[:, half] += 150
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_folder(folder: Path, numbers: Iterable[int], size: tuple[int, int] = (16, 16)) -> None:
    for number in numbers:
        kind = KINDS[number % 2]
        write(folder / kind / f"{number}.png", kind, size, number)


def spec_of(folder: Path, **data: Any) -> Spec:
    return Spec.from_dict({"name": "demo", "data": data}, base=folder)


@pytest.mark.parametrize(
    ("sizes", "shape"),
    [
        ([(20, 30), (24, 34), (28, 38)], (3, 24, 34)),  # the median
        ([(256, 200)], (3, 256, 200)),  # one size up to 256 stays
        ([(300, 400)], (3, 96, 128)),
        ([(1000, 10), (1010, 10), (1020, 10)], (3, 128, 1)),
    ],
)
def test_the_size_that_images_are_brought_to(
    tmp_path: Path, sizes: list[tuple[int, int]], shape: tuple[int, ...]
) -> None:
    for number in range(24):
        write(tmp_path / "d" / KINDS[number % 2] / f"{number}.png", "left", sizes[number // 2 % len(sizes)])
    spec = spec_of(tmp_path, source="d")
    assert spec.input_shape == shape
    said = dict(spec.data.says).get("(images)", "")
    assert (f"brought to {shape[1]}x{shape[2]}" in said) == (sizes != [shape[1:]])
    assert spec_of(tmp_path, source="d", resize="8,9").input_shape == (3, 8, 9)


PARTS: list[dict[str, tuple[str, range]]] = [
    {"train": ("train", range(30)), "val": ("valid", range(30, 40)), "test": ("test", range(40, 50))},
    {"train": ("Training", range(30)), "test": ("Testing", range(40, 50))},
    {"train": ("train", range(30)), "val": ("val", range(30, 40))},
]


@pytest.mark.parametrize("profile", ["lesson", "standard"])
@pytest.mark.parametrize("parts", PARTS, ids=lambda parts: "-".join(parts))
def test_folders_for_train_val_and_test_are_kept(
    tmp_path: Path, parts: dict[str, tuple[str, range]], profile: str
) -> None:
    for name, numbers in parts.values():
        write_folder(tmp_path / "d" / name, numbers)
    made = make(tmp_path, data={"source": "d"}, project={"profile": profile}, training={"epochs": 2})
    spec = Spec.from_toml(made / "torchgen.toml")
    assert spec.data.parts == tuple(name for name, _ in parts.values())
    with inside(made):
        dataset: Any = importlib.import_module("dataset")
        splits = dataset.load_splits(0)
    for part in ("val", "test"):
        files = {file.relative_to(dataset.DATA).parts[0] for file in getattr(splits, part).files}
        assert files == {parts[part][0] if part in parts else parts["train"][0]}
        if part in parts:
            assert len(getattr(splits, part)) == 10
    everything = [file for split in splits[:3] for file in split.files]
    assert len(everything) == len(set(everything)) == sum(len(numbers) for _, numbers in parts.values())
    run_tests(made, tmp_path)
    run(made, "train.py")
    run(made, "eval.py")


def test_a_folder_called_train_may_be_a_class(tmp_path: Path) -> None:
    for number in range(20):
        write(tmp_path / "d" / ["train", "tram"][number % 2] / f"{number}.png", KINDS[number % 2])
    spec = spec_of(tmp_path, source="d")
    assert (spec.data.classes, spec.data.parts) == (("train", "tram"), ())


def write_list(folder: Path, header: str, row: str, separator: str = ",", missing: int = -1) -> Path:
    lines = [header.replace(",", separator)]
    for number in range(40):
        kind = KINDS[number % 2]
        write(folder / "pictures" / f"{number}.png", kind, seed=number)
        lines.append(
            row.format(
                file=f"pictures/{number}.png", kind="" if number == missing else kind, number=number
            ).replace(",", separator)
        )
    path = folder / "labels.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("profile", ["lesson", "standard"])
def test_a_table_of_file_names_and_labels(tmp_path: Path, separator: str, profile: str) -> None:
    write_list(tmp_path / "set", "kind,file", "{kind},{file}", separator, missing=7)
    made = make(
        tmp_path,
        data={"source": "set/labels.csv", "target": "kind"},
        project={"profile": profile},
        training={"epochs": 8},
    )
    spec = Spec.from_toml(made / "torchgen.toml")
    assert (spec.data.source, spec.data.samples, spec.data.counts) == ("imagelist", 39, (20, 19))
    run_tests(made, tmp_path)
    run(made, "train.py")
    assert "accuracy  1" in run(made, "eval.py")
    if profile == "standard":
        files = [str(tmp_path / f"set/pictures/{number}.png") for number in range(4)]
        rows = list(csv.DictReader(io.StringIO(run(made, "predict.py", *files))))
        assert [row["prediction"] for row in rows] == ["left", "right", "left", "right"]


@pytest.mark.parametrize(
    ("row", "task", "extra"),
    [
        ("{file},{number}.5", "regression", {"target": "y"}),
        ("{file},{number}", "multiclass", {"target": "y"}),
        ("{file},{number},0", "regression", {"target": "y,z"}),
    ],
)
def test_a_table_of_images_and_numbers(tmp_path: Path, row: str, task: str, extra: dict[str, str]) -> None:
    row = row if task == "regression" else row.replace("{number}", "{kind}")
    write_list(tmp_path, "file,y,z" if "z" in extra["target"] else "file,y", row)
    made = make(tmp_path, data={"source": "labels.csv", **extra}, training={"epochs": 2})
    spec = Spec.from_toml(made / "torchgen.toml")
    assert spec.task == ("binary" if task == "multiclass" else task)
    run_tests(made, tmp_path)
    run(made, "train.py")
    run(made, "eval.py")


def test_files_of_a_list_that_are_not_there_stay_out(tmp_path: Path) -> None:
    path = write_list(tmp_path, "file,kind", "{file},{kind}")
    path.write_text(path.read_text() + "pictures/gone.png,left\n")
    spec = spec_of(tmp_path, source="labels.csv", target="kind")
    assert (spec.data.samples, spec.data.skipped) == (40, ("pictures/gone.png",))
    assert any("pictures/gone.png (No such file or directory)" in warning for warning in spec.data.warnings)
    run_tests(make(tmp_path, data={"source": "labels.csv", "target": "kind"}), tmp_path)
    with pytest.raises(SpecError, match="1 of 41 images"):
        spec_of(tmp_path, source="labels.csv", target="kind", strict=True)


def test_a_list_cannot_be_copied_without_its_images(tmp_path: Path) -> None:
    write_list(tmp_path, "file,kind", "{file},{kind}")
    with pytest.raises(SpecError, match="--copy-data would copy"):
        Spec.from_dict(
            {
                "name": "demo",
                "data": {"source": "labels.csv", "target": "kind"},
                "project": {"copy_data": True},
            },
            base=tmp_path,
        )


def test_a_label_that_is_new_is_said(tmp_path: Path) -> None:
    path = write_list(tmp_path, "file,kind", "{file},{kind}")
    made = make(tmp_path, data={"source": "labels.csv", "target": "kind"})
    path.write_text(path.read_text().replace("3.png,right", "3.png,middle"))
    assert "kind holds middle, not in CLASSES" in script_fails(made, "train.py", "--epochs", "1")


@pytest.mark.parametrize("augment", ["shift", "flip"])
def test_training_varies_images_and_nothing_else_does(tmp_path: Path, augment: str) -> None:
    write_folder(tmp_path / "d", range(24), size=(32, 48))
    made = make(tmp_path, data={"source": "d", "augment": augment})
    with inside(made):
        dataset: Any = importlib.import_module("dataset")
        train = dataset.load_splits(0).train
        assert torch.equal(train[0][0], train[0][0])
        batch = torch.stack([train[index][0] for index in range(8)])
        torch.manual_seed(0)
        varied = dataset.augment(batch)
        assert varied.shape == batch.shape and not torch.equal(varied, batch)
        assert dataset.SHIFT == 2  # a sixteenth of the shorter side
        edge, moved = torch.nn.functional.pad(batch, (2,) * 4, mode="replicate"), 0
        for image, one in zip(edge, varied, strict=True):
            pictures = [image, image.flip(2)] if augment == "flip" else [image]
            windows = [
                picture[:, top : top + 32, left : left + 48]
                for picture in pictures
                for top in range(5)
                for left in range(5)
            ]
            moved += any(torch.equal(one, window) for window in windows)
        assert moved == len(varied)
        torch.manual_seed(0)
        assert torch.equal(dataset.augment(batch), varied)  # the seed of an epoch decides


def test_images_as_they_are(tmp_path: Path) -> None:
    write_folder(tmp_path / "d", range(24))
    made = make(tmp_path, data={"source": "d", "augment": "none"})
    assert "augment" not in (made / "train.py").read_text() + (made / "dataset.py").read_text()
    run_tests(made, tmp_path)
