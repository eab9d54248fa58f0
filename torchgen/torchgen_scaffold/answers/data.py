"""The data: its source, the facts it brings, and where the project will find it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torchgen_scaffold.answers.recorded import agree, recorded
from torchgen_scaffold.answers.words import Answers
from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.kinds import Text
from torchgen_scaffold.layers.base import Shape
from torchgen_scaffold.records import replace
from torchgen_scaffold.settings import SETTINGS
from torchgen_scaffold.shapes import parse_shape, show_sizes
from torchgen_scaffold.sources import SOURCES, Facts, Request, Source
from torchgen_scaffold.sources.reading import read_facts
from torchgen_scaffold.sources.synthetic import usual_samples
from torchgen_scaffold.spec import Data, splits_of
from torchgen_scaffold.spelling import nearest
from torchgen_scaffold.tasks import TASKS, Task

FEWEST_SAMPLES = 10
MOST_NAMES = 100_000  # as many as torchgen.toml reads back


def source_of(answers: Answers, base: Path) -> tuple[Source, str]:
    """The source and what follows its colon, or a path alone; synthetic where nothing was said. Raises SpecError."""
    text: str = answers.get("data.source") or "synthetic"
    name, colon, place = text.partition(":")
    if name not in SOURCES and (alone := recognised(base / text)):
        name, colon, place = alone, ":", text
    if name == "hf" and place and recognised(base / place) == "hfdir":
        name = "hfdir"  # a folder of one's own comes before a name of the hub
    source = SOURCES.get(name)
    forms = ", ".join(row.form for row in SOURCES.values())
    if source is None:
        near = nearest(name, tuple(SOURCES))
        hint = f"Did you mean --data {SOURCES[near].form}?" if near else f"Choose from {forms}."
        raise SpecError(
            Problem(f"there is no data source {text[:80]!r}", f"there are {forms}", hint, "data.source")
        )
    if source.form == source.name and colon:
        raise SpecError(
            Problem(
                f"--data {name} takes nothing after it",
                f"it was given {text[:80]!r}",
                f"Type --data {name}.",
                "data.source",
            )
        )
    if source.form != source.name and not place:
        what = "the path" if source.has_path else "the set"
        raise SpecError(
            Problem(
                f"--data {name} lacks {what}",
                "it follows the source's name and a colon",
                f"Type --data {source.form}.",
                "data.source",
            )
        )
    if "\0" in place:
        raise SpecError(
            Problem(
                f"no file is called {place[:80]!r}",
                "a path has no NUL",
                "Type the path again.",
                "data.source",
            )
        )
    return source, place


def recognised(path: Path) -> str | None:
    """The source of a path that was given alone: `houses.csv` is csv:houses.csv, and a folder has images."""
    try:
        return next((name for name, source in SOURCES.items() if source.recognises(path)), None)
    except (OSError, ValueError):  # a NUL, or a name that is too long
        return None


def facts_of(answers: Answers, source: Source, place: str, base: Path) -> Facts | None:
    """What the source knows; recorded facts (a torchgen.toml has them) are taken as they stand.

    Raises SpecError where the data is missing, malformed, or contradicts what was said of it.
    """
    targets = tuple(answers.get("data.target") or ())
    resize: Shape = answers.get("data.resize") or ()
    _check_said(answers, source, resize)
    facts = recorded(answers, source, targets)
    if facts is None:
        roles = {role: tuple(answers.get(f"data.{role}") or ()) for role in ("drop", "group", "time")}
        request = Request(
            base,
            targets,
            task=TASKS[answers.get("task")].form if answers.get("task") else None,
            resize=resize,
            strict=answers.get("data.strict"),
            vocab_size=answers.get("model.vocab_size"),
            layout=answers.get("model.layout"),
            stream=answers.get("data.stream"),
            **roles,
        )
        facts = read_facts(source, place, request)
    if facts is not None:
        _check_facts(facts)
        if facts.vocab_size:
            answers.values.setdefault("model.vocab_size", facts.vocab_size)
    return facts


def _check_said(answers: Answers, source: Source, resize: Shape) -> None:
    """Refuse what this source does not read."""
    holds_images = source.template in ("images", "huggingface")
    if resize and (not holds_images or len(resize) != 2):
        raise SpecError(
            Problem(
                "data.resize is the height and width of images",
                f"it was given {show_sizes(resize)}, and the data is {source.form}",
                "Give --data images:DIR --set data.resize=64,64, or drop data.resize.",
                "data.resize",
            )
        )
    columns = "only a table has columns to choose from"
    made = source.name == "synthetic"
    read = {
        "target": (source.needs_target, columns, ", or give --data csv:PATH"),
        **{role: (role in source.roles, columns, "") for role in ("drop", "group", "time")},
        "stream": (
            source.name == "parquet",
            "only a Parquet file can be read piece by piece",
            ", or save the table as Parquet",
        ),
        "augment": (holds_images, "only images are varied in training", ""),
        **dict.fromkeys(
            ("test_samples", "val_samples", "counts", "columns"),
            (not made, "made data has none; a file of yours may", ""),
        ),
    }
    for name, (reads, why, other) in read.items():
        key = f"data.{name}"
        if key in answers.values and not reads:
            typed = SETTINGS[key].flag or key
            raise SpecError(
                Problem(f"{typed} does nothing with {source.name}", why, f"Drop {typed}{other}.", key)
            )
    if answers.get("project.copy_data") and source.names_files:
        what = f"--copy-data would copy {source.form} and leave the files behind that belong to it"
        instead = "Drop --copy-data, and copy them yourself."
        raise SpecError(Problem(what, "it copies one file or folder", instead, "project.copy_data"))


def _check_facts(facts: Facts) -> None:
    """Whatever the data holds, torchgen.toml must be able to hold it too, and every split must get a share."""
    own = facts.samples - facts.test_samples - facts.val_samples
    if own < FEWEST_SAMPLES:
        kept = " besides the test set" if facts.test_samples else ""
        kept = " besides the val and test sets" if facts.val_samples else kept
        raise _unfit(
            f"there are {max(own, 0)} samples{kept}",
            f"a train, a val and a test split need at least {FEWEST_SAMPLES}",
            "Bring more samples.",
        )
    for shape in (*facts.input_shapes, *facts.output_shapes.values()):
        try:
            parse_shape(shape)
        except ValueError as error:
            raise _unfit(
                f"a sample of shape {show_sizes(shape)}", str(error), "Bring smaller samples."
            ) from error
    for kind, names in (("class", facts.classes), ("column", facts.columns), ("column", facts.targets)):
        _check_names(kind, names)


def _check_names(kind: str, names: Sequence[str]) -> None:
    plural = {"class": "classes"}.get(kind, f"{kind}s")
    if len(names) > MOST_NAMES:
        raise _unfit(f"there are {len(names):,} {plural}", f"the most is {MOST_NAMES:,}", "Bring fewer.")
    for name in names:
        try:
            Text("at least one character").read(name)
        except ValueError as error:
            shown = f"{name[:40]!r}"
            raise _unfit(f"a {kind} cannot be called {shown}", str(error), "Rename it.") from error
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise _unfit(f"there are two {plural} {twice[:40]!r}", "a name tells them apart", "Rename one.")


def _unfit(what: str, why: str, instead: str) -> SpecError:
    return SpecError(Problem(f"data: {what}", why, instead, "data.source"))


def data_of(
    answers: Answers, source: Source, place: str, facts: Facts | None, task: str, base: Path, home: Path
) -> Data:
    """The Data of a Spec; paths become relative to the project's folder, or to `data/` inside it when copied.

    Raises SpecError where the file that says so could not be read back.
    """
    if facts is None:
        return _made(answers, source, task)
    original = None
    if source.has_path:
        original = base / place
        copied = answers.get("project.copy_data")
        place = f"data/{_last_name(original)}" if copied else relative(original, home)
        try:
            Text().read(f"{source.name}:{place}")
        except ValueError as error:
            raise _unfit(
                f"the path {place[:80]!r} cannot be written down", str(error), "Move the data, or rename it."
            ) from error
    classifies = TASKS[task].classifies
    taken: dict[str, Any] = {name: getattr(facts, name) for name in _TAKEN}
    taken |= {role: tuple(answers.get(f"data.{role}") or ()) for role in ("drop", "group", "time")}
    data = Data(
        source=source.name,
        place=place,
        **taken,
        target=facts.targets if source.needs_target else (),
        classes=facts.classes if classifies else (),
        counts=facts.counts if classifies else (),
        kinds=() if set(facts.kinds) <= {"number"} else facts.kinds,
        strict=answers.get("data.strict"),
        resize=answers.get("data.resize") or (),
        original=original,
    )
    _check_splits(data, TASKS[task], facts.output_shapes[TASKS[task].form])
    augment = answers.get("data.augment") or ("shift" if data.holds_images else "")
    return replace(data, augment=augment)


# What a project takes over from the facts of its data as it is.
_TAKEN: tuple[str, ...] = (
    *("samples", "test_samples", "val_samples", "parts", "columns", "reading", "skipped"),
    *("streams", "padded", "time_format", "says", "warnings"),
)


def _check_splits(data: Data, task: Task, output_shape: Shape) -> None:
    """Every split gets a sample."""
    if min(splits_of(task, output_shape, data)) < 1:
        raise _unfit(
            "no class has three samples",
            "each class is cut into train, val and test, and two of them would stay empty",
            "Bring more samples of each class, or take it as a number: --task regression",
        )


def _made(answers: Answers, source: Source, task: str) -> Data:
    """Made data: as many samples as were wished for, and the names that were wished for its classes."""
    classes: tuple[str, ...] = answers.get("data.classes") or ()
    outputs = answers.get("output_shape") or (1,)
    wanted = {"binary": 2, "regression": 0}.get(TASKS[task].form, outputs[0])
    if classes:
        _check_names("class", classes)
        agree("data.classes", len(classes), wanted, "names", "the task wants")
    samples = answers.get("data.samples") or usual_samples(answers.get("input_shape"))
    return Data(source.name, "", samples, classes=classes)


def _last_name(path: Path) -> str:
    """What a copy of `path` is called; `.` and `..` are looked through."""
    return (
        Path(os.path.realpath(path.parent), path.name).resolve().name
        if path.name in ("", "..")
        else path.name
    )


def relative(path: Path, home: Path) -> str:
    """`path` as seen from the project, with forward slashes; absolute where they share no drive.

    Symlinks on the way are followed, because `..` in the project leads out of where the folder really is.
    """
    real = Path(os.path.realpath(path.parent), path.name)
    try:
        return Path(os.path.relpath(real, os.path.realpath(home))).as_posix()
    except ValueError:
        return real.as_posix()
