"""What the files of a teaching kit print that no project has: its gaps, where they are, and what the grader knows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property

from torchgen_scaffold.escape import Code, python_string
from torchgen_scaffold.gaps import GAPS, Gap
from torchgen_scaffold.plan import Plan
from torchgen_scaffold.records import record
from torchgen_scaffold.spelling import counted
from torchgen_scaffold.training import LOSSES, OPTIMIZERS
from torchgen_scaffold.version import __version__
from torchgen_scaffold.view import View

Place = tuple[str, str]  # a file of the project, and a function in it: ("model.py", "Model.forward")


@record
class GapRow:
    """A gap as a table shows it."""

    number: int
    name: Code
    title: Code
    points: int
    rule: Code
    where: Code


class KitView(View):
    """Everything that a template prints about one kit."""

    def __init__(self, plan: Plan, places: Mapping[str, tuple[Place, ...]]) -> None:
        super().__init__(plan, frozenset(places))
        self._places = places

    @property
    def _open(self) -> Iterator[tuple[Gap, tuple[Place, ...]]]:
        return ((GAPS[name], where) for name, where in self._places.items())

    @cached_property
    def gap_count(self) -> Code:
        """`3 gaps`."""
        return Code(counted(len(self._places), "gap"))

    @cached_property
    def gap_rows(self) -> list[GapRow]:
        """The gaps in their order."""
        return [
            GapRow(
                gap.number,
                Code(gap.name),
                Code(gap.title),
                gap.points,
                Code(gap.rule),
                Code(", ".join(f"`{function}()` in `{file}`" for file, function in places)),
            )
            for gap, places in self._open
        ]

    @cached_property
    def random_inputs(self) -> Code:
        """`torch.randn(samples, 1, 8, 8)`: inputs of the project's shape and dtype."""
        sizes = ", ".join(["samples", *map(str, self._spec.input_shape)])
        if self.is_tokens:
            return Code(f"torch.randint(1, {self.vocab_size}, ({sizes}))")
        return Code(f"torch.rand({sizes})" if self.has_codes else f"torch.randn({sizes})")

    @cached_property
    def random_targets(self) -> Code:
        """Targets of the task's shape and dtype."""
        sizes = ", ".join(["samples", *map(str, self._spec.output_shape)])
        if self.is_multiclass:
            return Code(f"torch.arange(samples) % {self.outputs}")
        return Code(f"torch.randn({sizes})" if self.is_regression else f"torch.randint(2, ({sizes})).float()")

    @cached_property
    def block_names(self) -> Code:
        """`("features", "head")`: the model's attributes that hold its layers."""
        names = [python_string(block.name) for block in self._plan.network.blocks if block.name]
        return Code(f"({', '.join(names)}{',' if len(names) == 1 else ''})")

    @cached_property
    def kit_json(self) -> Code:
        """What the grader knows of the project."""
        return Code(json.dumps(self.facts, indent=2))

    @cached_property
    def facts(self) -> dict[str, object]:
        """The same as data: the gaps, and the shapes, dtypes and rows of the project."""
        spec, training = self._spec, self._spec.training
        form = spec.task_row.form
        return {
            "name": spec.name,
            "torchgen": __version__,
            "gaps": [
                {
                    "number": gap.number,
                    "name": gap.name,
                    "title": gap.title,
                    "points": gap.points,
                    "places": [list(place) for place in places],
                }
                for gap, places in self._open
            ],
            "task": form,
            "input_shape": list(spec.input_shape),
            "input_dtype": str(self.input_dtype),
            "vocab_size": spec.model.vocab_size or 0,
            "output_shape": list(spec.output_shape),
            "target_dtype": str(self.target_dtype),
            "has_steps": any(layer.kind == "LastStep" for layer in self._plan.layers),
            "recurrent": any(layer.form == "recurrent" for layer in self._plan.layers),
            "codes": self.codes_width if self.has_codes else 0,
            "compares_samples": self.compares_samples,
            "is_padded": self.is_padded,
            "loss": LOSSES[training.loss].torch_class,
            "optimizer": OPTIMIZERS[training.optimizer].torch_class,
            "clips": self.clips,
            "steps_every_batch": self.steps_every_batch,
            "streams": self.streams,
            "batch_size": training.batch_size,
            "samples": spec.data.samples,
        }
