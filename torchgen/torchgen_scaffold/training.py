"""Losses, optimizers and learning-rate schedules, a row each: torch's class and the settings it alone reads.

A setting of a row is a key of `[training]` in torchgen.toml, and is passed to torch's class under its own name (or
`argument`). Adding an optimizer is adding a row here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from torchgen_scaffold.kinds import Flag, Integer, Number, Setting
from torchgen_scaffold.lists import Weights
from torchgen_scaffold.plugins import Rows
from torchgen_scaffold.records import field, record


@record
class Loss:
    """A loss: `torch.nn`'s class."""

    name: str
    summary: str
    torch_class: str
    settings: Mapping[str, Setting] = field(default_factory=dict)


@record
class Optimizer:
    """An optimizer: `torch.optim`'s class, its usual learning rate, and whether it can step in one fused call."""

    name: str
    summary: str
    torch_class: str
    lr: float
    settings: Mapping[str, Setting]
    fused: bool = False


@record
class Schedule:
    """A learning-rate schedule: `torch.optim.lr_scheduler`'s class and when it steps.

    `arguments` are those that come from the run rather than from a setting, as train.py writes them.
    `span` is the one of them that says how long the run is, for which it is laid out: a resumed run needs the same.
    """

    name: str
    summary: str
    torch_class: str
    every: Literal["never", "epoch", "batch"]
    arguments: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Setting] = field(default_factory=dict)
    span: str = ""
    reads_val_loss: bool = False


_POSITIVE = Number(0, above=True)
_WEIGHT_DECAY = Setting(Number(0), "pulls every weight towards 0 at each step; 0 is off", 0.0)
_MOMENTUM = Number(0, 0.9999)
_GAMMA = Number(0, 1, above=True)

LOSSES = Rows(
    "losses",
    Loss,
    (
        Loss("mse", "mean squared error: large misses weigh most", "MSELoss"),
        Loss("l1", "mean absolute error: outliers weigh no more than others", "L1Loss"),
        Loss(
            "smooth_l1",
            "squared below beta, absolute above",
            "SmoothL1Loss",
            {"beta": Setting(_POSITIVE, "where squared turns into absolute, in standard deviations", 1.0)},
        ),
        Loss(
            "huber",
            "squared below delta, absolute above",
            "HuberLoss",
            {"delta": Setting(_POSITIVE, "where squared turns into absolute, in standard deviations", 1.0)},
        ),
        Loss(
            "cross_entropy",
            "softmax and log-likelihood in one, on raw logits",
            "CrossEntropyLoss",
            {
                "class_weights": Setting(Weights(), "a weight for each class", "none", argument="weight"),
                "label_smoothing": Setting(Number(0, 1), "share of the target spread over all classes", 0.0),
            },
        ),
        Loss(
            "bce_with_logits",
            "sigmoid and log-likelihood in one, on raw logits",
            "BCEWithLogitsLoss",
            {"pos_weight": Setting(Weights(), "how much more a positive counts than a negative", "none")},
        ),
    ),
)

OPTIMIZERS = Rows(
    "optimizers",
    Optimizer,
    (
        Optimizer(
            "adam",
            "adapts the step of each weight; the usual start",
            "Adam",
            1e-3,
            {"weight_decay": _WEIGHT_DECAY},
            fused=True,
        ),
        Optimizer(
            "adamw",
            "Adam, with weight decay apart from the gradient",
            "AdamW",
            1e-3,
            {"weight_decay": Setting(Number(0), "pulls every weight towards 0 at each step", 0.01)},
            fused=True,
        ),
        Optimizer(
            "sgd",
            "plain gradient steps, with momentum",
            "SGD",
            1e-2,
            {
                "momentum": Setting(_MOMENTUM, "share of the last step that is kept", 0.9),
                "nesterov": Setting(Flag(), "look ahead along the momentum", False),
                "weight_decay": _WEIGHT_DECAY,
            },
            fused=True,
        ),
        Optimizer(
            "rmsprop",
            "divides each step by the gradient's recent size",
            "RMSprop",
            1e-3,
            {
                "momentum": Setting(_MOMENTUM, "share of the last step that is kept", 0.0),
                "weight_decay": _WEIGHT_DECAY,
            },
        ),
    ),
)

SCHEDULES = Rows(
    "schedules",
    Schedule,
    (
        Schedule("none", "the learning rate stays as it is", "", "never"),
        Schedule(
            "cosine",
            "falls along half a cosine to zero over the run",
            "CosineAnnealingLR",
            "epoch",
            {"T_max": "settings.epochs"},
            span="T_max",
        ),
        Schedule(
            "onecycle",
            "rises to lr, then falls far below it; steps every batch",
            "OneCycleLR",
            "batch",
            {
                "max_lr": "settings.lr",
                "total_steps": "settings.epochs * len(train_loader)",
                "cycle_momentum": "False",  # the optimizer's own stays, as its setting says
            },
            span="total_steps",
        ),
        Schedule(
            "step",
            "is multiplied by gamma every step_size epochs",
            "StepLR",
            "epoch",
            settings={
                "step_size": Setting(Integer(1), "epochs between two drops of the learning rate", 10),
                "gamma": Setting(_GAMMA, "what a drop multiplies the learning rate by", 0.1),
            },
        ),
        Schedule(
            "plateau",
            "is multiplied by factor when the val loss has stopped falling",
            "ReduceLROnPlateau",
            "epoch",
            settings={
                "factor": Setting(Number(0, 0.9999, above=True), "what a drop multiplies the rate by", 0.1),
                "plateau_patience": Setting(
                    Integer(0), "epochs without a better val loss before a drop", 5, argument="patience"
                ),
            },
            reads_val_loss=True,
        ),
    ),
)
