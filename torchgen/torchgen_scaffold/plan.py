"""Spec to Plan: everything that will be true of the project, worked out before a line of it is written."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from torchgen_scaffold.layers.base import Traced
from torchgen_scaffold.network import Network, build
from torchgen_scaffold.records import record
from torchgen_scaffold.sources import SOURCES
from torchgen_scaffold.spec import Spec, splits_of
from torchgen_scaffold.splits import Sizes


@record
class Plan:
    """A spec with its network. Shapes are of one sample, without the batch dimension."""

    spec: Spec
    network: Network

    @property
    def layers(self) -> tuple[Traced, ...]:
        """Every layer in order: name, torch class, arguments, shapes, parameters, MACs, arithmetic."""
        return self.network.layers

    @cached_property
    def params(self) -> int:
        """Trainable numbers in the whole model."""
        return sum(layer.params for layer in self.layers)

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates for one sample through the whole model."""
        return sum(layer.macs for layer in self.layers)

    @property
    def splits(self) -> Sizes:
        """Samples in the train, val and test split."""
        return splits_of(self.spec.task_row, self.spec.output_shape, self.spec.data)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should hear, though nothing is wrong."""
        shape, model = self.spec.input_shape, self.spec.model
        seen = (*self.spec.data.warnings, *_balance(self.spec), *_far_data(self.spec))
        if model.signal.axes == "map" and len(shape) == 2:
            read_as = f"The input {shape[0]}×{shape[1]} is read as {shape[0]} channels of length {shape[1]}."
            return (*seen, read_as, *self.network.notes)
        return (*seen, *self.network.notes)

    def to_dict(self) -> dict[str, Any]:
        """The plan as `torchgen plan --json` prints it."""
        spec = self.spec
        return {
            "input_shape": list(spec.input_shape),
            "output_shape": list(spec.output_shape),
            "task": spec.task,
            "model": spec.model.preset or "layers",
            "layers": [layer_dict(layer) for layer in self.layers],
            "params": self.params,
            "macs": self.macs,
            "data": {
                "source": spec.data.text,
                "samples": spec.data.samples,
                "columns": [{"name": name, "says": says} for name, says in spec.data.says],
                "warnings": list(spec.data.warnings),
            },
        }


SKEWED = 4  # times as many samples in the largest class as in the smallest


def _balance(spec: Spec) -> Iterator[str]:
    """What to try where the classes are of very different sizes, unless it is tried already."""
    counts, settings = spec.class_counts, spec.training.settings
    name = "class_weights" if "class_weights" in settings else "pos_weight"
    if counts and max(counts) > SKEWED * max(min(counts), 1) and settings.get(name) == "none":
        yield (
            f"the largest class has {max(counts):,} samples and the smallest {min(counts):,}. "
            f"To count them alike: --set training.{name}=balanced"
        )


def _far_data(spec: Spec) -> Iterator[str]:
    """What a CI workflow cannot have, since it sees the project alone."""
    if spec.project.ci != "none" and spec.data.is_outside:
        near = (
            "have it there"
            if SOURCES[spec.data.source].names_files
            else "have it copied there by --copy-data"
        )
        yield (
            f"the {spec.project.ci} workflow sees the project's folder alone, and the data lies outside it: {near}, "
            "or bring it in a step of your own, where a comment of the workflow says so"
        )


def layer_dict(layer: Traced) -> dict[str, Any]:
    """One layer as JSON has it; `name` is empty for an operation that stands in forward() itself."""
    return {
        "name": layer.name,
        "kind": layer.kind,
        "args": {
            name: list(value) if isinstance(value, tuple) else value for name, value in layer.args.items()
        },
        "in_shape": list(layer.in_shape),
        "out_shape": list(layer.out_shape),
        "params": layer.params,
        "macs": layer.macs,
        "receptive_field": list(layer.receptive_field) if layer.receptive_field else None,
        "formula": layer.formula,
    }


def plan(spec: Spec) -> Plan:
    """Work out the whole project; cannot fail, since a Spec has been traced already."""
    return Plan(spec, build(spec.model, spec.output_shape))
