"""One task: a measured quantity, where a single wild measurement should count for little."""

from __future__ import annotations

from torchgen_scaffold.tasks import Task

ESTIMATE = Task(
    name="estimate",
    summary="estimate a measured quantity; a single wild one counts for little",
    losses=("huber", "l1"),
    output_name="estimates",
    target_dtype="float32",
    target_is="numbers of the output's own shape, float32",
    metrics=("mae", "rmse", "r2"),
    like="regression",
)
