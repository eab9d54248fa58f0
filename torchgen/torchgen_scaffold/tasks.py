"""The tasks, a row each: what the head returns, what the targets are, which losses fit.

The loss decides the output's form. Every head returns raw numbers (logits, or predictions for regression); softmax
and sigmoid belong to the loss in training and to predict.py afterwards.
"""

from __future__ import annotations

from torchgen_scaffold.layers.base import Shape
from torchgen_scaffold.plugins import Rows
from torchgen_scaffold.records import record


@record
class Task:
    """One kind of question that a network answers."""

    name: str
    summary: str
    losses: tuple[str, ...]  # the usual one first
    output_name: str  # what the head's numbers are called
    target_dtype: str  # torch's name
    target_is: str  # a sentence for people: what one target looks like
    metrics: tuple[str, ...]  # in metrics.json, besides the loss
    like: str = ""  # the task whose targets have the same form, and whose parts of the templates it takes

    @property
    def form(self) -> str:
        """What its targets are: those of regression, binary, multiclass or multilabel."""
        return self.like or self.name

    @property
    def classifies(self) -> bool:
        """Whether a target is about classes, rather than a measured number."""
        return self.form != "regression"

    @property
    def chooses(self) -> bool:
        """Whether each sample is of one class: splits are then cut class by class."""
        return self.form in ("binary", "multiclass")

    def target_shape(self, output_shape: Shape) -> Shape:
        """The shape of one target, without the batch: () for a class index."""
        return () if self.form == "multiclass" else output_shape


TASKS = Rows(
    "tasks",
    Task,
    (
        Task(
            name="regression",
            summary="predict numbers, of any shape",
            losses=("mse", "l1", "smooth_l1", "huber"),
            output_name="predictions",
            target_dtype="float32",
            target_is="numbers of the output's own shape, float32",
            metrics=("mae", "rmse", "r2"),
        ),
        Task(
            name="binary",
            summary="yes or no: one logit, above 0 means yes",
            losses=("bce_with_logits",),
            output_name="logits",
            target_dtype="float32",
            target_is="0.0 or 1.0 of shape (N, 1), float32",
            metrics=("accuracy", "f1", "roc_auc"),
        ),
        Task(
            name="multiclass",
            summary="one class of several: a logit for each class, the largest wins",
            losses=("cross_entropy",),
            output_name="logits",
            target_dtype="long",
            target_is="a class index of shape (N,), long",
            metrics=("accuracy", "f1", "roc_auc"),
        ),
        Task(
            name="multilabel",
            summary="any number of labels at once: one logit for each label",
            losses=("bce_with_logits",),
            output_name="logits",
            target_dtype="float32",
            target_is="a 0.0 or 1.0 for each label, of shape (N, labels), float32",
            metrics=("accuracy", "f1", "roc_auc"),
        ),
    ),
)
