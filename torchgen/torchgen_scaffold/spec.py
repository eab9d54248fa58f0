"""A Spec: everything torchgen was told, checked and complete. Frozen; `torchgen.toml` is its text.

Answers (flags, a file, a person at a prompt) become a Spec in `answers.py`, which fills in what follows from
something else and reports every problem at once. Nothing after this point can be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torchgen_scaffold.layers.base import LayerCall, Signal
from torchgen_scaffold.layers.base import Shape as Sizes
from torchgen_scaffold.layers.dense import Codes
from torchgen_scaffold.records import field, record
from torchgen_scaffold.sources import SOURCES
from torchgen_scaffold.sources.huggingface import IMAGE
from torchgen_scaffold.sources.table.columns import Column
from torchgen_scaffold.sources.table.table import Reading
from torchgen_scaffold.splits import Sizes as Splits
from torchgen_scaffold.splits import split_sizes
from torchgen_scaffold.tasks import TASKS, Task


@record
class Model:
    """`[model]`: a preset with its settings, or a list of layers; and how the input is read."""

    preset: str | None
    layers: tuple[LayerCall, ...]  # without the head
    signal: Signal
    vocab_size: int | None = None
    layout: str | None = None
    codes: Codes = field(default_factory=Codes)  # behind the numbers of a row of a table
    settings: Mapping[str, Any] = field(default_factory=dict)


@record
class Data:
    """`[data]`: the source and its facts. `place` is what follows the colon, as the project sees it."""

    source: str
    place: str
    samples: int
    test_samples: int = 0
    val_samples: int = 0
    parts: tuple[str, ...] = ()  # folders or splits of its own: train, val, test, as the source calls them
    target: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()  # what each column holds; empty where all are plain numbers
    drop: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    time_format: str = ""
    reading: Reading = field(default_factory=Reading)
    streams: bool = False
    padded: bool = False
    resize: Sizes = ()
    augment: str = ""  # how training varies images: none, shift or flip
    skipped: tuple[str, ...] = ()
    strict: bool = False
    # Where the data is now, to copy it from; no part of torchgen.toml, and so of what makes two specs equal.
    original: Path | None = field(default=None, compare=False)
    # What was seen in the data, for people.
    says: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @property
    def table(self) -> tuple[Column, ...]:
        """The input columns of a table, each with what it holds."""
        if self.holds_images:
            return ()
        kinds = self.kinds or ("number",) * len(self.columns)
        return tuple(Column.parse(name, kind) for name, kind in zip(self.columns, kinds, strict=True))

    @property
    def holds_images(self) -> bool:
        """Whether a sample is an image: a file, or a cell of a Hugging Face dataset."""
        return SOURCES[self.source].template == "images" or self.kinds == IMAGE

    @property
    def is_outside(self) -> bool:
        """Whether the data is a file or folder that does not lie in the project's own folder."""
        # A drive, too: where a project and its data share none, the path is absolute.
        return SOURCES[self.source].has_path and bool(re.match(r"\.\.(/|$)|/|[A-Za-z]:", self.place))

    @property
    def kept(self) -> int:
        """The samples that the source itself keeps for val and test."""
        return self.val_samples + self.test_samples

    @property
    def is_sequences(self) -> bool:
        """Whether the rows of a table are time steps: a sequence for each group."""
        return bool(self.group and self.time)

    @property
    def cut_by(self) -> str:
        """The role of the column that rows are cut into splits by, if any: group or time."""
        return "" if self.is_sequences else "group" if self.group else "time" if self.time else ""

    @property
    def text(self) -> str:
        """The source as it is typed: `csv:data/houses.csv`."""
        return f"{self.source}:{self.place}" if self.place else self.source


@record
class Training:
    """`[training]`: the loss, the optimizer, the schedule, and the settings that they read."""

    loss: str
    optimizer: str
    schedule: str
    epochs: int
    batch_size: int
    lr: float
    seed: int
    clip_norm: float
    patience: int
    settings: Mapping[str, Any] = field(default_factory=dict)


@record
class Project:
    """`[project]`: what is written around the model."""

    profile: str = "standard"
    ci: str = "none"
    copy_data: bool = False
    templates: str = ""  # a folder whose templates go before torchgen's, as seen from the project
    # Where that folder is now; no part of torchgen.toml.
    templates_at: Path | None = field(default=None, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The table as torchgen.toml holds it."""
        usual = {"profile": self.profile, "ci": self.ci, "copy_data": self.copy_data}
        return {**usual, "templates": self.templates} if self.templates else usual


@record
class Spec:
    """One project, complete. Shapes are of one sample, without the batch dimension."""

    name: str
    task: str
    input_shape: Sizes
    output_shape: Sizes
    model: Model
    data: Data
    training: Training
    project: Project

    @classmethod
    def from_dict(
        cls,
        answers: Mapping[str, Any],
        *,
        base: Path | None = None,
        into: Path | None = None,
        home: Path | None = None,
    ) -> Spec:
        """Check answers, shaped as torchgen.toml is, and fill in what follows from them.

        Paths in `data.source` are read relative to `base` (the working directory unless given) and kept relative to
        the project's own folder: `home`, or the folder called as the project is in `into` (which is `base` unless
        given). Raises SpecError listing every problem.
        """
        from torchgen_scaffold.answers import resolve

        base = base or Path()
        return resolve(answers, base=base, into=into or base, home=home)

    @classmethod
    def from_toml(cls, path: str | Path) -> Spec:
        """Read a torchgen.toml; its paths are relative to the folder it is in. Raises SpecError."""
        from torchgen_scaffold.answers import read_toml

        path = Path(path)
        return cls.from_dict(read_toml(path), base=path.parent, home=path.parent)

    @property
    def class_counts(self) -> tuple[int, ...]:
        """The samples of each class, as far as torchgen cuts them into splits; see `class_counts`."""
        return class_counts(self.task_row, self.output_shape, self.data)

    @property
    def task_row(self) -> Task:
        """The task's row."""
        return TASKS[self.task]

    def to_dict(self) -> dict[str, Any]:
        """The spec as torchgen.toml holds it: enough to make the same project again."""
        from torchgen_scaffold.version import __version__

        model: dict[str, Any] = {"preset": self.model.preset} if self.model.preset else {}
        if not self.model.preset:
            model["layers"] = [str(call) for call in self.model.layers]
        model |= {"vocab_size": self.model.vocab_size, "layout": self.model.layout, **self.model.settings}
        data = {
            "source": self.data.text,
            "target": self.data.target,
            "samples": self.data.samples,
            "test_samples": self.data.test_samples,
            "val_samples": self.data.val_samples,
            "parts": self.data.parts,
            "classes": self.data.classes,
            "counts": self.data.counts,
            "columns": self.data.columns,
            "kinds": () if set(self.data.kinds) <= {"number"} else self.data.kinds,
            "drop": self.data.drop,
            "group": self.data.group,
            "time": self.data.time,
            "time_format": self.data.time_format or None,
            **_unusual(self.data.reading),
            "stream": self.data.streams or None,
            "padded": self.data.padded or None,
            "resize": self.data.resize,
            "augment": self.data.augment or None,
            "skipped": self.data.skipped,
            "strict": self.data.strict or None,
        }
        fixed = {name: value for name, value in vars(self.training).items() if name != "settings"}
        return {
            "torchgen": __version__,
            "name": self.name,
            "task": self.task,
            "input_shape": list(self.input_shape),
            "output_shape": list(self.output_shape),
            "model": _present(model),
            "data": _present(data),
            "training": _present(fixed | dict(self.training.settings), keep_zero=True),
            "project": self.project.to_dict(),
        }

    def to_toml(self) -> str:
        """The text of torchgen.toml; reading it back gives an equal Spec."""
        from torchgen_scaffold.escape import toml_value

        lines = []
        for key, value in self.to_dict().items():
            if isinstance(value, dict):
                lines += ["", f"[{key}]", *(f"{name} = {toml_value(inner)}" for name, inner in value.items())]
            else:
                lines.append(f"{key} = {toml_value(value)}")
        return "\n".join(lines) + "\n"


def class_counts(task: Task, output_shape: Sizes, data: Data) -> tuple[int, ...]:
    """The samples of each class outside the source's own test set; empty where a target is no class.

    Made data has as many of each as can be.
    """
    if not task.chooses or data.cut_by or data.streams:
        return ()
    if data.source != "synthetic":
        return data.counts
    classes = max(output_shape[0], 2)
    return tuple(data.samples // classes + int(index < data.samples % classes) for index in range(classes))


def splits_of(task: Task, output_shape: Sizes, data: Data) -> Splits:
    """How many samples train, val and test have: those that the source brings, and those that are cut."""
    counts = class_counts(task, output_shape, data)
    return split_sizes(data.samples, data.test_samples, counts, data.val_samples)


def _unusual(reading: Reading) -> dict[str, Any]:
    """How a text file is read, as far as it is not what everybody expects."""
    usual = vars(Reading())
    return {name: value for name, value in vars(reading).items() if value != usual[name]}


def _present(table: Mapping[str, Any], *, keep_zero: bool = False) -> dict[str, Any]:
    """The table without what was not said; tuples become lists, as TOML has them."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in table.items()
        if value is not None and value != () and (keep_zero or value != 0 or isinstance(value, (bool, float)))
    }
