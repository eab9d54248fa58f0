"""The questions about one sample and one output, in the words of the task."""

from __future__ import annotations

from torchgen_scaffold.layers.base import show_shape
from torchgen_scaffold.prompts.question import Question, as_typed
from torchgen_scaffold.prompts.talk import Changes, Talk
from torchgen_scaffold.prompts.terminal import Option, choose, type_in
from torchgen_scaffold.records import record
from torchgen_scaffold.shapes import parse_shape, show_sizes
from torchgen_scaffold.spelling import counted
from torchgen_scaffold.tasks import TASKS


@record
class Sample:
    """What one sample can be: its axes in order, and an example."""

    title: str
    axes: tuple[str, ...]
    usual: str
    summary: str


SAMPLES = {
    "row": Sample("a row of numbers", ("how many numbers",), "10", "measurements of one thing"),
    "image": Sample("an image", ("channels", "height", "width"), "1,28,28", "grey, or in colour"),
    "sequence": Sample("a sequence", ("steps", "numbers a step"), "50,8", "numbers that follow each other"),
    "tokens": Sample("token ids", ("length",), "50", "text, as whole numbers"),
    "volume": Sample("a volume", ("channels", "depth", "height", "width"), "1,16,16,16", "a scan, or a clip"),
}

_USUAL_VOCAB = "10000"

_OUTPUTS = {
    "multiclass": ("Number of classes", "10"),
    "multilabel": ("Number of labels", "5"),
    "regression": ("Shape of one target, such as 1 or 3,4", "1"),
    "binary": ("Number of outputs", "1"),
}


def ask_task(talk: Talk, question: Question) -> Changes:
    """The task, of those that the data allows. Another one than before asks for another output."""
    facts = talk.facts()
    allowed = list(facts.output_shapes) if facts else list(TASKS)
    task = question.picked(talk, {name: TASKS[name].summary for name in allowed})
    again = talk.get("task") not in (None, task)
    return {"task": task, "output_shape": None} if again else {"task": task}


def tasks_open(talk: Talk) -> bool:
    """Whether the data leaves a choice of tasks."""
    facts = talk.facts()
    return facts is None or len(facts.output_shapes) > 1


def ask_input(talk: Talk, question: Question) -> Changes:
    """What one sample is, and its shape; where the data knows it, how it is to be read."""
    facts = talk.facts()
    if facts:
        views = {show_sizes(view): show_shape(view) for view in facts.input_shapes}
        shape = talk.value("input_shape")
        options = [Option(typed, shown) for typed, shown in views.items()]
        view = choose(question.title, options, show_sizes(shape) if shape else None)
        tokens = not question.fault(talk, {"input_shape": view})  # what --vocab-size said still holds
        return {"input_shape": view} if tokens else {"input_shape": view, "model.vocab_size": None}
    now = _kind_now(talk)
    tokens_given = now == "tokens" and talk.get("input_shape") is None  # --vocab-size alone says it
    options = [Option(kind, row.title, row.summary) for kind, row in SAMPLES.items()]
    kind = now if now and tokens_given else choose(question.title, options, now)
    vocab_size = (talk.get("model.vocab_size") or _USUAL_VOCAB) if kind == "tokens" else None

    def fault(text: str) -> str:
        return _axes_fault(SAMPLES[kind], text) or question.fault(
            talk, {"input_shape": text, "model.vocab_size": vocab_size}
        )

    row = SAMPLES[kind]
    start = as_typed(talk.get("input_shape")) if kind == now else ""
    shape = type_in(f"Its shape ({', '.join(row.axes)})", fault, usual=row.usual, start=start)
    if kind == "tokens" and not tokens_given:
        vocab_size = type_in(
            "Vocabulary size (ids are below it)",
            lambda text: question.fault(talk, {"input_shape": shape, "model.vocab_size": text}),
            usual=_USUAL_VOCAB,
            start=as_typed(talk.get("model.vocab_size")),
        )
    return {"input_shape": shape, "model.vocab_size": vocab_size}


def input_opens(talk: Talk) -> bool:
    """Whether the data can be read in one way only."""
    facts = talk.facts()
    return facts is None or len(facts.input_shapes) > 1


def _kind_now(talk: Talk) -> str | None:
    """What one sample is by the answers so far, or None where they do not say."""
    if talk.get("model.vocab_size"):
        return "tokens"
    given = talk.get("input_shape")
    kinds = {len(row.axes): kind for kind, row in SAMPLES.items() if kind != "tokens"}
    return kinds.get(len(parse_shape(given))) if given else None


def _axes_fault(row: Sample, text: str) -> str:
    """What is wrong where a shape has too few or too many axes for what the sample was said to be."""
    try:
        shape = parse_shape(text)
    except ValueError:
        return ""  # said by the check of the setting itself
    if len(shape) == len(row.axes):
        return ""
    needs = counted(len(row.axes), "number")
    return f"{row.title.capitalize()} has {needs}: {', '.join(row.axes)}. Type {row.usual}, say."


def ask_output(talk: Talk, question: Question) -> Changes:
    """The output's shape, in the words of the task."""
    message, usual = _OUTPUTS[_form(talk)]
    return {question.key: question.typed(talk, message, usual=usual, start=talk.get(question.key))}


def output_opens(talk: Talk) -> bool:
    """Whether neither the data nor the task decides the output."""
    return talk.facts() is None and _form(talk) != "binary"


def _form(talk: Talk) -> str:
    """The form of the task's targets; a task that is not known yet is asked about as regression."""
    task = talk.task()
    return TASKS[task].form if task else "regression"
