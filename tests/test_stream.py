"""Parquet files that are read piece by piece, in the generator and in the project."""

from __future__ import annotations

import csv
import importlib
import io
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader

from projects import inside, make, run, run_tests, script_fails
from test_training import load, same
from torchgen_scaffold import Spec, SpecError
from torchgen_scaffold.sources.table import stream

ROWS = 2000
ON = {"source": "d.parquet", "stream": True}


def table(rows: int = ROWS) -> pd.DataFrame:
    """Some of everything; `sold` follows from size and colour, `price` from size."""
    chance = np.random.default_rng(0)
    size = chance.normal(size=rows)
    colour = chance.choice(["red", "green", "blue"], rows)
    return pd.DataFrame(
        {
            " size": np.where(chance.random(rows) < 0.1, np.nan, size),
            "colour": colour,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(chance.integers(0, 10**8, rows), unit="s"),
            "open": chance.random(rows) < 0.5,
            "shop": chance.integers(0, 40, rows),
            "remark": [f"a good thing of kind {n % 50} it is" for n in range(rows)],
            "sold": [
                None if n == 3 else ["no", "yes"][int(value + (tint == "red") > 0.3)]
                for n, (value, tint) in enumerate(zip(size, colour, strict=True))
            ],
            "price": 100 + 20 * size,
            "stars": chance.integers(1, 4, rows),
        }
    )


def write(folder: Path, rows: int = ROWS) -> pd.DataFrame:
    frame = table(rows)
    frame.to_parquet(folder / "d.parquet", row_group_size=300)
    return frame


@pytest.mark.parametrize(
    ("data", "extra"),
    [
        ({"target": "sold", "drop": "price"}, {}),
        ({"target": "sold", "group": "shop"}, {"project": {"profile": "lesson"}}),
        ({"target": "sold", "time": "since"}, {}),
        ({"target": "price", "time": "shop"}, {}),
        ({"target": "stars"}, {"task": "multiclass"}),
        ({"target": "stars"}, {"task": "regression", "project": {"profile": "lesson"}}),
        ({"target": "sold", "drop": " size,colour,since,open,shop,price,stars"}, {}),  # a text alone
    ],
    ids=str,
)
def test_a_streamed_table_trains(tmp_path: Path, data: dict[str, str], extra: dict[str, Any]) -> None:
    frame = write(tmp_path)
    made = make(tmp_path, data={**ON, **data}, training={"epochs": 2}, **extra)
    spec = Spec.from_toml(made / "torchgen.toml")
    assert spec.data.streams and spec.data.samples == int(frame[data["target"]].notna().sum())
    assert spec == Spec.from_dict(
        {"name": "project", "data": {**ON, **data}, "training": {"epochs": 2}, **extra}, base=tmp_path
    )
    run_tests(made, tmp_path)
    run(made, "train.py")
    run(made, "eval.py")
    if "project" not in extra:
        frame.head(50).to_parquet(tmp_path / "new.parquet")
        assert len(run(made, "predict.py", str(tmp_path / "new.parquet")).splitlines()) == 51
        assert len(run(made, "predict.py").splitlines()) == 6
        check_splits(made, frame, data)


def check_splits(made: Path, frame: pd.DataFrame, data: dict[str, str]) -> None:
    """splits.csv has each row that has a target once, cut as was asked."""
    with (made / "outputs/splits.csv").open(newline="") as file:
        rows = [(int(row["sample"]), row["split"]) for row in csv.DictReader(file)]
    known = frame.index[frame[data["target"]].notna()]
    assert sorted(number for number, _ in rows) == known.tolist()
    shares = Counter(split for _, split in rows)
    assert 0.6 < shares["train"] / len(rows) < 0.8 and min(shares.values()) > 100
    of = dict(rows)
    if "group" in data:
        groups = frame.loc[known].groupby(data["group"]).groups.values()
        assert all(len({of[row] for row in group}) == 1 for group in groups)
    if "time" in data:
        times = {split: [frame[data["time"]][row] for row in known if of[row] == split] for split in shares}
        assert max(times["train"]) <= min(times["val"]) and max(times["val"]) <= min(times["test"])


def test_groups_stay_together(tmp_path: Path) -> None:
    frame = write(tmp_path)
    data = {"target": "sold", "group": "shop"}
    made = make(tmp_path, data={**ON, **data})
    run(made, "train.py", "--epochs", "1")
    check_splits(made, frame, data)


def test_what_is_streamed_is_what_would_be_loaded(tmp_path: Path) -> None:
    """The same rows come, each as the whole table's encoder gives it."""
    write(tmp_path)
    columns = {"target": "price", "drop": "remark,sold"}
    streamed = make(tmp_path, "streamed", data={**ON, **columns})
    whole = make(tmp_path, "whole", data={"source": "d.parquet", **columns})
    assert (
        Spec.from_toml(streamed / "torchgen.toml").data.kinds
        == Spec.from_toml(whole / "torchgen.toml").data.kinds
    )
    with inside(streamed):
        dataset: Any = importlib.import_module("dataset")
        splits = dataset.load_splits(0)
        rows = [list(numbers) for numbers in splits.rows]
        val = list(splits.val)
        train = list(splits.train)
        state = splits.encoder.state_dict()
        again = list(splits.train)
    assert [len(split) for split in (splits.train, splits.val, splits.test)] == list(map(len, rows))
    assert len(train) == len(again) == len(rows[0])
    assert not all(torch.equal(one, other) for (one, _), (other, _) in zip(train, again, strict=True))
    with inside(whole):
        dataset = importlib.import_module("dataset")
        encoder = dataset.Encoder()
        encoder.load_state_dict(state)
        frame, targets = dataset.labelled(dataset.read_table(dataset.DATA, [*own_columns(dataset), "price"]))
        inputs = encoder.encode(frame)
    for (one, target), row in zip(val, rows[1], strict=True):
        torch.testing.assert_close(one, inputs[row])
        torch.testing.assert_close(target, targets[row])
    both = [tuple(one.tolist()) for one, _ in train]
    assert Counter(both) == Counter(tuple(inputs[row].tolist()) for row in rows[0])


def own_columns(dataset: Any) -> list[str]:
    return [*dataset.NUMBERS, *dataset.BOOLEANS, *dataset.DATES, *dataset.CATEGORIES]


@pytest.mark.parametrize("part", ["train", "val"])
def test_workers_share_the_rows(tmp_path: Path, part: str) -> None:
    write(tmp_path)
    made = make(tmp_path, data={**ON, "target": "price", "drop": "remark,sold"})
    with inside(made):
        split = getattr(importlib.import_module("dataset").load_splits(0), part)
        alone = sorted(float(target) for _, target in split)
        # Forked, so that they know the module as it stands here.
        loader = DataLoader(split, 50, num_workers=2, multiprocessing_context="fork")
        for _ in range(2):
            assert sorted(float(target) for _, targets in loader for target in targets) == alone


def test_a_large_file_is_streamed_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    data = {"source": "d.parquet", "target": "price"}
    monkeypatch.setattr(stream, "LARGEST_WHOLE", ROWS * 9)
    assert not Spec.from_dict({"name": "demo", "data": data}, base=tmp_path).data.streams
    monkeypatch.setattr(stream, "LARGEST_WHOLE", ROWS * 9 - 1)
    spec = Spec.from_dict({"name": "demo", "data": data}, base=tmp_path)
    assert spec.data.streams and dict(spec.data.says)["(rows)"].startswith("2,000 rows, read piece by piece")
    small = {**data, "stream": False}
    assert not Spec.from_dict({"name": "demo", "data": small}, base=tmp_path).data.streams
    frame = table().assign(odd=lambda rows: rows["shop"] % 2)
    frame.to_parquet(tmp_path / "d.parquet")
    # A sequence is put together from rows all over the file, which is read whole for that.
    sequences = {"source": "d.parquet", "group": "shop", "time": "since", "target": "odd"}
    assert not Spec.from_dict({"name": "demo", "data": sequences}, base=tmp_path).data.streams


@pytest.mark.parametrize("judged", [100, 7])
def test_classes_are_counted_in_all_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, judged: int
) -> None:
    frame = write(tmp_path)
    frame.loc[1501, "sold"] = "maybe"  # one row that no sample of the file would meet
    frame.to_parquet(tmp_path / "d.parquet", row_group_size=300)
    monkeypatch.setattr(stream, "JUDGED", judged)
    monkeypatch.setattr(stream, "PIECE", 333)
    spec = Spec.from_dict({"name": "demo", "data": {**ON, "target": "sold"}}, base=tmp_path)
    counts = frame["sold"].value_counts()
    assert spec.task == "multiclass" and spec.data.classes == ("maybe", "no", "yes")
    assert spec.data.counts == tuple(int(counts[name]) for name in spec.data.classes)
    assert spec.data.samples == int(counts.sum())


@pytest.mark.parametrize(
    ("value", "target", "words"),
    [
        (np.inf, "price", "row 1,502: inf"),
        (2.5, "stars", "holds 2.5"),
    ],
)
def test_targets_are_checked_in_all_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float, target: str, words: str
) -> None:
    frame = write(tmp_path).astype({"stars": float})
    frame.loc[1501, target] = value
    frame.to_parquet(tmp_path / "d.parquet", row_group_size=300)
    monkeypatch.setattr(stream, "JUDGED", 100)
    with pytest.raises(SpecError) as refused:
        Spec.from_dict({"name": "demo", "data": {**ON, "target": target}}, base=tmp_path)
    (problem,) = refused.value.problems
    assert words in problem.what + problem.why


def test_labels_are_counted_in_all_rows(tmp_path: Path) -> None:
    frame = write(tmp_path)
    frame["warm"], frame["dear"] = (frame["colour"] == "red").astype(int), (frame["price"] > 120).astype(int)
    frame.to_parquet(tmp_path / "d.parquet", row_group_size=300)
    made = make(tmp_path, data={**ON, "target": "warm,dear"}, training={"epochs": 1})
    spec = Spec.from_toml(made / "torchgen.toml")
    assert spec.task == "multilabel"
    assert spec.data.counts == (int(frame["warm"].sum()), int(frame["dear"].sum()))
    run_tests(made, tmp_path)
    run(made, "train.py")
    run(made, "eval.py")


def test_a_gap_that_no_judged_row_had_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = write(tmp_path).drop(columns="sold")
    frame.loc[1501, "stars"] = np.nan
    frame.to_parquet(tmp_path / "d.parquet", row_group_size=300)
    monkeypatch.setattr(stream, "JUDGED", 100)
    made = make(tmp_path, data={**ON, "target": "price"})
    with inside(made):
        splits = importlib.import_module("dataset").load_splits(0)
        assert all(inputs.isfinite().all() for split in splits[:3] for inputs, _ in split)


def test_a_small_file_is_not_streamed(tmp_path: Path) -> None:
    write(tmp_path, rows=999)
    with pytest.raises(SpecError, match=r"has 999 rows, and data.stream cuts by chance"):
        Spec.from_dict({"name": "demo", "data": {**ON, "target": "price"}}, base=tmp_path)


def test_few_groups_are_not_cut_by_chance(tmp_path: Path) -> None:
    frame = write(tmp_path)
    frame["shop"] = np.arange(ROWS) % 29
    frame.to_parquet(tmp_path / "d.parquet", row_group_size=300)
    with pytest.raises(SpecError, match="has 29 different values, and a streamed file cuts them by chance"):
        Spec.from_dict({"name": "demo", "data": {**ON, "target": "price", "group": "shop"}}, base=tmp_path)


def test_a_seed_that_leaves_a_split_empty_is_said(tmp_path: Path) -> None:
    frame = write(tmp_path)
    made = make(tmp_path, data={**ON, "target": "price", "group": "shop"})
    frame["shop"] = np.arange(ROWS) % 2  # the data has changed since
    frame.to_parquet(tmp_path / "d.parquet", row_group_size=300)
    assert "one of the splits has no rows" in script_fails(made, "train.py", "--epochs", "1")


def test_predict_says_which_column_is_missing(tmp_path: Path) -> None:
    frame = write(tmp_path)
    made = make(tmp_path, data={**ON, "target": "price"})
    run(made, "train.py", "--epochs", "1")
    frame.drop(columns="colour").to_parquet(tmp_path / "new.parquet")
    assert "has no column colour" in script_fails(made, "predict.py", str(tmp_path / "new.parquet"))
    frame.to_parquet(tmp_path / "new.parquet")
    rows = list(csv.DictReader(io.StringIO(run(made, "predict.py", str(tmp_path / "new.parquet")))))
    assert len(rows) == ROWS and all(np.isfinite(float(row["price"])) for row in rows)


def test_a_streamed_run_goes_on_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    write(tmp_path)
    made = make(tmp_path, data={**ON, "target": "price"})
    run(made, "train.py", "--epochs", "3", "--output-dir", "whole")
    run(made, "train.py", "--epochs", "1", "--output-dir", "halves")
    run(made, "train.py", "--epochs", "3", "--output-dir", "halves", "--resume")
    whole, halves = (load(made / folder / "last.pt") for folder in ("whole", "halves"))
    assert same(whole, halves)


def test_each_epoch_reads_the_pieces_in_another_order(tmp_path: Path) -> None:
    write(tmp_path)
    made = make(tmp_path, data={**ON, "target": "price"})
    with inside(made):
        train = importlib.import_module("dataset").load_splits(0).train
        loader = importlib.import_module("batches").make_loader(train, 50, torch.device("cpu"), shuffle=True)
        firsts = []
        for seed in (1, 2, 1):
            torch.manual_seed(seed)
            firsts.append(next(iter(loader))[1])
        assert torch.equal(firsts[0], firsts[2]) and not torch.equal(firsts[0], firsts[1])
