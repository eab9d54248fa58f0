"""250 samples of a Hugging Face dataset.

Usage:
    python dataset.py  # show the splits
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import datasets
import numpy as np
import pandas as pd
import torch
from torch.utils.data import TensorDataset

DATA = Path(__file__).parent / "."
TARGETS = ["label"]
CLASSES = ["bad", "good"]
# How many words of each text are read, and how many ids there are.
TEXTS = {"text": (6, 8)}
EMPTY = ["", "NA", "N/A", "NaN", "nan", "null", "NULL"]  # cells that hold nothing


def load_part(part: str) -> datasets.Dataset:
    """One split of the data, as it was published."""
    data = datasets.load_from_disk(DATA)
    whole: datasets.Dataset = data[part]
    return whole


def read_table(part: str, columns: list[str]) -> pd.DataFrame:
    """Some columns of a split, each cell as text, each row named as `train:12`."""
    data = load_part(part).select_columns(columns)
    table: pd.DataFrame = data.to_pandas()
    for name, feature in data.features.items():
        if isinstance(feature, datasets.ClassLabel):  # numbers that stand for names
            table[name] = [
                feature.int2str(int(code)) if code >= 0 else "" for code in table[name]
            ]
    table = table.map(str, na_action="ignore").astype(object).where(table.notna(), "")
    table.index = [f"{part}:{row}" for row in range(len(table))]
    return table.apply(lambda cells: cells.str.strip())


def words_in(text: str) -> list[str]:
    """The words of a text, without punctuation."""
    return re.findall(r"\w+", text.lower())


class Encoder:
    """Turns rows into inputs (N, 6) long: an id for each word of a text, 0 past its end.

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
    rows: list[list[str]]  # which rows of the data each of them has
    encoder: Encoder


def load_splits(seed: int) -> Splits:
    """Shuffle once with the seed, then cut class by class: 170 train, 30 val and 50 test samples."""
    columns = [*TEXTS, *TARGETS]
    rows, targets = labelled(read_table("train", columns))
    parts = cut(targets.flatten(), seed)
    train, val = ((rows.iloc[part.numpy()], targets[part]) for part in parts)
    test = labelled(read_table("test", columns))
    encoder = Encoder()
    encoder.fit(train[0])  # the other splits stay unseen
    return Splits(
        train=TensorDataset(encoder.encode(train[0]), train[1]),
        val=TensorDataset(encoder.encode(val[0]), val[1]),
        test=TensorDataset(encoder.encode(test[0]), test[1]),
        rows=[rows.index.tolist() for rows, _ in (train, val, test)],
        encoder=encoder,
    )


def cut(labels: torch.Tensor, seed: int) -> list[torch.Tensor]:
    """Which samples are for train and val: each gets its share of every class."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    part = torch.zeros(len(labels), dtype=torch.long)  # 0: train
    for label in torch.unique(labels):
        members = order[labels[order] == label]
        held = max(len(members) * 15 // 100, int(len(members) > 2))  # 15 percent
        part[members[:held]] = 1
    return [order[part[order] == index] for index in range(2)]


def load_inputs(path: str, encoder: Encoder) -> torch.Tensor:
    """New samples for predict.py: a .csv file with the same columns, (N, 6) long."""
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [name for name in [*TEXTS] if name not in rows.columns]
    if missing:
        raise SystemExit(f"{path} has no column {', '.join(missing)}")
    return encoder.encode(rows)


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
