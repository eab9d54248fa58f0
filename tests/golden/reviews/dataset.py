"""300 rows of a CSV file.

Usage:
    python dataset.py  # show the splits
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch.utils.data import TensorDataset

DATA = Path(__file__).parent / "../reviews.csv"
TARGETS = ["verdict"]
CLASSES = ["bad", "good"]
# How many words of each text are read, and how many ids there are.
TEXTS = {"review": (20, 17)}
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


def words_in(text: str) -> list[str]:
    """The words of a text, without punctuation."""
    return re.findall(r"\w+", text.lower())


class Encoder:
    """Turns rows into inputs (N, 20) long: an id for each word of a text, 0 past its end.

    What it knows comes from the train split, and travels in the checkpoint: plain values.
    """

    def __init__(self) -> None:
        self.vocabularies: list[list[str]] = []

    def fit(self, rows: pd.DataFrame) -> None:
        """Learn the usual words of each text."""
        self.vocabularies = []
        for name, (_, ids) in TEXTS.items():
            counts = Counter(word for text in rows[name] for word in words_in(text))
            # A word that stands once teaches nothing: it is unknown, as new words are.
            often = [word for word, count in counts.most_common(ids - 2) if count > 1]
            self.vocabularies.append(often)

    def encode(self, rows: pd.DataFrame) -> torch.Tensor:
        """Rows of the table as the network reads them."""
        columns: list[Any] = []
        for (name, (length, _)), words in zip(
            TEXTS.items(), self.vocabularies, strict=True
        ):
            ids = {word: number for number, word in enumerate(words, start=2)}
            # 1: a word without an id of its own; 0: past the end.
            texts = [
                [ids.get(word, 1) for word in words_in(text)[:length]]
                for text in rows[name]
            ]
            columns.append([text + [0] * (length - len(text)) for text in texts])
        return torch.tensor(np.column_stack(columns), dtype=torch.long)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        return dict(vars(self))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Know again what a checkpoint kept."""
        vars(self).update(state)


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
    encoder: Encoder


def load_splits(seed: int) -> Splits:
    """Shuffle once with the seed, then cut class by class: 212 train, 44 val and 44 test samples."""
    rows, targets = labelled(read_table(DATA, [*TEXTS, *TARGETS]))
    train, val, test = cut(targets.flatten(), seed)
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


def load_inputs(path: str, encoder: Encoder) -> torch.Tensor:
    """New samples for predict.py: a .csv file with the same columns, (N, 20) long."""
    return encoder.encode(read_table(path, [*TEXTS]))


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
