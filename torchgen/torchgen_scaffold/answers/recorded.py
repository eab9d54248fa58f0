"""The facts of the data that a torchgen.toml holds, so that the project can be made again where the data is not."""

from __future__ import annotations

from collections.abc import Sequence

from torchgen_scaffold.answers.words import Answers
from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.shapes import show_sizes
from torchgen_scaffold.sources import Facts, Source
from torchgen_scaffold.sources.huggingface import IMAGE
from torchgen_scaffold.sources.table.columns import Column, codes_of, is_text, width_of
from torchgen_scaffold.sources.table.table import Reading
from torchgen_scaffold.tasks import TASKS


def recorded(answers: Answers, source: Source, targets: tuple[str, ...]) -> Facts | None:
    """The facts that a torchgen.toml holds; None where they are not complete, so that the data must be read."""
    task, inputs, outputs = (answers.get(key) for key in ("task", "input_shape", "output_shape"))
    samples = answers.values.get("data.samples")
    if source.is_known or not (samples and task and inputs and outputs):
        return None
    classes, columns = (answers.get(f"data.{name}") or () for name in ("classes", "columns"))
    if (TASKS[task].classifies and not classes) or (source.needs_target and not (columns and targets)):
        return None
    counts = answers.get("data.counts") or ()
    test, val = (answers.get(f"data.{name}_samples") or 0 for name in ("test", "val"))
    wanted = {"binary": 2}.get(TASKS[task].form, outputs[0])
    agree("data.classes", len(classes), wanted if TASKS[task].classifies else 0, "names", "the task wants")
    agree("data.counts", len(counts), len(classes) if counts else 0, "numbers", "data.classes has")
    kinds: tuple[str, ...] = answers.get("data.kinds") or ("number",) * len(columns)
    images = source.template == "images" or (source.template == "huggingface" and kinds == IMAGE)
    if images and len(inputs) != 3:
        raise _disagree("input_shape", show_sizes(inputs), "an image has channels, height and width")
    _check_resize(answers.get("data.resize"), inputs)
    if not source.is_table and "data.kinds" in answers.values:
        raise _disagree("data.kinds", f"{len(kinds)} kinds", f"{source.form} is no table")
    table = _table(columns, kinds, inputs[-1]) if source.is_table and not images else []
    parts = tuple(answers.get("data.parts") or ())
    _check_parts(source, parts, test, val)
    return Facts(
        input_shapes=(inputs,),
        output_shapes={TASKS[task].form: outputs},
        samples=samples,
        test_samples=test,
        val_samples=val,
        parts=parts,
        classes=classes,
        counts=counts,
        columns=columns,
        kinds=kinds,
        codes=codes_of(table),
        vocab_size=table[0].ids if is_text(table) else 0,
        targets=targets,
        skipped=tuple(answers.get("data.skipped") or ()),
        reading=_reading(answers),
        streams=bool(answers.get("data.stream")),
        padded=bool(answers.get("data.padded")),
        time_format=answers.get("data.time_format") or "",
        whole_numbers=True,
    )


def _check_resize(resize: tuple[int, ...] | None, inputs: tuple[int, ...]) -> None:
    """Raise SpecError where images are brought to another size than the input's."""
    if resize and inputs[1:] != resize:
        raise _disagree("data.resize", show_sizes(resize), f"the input is {show_sizes(inputs)}")


def _check_parts(source: Source, parts: tuple[str, ...], test: int, val: int) -> None:
    """Raise SpecError where the splits that the source brings are none of its kind, or lack a name."""
    if (test or val) and not source.brings_splits:
        raise _disagree("data.test_samples", f"{test or val:,}", f"{source.form} brings no sets of its own")
    splits = 1 + bool(test) + bool(val)
    if source.names_splits and splits > max(len(parts), 1):
        raise _disagree("data.parts", f"{len(parts)} names", f"there are {splits} splits")


def _table(names: Sequence[str], kinds: Sequence[str], width: int) -> list[Column]:
    """The columns as they were recorded. Raises SpecError for a kind that is none, or where they make another width."""
    agree("data.kinds", len(kinds), len(names), "kinds", "data.columns has")
    columns = []
    for name, kind in zip(names, kinds, strict=True):
        try:
            columns.append(Column.parse(name, kind))
        except ValueError as error:
            raise _disagree("data.kinds", repr(kind[:40]), str(error)) from error
    agree("data.columns", width_of(columns), width, "numbers a row", "the input has")
    return columns


def _reading(answers: Answers) -> Reading:
    """How a text file was read, as it was recorded."""
    said = {name: answers.get(f"data.{name}") for name in vars(Reading())}
    return Reading(**{name: value for name, value in said.items() if value is not None})


def agree(key: str, length: int, wanted: int, unit: str, because: str) -> None:
    """Raise SpecError where a recorded list has another length than it should."""
    if length != wanted:
        raise _disagree(key, f"{length:,} {unit}", f"{because} {wanted:,}")


def _disagree(key: str, holds: str, because: str) -> SpecError:
    instead = "Drop the facts of the data (samples, classes, counts, columns) to have them read again."
    return SpecError(
        Problem(f"{key} holds {holds}, and {because}", "the two contradict each other", instead, key)
    )
