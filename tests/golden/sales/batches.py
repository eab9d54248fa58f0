"""From a split to batches: a worker reads the next ones while the network learns."""

from collections.abc import Iterator

import torch
from torch.utils.data import DataLoader, IterableDataset

from dataset import Rows
from runtime import RANK, WORLD_SIZE

Loader = DataLoader[tuple[torch.Tensor, ...]]


class Batches(IterableDataset[tuple[torch.Tensor, ...]]):
    """The rows of a split in batches, as they are read.

    Of several processes each reads all rows, and gets an equal share of every batch.
    """

    def __init__(
        self, rows: Rows, batch_size: int, shuffle: bool, smallest: int
    ) -> None:
        self.rows, self.batch_size = rows, batch_size
        self.shuffle, self.smallest = shuffle, smallest

    def __len__(self) -> int:
        whole, rest = divmod(len(self.rows), self.batch_size)
        return whole + (rest >= self.smallest)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, ...]]:
        for inputs, targets in self.rows.batches(self.batch_size):
            end = len(targets)
            if self.shuffle:
                end -= end % WORLD_SIZE  # as many for each process
            share = slice(RANK, end, WORLD_SIZE)
            if len(targets[share]) >= self.smallest:
                yield inputs[share], targets[share]


def make_loader(
    split: Rows,
    batch_size: int,
    device: torch.device,
    *,
    shuffle: bool = False,
    smallest: int = 1,
) -> Loader:
    """A split in batches of `batch_size`, over all processes, none under `smallest`."""
    return DataLoader(
        Batches(split, batch_size, shuffle, smallest),
        batch_size=None,  # batches come whole
        num_workers=1,  # it reads on while the network learns
        # For training a new one each epoch: its order follows from the epoch's seed.
        persistent_workers=not shuffle,
        pin_memory=device.type == "cuda",  # is copied to a GPU while it computes
    )


def where(loader: Loader, device: torch.device) -> str:
    """How the data comes to the network, in words."""
    return f"read by {loader.num_workers} worker for {device}"
