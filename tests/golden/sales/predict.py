"""Predict on new inputs with the best checkpoint, one CSV row a sample.

Usage:
    python predict.py new.parquet
    python predict.py  # without a file: the first five samples of the val split
"""

import argparse
import csv
import sys
from itertools import islice
from pathlib import Path

import torch

from dataset import TARGETS, Encoder, load_inputs, load_splits
from model import Model
from runtime import OUTPUTS, choose_device, load_checkpoint

HEADER = TARGETS


def describe(predictions: torch.Tensor) -> list[list[str]]:
    """The predicted numbers, in the targets' own units, from predictions (N, 1)."""
    return [
        [f"{value:.6g}" for value in row] for row in predictions.flatten(1).tolist()
    ]


def read_samples(paths: list[str], encoder: Encoder) -> tuple[list[str], torch.Tensor]:
    """A name for each sample of some files, and the inputs (N, 2) float32."""
    files = [load_inputs(path, encoder) for path in paths]
    names = []
    for path, inputs in zip(paths, files, strict=True):
        names += [f"{path}:{row}" for row in range(len(inputs))]
    return names, torch.cat(files)


def main() -> None:
    """Read the inputs, run the model, and write the predictions."""
    parser = argparse.ArgumentParser(description="Predict on new inputs.")
    parser.add_argument(
        "inputs", nargs="*", help="a .parquet file with the same columns"
    )
    parser.add_argument("--output", type=Path, help="a CSV file to write")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps or auto")
    parser.add_argument("--output-dir", type=Path, default=OUTPUTS)
    settings = parser.parse_args()
    device = choose_device(settings.device)

    checkpoint = load_checkpoint(settings.output_dir / "best.pt", device)
    model = Model().to(device)
    model.load_state_dict(checkpoint["model"])
    model.eval()
    encoder = Encoder()
    encoder.load_state_dict(checkpoint["encoder"])
    if settings.inputs:
        try:
            names, inputs = read_samples(settings.inputs, encoder)
        except (OSError, ValueError) as error:  # not there, or unfit
            raise SystemExit(f"Cannot read the inputs: {error}") from error
    else:
        val = load_splits(checkpoint["progress"]["seed"]).val
        names = [f"val:{index}" for index in range(min(5, len(val)))]
        inputs = torch.stack([inputs for inputs, _ in islice(val, len(names))])
    with torch.no_grad():  # in batches, so that a long file fits into memory
        batches = torch.split(inputs, 64)
        outputs = torch.cat([model(batch.to(device)) for batch in batches])
        outputs = model.in_units(outputs)

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
