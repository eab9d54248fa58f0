"""442 patients, 10 measurements: how far the disease went in a year; from scikit-learn.

Usage:
    python dataset.py  # show the splits
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch.utils.data import TensorDataset

INPUT_SHAPE = (10,)
TARGETS = ["progression"]


def load_tensors() -> tuple[torch.Tensor, torch.Tensor]:
    """inputs (N, 10) float32, targets (N, 1) float32."""
    inputs, targets = load_diabetes(return_X_y=True)
    return (
        torch.tensor(inputs, dtype=torch.float32).reshape(-1, *INPUT_SHAPE),
        torch.tensor(targets, dtype=torch.float32).reshape(-1, 1),
    )


class Splits(NamedTuple):
    """Train teaches, val chooses the checkpoint, test is for eval.py alone."""

    train: TensorDataset
    val: TensorDataset
    test: TensorDataset
    rows: list[list[int]]  # which samples of the data each of them has


def load_splits(seed: int) -> Splits:
    """Shuffle once with the seed, then cut: 310 train, 66 val and 66 test samples."""
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


def statistics(train: TensorDataset) -> dict[str, torch.Tensor]:
    """What the model's buffers hold, from the train split alone: the others stay unseen."""
    inputs, targets = train.tensors
    return {
        "input_mean": inputs.mean(dim=0),
        "input_std": nonzero(inputs.std(dim=0, correction=0)),
        "target_mean": targets.mean(dim=0),
        "target_std": nonzero(targets.std(dim=0, correction=0)),
    }


def nonzero(std: torch.Tensor) -> torch.Tensor:
    """A column that never changes has std 0; divide it by 1 instead, not by 0."""
    return torch.where(std > 0, std, 1.0)


def load_inputs(path: str) -> torch.Tensor:
    """New samples for predict.py: the array X of an .npz file, (N, 10) float32."""
    with np.load(path, allow_pickle=False) as arrays:
        if "X" not in arrays:
            raise SystemExit(f"{path} has no array X; it has {', '.join(arrays)}")
        array = arrays["X"]
    if array.ndim < 2 or math.prod(array.shape[1:]) != INPUT_SHAPE[0]:
        found = f"one sample of {path} is {array.shape[1:]}"
        raise SystemExit(f"{found}, and the model wants {INPUT_SHAPE}")
    return torch.from_numpy(array.astype(np.float32)).reshape(-1, *INPUT_SHAPE)


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
