"""What train.py says: its flags, and the calls of loss, optimizer and schedule.

Every string returned is `Code`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torchgen_scaffold.escape import Code, python_string, python_value
from torchgen_scaffold.kinds import Flag, Setting
from torchgen_scaffold.plan import Plan
from torchgen_scaffold.settings import SETTINGS
from torchgen_scaffold.training import LOSSES, OPTIMIZERS, SCHEDULES


def loss_call(plan: Plan) -> Code:
    """`nn.CrossEntropyLoss(label_smoothing=0.1)`: only what differs from torch's own defaults is said."""
    training = plan.spec.training
    row = LOSSES[training.loss]
    arguments = []
    for name, setting in row.settings.items():
        value = training.settings[name]
        if value == setting.default:
            continue
        text = str(python_value(value))
        if isinstance(value, tuple):
            text = f"torch.tensor({python_value(list(value))})"
        arguments.append(f"{setting.argument or name}={text}")
    return Code(f"nn.{row.torch_class}({', '.join(arguments)})")


def train_settings(plan: Plan) -> Iterator[Code]:
    """An item of train.py's SETTINGS for everything that a run may change: `"lr": (0.001, "…")`."""
    training = plan.spec.training
    for name in ("epochs", "batch_size", "lr", "clip_norm", "patience", "seed"):
        yield _item(name, getattr(training, name), _reason(plan, name) or SETTINGS[f"training.{name}"].help)
    for name, setting in _row_settings(plan).items():
        yield _item(name, training.settings[name], setting.help)


def _item(name: str, value: Any, why: str) -> Code:
    return Code(f"{python_string(name)}: ({python_value(value)}, {python_string(why)})")


def has_switch(plan: Plan) -> bool:
    """Whether one of the settings is yes or no, which argparse takes in a way of its own."""
    return any(isinstance(setting.kind, Flag) for setting in _row_settings(plan).values())


def _row_settings(plan: Plan) -> dict[str, Setting]:
    """The settings that the optimizer and the schedule read."""
    training = plan.spec.training
    return {**OPTIMIZERS[training.optimizer].settings, **SCHEDULES[training.schedule].settings}


def _reason(plan: Plan, name: str) -> str:
    training = plan.spec.training
    optimizer = OPTIMIZERS[training.optimizer]
    steps = -(-plan.splits.train // training.batch_size)
    return {
        "epochs": f"passes over the train split, {steps:,} {'step' if steps == 1 else 'steps'} each",
        "lr": f"how far a step goes; {optimizer.torch_class} usually starts at {optimizer.lr:g}",
        "patience": "stop after so many epochs without a better val loss; 0: never",
        "clip_norm": "the gradient's largest norm; 0: no limit",
    }.get(name, "")


LESSON_NAMES = {"lr": "LEARNING_RATE"}


def lesson_constants(plan: Plan) -> Iterator[Code]:
    """The settings of the lesson's train.py: one constant a line, each with its reason."""
    training = plan.spec.training
    for name in ("epochs", "batch_size", "lr", "clip_norm", "patience", "seed"):
        value = getattr(training, name)
        if name in ("clip_norm", "patience") and not value:
            continue
        reason = _reason(plan, name) or SETTINGS[f"training.{name}"].help
        yield Code(
            f"{LESSON_NAMES.get(name, name.upper())} = {python_value(value)}  # {reason.partition('; 0:')[0]}"
        )
    for name, setting in _row_settings(plan).items():
        if training.settings[name] or setting.default:
            yield Code(
                f"{name.upper()} = {python_value(training.settings[name])}  # {setting.help.partition('; 0')[0]}"
            )


def _keywords(plan: Plan, settings: Mapping[str, Setting]) -> Iterator[str]:
    """torch's arguments from the settings of one row, as this profile's train.py names them."""
    lesson = plan.spec.project.profile == "lesson"
    for name, setting in settings.items():
        if lesson and not (plan.spec.training.settings[name] or setting.default):
            continue  # a lesson shows what is used
        yield f"{setting.argument or name}={name.upper() if lesson else f'settings.{name}'}"


def optimizer_call(plan: Plan) -> Code:
    """The line that makes the optimizer."""
    row = OPTIMIZERS[plan.spec.training.optimizer]
    lr = "lr" if plan.spec.project.profile == "lesson" else "settings.lr"
    arguments = ["model.parameters()", f"lr={lr}", *_keywords(plan, row.settings)]
    if row.fused and plan.spec.project.profile == "standard":
        arguments.append("fused=True")
    return Code(f"torch.optim.{row.torch_class}({', '.join(arguments)})")


def scheduler_call(plan: Plan) -> Code:
    """The line that makes the schedule; empty where the learning rate stays."""
    row = SCHEDULES[plan.spec.training.schedule]
    if not row.torch_class:
        return Code("")
    arguments = [f"{name}={value}" for name, value in row.arguments.items()]
    arguments += _keywords(plan, row.settings)
    return Code(f"torch.optim.lr_scheduler.{row.torch_class}({', '.join(['optimizer', *arguments])})")
