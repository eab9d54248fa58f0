"""1,201 samples from an .npz file.

Usage:
    python dataset.py  # show the splits
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import TensorDataset

DATA = Path(__file__).parent / "signals.npz"
INPUT_SHAPE = (4, 64)
CLASSES = ["0", "1", "2"]


def load_arrays(part: str) -> tuple[torch.Tensor, torch.Tensor]:
    """inputs (N, 4, 64) float32, targets (N,) long."""
    with np.load(DATA, allow_pickle=False) as arrays:
        array, labels = arrays[f"X_{part}"], arrays[f"y_{part}"]
    inputs = torch.from_numpy(array.astype(np.float32)).reshape(-1, *INPUT_SHAPE)
    names = [str(int(label)) for label in labels.reshape(-1)]
    unknown = sorted(set(names) - set(CLASSES))
    if unknown:
        raise SystemExit(f"{DATA} has targets outside CLASSES: {', '.join(unknown)}")
    targets = torch.tensor([CLASSES.index(name) for name in names], dtype=torch.long)
    return inputs, targets


class Splits(NamedTuple):
    """Train teaches, val chooses the checkpoint, test is for eval.py alone."""

    train: TensorDataset
    val: TensorDataset
    test: TensorDataset
    rows: list[list[int]]  # which samples of the data each of them has


def load_splits(seed: int) -> Splits:
    """Shuffle once with the seed, then cut class by class: 851 train, 150 val and 200 test samples."""
    inputs, targets = load_arrays("train")
    test_inputs, test_targets = load_arrays("test")
    train, val = cut(targets, seed)
    return Splits(
        train=TensorDataset(inputs[train], targets[train]),
        val=TensorDataset(inputs[val], targets[val]),
        test=TensorDataset(test_inputs, test_targets),
        rows=[train.tolist(), val.tolist(), list(range(len(test_inputs)))],
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


def statistics(train: TensorDataset) -> dict[str, torch.Tensor]:
    """What the model's buffers hold, from the train split alone: the others stay unseen."""
    inputs, _ = train.tensors
    return {
        "input_mean": inputs.mean(dim=(0, 2)).reshape(-1, 1),
        "input_std": nonzero(inputs.std(dim=(0, 2), correction=0).reshape(-1, 1)),
    }


def nonzero(std: torch.Tensor) -> torch.Tensor:
    """A column that never changes has std 0; divide it by 1 instead, not by 0."""
    return torch.where(std > 0, std, 1.0)


def load_inputs(path: str) -> torch.Tensor:
    """New samples for predict.py: the array X of an .npz file, (N, 4, 64) float32."""
    with np.load(path, allow_pickle=False) as arrays:
        if "X" not in arrays:
            raise SystemExit(f"{path} has no array X; it has {', '.join(arrays)}")
        array = arrays["X"]
    # Axes of size 1 may be there or not.
    if [n for n in array.shape[1:] if n > 1] != [n for n in INPUT_SHAPE if n > 1]:
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
