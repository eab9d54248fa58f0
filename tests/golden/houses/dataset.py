"""500 rows of a CSV file.

Usage:
    python dataset.py  # show the splits
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch.utils.data import TensorDataset

DATA = Path(__file__).parent / "../houses.csv"
COLUMNS = ["rooms", "area (m2)", "class"]
TARGETS = ["sold"]
CLASSES = ["no", "yes"]


def load_tensors() -> tuple[torch.Tensor, torch.Tensor]:
    """inputs (N, 3) float32, targets (N, 1) float32."""
    table = read_table(DATA, [*COLUMNS, *TARGETS])
    inputs = torch.tensor(table[COLUMNS].to_numpy(np.float32))
    names = [str(label).strip() for label in table[TARGETS[0]]]
    unknown = sorted(set(names) - set(CLASSES))
    if unknown:
        raise SystemExit(
            f"{DATA}: column {TARGETS[0]} holds {', '.join(unknown)}, not in CLASSES"
        )
    targets = torch.tensor([CLASSES.index(name) for name in names], dtype=torch.float32)
    return inputs, targets.reshape(-1, 1)


def read_table(path: str | Path, columns: list[str]) -> pd.DataFrame:
    """The columns that are needed, as the file has them; stops with a message where one is missing."""
    # Cells are read as text: pandas would turn a class called "None" or "NA" into a missing value.
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    table.columns = table.columns.str.strip()
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise SystemExit(f"{path} has no column {', '.join(missing)}")
    return table[columns]


class Splits(NamedTuple):
    """Train teaches, val chooses the checkpoint, test is for eval.py alone."""

    train: TensorDataset
    val: TensorDataset
    test: TensorDataset


def load_splits(seed: int) -> Splits:
    """Shuffle once with the seed, then cut class by class: 350 train, 75 val and 75 test samples."""
    inputs, targets = load_tensors()
    train, val, test = cut(targets.flatten(), seed)
    return Splits(
        train=TensorDataset(inputs[train], targets[train]),
        val=TensorDataset(inputs[val], targets[val]),
        test=TensorDataset(inputs[test], targets[test]),
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
    """New samples for predict.py: a .csv file with the input columns, (N, 3) float32."""
    return torch.tensor(read_table(path, COLUMNS).to_numpy(np.float32))


def main() -> None:
    """Show the size of each split and one sample's shape and dtype."""
    for name, split in load_splits(seed=0)._asdict().items():
        inputs, targets = split[0]
        print(
            f"{name:<6}{len(split):>6,} samples   "
            f"inputs {tuple(inputs.shape)} {inputs.dtype}   "
            f"targets {tuple(targets.shape)} {targets.dtype}"
        )


if __name__ == "__main__":
    main()
