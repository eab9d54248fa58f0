"""The task and the shapes: given, or what the data says; never in contradiction."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from torchgen_scaffold.answers.words import Answers
from torchgen_scaffold.layers.base import Axes, Shape
from torchgen_scaffold.presets import PRESETS
from torchgen_scaffold.shapes import looks_channels_last, show_sizes
from torchgen_scaffold.sources import Facts
from torchgen_scaffold.tasks import TASKS

MOST_OUTPUTS = 100_000


def task_of(answers: Answers, facts: Facts | None) -> str | None:
    """The task that was given or that the data decides; notes a problem and returns None otherwise."""
    given: str | None = answers.get("task")
    if "task" not in answers.values and any(problem.key == "task" for problem in answers.problems):
        return None
    if facts is None:
        if given is None:
            answers.missing("task", "it decides the loss and what the head returns")
        return given
    allowed = list(facts.output_shapes)
    if given is None:
        if facts.sure:
            return allowed[0]
        answers.missing("task", f"the targets could be {' or '.join(allowed)}")
        return None
    if TASKS[given].form not in allowed:
        what = f"the task {given} does not fit the data"
        held = f"{len(facts.classes)} classes" if facts.classes else "measured numbers"
        answers.wrong(what, f"its targets are {held}", f"Give --task {' or --task '.join(allowed)}.", "task")
        return None
    return given


def axes_of(shape: Shape, layout: str | None, vocab_size: int | None) -> Axes:
    """What the axes of an input mean; two axes are (time, features) unless the layout says channels first."""
    if vocab_size is not None:
        return "tokens"
    if len(shape) == 1:
        return "features"
    return "sequence" if len(shape) == 2 and layout != "cl" else "map"


def input_shape_of(answers: Answers, facts: Facts | None) -> Shape | None:
    """The input shape: given, or the first of the data's views that the model reads."""
    given: Shape | None = answers.get("input_shape")
    if any(problem.key == "input_shape" for problem in answers.problems):
        return None
    vocab_size: int | None = answers.get("model.vocab_size")
    if facts is None:
        if given is None:
            answers.missing("input_shape", "every layer size follows from it")
            return None
    elif given is None:
        given = _first_readable(answers, facts.input_shapes, vocab_size)
    elif given not in facts.input_shapes:
        views = " or ".join(show_sizes(view) for view in facts.input_shapes)
        answers.wrong(
            f"--input-shape {show_sizes(given)} disagrees with the data, whose samples are {views}",
            "with a data source the shapes come from the data",
            f"Drop --input-shape, or give {views}.",
            "input_shape",
        )
        return None
    return given if _readable(answers, given, facts, vocab_size) else None


def _first_readable(answers: Answers, views: Iterable[Shape], vocab_size: int | None) -> Shape:
    views = tuple(views)
    preset = answers.get("model.preset")
    layers: str = answers.get("model.layers") or ""
    reads = PRESETS[preset].reads if preset else ()
    if not preset and layers.lstrip().startswith(("rnn", "lstm", "gru")):
        reads = PRESETS["lstm"].reads
    fits = (view for view in views if axes_of(view, answers.get("model.layout"), vocab_size) in reads)
    return next(fits, views[0])


def _readable(answers: Answers, shape: Shape, facts: Facts | None, vocab_size: int | None) -> bool:
    if vocab_size is not None and len(shape) != 1:
        answers.wrong(
            f"--vocab-size is for token ids, and the input has shape {show_sizes(shape)}",
            "a sequence of token ids has one axis: its length",
            "Give --input-shape as the length, such as 50, or drop --vocab-size.",
            "model.vocab_size",
        )
        return False
    if vocab_size is not None and facts and not (facts.whole_numbers and facts.largest < vocab_size):
        whole = "token ids are whole numbers from 0, saved as integers in an .npz file"
        found = f"the largest of them is {facts.largest}" if facts.whole_numbers else whole
        answers.wrong(
            f"the inputs are not token ids below {vocab_size}",
            found,
            f"Give --vocab-size {facts.largest + 1}." if facts.whole_numbers else "Drop --vocab-size.",
            "model.vocab_size",
        )
        return False
    if looks_channels_last(shape) and answers.get("model.layout") != "cl":
        right = show_sizes((shape[-1], *shape[:-1]))
        answers.wrong(
            f"the input shape {show_sizes(shape)} looks channels-last",
            f"PyTorch wants the channels first: {right}",
            f"Give --input-shape {right}; if {shape[0]} really are channels, add --layout cl.",
            "input_shape",
        )
        return False
    return True


def output_shape_of(answers: Answers, facts: Facts | None, task: str | None) -> Shape | None:
    """The output shape: given, or what the data and the task say."""
    given: Shape | None = answers.get("output_shape")
    if any(problem.key == "output_shape" for problem in answers.problems):
        return None
    if task is None:
        if facts is None and given is None:
            answers.missing("output_shape", "its size depends on the task; binary needs none")
        return None
    if facts is not None:
        right = facts.output_shapes[TASKS[task].form]
        if given is not None and given != right:  # recorded facts are what was given
            answers.wrong(
                f"--output-shape {show_sizes(given)} disagrees with the data, which has {show_sizes(right)} ({task})",
                "with a data source the shapes come from the data",
                f"Drop --output-shape, or give {show_sizes(right)}.",
                "output_shape",
            )
            return None
        return right if _output_fits(answers, right, task) else None
    if given is None:
        if TASKS[task].form == "binary":
            return (1,)
        answers.missing("output_shape", _output_means(task))
        return None
    return given if _output_fits(answers, given, task) else None


def _output_means(task: str) -> str:
    return {
        "multiclass": "it is the number of classes",
        "multilabel": "it is the number of labels",
    }.get(TASKS[task].form, "it is the shape of one target")


def _output_fits(answers: Answers, shape: Shape, task: str) -> bool:
    shown = show_sizes(shape)
    form = TASKS[task].form
    if form == "binary" and shape != (1,):
        instead = "Give --output-shape 1, or --task multiclass."
        answers.wrong(
            f"binary has one output, not {shown}", "one logit says yes or no", instead, "output_shape"
        )
    elif form == "multiclass" and shape == (1,):
        answers.wrong(
            "multiclass with 1 output has nothing to choose from",
            "softmax over one logit is always 1",
            "Give the number of classes, or --task binary for yes or no.",
            "output_shape",
        )
    elif form in ("multiclass", "multilabel") and len(shape) > 1:
        answers.wrong(
            f"{task} has one axis of outputs, not {shown}",
            _output_means(task),
            "Give one number.",
            "output_shape",
        )
    elif prod(shape) > MOST_OUTPUTS:
        answers.wrong(
            f"{prod(shape):,} outputs are too many",
            f"each has a name in dataset.py and a row of weights in the head; the most is {MOST_OUTPUTS:,}",
            "Give a smaller --output-shape.",
            "output_shape",
        )
    else:
        return True
    return False
