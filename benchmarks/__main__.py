"""`python -m benchmarks start`: how long torchgen takes, beside a bare Python and `import torch`.

`python -m benchmarks memory`: the most memory that generating and training take on data, and on ten times as much.

In `start` each command runs as a whole process, interleaved with the others, several times; what is told is the median, and its
ratio to a bare Python. Machines differ, ratios less.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.memory import memory

PLAN = ["-m", "torchgen_scaffold", "plan", "--data", "sklearn:digits"]
NEW = ["-m", "torchgen_scaffold", "new", "digits", "--data", "sklearn:digits", "--yes", "--force", "-o"]


def start(rounds: int) -> dict[str, float]:
    """Median seconds of each command over `rounds` interleaved runs."""
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            "python": ["-c", "pass"],
            "import click": ["-c", "import click"],
            "torchgen --help": ["-m", "torchgen_scaffold", "--help"],
            "torchgen plan": PLAN,
            "torchgen new": [*NEW, folder],
            "import torch": ["-c", "import torch"],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, arguments in commands.items():
                begin = time.perf_counter()
                subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=Path.cwd())
                seconds[name].append(time.perf_counter() - begin)
    return {name: statistics.median(values) for name, values in seconds.items()}


def show_memory(*, as_json: bool) -> None:
    """Measure the peaks, and print a table or one JSON document."""
    peaks = memory()
    if as_json:
        print(json.dumps(peaks, indent=2))
        return
    for name, (once, times) in peaks.items():
        print(f"{name:<32}{once:>8.0f} MiB{times:>8.0f} MiB{times / once:>8.2f} x")


def main() -> None:
    """Measure, and print a table or one JSON document."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure torchgen.")
    parser.add_argument(
        "what",
        choices=["start", "memory"],
        help="start: whole processes, from nothing to done; memory: peaks on data, and on ten times as much",
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true", dest="as_json")
    settings = parser.parse_args()
    if settings.what == "memory":
        show_memory(as_json=settings.as_json)
        return
    medians = start(settings.rounds)
    if settings.as_json:
        print(json.dumps(medians, indent=2))
        return
    for name, median in medians.items():
        print(f"{name:<18}{median * 1000:>8.0f} ms{median / medians['python']:>8.1f} x")


if __name__ == "__main__":
    main()
