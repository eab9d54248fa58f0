"""500 rows of a CSV file.

Usage:
    python dataset.py  # show the splits
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch.utils.data import TensorDataset

DATA = Path(__file__).parent / "../houses.csv"
TARGETS = ["sold"]
CLASSES = ["no", "yes"]
NUMBERS = ["rooms", "area (m2)", "class"]
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
    """Everything in a row that is counted or measured: (N, 3)."""
    columns: list[Any] = [to_numbers(rows[name]) for name in NUMBERS]
    return np.column_stack(columns).astype(np.float64)


def to_inputs(rows: pd.DataFrame) -> torch.Tensor:
    """Rows of the table as the network reads them, (N, 3) float32."""
    inputs = numbers_in(rows)
    if not np.isfinite(inputs).all():
        raise ValueError("a cell is empty, or holds no number")
    return torch.tensor(inputs, dtype=torch.float32)


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
    rows: list[list[int]]  # which rows of the table each of them has, from 0


def load_splits(seed: int) -> Splits:
    """Shuffle once with the seed, then cut class by class: 350 train, 75 val and 75 test samples."""
    rows, targets = labelled(read_table(DATA, [*NUMBERS, *TARGETS]))
    train, val, test = cut(targets.flatten(), seed)
    inputs = to_inputs(rows)
    return Splits(
        train=TensorDataset(inputs[train], targets[train]),
        val=TensorDataset(inputs[val], targets[val]),
        test=TensorDataset(inputs[test], targets[test]),
        rows=[rows.index[part.numpy()].tolist() for part in (train, val, test)],
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
    return {
        "input_mean": inputs.mean(dim=0),
        "input_std": nonzero(inputs.std(dim=0, correction=0)),
    }


def nonzero(std: torch.Tensor) -> torch.Tensor:
    """A column that never changes has std 0; divide it by 1 instead, not by 0."""
    return torch.where(std > 0, std, 1.0)


def load_inputs(path: str) -> torch.Tensor:
    """New samples for predict.py: a .csv file with the same columns, (N, 3) float32."""
    return to_inputs(read_table(path, NUMBERS))


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
