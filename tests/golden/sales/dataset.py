"""5,000 rows of a Parquet file.

The file is read piece by piece, over and over, so that it may be larger than the memory.

Usage:
    python dataset.py  # show the splits
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import torch
from torch.utils.data import IterableDataset, get_worker_info

DATA = Path(__file__).parent / "../sales.parquet"
TARGETS = ["price"]
NUMBERS = ["size"]
CATEGORIES = ["kind"]
EMPTY = ["", "NA", "N/A", "NaN", "nan", "null", "NULL"]  # cells that hold nothing
PIECE = 10_000  # rows that are read at a time
BLOCK = 100_000  # rows that training shuffles at a time
SAMPLE = 100_000  # rows of the train split, spread over it, that stand for all of it
Some = tuple[torch.Tensor, torch.Tensor]  # inputs and targets of some rows


def as_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Numbers as they are, and all other cells as text."""
    rows.columns = [str(name).strip() for name in rows.columns]
    for name in rows.select_dtypes(exclude="number"):
        cells = rows[name].map(str, na_action="ignore").astype(object)
        rows[name] = cells.where(rows[name].notna(), "").str.strip()
    return rows


def to_numbers(cells: pd.Series) -> pd.Series:
    """Cells as numbers, not-a-number where they hold none."""
    return pd.to_numeric(cells, errors="coerce")


def numbers_in(rows: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Everything in a row that is counted or measured: (N, 1)."""
    columns: list[Any] = [to_numbers(rows[name]) for name in NUMBERS]
    return np.column_stack(columns).astype(np.float64)


class Encoder:
    """Turns rows into inputs (N, 2) float32: numbers, a code for each category.

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


def labelled(rows: pd.DataFrame) -> tuple[pd.DataFrame, torch.Tensor]:
    """The rows that have a target, and their targets (N, 1) float32."""
    numbers = np.column_stack([to_numbers(rows[name]) for name in TARGETS])
    known = ~np.isnan(numbers).any(axis=1)
    return rows[known], torch.tensor(numbers[known], dtype=torch.float32)


def own_names(file: pq.ParquetFile) -> dict[str, str]:
    """The columns of the file as it spells them, by their names without spaces around them."""
    return {str(name).strip(): name for name in file.schema_arrow.names}


def split_of(rows: pd.DataFrame, chance: np.random.Generator) -> np.ndarray[Any, Any]:
    """The split of each row, 0 for train, 1 for val and 2 for test: 70, 15 and 15 percent."""
    return np.digitize(chance.random(len(rows)), [0.7, 0.85])


def read_pieces(
    seed: int, columns: list[str], order: list[int] | None = None, step: int = 1
) -> Iterator[tuple[pd.DataFrame, np.ndarray[Any, Any]]]:
    """Every `step`-th row, piece by piece, with the split of each; `order` is that of the file's row groups."""
    file = pq.ParquetFile(DATA)
    names = own_names(file)
    missing = [name for name in columns if name not in names]
    if missing:
        raise SystemExit(f"{DATA} has no column {', '.join(missing)}")
    wanted = [names[name] for name in columns]
    groups = range(file.num_row_groups)
    sizes = [file.metadata.row_group(group).num_rows for group in groups]
    for group in groups if order is None else order:
        first = sum(sizes[:group])
        chance = np.random.default_rng([seed, group])  # the same in every pass
        for piece in file.iter_batches(PIECE, row_groups=[group], columns=wanted):
            rows = piece.to_pandas()
            rows.columns = [str(name).strip() for name in rows.columns]
            rows.index = range(first, first + len(rows))  # its number in the file
            first += len(rows)
            parts = split_of(rows, chance)
            yield as_text(rows[::step].copy()), parts[::step]


class Rows(IterableDataset[tuple[torch.Tensor, torch.Tensor]]):
    """The rows of one split: inputs (2,) float32 and a target. Those of train come in another order each time."""

    def __init__(self, part: int, seed: int, length: int, encoder: Encoder) -> None:
        self.part, self.seed, self.length = part, seed, length
        self.encoder = encoder

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for inputs, targets in self.blocks():
            yield from zip(inputs, targets, strict=True)

    def batches(self, size: int) -> Iterator[Some]:
        """Its rows, `size` at a time."""
        rest: list[Some] = []
        for block in self.blocks():
            inputs, targets = joined([*rest, block])
            whole = len(targets) - len(targets) % size
            batches = (torch.split(part[:whole], size) for part in (inputs, targets))
            yield from zip(*batches, strict=True)
            rest = [(inputs[whole:], targets[whole:])]
        yield from (last for last in rest if len(last[1]))

    def blocks(self) -> Iterator[Some]:
        """Its rows, as many as are read at a time; those of train shuffled."""
        worker = get_worker_info()
        if worker:
            # Each takes its share of one order, or rows would come several times.
            pieces = self.pieces(worker.seed - worker.id)
            pieces = islice(pieces, worker.id, None, worker.num_workers)
        else:
            pieces = self.pieces(int(torch.randint(2**31, ())))
        yield from shuffled(pieces) if self.part == 0 else pieces

    def pieces(self, order_seed: int) -> Iterator[Some]:
        """Inputs (N, 2) float32 and targets (N, 1) float32, as many as stand together in the file."""
        chance = torch.Generator().manual_seed(order_seed)
        groups = pq.ParquetFile(DATA).num_row_groups
        order = torch.randperm(groups, generator=chance).tolist()
        if self.part:
            order.sort()  # only training needs another order each time
        columns = [*NUMBERS, *CATEGORIES, *TARGETS]
        for rows, parts in read_pieces(self.seed, columns, order):
            kept, targets = labelled(rows[parts == self.part])
            if len(kept):
                yield self.encoder.encode(kept), targets

    def sample(self) -> Some:
        """Some of them, spread over the file: as many as stand for all."""
        rows, targets = read_sample(self.part, self.seed)
        return self.encoder.encode(rows), targets


def shuffled(pieces: Iterator[Some]) -> Iterator[Some]:
    """The pieces in blocks, each in random order."""
    block: list[Some] = []
    for piece in pieces:
        block.append(piece)
        if sum(len(targets) for _, targets in block) >= BLOCK:
            yield in_random_order(block)
            block = []
    if block:
        yield in_random_order(block)


def in_random_order(block: list[Some]) -> Some:
    """Several pieces as one, shuffled."""
    inputs, targets = joined(block)
    order = torch.randperm(len(targets))
    return inputs[order], targets[order]


def joined(pieces: list[Some]) -> Some:
    """Several pieces as one."""
    inputs, targets = zip(*pieces, strict=True)
    return torch.cat(inputs), torch.cat(targets)


def read_sample(part: int, seed: int) -> tuple[pd.DataFrame, torch.Tensor]:
    """Rows of a split that are spread over the file, and their targets (N, 1) float32."""
    step = max(1, pq.ParquetFile(DATA).metadata.num_rows // SAMPLE)
    pieces = read_pieces(seed, [*NUMBERS, *CATEGORIES, *TARGETS], step=step)
    return labelled(pd.concat([rows[parts == part] for rows, parts in pieces]))


def row_numbers(part: int, seed: int) -> Iterator[int]:
    """Which rows of the file a split has, from 0."""
    for rows, parts in read_pieces(seed, TARGETS):
        kept, _ = labelled(rows[parts == part])
        yield from kept.index


class Splits(NamedTuple):
    """Train teaches, val chooses the checkpoint, test is for eval.py alone."""

    train: Rows
    val: Rows
    test: Rows
    rows: list[Iterator[int]]  # which rows of the file each of them has, from 0
    encoder: Encoder


def load_splits(seed: int) -> Splits:
    """Cut row by row, by chance and the seed: about 3,500 train, 750 val and 750 test samples."""
    lengths = np.zeros(3, dtype=int)
    for rows, parts in read_pieces(seed, TARGETS):
        known = np.isin(rows.index, labelled(rows)[0].index)
        lengths += np.bincount(parts[known], minlength=3)
    if not lengths.all():
        raise SystemExit("one of the splits has no rows; another --seed cuts otherwise")
    encoder = Encoder()
    encoder.fit(read_sample(0, seed)[0])  # the other splits stay unseen
    train, val, test = (
        Rows(part, seed, int(length), encoder) for part, length in enumerate(lengths)
    )
    return Splits(
        train,
        val,
        test,
        rows=[row_numbers(part, seed) for part in range(3)],
        encoder=encoder,
    )


def statistics(train: Rows) -> dict[str, torch.Tensor]:
    """What the model's buffers hold, from the train split alone: the others stay unseen."""
    inputs, targets = train.sample()
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
    """New samples for predict.py: a .parquet file with the same columns, (N, 2) float32."""
    rows = as_text(pd.read_parquet(path))
    missing = [name for name in [*NUMBERS, *CATEGORIES] if name not in rows.columns]
    if missing:
        raise SystemExit(f"{path} has no column {', '.join(missing)}")
    return encoder.encode(rows)


def main() -> None:
    """Show the size of each split and one sample's shape and dtype."""
    splits = load_splits(seed=0)
    for name, split in zip(("train", "val", "test"), splits[:3], strict=True):
        inputs, targets = next(iter(split))
        print(
            f"{name:<6}{len(split):>6,} samples   "
            f"inputs {tuple(inputs.shape)} {inputs.dtype}   "
            f"targets {tuple(targets.shape)} {targets.dtype}"
        )


if __name__ == "__main__":
    main()
