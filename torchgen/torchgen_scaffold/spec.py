"""A Spec: everything torchgen was told, checked and complete. Frozen; `torchgen.toml` is its text.

Answers (flags, a file, a person at a prompt) become a Spec in `answers.py`, which fills in what follows from
something else and reports every problem at once. Nothing after this point can be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torchgen_scaffold.kinds import (
    Choice,
    Columns,
    Flag,
    Integer,
    Layers,
    Many,
    Number,
    Setting,
    Shape,
    Text,
)
from torchgen_scaffold.layers.base import LayerCall, Signal
from torchgen_scaffold.layers.base import Shape as Sizes
from torchgen_scaffold.presets import PRESETS
from torchgen_scaffold.sources import SOURCES
from torchgen_scaffold.tasks import TASKS, Task
from torchgen_scaffold.training import LOSSES, OPTIMIZERS, SCHEDULES

PROFILES = ("standard", "lesson")
CI_SYSTEMS = ("none", "github", "gitlab")
LAYOUTS = ("tf", "cl")

# Every key of torchgen.toml that does not belong to one preset, loss, optimizer or schedule.
SETTINGS: dict[str, Setting] = {
    "torchgen": Setting(
        Text("the version of torchgen that wrote the file"), "the version that wrote this file"
    ),
    "name": Setting(Text("a name such as digits"), "the project's name, and its folder's"),
    "task": Setting(Choice(tuple(TASKS)), "what the network is to do", flag="--task"),
    "input_shape": Setting(Shape(), "one sample's shape, without the batch", flag="--input-shape"),
    "output_shape": Setting(Shape(), "one output's shape, without the batch", flag="--output-shape"),
    "model.preset": Setting(Choice(tuple(PRESETS)), "a ready list of layers", flag="--model"),
    "model.layers": Setting(Layers(), 'your own list: "conv(32, 3) -> relu -> …"', flag="--layers"),
    "model.vocab_size": Setting(Integer(2, 2**31 - 1), "the input is token ids below N", flag="--vocab-size"),
    "model.layout": Setting(
        Choice(LAYOUTS), "what two axes mean: tf = time, features; cl = channels, length", flag="--layout"
    ),
    "data.source": Setting(
        Text("one of " + ", ".join(s.form for s in SOURCES.values()), metavar="SOURCE"),
        "where the data comes from",
        flag="--data",
    ),
    "data.target": Setting(Columns(), "the column to predict", flag="--target"),
    "data.samples": Setting(Integer(10, 10**9), "how many samples there are (synthetic: how many to make)"),
    "data.test_samples": Setting(Integer(0, 10**9), "how many of them the source keeps for testing"),
    "data.classes": Setting(Many(Text("a class's name"), limit=100_000), "the classes' names, in order"),
    "data.counts": Setting(Many(Integer(0, 10**9), limit=100_000), "samples of each class"),
    "data.columns": Setting(Many(Text("a column's name"), limit=100_000), "the input columns, in order"),
    "data.resize": Setting(Shape(), "images: the height and width to bring them to"),
    "training.loss": Setting(Choice(tuple(LOSSES)), "what training makes small", flag="--loss"),
    "training.optimizer": Setting(Choice(tuple(OPTIMIZERS)), "how weights move", "adam", flag="--optimizer"),
    "training.schedule": Setting(Choice(tuple(SCHEDULES)), "how lr changes", "none", flag="--schedule"),
    "training.epochs": Setting(Integer(1, 1_000_000), "passes over the train split", flag="--epochs"),
    "training.batch_size": Setting(Integer(1, 1_000_000), "samples a step", flag="--batch-size"),
    "training.lr": Setting(
        Number(0, 1000, above=True), "the learning rate: how far a step goes", flag="--lr"
    ),
    "training.seed": Setting(
        Integer(0, 2**31 - 1), "decides the split, the weights and the order", 0, flag="--seed"
    ),
    "training.clip_norm": Setting(Number(0), "largest norm of the gradient; 0 is off"),
    "training.patience": Setting(Integer(0, 1_000_000), "epochs without a better val loss; 0 is off", 0),
    "project.profile": Setting(
        Choice(PROFILES),
        "lesson: one page a file; standard: with the tools of a real run",
        "standard",
        "--profile",
    ),
    "project.ci": Setting(Choice(CI_SYSTEMS), "a CI workflow to write", "none", flag="--ci"),
    "project.copy_data": Setting(Flag(), "bring the data into the project", False, flag="--copy-data"),
}


@dataclass(frozen=True)
class Model:
    """`[model]`: a preset with its settings, or a list of layers; and how the input is read."""

    preset: str | None
    layers: tuple[LayerCall, ...]  # without the head
    signal: Signal
    vocab_size: int | None = None
    layout: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Data:
    """`[data]`: the source and its facts. `place` is what follows the colon, as the project sees it."""

    source: str
    place: str
    samples: int
    test_samples: int = 0
    target: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    resize: Sizes = ()
    # Where the data is now, to copy it from; no part of torchgen.toml, and so of what makes two specs equal.
    original: Path | None = field(default=None, compare=False)

    @property
    def text(self) -> str:
        """The source as it is typed: `csv:data/houses.csv`."""
        return f"{self.source}:{self.place}" if self.place else self.source


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Project:
    """`[project]`: what is written around the model."""

    profile: str = "standard"
    ci: str = "none"
    copy_data: bool = False


@dataclass(frozen=True)
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
            "classes": self.data.classes,
            "counts": self.data.counts,
            "columns": self.data.columns,
            "resize": self.data.resize,
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
            "project": vars(self.project).copy(),
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
    if not task.chooses:
        return ()
    if data.source != "synthetic":
        return data.counts
    classes = max(output_shape[0], 2)
    return tuple(data.samples // classes + int(index < data.samples % classes) for index in range(classes))


def _present(table: Mapping[str, Any], *, keep_zero: bool = False) -> dict[str, Any]:
    """The table without what was not said; tuples become lists, as TOML has them."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in table.items()
        if value is not None and value != () and (keep_zero or value != 0 or isinstance(value, (bool, float)))
    }
