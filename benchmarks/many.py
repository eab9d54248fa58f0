"""Many different projects in one process, as a course or a sweep makes them: `python -m benchmarks.many COUNT FOLDER`.

Prints JSON: seconds for making them through the Python API, and for merely writing the same files again.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from torchgen_scaffold.create import create

MODELS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("20", {"preset": "mlp", "hidden": [64, 32]}),
    ("3,16,16", {"preset": "cnn"}),
    ("50,8", {"preset": "gru"}),
    ("1,28,28", {"layers": "conv(16, 3) -> relu -> maxpool(2) -> flatten -> linear(32) -> relu"}),
    ("40", {"preset": "mean", "vocab_size": 500}),
)
TASKS = ("multiclass", "regression", "binary", "multilabel")


def answers(number: int) -> dict[str, Any]:
    """The answers of one project; another number gives another one: in its name and samples, model, task and outputs."""
    shape, model = MODELS[number % len(MODELS)]
    task = TASKS[number // len(MODELS) % len(TASKS)]
    outputs = 1 if task == "binary" else 2 + number % 9
    return {
        "name": f"project-{number}",
        "task": task,
        "input_shape": shape,
        "output_shape": str(outputs),
        "model": model,
        "data": {"source": "synthetic", "samples": 1000 + number},
    }


def make(count: int, folder: Path) -> dict[str, float]:
    """Seconds for `count` projects, made and written; and for the same files, written alone."""
    (folder / "made").mkdir()
    begin = time.perf_counter()
    for number in range(count):
        create(answers(number), base=folder, output_dir=folder / "made")
    made = time.perf_counter() - begin
    return {"made": made, "written": seconds_to_write(folder / "made", folder / "copied")}


def seconds_to_write(made: Path, place: Path) -> float:
    """Seconds for the files below `made`, written alone below `place`."""
    files = {place / path.relative_to(made): path.read_bytes() for path in made.rglob("*") if path.is_file()}
    begin = time.perf_counter()
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return time.perf_counter() - begin


def main() -> None:
    """Make, and tell."""
    print(json.dumps(make(int(sys.argv[1]), Path(sys.argv[2]))))


if __name__ == "__main__":
    main()
