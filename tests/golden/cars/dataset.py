"""398 rows of a CSV file.

Usage:
    python dataset.py  # show the splits
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch.utils.data import TensorDataset

DATA = Path(__file__).parent / "../cars.csv"
TARGETS = ["Miles_per_Gallon"]
NUMBERS = ["Cylinders", "Displacement", "Horsepower", "Weight_in_lbs", "Acceleration"]
DATES = {"Year": "ISO8601"}  # each becomes year, month, day and day of the week
GAPS = [2]  # which of the numbers are sometimes missing
CATEGORIES = ["Origin"]
EMPTY = ["", "NA", "N/A", "NaN", "nan", "null", "NULL"]  # cells that hold nothing


def read_table(path: str | Path, columns: list[str]) -> pd.DataFrame:
    """The columns that are needed, each cell as text; stops with a message where one is missing."""
    # As text: pandas would turn a class called "None" into a missing value.
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    table.columns = [str(name).strip() for name in table.columns]
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise SystemExit(f"{path} has no column {', '.join(missing)}")
    return table[columns].apply(lambda cells: cells.str.strip())


def to_numbers(cells: pd.Series) -> pd.Series:
    """Cells as numbers, not-a-number where they hold none."""
    return pd.to_numeric(cells, errors="coerce")


def numbers_in(rows: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Everything in a row that is counted or measured: (N, 9)."""
    columns: list[Any] = [to_numbers(rows[name]) for name in NUMBERS]
    for name, form in DATES.items():
        day = pd.to_datetime(rows[name], format=form, errors="coerce").dt
        columns += [day.year, day.month, day.day, day.day_of_week]
    return np.column_stack(columns).astype(np.float64)


class Encoder:
    """Turns rows into inputs (N, 11) float32: numbers, a mark for each that may be missing, a code for each category.

    What it knows comes from the train split, and travels in the checkpoint: plain values.
    """

    def __init__(self) -> None:
        self.medians: list[float] = []
        self.words: list[list[str]] = []

    def fit(self, rows: pd.DataFrame) -> None:
        """Learn what stands in for a missing number, and the words of each category."""
        self.medians = pd.DataFrame(numbers_in(rows)).median().fillna(0).tolist()
        self.words = [sorted(set(rows[name]) - set(EMPTY)) for name in CATEGORIES]

    def encode(self, rows: pd.DataFrame) -> torch.Tensor:
        """Rows of the table as the network reads them."""
        numbers = numbers_in(rows)
        missing = np.isnan(numbers)
        columns: list[Any] = [np.where(missing, self.medians, numbers)]
        columns.append(missing[:, GAPS])  # the network may learn from a gap too
        for name, words in zip(CATEGORIES, self.words, strict=True):
            codes = {word: code for code, word in enumerate(words, start=1)}
            columns.append(rows[name].map(codes).fillna(0))  # 0: none, or never seen
        return torch.tensor(np.column_stack(columns), dtype=torch.float32)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        return dict(vars(self))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Know again what a checkpoint kept."""
        vars(self).update(state)


def labelled(rows: pd.DataFrame) -> tuple[pd.DataFrame, torch.Tensor]:
    """The rows that have a target, and their targets (N, 1) float32."""
    numbers = np.column_stack([to_numbers(rows[name]) for name in TARGETS])
    known = ~np.isnan(numbers).any(axis=1)
    return rows[known], torch.tensor(numbers[known], dtype=torch.float32)


class Splits(NamedTuple):
    """Train teaches, val chooses the checkpoint, test is for eval.py alone."""

    train: TensorDataset
    val: TensorDataset
    test: TensorDataset
    rows: list[list[int]]  # which rows of the table each of them has, from 0
    encoder: Encoder


def load_splits(seed: int) -> Splits:
    """Shuffle once with the seed, then cut: 280 train, 59 val and 59 test samples."""
    rows, targets = labelled(
        read_table(DATA, [*NUMBERS, *DATES, *CATEGORIES, *TARGETS])
    )
    train, val, test = cut(len(targets), seed)
    encoder = Encoder()
    encoder.fit(rows.iloc[train.numpy()])  # the other splits stay unseen
    inputs = encoder.encode(rows)
    return Splits(
        train=TensorDataset(inputs[train], targets[train]),
        val=TensorDataset(inputs[val], targets[val]),
        test=TensorDataset(inputs[test], targets[test]),
        rows=[rows.index[part.numpy()].tolist() for part in (train, val, test)],
        encoder=encoder,
    )


def cut(samples: int, seed: int) -> list[torch.Tensor]:
    """Which samples are for train, val and test."""
    order = torch.randperm(samples, generator=torch.Generator().manual_seed(seed))
    held = max(1, samples * 15 // 100)  # 15 percent
    return [order[2 * held :], order[:held], order[held : 2 * held]]


def statistics(train: TensorDataset) -> dict[str, torch.Tensor]:
    """What the model's buffers hold, from the train split alone: the others stay unseen."""
    inputs, targets = train.tensors
    mean, std = inputs.mean(dim=0), nonzero(inputs.std(dim=0, correction=0))
    # The codes stand last, and measure nothing.
    mean[-1:], std[-1:] = 0.0, 1.0
    return {
        "input_mean": mean,
        "input_std": std,
        "target_mean": targets.mean(dim=0),
        "target_std": nonzero(targets.std(dim=0, correction=0)),
    }


def nonzero(std: torch.Tensor) -> torch.Tensor:
    """A column that never changes has std 0; divide it by 1 instead, not by 0."""
    return torch.where(std > 0, std, 1.0)


def load_inputs(path: str, encoder: Encoder) -> torch.Tensor:
    """New samples for predict.py: a .csv file with the same columns, (N, 11) float32."""
    return encoder.encode(read_table(path, [*NUMBERS, *DATES, *CATEGORIES]))


def main() -> None:
    """Show the size of each split and one sample's shape and dtype."""
    splits = load_splits(seed=0)
    for name, split in zip(("train", "val", "test"), splits[:3], strict=True):
        inputs, targets = split[0]
        print(
            f"{name:<6}{len(split):>6,} samples   "
            f"inputs {tuple(inputs.shape)} {inputs.dtype}   "
            f"targets {tuple(targets.shape)} {targets.dtype}"
        )


if __name__ == "__main__":
    main()
