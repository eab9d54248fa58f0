"""1,000 made samples with a signal to learn.

Every target has a pattern of its own, and a sample is its pattern and noise, so that
there is something to learn. For your own data, return its tensors from load_tensors().

Usage:
    python dataset.py  # show the splits
"""

import math
from typing import NamedTuple

import torch
from torch.utils.data import TensorDataset

INPUT_SHAPE = (20, 3)
SAMPLES = 1000


def load_tensors() -> tuple[torch.Tensor, torch.Tensor]:
    """inputs (N, 20, 3) float32, targets (N, 2, 4) float32."""
    # A seed of its own: the data is the same in every run, however it is split.
    generator = torch.Generator().manual_seed(0)
    targets = torch.randn(SAMPLES, 2, 4, generator=generator)
    strengths = targets.flatten(1)
    size = math.prod(INPUT_SHAPE)
    patterns = torch.randn(strengths.shape[1], size, generator=generator)
    # A level of its own too, so that even averages tell patterns apart.
    patterns += torch.randn(strengths.shape[1], 1, generator=generator)
    noise = torch.randn(SAMPLES, size, generator=generator)
    inputs = (strengths @ patterns + noise).reshape(-1, *INPUT_SHAPE)
    return inputs, targets


class Splits(NamedTuple):
    """Train teaches, val chooses the checkpoint, test is for eval.py alone."""

    train: TensorDataset
    val: TensorDataset
    test: TensorDataset


def load_splits(seed: int) -> Splits:
    """Shuffle once with the seed, then cut: 700 train, 150 val and 150 test samples."""
    inputs, targets = load_tensors()
    train, val, test = cut(len(targets), seed)
    return Splits(
        train=TensorDataset(inputs[train], targets[train]),
        val=TensorDataset(inputs[val], targets[val]),
        test=TensorDataset(inputs[test], targets[test]),
    )


def cut(samples: int, seed: int) -> list[torch.Tensor]:
    """Which samples are for train, val and test."""
    order = torch.randperm(samples, generator=torch.Generator().manual_seed(seed))
    held = max(1, samples * 15 // 100)  # 15 percent
    return [order[2 * held :], order[:held], order[held : 2 * held]]


def statistics(train: TensorDataset) -> dict[str, torch.Tensor]:
    """What the model's buffers hold, from the train split alone: the others stay unseen."""
    inputs, targets = train.tensors
    return {
        "input_mean": inputs.mean(dim=(0, 1)),
        "input_std": nonzero(inputs.std(dim=(0, 1), correction=0)),
        "target_mean": targets.mean(dim=0),
        "target_std": nonzero(targets.std(dim=0, correction=0)),
    }


def nonzero(std: torch.Tensor) -> torch.Tensor:
    """A column that never changes has std 0; divide it by 1 instead, not by 0."""
    return torch.where(std > 0, std, 1.0)


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
