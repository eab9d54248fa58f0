"""The cells of `python -m benchmarks train`: a network, its data and a batch size each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torchgen_scaffold.create import create

HELD = 15  # percent of the samples that a project keeps for val, and as many for test


@dataclass(frozen=True)
class Cell:
    """One kind of work: `rows` of made data in the train split, in batches of `batch_size`; other numbers on a GPU."""

    name: str
    what: str
    input_shape: str
    model: Mapping[str, Any]
    rows: int
    batch_size: int
    classes: int = 3
    on_gpu: Mapping[str, int] = field(default_factory=dict)

    def rows_on(self, device: str) -> int:
        """Rows of the train split."""
        return self.on_gpu.get("rows", self.rows) if device == "cuda" else self.rows

    def batch_on(self, device: str) -> int:
        """Rows a step."""
        return self.on_gpu.get("batch_size", self.batch_size) if device == "cuda" else self.batch_size


_MLP = {"preset": "mlp", "hidden": [128, 64]}
_TOKENS = {"vocab_size": 1000}

# What the goals are stated for: a small network, where the loop itself costs most; convolutions; a long memory.
MAIN = (
    Cell("mlp", "MLP 20-128-64-3", "20", _MLP, 60_000, 64),
    Cell(
        "cnn",
        "CNN on 1×28×28",
        "1,28,28",
        {"preset": "cnn", "channels": [32, 64]},
        2_000,
        64,
        classes=10,
        on_gpu={"rows": 60_000, "batch_size": 128},
    ),
    Cell("lstm", "LSTM on 50×8", "50,8", {"preset": "lstm"}, 6_000, 128, on_gpu={"rows": 20_000}),
)

# Every preset on everything that it reads.
MAP = (
    Cell("linear-row", "linear on 20 numbers", "20", {"preset": "linear"}, 20_000, 64),
    Cell("mlp-row", "mlp on 20 numbers", "20", _MLP, 20_000, 64),
    Cell("cnn-1d", "cnn on 4×64", "4,64", {"preset": "cnn", "layout": "cl"}, 4_000, 64),
    Cell("cnn-2d", "cnn on 3×16×16", "3,16,16", {"preset": "cnn"}, 2_000, 64),
    Cell("cnn-3d", "cnn on 1×8×16×16", "1,8,16,16", {"preset": "cnn"}, 1_000, 64),
    Cell("rnn", "rnn on 50×8", "50,8", {"preset": "rnn"}, 4_000, 64),
    Cell("lstm-sequence", "lstm on 50×8", "50,8", {"preset": "lstm"}, 4_000, 64),
    Cell("gru", "gru on 50×8", "50,8", {"preset": "gru"}, 4_000, 64),
    Cell("mean-tokens", "mean of 40 token ids", "40", {"preset": "mean", **_TOKENS}, 10_000, 64),
    Cell("rnn-tokens", "rnn on 40 token ids", "40", {"preset": "rnn", **_TOKENS}, 4_000, 64),
    Cell("lstm-tokens", "lstm on 40 token ids", "40", {"preset": "lstm", **_TOKENS}, 4_000, 64),
    Cell("gru-tokens", "gru on 40 token ids", "40", {"preset": "gru", **_TOKENS}, 4_000, 64),
)

CELLS = {cell.name: cell for cell in (*MAIN, *MAP)}


def project_of(cell: Cell, folder: Path, rows: int) -> Path:
    """Generate the cell's project with `rows` rows in its train split."""
    return create(answers_of(cell, rows), base=folder, output_dir=folder).path


def answers_of(cell: Cell, rows: int) -> dict[str, Any]:
    """What torchgen is told."""
    return {
        "name": cell.name,
        "task": "multiclass",
        "input_shape": cell.input_shape,
        "output_shape": str(cell.classes),
        "model": dict(cell.model),
        "data": {"source": "synthetic", "samples": samples_for(rows, cell.classes)},
    }


def samples_for(rows: int, classes: int) -> int:
    """How many samples a project needs so that `rows`, or as near to it as can be, are left for training."""
    guess = round(rows * 100 / (100 - 2 * HELD))
    near = range(max(guess - 5 * classes, classes), guess + 5 * classes)
    return min(near, key=lambda samples: abs(train_rows(samples, classes) - rows))


def train_rows(samples: int, classes: int) -> int:
    """What is left of made samples for training: each class gives its share to val and to test, rounded down."""
    members = [len(range(number, samples, classes)) for number in range(classes)]
    return sum(count - 2 * (count * HELD // 100) for count in members)
