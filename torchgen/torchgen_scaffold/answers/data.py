"""The data: its source, the facts it brings, and where the project will find it."""

from __future__ import annotations

import os
from pathlib import Path

from torchgen_scaffold.answers.words import Answers
from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.layers.base import Shape
from torchgen_scaffold.sources import SOURCES, Facts, Request, Source
from torchgen_scaffold.sources.synthetic import usual_samples
from torchgen_scaffold.spec import Data
from torchgen_scaffold.spelling import nearest

FEWEST_SAMPLES = 10


def source_of(answers: Answers) -> tuple[Source, str]:
    """The source and what follows its colon; synthetic where nothing was said. Raises SpecError."""
    text: str = answers.get("data.source") or "synthetic"
    name, colon, place = text.partition(":")
    source = SOURCES.get(name)
    forms = ", ".join(row.form for row in SOURCES.values())
    if source is None:
        near = nearest(name, tuple(SOURCES)) or _by_ending(text)
        hint = f"Did you mean --data {SOURCES[near].form}?" if near else f"Choose from {forms}."
        raise SpecError(
            Problem(f"there is no data source {text[:80]!r}", f"there are {forms}", hint, "data.source")
        )
    if source.form == source.name and colon:
        raise SpecError(Problem(f"{name} takes nothing after it", "", f"Type --data {name}.", "data.source"))
    if source.form != source.name and not place:
        raise SpecError(Problem(f"data: {name} what?", "", f"Type --data {source.form}.", "data.source"))
    return source, place


def _by_ending(text: str) -> str | None:
    """`houses.csv` alone is most likely csv:houses.csv."""
    ending = text.rsplit(".", 1)[-1].lower()
    return ending if ending in SOURCES else None


def facts_of(answers: Answers, source: Source, place: str, base: Path) -> Facts | None:
    """What the source knows; recorded facts (a torchgen.toml has them) are taken as they stand.

    Raises SpecError where the data is missing or malformed.
    """
    targets = tuple(answers.get("data.target") or ())
    recorded = source.has_path and "data.samples" in answers.values
    shapes = (answers.get("input_shape"), answers.get("output_shape"), answers.get("task"))
    if recorded and all(shapes):
        return Facts(
            input_shapes=(shapes[0],),
            output_shapes={shapes[2]: shapes[1]},
            samples=answers.get("data.samples"),
            test_samples=answers.get("data.test_samples") or 0,
            classes=answers.get("data.classes") or (),
            counts=answers.get("data.counts") or (),
            columns=answers.get("data.columns") or (),
            targets=targets,
            whole_numbers=True,
        )
    resize: Shape = answers.get("data.resize") or ()
    if resize and (source.name != "images" or len(resize) != 2):
        raise SpecError(
            Problem(
                "data.resize is the height and width of images", "", "Give two numbers: 64,64", "data.resize"
            )
        )
    if targets and not source.needs_target:
        raise SpecError(
            Problem(
                f"--target does nothing with {source.name}",
                "only a table has columns to choose from",
                "Drop --target, or give --data csv:PATH.",
                "data.target",
            )
        )
    request = Request(base, targets, answers.get("task"), resize, answers.get("model.vocab_size"))
    facts = source.facts(place, request)
    if facts and facts.samples < FEWEST_SAMPLES:
        raise SpecError(
            Problem(
                f"data: there are {facts.samples} samples",
                f"a train, a val and a test split need at least {FEWEST_SAMPLES}",
                "Bring more samples.",
                "data.source",
            )
        )
    return facts


def data_of(
    answers: Answers, source: Source, place: str, facts: Facts | None, shape: Shape, base: Path, home: Path
) -> Data:
    """The Data of a Spec; paths become relative to the project's folder, or to `data/` inside it when copied."""
    if facts is None:
        samples = answers.get("data.samples") or usual_samples(shape)
        return Data(source.name, place, samples, classes=tuple(answers.get("data.classes") or ()))
    original = None
    if source.has_path:
        original = base / place
        copied = answers.get("project.copy_data")
        place = f"data/{original.name}" if copied else _relative(original, home)
    return Data(
        source=source.name,
        place=place,
        samples=facts.samples,
        test_samples=facts.test_samples,
        target=facts.targets if source.needs_target else (),
        classes=facts.classes,
        counts=facts.counts,
        columns=facts.columns,
        resize=answers.get("data.resize") or (),
        original=original,
    )


def _relative(path: Path, home: Path) -> str:
    """`path` as seen from the project, with forward slashes; absolute where they share no drive."""
    try:
        return Path(os.path.relpath(path, home)).as_posix()
    except ValueError:
        return path.absolute().as_posix()
