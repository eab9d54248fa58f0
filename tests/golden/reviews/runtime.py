"""What stands around the loop: the device, checkpoints, and the log of a run."""

import csv
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

OUTPUTS = Path(__file__).parent / "outputs"


def choose_device(name: str) -> torch.device:
    """The device called `name`; "auto" takes the accelerator (cuda, mps, ...) where there is one."""
    if name == "auto":
        if not torch.accelerator.is_available():
            return torch.device("cpu")
        return torch.accelerator.current_accelerator() or torch.device("cpu")
    try:
        # Where it cannot be used, this fails: here, with a reason, not half way.
        return torch.empty(0, device=name).device
    except (AssertionError, NotImplementedError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise SystemExit(f"--device {name} cannot be used: {reason}") from error


def save_checkpoint(path: Path, checkpoint: dict[str, Any]) -> None:
    """Write beside, then rename: a run that is killed half way leaves the old file whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    torch.save(checkpoint, beside)
    os.replace(beside, path)


def load_checkpoint(path: Path, device: torch.device) -> dict[str, Any]:
    """Read a checkpoint: tensors and plain values only, so that a file from elsewhere cannot run code."""
    if not path.is_file():
        raise SystemExit(f"There is no checkpoint {path}. Run train.py first.")
    checkpoint: dict[str, Any] = torch.load(
        path, map_location=device, weights_only=True
    )
    return checkpoint


def save_rows(path: Path, rows: Iterable[Iterable[object]]) -> None:
    """Write which sample of the data went into which split, so that anyone can see it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["sample", "split"])
        for split, samples in zip(("train", "val", "test"), rows, strict=True):
            table.writerows([sample, split] for sample in samples)


class Log:
    """What each epoch gave: a line on the terminal, a row of history.csv, and curves.png at the end."""

    def __init__(
        self, output_dir: Path, rows: list[dict[str, Any]], tensorboard: bool
    ) -> None:
        self.output_dir = output_dir
        self.rows = rows
        self.writer: Any = None
        if tensorboard:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError as error:
                raise SystemExit(
                    "--tensorboard needs: pip install tensorboard"
                ) from error
            self.writer = SummaryWriter(output_dir / "tensorboard")

    def add(self, row: dict[str, Any]) -> None:
        """Show the row of one epoch, and write all rows so far."""
        self.rows.append(row)
        print("  ".join(f"{name} {show(value)}" for name, value in row.items()))
        for name, value in row.items():
            if self.writer and value is not None and name != "epoch":
                self.writer.add_scalar(name, value, row["epoch"])
        self.output_dir.mkdir(parents=True, exist_ok=True)
        with (self.output_dir / "history.csv").open("w", newline="") as file:
            table = csv.DictWriter(file, fieldnames=list(row))
            table.writeheader()
            table.writerows(self.rows)

    def close(self) -> None:
        """Draw the losses over the epochs into curves.png."""
        if self.writer:
            self.writer.close()
        if not self.rows:
            return
        import matplotlib  # imported late: it takes as long as a small training run

        matplotlib.use("Agg")  # files only: there may be no screen
        from matplotlib import pyplot as plt

        figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
        epochs = [row["epoch"] for row in self.rows]
        for name in ("train_loss", "val_loss"):
            losses = [row[name] for row in self.rows]
            axes.plot(epochs, losses, marker=".", label=name.replace("_", " "))
        axes.set(xlabel="epoch", ylabel="loss")
        axes.legend()
        figure.savefig(self.output_dir / "curves.png", dpi=120)
        plt.close(figure)


def show(value: float | None) -> str:
    """A number as a person reads it: 7, 0.9312, 1.25e-05."""
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4g}"
