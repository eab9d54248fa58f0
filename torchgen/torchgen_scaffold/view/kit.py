"""What the files of a teaching kit print that no project has: its gaps, where they are, and what the grader knows."""

from __future__ import annotations

import ast
import json
import textwrap
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
class Answer:
    """The solution of one function of a gap."""

    file: Code
    code: Code


@record
class GapRow:
    """A gap as a table shows it, and as the instructor's page does."""

    number: int
    title: Code
    points: int
    minutes: int
    rule: Code
    where: Code
    answers: tuple[Answer, ...]
    mistakes: tuple[Code, ...]


@record
class Contents:
    """What is known of a kit when its own files are printed: where its gaps are, the solution, and what goes wrong.

    `mistakes` are (gap, what a learner does); `pitfalls` those of them that the starter holds in place of open gaps.
    """

    places: Mapping[str, tuple[Place, ...]]
    solution: Mapping[str, str]
    mistakes: tuple[tuple[str, str], ...] = ()
    pitfalls: tuple[tuple[str, str], ...] = ()  # (gap, the check that finds it)


class KitView(View):
    """Everything that a template prints about one kit."""

    def __init__(self, plan: Plan, contents: Contents) -> None:
        super().__init__(plan, frozenset(contents.places))
        self._contents = contents

    @property
    def _open(self) -> Iterator[tuple[Gap, tuple[Place, ...]]]:
        return ((GAPS[name], where) for name, where in self._contents.places.items())

    @cached_property
    def gap_count(self) -> Code:
        """`3 gaps`, or `7 pitfalls`."""
        pitfalls = self._contents.pitfalls
        return Code(
            counted(len(pitfalls), "pitfall") if pitfalls else counted(len(self._contents.places), "gap")
        )

    @property
    def planted(self) -> tuple[tuple[str, str], ...]:
        """(gap, the check that finds it) of each of them."""
        return self._contents.pitfalls

    @cached_property
    def pitfalls(self) -> int:
        """How many mistakes are planted in the starter."""
        return len(self._contents.pitfalls)

    @cached_property
    def points(self) -> int:
        """All points of the kit."""
        return sum(row.points for row in self.gap_rows)

    @cached_property
    def minutes(self) -> int:
        """What a learner may need for all of it."""
        return sum(row.minutes for row in self.gap_rows)

    @cached_property
    def gap_rows(self) -> list[GapRow]:
        """The gaps in their order."""
        return [
            GapRow(
                gap.number,
                Code(gap.title),
                gap.points,
                gap.minutes,
                Code(gap.rule),
                Code(", ".join(f"`{function}()` in `{file}`" for file, function in places)),
                tuple(self._answer(*place) for place in places),
                tuple(Code(says) for name, says in self._contents.mistakes if name == gap.name),
            )
            for gap, places in self._open
        ]

    def _answer(self, file: str, function: str) -> Answer:
        code = textwrap.dedent(source_of(self._contents.solution[file], function)).rstrip("\n")
        return Answer(Code(file), Code(code))

    @cached_property
    def random_inputs(self) -> Code:
        """`torch.randn(samples, 1, 8, 8)`: inputs of the project's shape and dtype."""
        *steps, width = self._spec.input_shape
        sizes = ", ".join(["samples", *map(str, steps)])
        if self.is_tokens:
            return Code(f"torch.randint(1, {self.vocab_size}, ({sizes}, {width}))")
        if not self.has_codes:
            return Code(f"torch.randn({sizes}, {width})")
        # Numbers first and codes last; each category and each text has the codes 0 and 1.
        codes = f"torch.randint(2, ({sizes}, {self.codes_width}))"
        return Code(f"torch.cat([torch.randn({sizes}, {width - self.codes_width}), {codes}], dim=-1)")

    @cached_property
    def random_targets(self) -> Code:
        """Targets of the task's shape and dtype."""
        sizes = ", ".join(["samples", *map(str, self._spec.output_shape)])
        if self.is_multiclass:
            return Code(f"torch.arange(samples) % {self.outputs}")
        return Code(f"torch.randn({sizes})" if self.is_regression else f"torch.randint(2, ({sizes})).float()")

    @cached_property
    def tensors_from(self) -> Code:
        """The function that makes tensors, which depends on where the data comes from; empty where it is no gap."""
        return Code(self._contents.places["tensors"][0][1] if "tensors" in self._contents.places else "")

    @cached_property
    def gap_cuts_by(self) -> Code:
        """What the cut() of the gap goes by; empty where there is none, as with splits that the data brings along."""
        cuts = any(function == "cut" for _, function in self._contents.places.get("split", ()))
        return Code(self.cuts_by if cuts else "")

    @cached_property
    def tests_rows(self) -> bool:
        """Whether the public tests make up rows of a table."""
        return self.gap_cuts_by in ("group", "time") or self.tensors_from == "labelled"

    @cached_property
    def eval_names(self) -> Code:
        """What the public tests import from eval.py."""
        found = [name for _, places in self._open for file, name in places if file == "eval.py"]
        return Code(", ".join(sorted(found)))

    @cached_property
    def outputs_tuple(self) -> Code:
        """`(1,)`: the shape of one output."""
        return Code(str(tuple(self._spec.output_shape)))

    @cached_property
    def score_names(self) -> Code:
        """The names of what evaluate() returns, as a set."""
        return Code('{"loss", "mae", "rmse", "r2"}' if self.is_regression else '{"loss", "accuracy"}')

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
                    "counts": [check for name, check in self._contents.pitfalls if name == gap.name],
                }
                for gap, places in self._open
            ],
            "task": form,
            "input_shape": list(spec.input_shape),
            "input_dtype": str(self.input_dtype),
            "vocab_size": spec.model.vocab_size or 0,
            "codes": self.codes_width if self.has_codes else 0,
            "output_shape": list(spec.output_shape),
            "has_steps": any(layer.kind == "LastStep" for layer in self._plan.layers),
            "recurrent": any(layer.form == "recurrent" for layer in self._plan.layers),
            "compares_samples": self.compares_samples,
            "loss": LOSSES[training.loss].torch_class,
            "optimizer": OPTIMIZERS[training.optimizer].torch_class,
            "clips": self.clips,
            "steps_every_batch": self.steps_every_batch,
            "streams": self.streams,
            "batch_size": training.batch_size,
            "cuts_by": str(self.gap_cuts_by),
        }


def source_of(text: str, dotted: str) -> str:
    """The lines of one function of a module: `Model.forward`."""
    start, end = span_of(text, dotted)
    return text[start:end]


def span_of(text: str, dotted: str) -> tuple[int, int]:
    """Where a function starts and ends in its module, in characters."""
    node = next(node for name, node in _functions(ast.parse(text), ()) if name == dotted)
    lines = text.splitlines(keepends=True)
    return len("".join(lines[: node.lineno - 1])), len("".join(lines[: node.end_lineno]))


def _functions(node: ast.AST, inside: tuple[str, ...]) -> Iterator[tuple[str, ast.FunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
            name = (*inside, child.name)
            if isinstance(child, ast.FunctionDef):
                yield ".".join(name), child
            yield from _functions(child, name)
