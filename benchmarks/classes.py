"""How long a class takes: a variant of a teaching kit for each student, with its zip and the search for leaks.

`python -m benchmarks.classes COUNT FOLDER` makes one class and prints JSON: seconds, and those for merely writing its files.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.many import seconds_to_write
from benchmarks.processes import rounds_of, run
from benchmarks.report import Group, Row
from torchgen_scaffold.kits.classes import Roll, write_class
from torchgen_scaffold.kits.write import Wanted

HELP = "a teaching kit for each student of a class, beside the mere writing of its files"

ANSWERS = {"data": {"source": "sklearn:digits"}}
LEVEL = 3  # every gap


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be chosen."""
    parser.add_argument("--counts", type=int, nargs="+", default=[30, 300], help="students of a class")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each size")


def measure(told: argparse.Namespace) -> tuple[list[Group], list[str]]:
    """A group for each size of class."""
    made: dict[int, list[float]] = {count: [] for count in told.counts}
    written: dict[int, list[float]] = {count: [] for count in told.counts}
    with tempfile.TemporaryDirectory() as folder:
        for number, count in rounds_of(told.counts, told.rounds, "students"):
            place = Path(folder, f"class-{count}-{number}")
            place.mkdir()
            seconds = json.loads(run(["-m", "benchmarks.classes", str(count), str(place)], place))
            made[count].append(seconds["made"])
            written[count].append(seconds["written"])
    groups = []
    for count in told.counts:
        rows = [Row("files merely written", written[count]), Row("torchgen kit --roster", made[count])]
        groups.append(
            Group(f"A class of {count:,} in one process, every gap open", "s", rows, [rows[0].name])
        )
    return groups, ["Without verifying solutions, which is torch's time."]


def make(count: int, folder: Path) -> dict[str, float]:
    """Seconds for the kits of `count` students, imports included; and for the same files, written alone."""
    roster = folder / "students.csv"
    roster.write_text("id\n" + "".join(f"student-{number}\n" for number in range(count)), encoding="utf-8")
    begin = time.perf_counter()
    write_class(Wanted(ANSWERS, folder, LEVEL), Roll(roster), folder / "class")
    made = time.perf_counter() - begin
    return {"made": made, "written": seconds_to_write(folder / "class", folder / "copied")}


def main() -> None:
    """Make, and tell."""
    print(json.dumps(make(int(sys.argv[1]), Path(sys.argv[2]))))


if __name__ == "__main__":
    main()
