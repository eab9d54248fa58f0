"""Every data source, with each of its roles and sets, is laid out without black and as black would."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from test_folding import by_black, rendered
from torchgen_scaffold import Spec
from torchgen_scaffold.folding import fold

TABLE = {"target": ["y"], "columns": ["a", "b"], "classes": ["no", "yes"], "counts": [50, 50], "samples": 100}
ROLES: list[dict[str, Any]] = [
    {},
    {"group": ["g"]},
    {"time": ["t"], "time_format": "number"},
    {"time": ["t"], "time_format": "%Y-%m-%d"},
]
IMAGES = {"classes": ["a", "b", "c"], "counts": [30] * 3, "samples": 90, "resize": [32, 32]}
TWO = {"parts": ["train", "test"], "test_samples": 10}
THREE = {"parts": ["train", "validation", "test"], "val_samples": 9, "test_samples": 10}


def answers(task: str, inputs: list[int], outputs: list[int], **data: Any) -> dict[str, Any]:
    return {"name": "t", "task": task, "input_shape": inputs, "output_shape": outputs, "data": data}


def every_source() -> Iterator[dict[str, Any]]:
    """Answers with the facts of data that need not be there."""
    for source in ("csv:rows.csv", "excel:rows.xlsx", "jsonl:rows.jsonl", "parquet:rows.parquet"):
        for role in ROLES:
            yield answers("binary", [2], [1], **TABLE, source=source, **role)
        steps = {"group": ["g"], "time": ["t"], "time_format": "number"}
        yield answers("binary", [7, 2], [1], **TABLE, source=source, **steps)
        yield answers("binary", [3], [1], **TABLE, source=source, kinds=["number gaps", "category 4"])
    german = {"separator": ";", "decimal": ",", "encoding": "cp1252", "header": False}
    yield answers("binary", [2], [1], **TABLE, source="csv:rows.csv", **german)
    for source, sets in product(("hf:me/rows", "hfdir:rows"), ({}, TWO, THREE)):
        yield answers("binary", [2], [1], **TABLE, source=source, **sets)
    for source, sets, augment in product(
        ("hf:me/pics", "images:pics"), (TWO, THREE), ("none", "shift", "flip")
    ):
        columns = (
            {} if source == "images:pics" else {"target": ["y"], "columns": ["image"], "kinds": ["image"]}
        )
        yield answers(
            "multiclass", [3, 32, 32], [3], **IMAGES, source=source, augment=augment, **sets, **columns
        )
    named = {"target": ["y"], "columns": ["file"]}
    yield answers("multiclass", [3, 32, 32], [3], **IMAGES, source="imagelist:pics.csv", **named)
    shapes = ([5], [7, 3], [1, 8, 8], [1, 4, 5, 6])
    for source, shape, test in product(("npz:a.npz", "npy:X.npy"), shapes, ({}, {"test_samples": 20})):
        yield answers("multiclass", shape, [3], source=source, samples=100, classes=["0", "1", "2"], **test)


@pytest.mark.parametrize("profile", ["standard", "lesson"])
def test_a_source_needs_no_black(profile: str) -> None:
    for request in every_source():
        spec = Spec.from_dict({**request, "project": {"profile": profile}})
        for path, template, text in rendered(spec):
            if path in ("dataset.py", "predict.py"):  # the others do not tell sources apart
                assert fold(text) == by_black(text), f"{template} of {request['data']}"
