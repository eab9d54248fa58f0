"""What a lesson's page prints: its words, and what a run of its solution gave."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from torchgen_scaffold.escape import Code
from torchgen_scaffold.plan import Plan
from torchgen_scaffold.view import View

_MOST_ROWS = 6  # epochs in the table


class LessonView(View):
    """Everything that a lesson's page prints. `run` is what tests/test_lessons.py recorded; empty where nothing was."""

    def __init__(self, plan: Plan, name: str, title: str, run: Mapping[str, Any]) -> None:
        super().__init__(plan)
        self.lesson_title = Code(title)
        self.lesson_part = Code(f"lessons/{name}.md.jinja")
        self._run = run

    @property
    def _epochs(self) -> list[Mapping[str, float]]:
        history = self._run["history"]
        step = -(-len(history) // (_MOST_ROWS - 1))
        return [history[0], *history[step - 1 : -1 : step], history[-1]]

    @property
    def _columns(self) -> list[str]:
        return [name for name in self._run["history"][0] if name not in ("epoch", "train loss")]

    @cached_property
    def lesson_run(self) -> Code:
        """The command and how many seconds it took; empty where no run was recorded."""
        if not self._run:
            return Code("")
        return Code(f"`{self._run['command']}`, about {self._run['seconds']:.0f} s on two cores of a CPU")

    @cached_property
    def lesson_columns(self) -> Code:
        """The heads of the columns of the val split."""
        return Code(" | ".join(self._columns))

    @cached_property
    def lesson_rule(self) -> Code:
        """The rule under them."""
        return Code("---:|" * len(self._columns))

    @cached_property
    def lesson_rows(self) -> list[Code]:
        """Some of the epochs, the first and the last among them."""
        names = ["train loss", *self._columns]
        return [
            Code(" | ".join([f"{row['epoch']:.0f}", *(f"{row[name]:.3f}" for name in names)]))
            for row in self._epochs
        ]

    @cached_property
    def lesson_test(self) -> Code:
        """The metrics of the test split."""
        return Code(", ".join(f"{name} {value:.3f}" for name, value in self._run["test"].items()))
