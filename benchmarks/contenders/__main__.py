"""Run one contender in this process: `python -m benchmarks.contenders NAME PROJECT --out FILE`.

FILE becomes JSON: the seconds and the mean loss of each epoch, the first of which includes whatever warms up.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import sys
from pathlib import Path

from benchmarks.contenders import CONTENDERS
from benchmarks.contenders.work import Clock, Task, in_order


def main() -> None:
    """Train, and write what the clock saw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contenders")
    parser.add_argument("name", choices=CONTENDERS)
    parser.add_argument("project", type=Path, help="a generated project")
    parser.add_argument("--out", type=Path, required=True, help="where the JSON goes")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--in-order", action="store_true", help="do not shuffle")
    told = parser.parse_args()
    sys.path.insert(0, str(told.project))
    clock = Clock()
    contender = importlib.import_module(f"benchmarks.contenders.{told.name}")
    with in_order() if told.in_order else contextlib.nullcontext():
        contender.train(Task(told.project.resolve(), told.device, told.batch_size, told.epochs), clock)
    told.out.write_text(json.dumps({"seconds": clock.seconds, "losses": clock.losses}), encoding="utf-8")


if __name__ == "__main__":
    main()
