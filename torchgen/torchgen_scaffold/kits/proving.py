"""The solutions of a class proved: the tests of each, run with torch; of some, or of all."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from torchgen_scaffold.children import Children
from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.escape import visible
from torchgen_scaffold.matrix.run import processors
from torchgen_scaffold.records import record
from torchgen_scaffold.staging import surely
from torchgen_scaffold.verify import Step, found_python, verify

_LONGEST = 60  # seconds that a Python may take to say what it has
SAMPLE = 3  # solutions that are proved where nobody asked for all
_LOOK = "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, ('torch', 'pytest'))))"


@record
class Proof:
    """What the tests of one solution said."""

    id: str
    step: Step


def prover(python: str, *, needed: bool) -> str | None:
    """The path of a Python that has what the tests need, torch and pytest; None where it lacks them.

    Raises SpecError where there is no such Python, or where what it lacks is `needed`.
    """
    found = found_python(python)
    if (
        subprocess.run([found, "-c", _LOOK], check=False, capture_output=True, timeout=_LONGEST).returncode
        == 0
    ):
        return found
    if needed:
        what = f"{visible(found)} has no torch, or no pytest."
        instead = "Give one that has both: --python .venv/bin/python; or leave --verify out."
        raise SpecError(Problem(what, "Solutions are verified by their tests, which need them.", instead))
    return None


def sample_of(names: Sequence[str], count: int = SAMPLE) -> list[str]:
    """Some of these, spread over all of them: the first, the last, and what lies between."""
    if len(names) <= count:
        return list(names)
    return [names[place * (len(names) - 1) // (count - 1)] for place in range(count)]


def prove(
    folder: Path, names: Sequence[str], python: str, tell: Callable[[Proof], None] = lambda proof: None
) -> list[Proof]:
    """Run the tests of the solutions `folder/NAME`, as many at a time as there are processors.

    `tell` hears of each as it ends. Whatever stops it, Ctrl-C too, its processes are ended first. Raises SpecError
    and MachineError as `verify` does.
    """
    children = Children()
    jobs = max(1, min(processors(), len(names)))
    threads = max(1, processors() // jobs)
    pool = ThreadPoolExecutor(jobs)

    def stop() -> None:
        children.end()
        pool.shutdown(cancel_futures=True)

    def run(name: str) -> Proof:
        done = verify(folder / name, python, children=children, threads=threads, only=("tests",))
        return Proof(name, done.steps[0])

    try:
        futures = [pool.submit(run, name) for name in names]
        for future in as_completed(futures):
            tell(future.result())
        return [future.result() for future in futures]
    finally:
        surely(stop)
