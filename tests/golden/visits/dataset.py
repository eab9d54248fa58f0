"""120 sequences from the rows of a CSV file.

Usage:
    python dataset.py  # show the splits
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch.utils.data import TensorDataset

DATA = Path(__file__).parent / "../patients.csv"
TARGETS = ["ill"]
CLASSES = ["no", "yes"]
GROUP = "patient"  # rows with the same one are a sequence
TIME = "day"  # the order of its time steps
STEPS = 14  # of a longer sequence the last ones are read
NUMBERS = ["pulse"]
CATEGORIES = ["state"]
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
    """Everything in a row that is counted or measured: (N, 1)."""
    columns: list[Any] = [to_numbers(rows[name]) for name in NUMBERS]
    return np.column_stack(columns).astype(np.float64)


class Encoder:
    """Turns rows into inputs (rows, 2) float32: numbers, a code for each category.

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


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as time goes by."""
    times = to_numbers(rows[TIME])
    return rows.iloc[np.argsort(times.to_numpy(), kind="stable")]


def to_sequences(rows: pd.DataFrame, inputs: torch.Tensor) -> torch.Tensor:
    """A sequence for each group of rows, (N, 14, 2) float32: past its end there is NaN."""
    places = rows.groupby(GROUP).indices  # in order: rows have been sorted by time
    sequences = torch.full((len(places), STEPS, 2), torch.nan)
    for sequence, name in zip(sequences, rows[GROUP].unique(), strict=True):
        steps = inputs[places[name][-STEPS:]]
        sequence[: len(steps)] = steps
    return sequences


def labelled(rows: pd.DataFrame) -> tuple[pd.DataFrame, torch.Tensor]:
    """The rows that have a target, and their targets (N, 1) float32."""
    rows = rows[~rows[TARGETS[0]].isin(EMPTY)]
    names = rows[TARGETS[0]].tolist()
    unknown = sorted(set(names) - set(CLASSES))
    if unknown:
        raise SystemExit(f"{TARGETS[0]} holds {', '.join(unknown)}, not in CLASSES")
    targets = torch.tensor([CLASSES.index(name) for name in names], dtype=torch.float32)
    return rows, targets.reshape(-1, 1)


class Splits(NamedTuple):
    """Train teaches, val chooses the checkpoint, test is for eval.py alone."""

    train: TensorDataset
    val: TensorDataset
    test: TensorDataset
    rows: list[list[str]]  # which sequences each of them has
    encoder: Encoder


def load_splits(seed: int) -> Splits:
    """Shuffle once with the seed, then cut class by class: 84 train, 18 val and 18 test samples."""
    rows, targets = labelled(
        in_order(read_table(DATA, [*NUMBERS, *CATEGORIES, *TARGETS, GROUP, TIME]))
    )
    targets = targets[~rows[GROUP].duplicated().to_numpy()]  # the same at each step
    train, val, test = cut(targets.flatten(), seed)
    names = rows[GROUP].unique()
    encoder = Encoder()
    # The other splits stay unseen.
    encoder.fit(rows[rows[GROUP].isin(names[train.numpy()])])
    inputs = to_sequences(rows, encoder.encode(rows))
    return Splits(
        train=TensorDataset(inputs[train], targets[train]),
        val=TensorDataset(inputs[val], targets[val]),
        test=TensorDataset(inputs[test], targets[test]),
        rows=[names[part.numpy()].tolist() for part in (train, val, test)],
        encoder=encoder,
    )


def cut(labels: torch.Tensor, seed: int) -> list[torch.Tensor]:
    """Which samples are for train, val and test: each gets its share of every class."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    part = torch.zeros(len(labels), dtype=torch.long)  # 0: train
    for label in torch.unique(labels):
        members = order[labels[order] == label]
        held = max(len(members) * 15 // 100, int(len(members) > 2))  # 15 percent
        part[members[:held]] = 1
        part[members[held : 2 * held]] = 2
    return [order[part[order] == index] for index in range(3)]


def statistics(train: TensorDataset) -> dict[str, torch.Tensor]:
    """What the model's buffers hold, from the train split alone: the others stay unseen."""
    inputs, _ = train.tensors
    inputs = inputs[~inputs[..., 0].isnan()]  # the real time steps alone
    mean, std = inputs.mean(dim=0), nonzero(inputs.std(dim=0, correction=0))
    # The codes stand last, and measure nothing.
    mean[-1:], std[-1:] = 0.0, 1.0
    return {
        "input_mean": mean,
        "input_std": std,
    }


def nonzero(std: torch.Tensor) -> torch.Tensor:
    """A column that never changes has std 0; divide it by 1 instead, not by 0."""
    return torch.where(std > 0, std, 1.0)


def load_inputs(path: str, encoder: Encoder) -> tuple[list[str], torch.Tensor]:
    """New sequences for predict.py, and the names of their groups: (N, 14, 2) float32."""
    rows = in_order(read_table(path, [*NUMBERS, *CATEGORIES, GROUP, TIME]))
    inputs = encoder.encode(rows)
    return rows[GROUP].unique().tolist(), to_sequences(rows, inputs)


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
