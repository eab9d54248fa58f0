"""The training: a loss that fits the task, and defaults that fit the data's size."""

from __future__ import annotations

from math import ceil
from typing import Any

from torchgen_scaffold.answers.words import Answers
from torchgen_scaffold.layers.base import Shape
from torchgen_scaffold.network import Network
from torchgen_scaffold.presets import PRESETS
from torchgen_scaffold.spec import Data, Model, Training, splits_of
from torchgen_scaffold.tasks import TASKS
from torchgen_scaffold.training import LOSSES, OPTIMIZERS, SCHEDULES

USUAL_STEPS = 1000  # optimizer steps after which a small network on small data has usually settled


def training_of(
    answers: Answers, task: str, output_shape: Shape, data: Data, model: Model | None
) -> Training | None:
    """The Training of a Spec with this model (None where it is not known); notes problems."""
    loss = loss_of(answers, task)
    optimizer: str = answers.get("training.optimizer")
    schedule: str = answers.get("training.schedule")
    settings: dict[str, Any] = {}
    for row in (LOSSES[loss] if loss else None, OPTIMIZERS[optimizer], SCHEDULES[schedule]):
        if row is not None:
            settings |= answers.of_row("training", row.settings)
    if loss is None or answers.wrong_in("training.loss", "training.optimizer", "training.schedule"):
        return None
    answers.leftovers("training", f"{loss}, {optimizer}, schedule {schedule}")
    _check_pairs(answers, settings)
    for name in ("class_weights", "pos_weight"):
        if name in settings:
            settings[name] = _weights(answers, name, settings[name], output_shape, data)
    train = splits_of(TASKS[task], output_shape, data).train
    batch_size = answers.get("training.batch_size") or usual_batch_size(train)
    return Training(
        loss=loss,
        optimizer=optimizer,
        schedule=schedule,
        epochs=answers.get("training.epochs") or usual_epochs(train, batch_size),
        batch_size=batch_size,
        lr=answers.get("training.lr") or OPTIMIZERS[optimizer].lr * _pace(model),
        seed=answers.get("training.seed"),
        clip_norm=_clip_norm(answers),
        patience=answers.get("training.patience"),
        settings=settings,
    )


def _pace(model: Model | None) -> int:
    """How many times the optimizer's usual learning rate suits the model."""
    return PRESETS[model.preset].paces.get(model.signal.axes, 1) if model and model.preset else 1


def _clip_norm(answers: Answers) -> float:
    """1 in a standard project; a lesson shows the plain loop unless clipping was asked for."""
    given: float | None = answers.get("training.clip_norm")
    if given is None:
        return 0.0 if answers.get("project.profile") == "lesson" else 1.0
    return given


def loss_of(answers: Answers, task: str) -> str | None:
    """The loss: given, or the task's usual one; notes a problem where it does not fit."""
    given: str | None = answers.get("training.loss")
    fitting = TASKS[task].losses
    if given is None or given in fitting:
        return given or fitting[0]
    row = TASKS[task]
    answers.wrong(
        f"the loss {given} does not fit the task {task}",
        f"a {task} target is {row.target_is}",
        f"Give --loss {' or '.join(fitting)}, or change --task.",
        "training.loss",
    )
    return None


def check_batch(answers: Answers, network: Network, batch_size: int) -> None:
    """Notes a problem where every batch would hold one value for BatchNorm to compare."""
    if batch_size == 1 and network.compares_samples:
        answers.wrong(
            "--batch-size 1 leaves batchnorm a single value for each channel",
            "in training it compares the samples of a batch",
            "Give --batch-size 2 or more, or use layernorm.",
            "training.batch_size",
        )


def usual_batch_size(train: int) -> int:
    """64, or less where that would leave fewer than about ten steps an epoch."""
    return 64 if train >= 1000 else 32 if train >= 300 else 16


def usual_epochs(train: int, batch_size: int) -> int:
    """As many epochs as make about 1,000 optimizer steps, from 5 to 100."""
    return min(100, max(5, ceil(USUAL_STEPS / ceil(train / batch_size))))


def _check_pairs(answers: Answers, settings: dict[str, Any]) -> None:
    if settings.get("nesterov") and not settings.get("momentum"):
        answers.wrong(
            "training.nesterov needs momentum",
            "it looks ahead along the momentum, and that is 0",
            "Give --set training.momentum=0.9.",
            "training.nesterov",
        )


def _weights(answers: Answers, name: str, value: Any, output_shape: Shape, data: Data) -> Any:
    """Weights as numbers: `balanced` is worked out from the data's counts, and their number is checked."""
    outputs = output_shape[0]
    key = f"training.{name}"
    if value == "none":
        return value
    if value == "balanced":
        counts = data.counts
        if not counts:
            return (1.0,) * outputs  # made data is balanced as it is
        if name == "class_weights":
            return tuple(_ratio(sum(counts), len(counts) * count) for count in counts)
        if len(counts) == outputs:  # multilabel: the positives of each label
            own = data.samples - data.kept  # counts leave them out
            return tuple(_ratio(own - count, count) for count in counts)
        return (_ratio(counts[0], counts[1]),)  # binary: the samples of each class
    if len(value) != outputs:
        answers.wrong(
            f"{key} has {len(value)} numbers and the output has {outputs}",
            "each output has its own weight",
            f"Give {outputs} {'number' if outputs == 1 else 'numbers'}, or balanced.",
            key,
        )
    return value


def _ratio(numerator: int, denominator: int) -> float:
    """A quotient of counts to four digits, never 0: a class without samples must not silence the others."""
    return float(f"{max(numerator, 1) / max(denominator, 1):.4g}")
