"""Every question as one row, in the order in which one answer decides the next. Adding a question is adding a row."""

from __future__ import annotations

from pathlib import Path

from torchgen_scaffold.kinds import Choice
from torchgen_scaffold.names import suggest_name
from torchgen_scaffold.presets import PRESETS
from torchgen_scaffold.prompts.data import ask_data, ask_target, is_table
from torchgen_scaffold.prompts.question import Question, as_typed
from torchgen_scaffold.prompts.sample import (
    ask_input,
    ask_output,
    ask_task,
    input_opens,
    output_opens,
    tasks_open,
)
from torchgen_scaffold.prompts.talk import Changes, Talk
from torchgen_scaffold.prompts.terminal import Option, choose, say, type_in
from torchgen_scaffold.settings import SETTINGS
from torchgen_scaffold.tasks import TASKS
from torchgen_scaffold.training import LOSSES, OPTIMIZERS, SCHEDULES

_OWN = "own"

_SUMMARIES = {
    "training.optimizer": {name: row.summary for name, row in OPTIMIZERS.items()},
    "training.schedule": {name: row.summary for name, row in SCHEDULES.items()},
    "project.profile": {
        "standard": "with the tools of a real run",
        "lesson": "one page a file, plain to read",
    },
    "project.ci": {"none": "", "github": "a workflow of GitHub Actions", "gitlab": "a pipeline of GitLab CI"},
}


def _ask_name(talk: Talk, question: Question) -> Changes:
    """The project's name; the data's own, or the first one like it whose folder is free, is a key away."""
    place = str(talk.get("data.source") or "").partition(":")[2]
    stem = suggest_name(Path(place).stem)
    tries = [stem, *(f"{stem}-{number}" for number in range(2, 10))]
    usual = next((name for name in tries if not question.fault(talk, {"name": name})), stem)
    return {"name": question.typed(talk, question.title, usual=usual, start=talk.get("name"))}


def _ask_model(talk: Talk, question: Question) -> Changes:
    """A preset that reads this input, the usual one first, or a person's own layers."""
    unasked: Changes = {"model.preset": None, "model.layers": None}
    settings = (f"model.{name}" for row in PRESETS.values() for name in row.settings)
    usual = talk.spec({**unasked, **dict.fromkeys(settings)})
    first = usual.model.preset if usual else None
    fitting = [name for name in PRESETS if not talk.wrong({**unasked, "model.preset": name})]
    fitting.sort(key=lambda name: name != first)
    options = [Option(n, f"{n} (usual)" if n == first else n, PRESETS[n].summary) for n in fitting]
    own = talk.get("model.layers")
    options.append(Option(_OWN, "write my own layers", "conv(32, 3) -> relu -> …"))
    picked = choose(question.title, options, _OWN if own else talk.get("model.preset"))
    if picked != _OWN:
        return {**unasked, "model.preset": picked}
    say("Layers with -> between them. Input sizes are filled in, and the last linear layer is added.")
    example = " -> ".join(map(str, usual.model.layers)) if usual else ""
    fault = lambda text: question.fault(talk, {"model.preset": None, "model.layers": text})  # noqa: E731
    return {
        "model.preset": None,
        "model.layers": type_in("Layers", fault, usual=example, start=as_typed(own)),
    }


def _ask_loss(talk: Talk, question: Question) -> Changes:
    """A loss that fits the task."""
    return {question.key: question.picked(talk, {name: LOSSES[name].summary for name in _losses(talk)})}


def _losses_open(talk: Talk) -> bool:
    return len(_losses(talk)) > 1


def _losses(talk: Talk) -> tuple[str, ...]:
    task = talk.task()
    return TASKS[task].losses if task else ()


def _ask_setting(talk: Talk, question: Question) -> Changes:
    """Any setting, as its kind says: a menu for one of a few words, a line for anything else."""
    if isinstance(SETTINGS[question.key].kind, Choice):
        return {question.key: question.picked(talk, _SUMMARIES[question.key])}
    return {question.key: question.typed(talk, question.title, start=talk.value(question.key))}


QUESTIONS = (
    Question("name", "Project name", _ask_name, insists=True),
    Question("data.source", "Your data", ask_data, insists=True),
    Question("data.target", "Column to predict", ask_target, opens=is_table),
    Question("task", "Task", ask_task, opens=tasks_open),
    Question("input_shape", "One sample", ask_input, ("model.vocab_size",), input_opens),
    Question("output_shape", "One output", ask_output, opens=output_opens),
    Question("model.preset", "Model", _ask_model, ("model.layers",), insists=True),
    Question("training.loss", "Loss", _ask_loss, opens=_losses_open),
    Question("training.optimizer", "Optimizer", _ask_setting),
    Question("training.schedule", "Schedule", _ask_setting),
    Question("training.epochs", "Epochs", _ask_setting),
    Question("training.batch_size", "Batch size", _ask_setting),
    Question("training.lr", "Learning rate", _ask_setting),
    Question("training.seed", "Seed", _ask_setting),
    Question("project.profile", "Profile", _ask_setting),
    Question("project.ci", "CI", _ask_setting),
)
