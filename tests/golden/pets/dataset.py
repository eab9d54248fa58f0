"""900 images, a folder for each class.

A file is opened when its sample is asked for, so that the images may be larger than the memory.

Usage:
    python dataset.py  # show the splits
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch.utils.data import DataLoader, Dataset

DATA = Path(__file__).parent / "data/pets"
INPUT_SHAPE = (3, 32, 48)  # channels, height, width
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
CLASSES = ["cat", "dog", "fish"]
SHIFT = 2  # the most pixels that training moves an image by


class ImageFiles(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Image files and their targets (N,) long."""

    def __init__(self, files: Sequence[Path], targets: torch.Tensor) -> None:
        self.files = list(files)
        self.targets = targets

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """inputs (3, 32, 48) float32 from 0 to 1, and the target."""
        return load_image(self.files[index]), self.targets[index]


def load_image(file: str | Path) -> torch.Tensor:
    """The image in a file as (3, 32, 48) float32, from 0 to 1."""
    with Image.open(file) as image:
        return to_tensor(image)


def to_tensor(image: Image.Image) -> torch.Tensor:
    """An image of any size as (3, 32, 48) float32, from 0 to 1."""
    channels, height, width = INPUT_SHAPE
    mode = "L" if channels == 1 else "RGB"
    upright = ImageOps.exif_transpose(image)  # a camera notes how it was held
    plain = upright.convert("RGBA").convert(mode)  # a palette may be transparent
    pixels = np.array(plain.resize((width, height)), dtype=np.float32)
    rows = torch.from_numpy(pixels).reshape(height, width, channels)
    return rows.permute(2, 0, 1) / 255  # channels first; a pixel goes up to 255


def augment(images: torch.Tensor) -> torch.Tensor:
    """A batch (N, 3, 32, 48) float32 for training, each image a little different in every epoch."""
    count, _, height, width = images.shape
    padded = F.pad(images, (SHIFT,) * 4, mode="replicate")  # the edge goes on
    # The rows and the columns (N, size) that each image is cut from, and its number.
    tops, lefts = torch.randint(0, 2 * SHIFT + 1, (2, count, 1)).to(images.device)
    rows = tops + torch.arange(height, device=images.device)
    columns = lefts + torch.arange(width, device=images.device)
    numbers = torch.arange(count, device=images.device)[:, None, None]
    moved = padded.movedim(1, 3)[numbers, rows[:, :, None], columns[:, None, :]]
    return moved.movedim(3, 1)  # channels first again: (N, H, W, C) -> (N, C, H, W)


def find_files(folder: Path) -> tuple[list[Path], torch.Tensor]:
    """The images in the folder of each class, and their targets (N,) long."""
    # Sorted: the order in which a folder is listed differs between machines.
    files = sorted(
        file
        for name in CLASSES
        for file in (folder / name).rglob("*")
        if file.suffix.lower() in SUFFIXES
    )
    if not files:
        raise SystemExit(f"there are no images in {folder}")
    labels = [CLASSES.index(file.relative_to(folder).parts[0]) for file in files]
    return files, torch.tensor(labels, dtype=torch.long)


class Splits(NamedTuple):
    """Train teaches, val chooses the checkpoint, test is for eval.py alone."""

    train: ImageFiles
    val: ImageFiles
    test: ImageFiles
    rows: list[list[str]]  # which files each of them has


def load_splits(seed: int) -> Splits:
    """Shuffle once with the seed, then cut class by class: 630 train, 135 val and 135 test samples."""
    files, targets = find_files(DATA)
    train, val, test = (
        ImageFiles([files[i] for i in part.tolist()], targets[part])
        for part in cut(targets, seed)
    )
    rows = [
        [file.relative_to(DATA).as_posix() for file in part.files]
        for part in (train, val, test)
    ]
    return Splits(train, val, test, rows)


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


def statistics(train: ImageFiles) -> dict[str, torch.Tensor]:
    """What the model's buffers hold, from the train split alone: each channel's mean and std, in one pass."""
    channels, height, width = INPUT_SHAPE
    total = torch.zeros(channels, dtype=torch.float64)
    squares = torch.zeros(channels, dtype=torch.float64)
    for inputs, _ in DataLoader(train, batch_size=64):
        total += inputs.double().sum(dim=(0, 2, 3))
        squares += inputs.double().square().sum(dim=(0, 2, 3))
    pixels = len(train) * height * width
    mean = total / pixels
    std = (squares / pixels - mean.square()).clamp(min=0).sqrt()
    return {
        "input_mean": mean.float().reshape(channels, 1, 1),
        "input_std": nonzero(std).float().reshape(channels, 1, 1),
    }


def nonzero(std: torch.Tensor) -> torch.Tensor:
    """What never changes has std 0; divide it by 1 instead, not by 0."""
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
