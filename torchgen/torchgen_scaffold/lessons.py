"""The lessons that come with torchgen, a row each: a ready kit with its text, on real data.

A lesson has its words in `templates/lessons/NAME.md.jinja`, and what a run of its solution gave in `NAME.json` and `NAME.png` beside it, which
`python tests/test_lessons.py` records. Adding a lesson is adding a row and its words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.overlay import own_templates
from torchgen_scaffold.records import field, record
from torchgen_scaffold.spelling import nearest


@record
class Lesson:
    """A kit that is ready: its title, the answers of its project, and its gaps, or the mistakes that are planted in it."""

    name: str
    title: str
    summary: str
    answers: Mapping[str, Any]
    gaps: tuple[int, ...]
    pitfalls: tuple[str, ...] = field(default=())

    @property
    def run(self) -> dict[str, Any]:
        """What a run of the solution gave: the command, the history, and the metrics of the test split."""
        recorded = _beside(self, ".json")
        return json.loads(recorded.read_text("utf-8")) if recorded.is_file() else {}

    @property
    def curves(self) -> Path | None:
        """The picture of that run."""
        picture = _beside(self, ".png")
        return picture if picture.is_file() else None


def _beside(lesson: Lesson, ending: str) -> Path:
    return own_templates() / "lessons" / f"{lesson.name}{ending}"


LESSONS = {
    lesson.name: lesson
    for lesson in (
        Lesson(
            "linear-regression",
            "Lesson 1: linear regression",
            "one layer, and the order of things: diabetes",
            {"data": {"source": "sklearn:diabetes"}, "model": {"preset": "linear"}},
            (1, 5, 6, 7, 8),
        ),
        Lesson(
            "mlp",
            "Lesson 2: layers with something between them",
            "an MLP: which of three growers made a wine",
            {"data": {"source": "sklearn:wine"}, "model": {"preset": "mlp"}},
            (2, 3, 4, 5, 6, 7),
        ),
        Lesson(
            "cnn",
            "Lesson 3: images, and the size of a feature map",
            "a CNN reads handwritten digits",
            {"data": {"source": "sklearn:digits"}, "model": {"preset": "cnn"}},
            (3, 4, 5, 7, 8),
        ),
        Lesson(
            "lstm",
            "Lesson 4: sequences, and the last time step",
            "an LSTM reads digits row by row",
            {"data": {"source": "sklearn:digits"}, "input_shape": [8, 8], "model": {"preset": "lstm"}},
            (3, 4, 5, 7, 8, 9, 10),
        ),
        Lesson(
            "debugging",
            "Lesson 5: seven pitfalls",
            "a project that runs, with seven things wrong in it",
            {"data": {"source": "sklearn:digits"}, "model": {"preset": "cnn"}},
            (),
            (
                "test-data-in-training",
                "softmax-returned",
                "own-learning-rate",
                "no-zero-grad",
                "mean-of-batches",
                "no-eval-mode",
                "mean-of-batch-means",
            ),
        ),
    )
}


def lesson_called(name: str) -> Lesson:
    """The lesson of that name. Raises SpecError, which lists them."""
    if name not in LESSONS:
        close = nearest(name, LESSONS)
        instead = f"Did you mean {close}?" if close else "Choose one: --lesson cnn"
        raise SpecError(Problem(f"There is no lesson {name!r}.", f"there are {', '.join(LESSONS)}", instead))
    return LESSONS[name]
