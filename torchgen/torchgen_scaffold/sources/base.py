"""What a data source is: something that knows the shapes of its data, and a template that loads it.

A source answers one question before anything is generated: what are the facts? The facts decide input shape,
output shape and task, so that nobody has to type what the data already says. Shapes leave the batch out.
"""

from __future__ import annotations

import importlib
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import ClassVar

from torchgen_scaffold.errors import MachineError, Problem, SpecError
from torchgen_scaffold.layers.base import Shape
from torchgen_scaffold.layers.dense import Codes
from torchgen_scaffold.records import field, record
from torchgen_scaffold.sources.table.table import Reading


@record
class Facts:
    """What a source knows about its data.

    `output_shapes` maps each task that the targets allow to the output shape it takes, the likeliest first;
    `sure` says whether that first task may be taken without asking. `input_shapes` are the shapes that one
    sample can be read as, its own first. `counts` has the number of samples of each class (of positives, for
    multilabel). `test_samples` and `val_samples` are 0 unless the source brings such sets of its own, which it calls
    by the names in `parts`: of train, val and test, empty where it has none.
    """

    input_shapes: tuple[Shape, ...]
    output_shapes: Mapping[str, Shape]
    samples: int
    sure: bool = True
    classes: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    test_samples: int = 0
    val_samples: int = 0
    parts: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()  # what each column holds; empty where all are plain numbers
    reading: Reading = field(default_factory=Reading)
    skipped: tuple[str, ...] = ()  # files of a folder that cannot be read
    time_format: str = ""  # of the column that splits go by: "number", or the format of a date
    says: tuple[tuple[str, str], ...] = ()  # column by column, for people
    warnings: tuple[str, ...] = ()
    streams: bool = False  # the file is read piece by piece, in training too
    padded: bool = False  # samples are shorter than the shape here and there
    vocab_size: int = 0  # the inputs are token ids below it
    whole_numbers: bool = False  # the inputs could be token ids
    largest: int = 0  # the largest input, where they are whole numbers
    codes: Codes = field(default_factory=Codes)  # behind the numbers of a row of a table


class Source:
    """One kind of data. A subclass is one class here and a template, `templates/dataset/<template>.py.jinja`."""

    name: ClassVar[str]
    form: ClassVar[str]  # as it is typed: "csv:PATH"
    summary: ClassVar[str]
    samples: ClassVar[str]  # what they are, behind their number: "rows of a CSV file"
    predicts_on: ClassVar[str]  # what predict.py takes
    requires: ClassVar[tuple[str, ...]] = ()  # packages its dataset.py imports, besides torch
    imports: ClassVar[tuple[str, ...]] = ()  # the same, as modules
    has_path: ClassVar[bool] = False
    template: ClassVar[str]
    endings: ClassVar[tuple[str, ...]] = ()  # of its files, by which a path alone is known
    is_known: ClassVar[bool] = False  # its facts need no reading
    is_table: ClassVar[bool] = False  # its rows have columns of all kinds
    needs_target: ClassVar[bool] = False
    roles: ClassVar[tuple[str, ...]] = ()  # what columns can be named for: drop, group, time
    names_files: ClassVar[bool] = False  # other files belong to the one that is named
    brings_splits: ClassVar[bool] = False  # it may have val and test sets of its own
    names_splits: ClassVar[bool] = False  # and calls them by names, which facts hold as `parts`

    def recognises(self, path: Path) -> bool:
        """Whether a path that was given alone is data of this kind; by its ending, unless a source knows better."""
        return path.suffix.lower() in self.endings

    def columns(self, path: Path, place: str) -> Sequence[str]:
        """The columns to choose a target from, of data that has some. Raises SpecError where it cannot be read."""
        return ()

    def facts(self, place: str, request: Request) -> Facts | None:
        """The facts of the data at `place` (what follows the colon), or None where the request decides them.

        Raises SpecError where the data is missing, malformed or unfit, naming row and column where it can.
        """
        raise NotImplementedError  # every source has its own


@record
class Request:
    """What the person asked of a source, as far as it bears on the facts."""

    base: Path
    targets: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    task: str | None = None
    resize: Shape = field(default=())
    strict: bool = False
    vocab_size: int | None = None
    layout: str | None = None
    stream: bool | None = None

    @property
    def is_sequences(self) -> bool:
        """Whether the rows of a table are time steps: a sequence for each group."""
        return bool(self.group and self.time)


def existing(place: str, request: Request, *, form: str, folder: bool = False) -> Path:
    """The path on disk that `place` names, relative to the request's base; SpecError where it is not there."""
    kind = "folder" if folder else "file"
    try:
        path = request.base / place
        found, right = path.exists(), path.is_dir() if folder else path.is_file()
    except (OSError, ValueError):  # a NUL, or a name that is too long
        found = right = False
    if not right:
        what = f"{place!r} is not a {kind}" if found else f"there is no {kind} {place!r}"
        why = f"this data is a {kind}" if found else f"looked in {request.base.resolve()}"
        raise SpecError(
            Problem(f"data: {what}", why, f"Give the path of a {kind}: --data {form}", "data.source")
        )
    return path


def need(module: str, package: str, purpose: str) -> ModuleType:
    """Import a library that only this source needs; MachineError says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MachineError(
            Problem(f"{purpose} needs {package}", str(error), f"pip install {package}", "data.source")
        ) from error


def refuse(what: str, why: str = "", instead: str = "", key: str = "data.source") -> SpecError:
    """The SpecError of one problem with the data."""
    return SpecError(Problem(f"data: {what}", why, instead, key))


SHOWN = 5  # things named one by one before they are only counted


def first_few(texts: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = f"; and {len(texts) - SHOWN:,} more" if len(texts) > SHOWN else ""
    return "; ".join(texts[:SHOWN]) + more


def class_facts(labels: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The class names, sorted (numbers by value), and how many samples each has."""
    counts = Counter(labels)
    names = classes_in_order(counts)
    return names, tuple(counts[name] for name in names)


def classes_in_order(labels: Collection[str]) -> tuple[str, ...]:
    """Class names, sorted: numbers by value."""
    numbers = all(_floats(label) and math.isfinite(float(label)) for label in labels)
    # "1" and "01" are one number and two names.
    return tuple(sorted(labels, key=lambda label: (float(label), label)) if numbers else sorted(labels))


def few_classes(labels: Sequence[str], what: str) -> None:
    """Refuse words that are as good as all different: identifiers or free text, and no classes."""
    different = len(set(labels))
    if different > max(len(labels) // 2, 2):
        odd = next((label for label in labels if not _floats(label)), labels[0])
        raise refuse(
            f"{what} has {different:,} different values in {len(labels):,} samples",
            f"{odd[:40]!r} is no number, and so many words are no classes",
            "Choose a target of few classes, or one of numbers.",
        )


def _floats(label: str) -> bool:
    try:
        float(label)
    except ValueError:
        return False
    return True


def class_outputs(classes: Sequence[str]) -> dict[str, Shape]:
    """The tasks that `classes` allow: two make a yes-or-no question, which can be asked as multiclass too."""
    if len(classes) < 2:
        only = f": {classes[0]!r}" if classes else ""
        raise refuse(
            f"the targets hold one class only{only}",
            "a network cannot learn to tell one class from nothing",
            "Bring samples of at least two classes.",
        )
    shapes: dict[str, Shape] = {"binary": (1,)} if len(classes) == 2 else {}
    return {**shapes, "multiclass": (len(classes),)}
