"""The cells of a matrix made into projects, and proved: each for itself, so that one that fails stops no other."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from torchgen_scaffold.children import Children
from torchgen_scaffold.create import create
from torchgen_scaffold.errors import Problem, TorchgenError
from torchgen_scaffold.matrix.cells import Cell
from torchgen_scaffold.plan import Plan
from torchgen_scaffold.records import record
from torchgen_scaffold.spelling import counted
from torchgen_scaffold.staging import surely
from torchgen_scaffold.verify import Step, verify


@record
class Way:
    """How cells are made: where their data's paths start, where they go, and with which Python they are verified."""

    base: Path
    output_dir: Path
    python: str | None = None  # None: they are not verified
    force: bool = False
    dry_run: bool = False


@record
class Ran:
    """What became of a cell: its plan, where there can be one, and its steps, of which the first is `new`."""

    cell: Cell
    path: Path
    plan: Plan | None
    problems: tuple[Problem, ...]
    steps: tuple[Step, ...]

    @property
    def ok(self) -> bool:
        """Whether every step worked."""
        return all(step.ok for step in self.steps)

    @property
    def seconds(self) -> float:
        """How long its steps took, one after the other."""
        return round(sum(step.seconds for step in self.steps), 2)

    def to_dict(self) -> dict[str, Any]:
        """As `torchgen matrix --json` prints it."""
        return {
            "name": self.cell.name,
            "path": str(self.path),
            "ok": self.ok,
            "seconds": self.seconds,
            "values": self.cell.values,
            "params": self.plan.params if self.plan else None,
            "problems": [
                {"what": problem.what, "why": problem.why, "instead": problem.instead}
                for problem in self.problems
            ],
            "steps": [vars(step).copy() for step in self.steps],
        }


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_cells(
    cells: Sequence[Cell], way: Way, jobs: int, tell: Callable[[Ran], None] = lambda ran: None
) -> list[Ran]:
    """Make the cells, and verify `jobs` of them at a time; `tell` hears of each as it ends.

    Returns what became of each, in their order. Whatever stops it, Ctrl-C too, its processes are ended first, and
    each cell is on disk whole or not at all.
    """
    children, making = Children(), threading.Lock()
    threads = max(1, processors() // jobs)
    pool = ThreadPoolExecutor(jobs)

    def stop() -> None:
        children.end()
        pool.shutdown(cancel_futures=True)

    try:
        futures = [pool.submit(_run_cell, cell, way, making, children, threads) for cell in cells]
        for future in as_completed(futures):
            tell(future.result())
        return [future.result() for future in futures]
    finally:
        surely(stop)


def _run_cell(cell: Cell, way: Way, making: threading.Lock, children: Children, threads: int) -> Ran:
    path = way.output_dir / cell.name
    with making:  # it takes milliseconds, and shares the folder that the cells are made in
        start = time.monotonic()
        try:
            made = create(
                cell.answers,
                base=way.base,
                output_dir=way.output_dir,
                force=way.force,
                dry_run=way.dry_run,
            )
        except TorchgenError as error:
            new = Step("new", False, round(time.monotonic() - start, 2), str(error))
            return Ran(cell, path, None, error.problems, (new,))
        new = Step("new", True, round(time.monotonic() - start, 2), counted(len(made.files), "file"))
    if way.python is None or way.dry_run:
        return Ran(cell, path, made.plan, (), (new,))
    try:
        steps = verify(path, way.python, children=children, threads=threads).steps
    except TorchgenError as error:  # no room for the copy, say
        return Ran(cell, path, made.plan, error.problems, (new, Step("verify", False, 0.0, str(error))))
    return Ran(cell, path, made.plan, (), (new, *steps))
