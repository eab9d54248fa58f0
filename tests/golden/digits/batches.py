"""From a split to batches: held on the device where they fit, else brought to it by workers."""

import os
from collections.abc import Iterator

import torch
from torch.utils.data import DataLoader, Sampler, TensorDataset

from runtime import RANK, WORLD_SIZE

WORKERS = max(1, min(4, (os.cpu_count() or 1) - 1))  # where a split does not fit


class Numbers(Sampler[torch.Tensor]):
    """Which samples are in each batch: one tensor of numbers, for a gather at once.

    Of several processes each gets an equal share of every batch.
    """

    def __init__(
        self,
        samples: int,
        batch_size: int,
        device: torch.device,
        shuffle: bool,
        smallest: int,
    ) -> None:
        self.samples, self.batch_size, self.device = samples, batch_size, device
        self.shuffle, self.smallest = shuffle, smallest
        if min(samples, batch_size) // WORLD_SIZE < smallest:
            problem = f"{smallest} or more samples a batch and process are needed"
            raise SystemExit(f"{problem}; here {samples} make batches of {batch_size}.")

    def __len__(self) -> int:  # of any number of processes, so that a schedule fits
        whole, rest = divmod(self.samples, self.batch_size)
        return whole + (rest >= self.smallest)

    def __iter__(self) -> Iterator[torch.Tensor]:
        order = torch.arange(self.samples)
        if self.shuffle:
            # By the epoch's seed alone: the same on any device, and in every process.
            seed = torch.initial_seed()
            chance = torch.Generator().manual_seed(seed)
            order = torch.randperm(self.samples, generator=chance)
            # As many for each process; in every epoch it is others that are left over.
            order = order[: self.samples - self.samples % WORLD_SIZE]
            # Dropout and augmentation draw from here on, in each process for itself.
            torch.manual_seed((seed + RANK * 2**32) % 2**64)
        share = order[RANK::WORLD_SIZE].to(self.device)
        for numbers in torch.split(share, self.batch_size // WORLD_SIZE):
            if len(numbers) >= self.smallest:
                yield numbers


class Held:
    """A split on the device, a batch at a time."""

    def __init__(self, split: TensorDataset, numbers: Numbers) -> None:
        self.split, self.numbers = split, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, ...]]:
        for numbers in self.numbers:
            yield self.split[numbers]


Loader = Held | DataLoader[tuple[torch.Tensor, ...]]


def make_loader(
    split: TensorDataset,
    batch_size: int,
    device: torch.device,
    *,
    shuffle: bool = False,
    smallest: int = 1,
) -> Loader:
    """A split in batches of `batch_size`, over all processes, none under `smallest`."""
    if fits(sum(tensor.nbytes for tensor in split.tensors), device):
        split = TensorDataset(*(tensor.to(device) for tensor in split.tensors))
        return Held(split, Numbers(len(split), batch_size, device, shuffle, smallest))
    return DataLoader(
        split,
        sampler=Numbers(len(split), batch_size, torch.device("cpu"), shuffle, smallest),
        batch_size=None,  # a batch is one item of the split, whose number is a tensor
        num_workers=WORKERS,  # they gather the next batches while the network learns
        persistent_workers=True,
        pin_memory=device.type == "cuda",  # is copied to a GPU while it computes
    )


def fits(size: int, device: torch.device) -> bool:
    """Whether a GPU has twice `size` bytes free; a CPU holds the split anyway."""
    return device.type != "cuda" or size <= torch.cuda.mem_get_info(device)[0] // 2


def where(loader: Loader, device: torch.device) -> str:
    """How the data comes to the network, in words."""
    if isinstance(loader, Held):
        return f"held on {device}"
    return f"gathered by {loader.num_workers} workers for {device}"
