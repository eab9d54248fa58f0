"""1,000 made samples with a signal to learn.

Every label has a pattern of its own, and a sample is its pattern and noise, so that
there is something to learn. For your own data, return its tensors from load_tensors().

Usage:
    python dataset.py  # show the splits
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import TensorDataset

INPUT_SHAPE = (40,)
CLASSES = ["label_0", "label_1", "label_2", "label_3", "label_4"]
SAMPLES = 1000
VOCAB_SIZE = 1000


def load_tensors() -> tuple[torch.Tensor, torch.Tensor]:
    """inputs (N, 40) long, targets (N, 5) float32."""
    # A seed of its own: the data is the same in every run, however it is split.
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(2, (SAMPLES, 5), generator=generator).float()
    strengths = targets  # where a target is 1, its pattern is there
    # A pattern makes some tokens likelier than others; 2 is how clearly.
    patterns = torch.randn(strengths.shape[1], VOCAB_SIZE, generator=generator)
    chances = (2 * strengths @ patterns).softmax(dim=1)
    inputs = chances.multinomial(INPUT_SHAPE[0], replacement=True, generator=generator)
    return inputs, targets


class Splits(NamedTuple):
    """Train teaches, val chooses the checkpoint, test is for eval.py alone."""

    train: TensorDataset
    val: TensorDataset
    test: TensorDataset
    rows: list[list[int]]  # which samples of the data each of them has


def load_splits(seed: int) -> Splits:
    """Shuffle once with the seed, then cut: 700 train, 150 val and 150 test samples."""
    inputs, targets = load_tensors()
    train, val, test = cut(len(targets), seed)
    return Splits(
        train=TensorDataset(inputs[train], targets[train]),
        val=TensorDataset(inputs[val], targets[val]),
        test=TensorDataset(inputs[test], targets[test]),
        rows=[part.tolist() for part in (train, val, test)],
    )


def cut(samples: int, seed: int) -> list[torch.Tensor]:
    """Which samples are for train, val and test."""
    order = torch.randperm(samples, generator=torch.Generator().manual_seed(seed))
    held = max(1, samples * 15 // 100)  # 15 percent
    return [order[2 * held :], order[:held], order[held : 2 * held]]


def load_inputs(path: str) -> torch.Tensor:
    """New samples for predict.py: the array X of an .npz file, (N, 40) long."""
    with np.load(path, allow_pickle=False) as arrays:
        if "X" not in arrays:
            raise SystemExit(f"{path} has no array X; it has {', '.join(arrays)}")
        array = arrays["X"]
    if array.ndim < 2 or math.prod(array.shape[1:]) != INPUT_SHAPE[0]:
        found = f"one sample of {path} is {array.shape[1:]}"
        raise SystemExit(f"{found}, and the model wants {INPUT_SHAPE}")
    if array.min() < 0 or array.max() >= VOCAB_SIZE:
        raise SystemExit(f"{path} has token ids outside 0 to {VOCAB_SIZE - 1}")
    return torch.from_numpy(array.astype(np.int64)).reshape(-1, *INPUT_SHAPE)


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
