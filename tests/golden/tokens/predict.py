"""Predict on new inputs with the best checkpoint, one CSV row a sample.

Usage:
    python predict.py new.npz
    python predict.py  # without a file: the first five samples of the val split
"""

import argparse
import csv
import sys
from pathlib import Path

import torch

from dataset import CLASSES, load_inputs, load_splits
from model import Model
from runtime import OUTPUTS, choose_device, load_checkpoint

HEADER = ["prediction", *(f"p({name})" for name in CLASSES)]


def describe(logits: torch.Tensor) -> list[list[str]]:
    """The labels above one half, and every label's probability, from logits (N, 5)."""
    rows = []
    # Each label is a question of its own.
    for probabilities in logits.sigmoid().tolist():
        labels = [
            name for name, p in zip(CLASSES, probabilities, strict=True) if p > 0.5
        ]
        rows.append(["|".join(labels), *(f"{p:.6f}" for p in probabilities)])
    return rows


def read_samples(paths: list[str]) -> tuple[list[str], torch.Tensor]:
    """A name for each sample of some files, and the inputs (N, 40) long."""
    files = [load_inputs(path) for path in paths]
    names = []
    for path, inputs in zip(paths, files, strict=True):
        names += [f"{path}:{row}" for row in range(len(inputs))]
    return names, torch.cat(files)


def main() -> None:
    """Read the inputs, run the model, and write the predictions."""
    parser = argparse.ArgumentParser(description="Predict on new inputs.")
    parser.add_argument("inputs", nargs="*", help="an .npz file with an array X")
    parser.add_argument("--output", type=Path, help="a CSV file to write")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps or auto")
    parser.add_argument("--output-dir", type=Path, default=OUTPUTS)
    settings = parser.parse_args()
    device = choose_device(settings.device)

    checkpoint = load_checkpoint(settings.output_dir / "best.pt", device)
    model = Model().to(device)
    model.load_state_dict(checkpoint["model"])
    model.eval()
    if settings.inputs:
        try:
            names, inputs = read_samples(settings.inputs)
        except (OSError, ValueError) as error:  # not there, or unfit
            raise SystemExit(f"Cannot read the inputs: {error}") from error
    else:
        val = load_splits(checkpoint["progress"]["seed"]).val
        names = [f"val:{index}" for index in range(min(5, len(val)))]
        inputs = torch.stack([val[index][0] for index in range(len(names))])
    with torch.no_grad():  # in batches, so that a long file fits into memory
        batches = torch.split(inputs, 32)
        outputs = torch.cat([model(batch.to(device)) for batch in batches])

    rows = [["sample", *HEADER]]
    for name, row in zip(names, describe(outputs.cpu()), strict=True):
        rows.append([name, *row])
    if settings.output:
        with settings.output.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    else:
        csv.writer(sys.stdout).writerows(rows)


if __name__ == "__main__":
    main()
