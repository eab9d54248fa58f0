"""The gaps of a teaching kit, a row each: what a learner writes, in the order in which a project is written.

A template says where a gap is: `{% if "step" in plan.opened %}` what to do `{% else %}` the answer `{% endif %}`. Adding a gap
is adding a row here, its place in a template, and its probe and checks in `templates/kit/grader/`.
"""

from __future__ import annotations

from torchgen_scaffold.records import record


@record
class Gap:
    """One thing to write: its number and title, from which level on it is open, its points, the minutes that a learner
    may need, and the rule it follows.
    """

    number: int
    name: str
    title: str
    level: int
    points: int
    minutes: int
    rule: str


GAPS = {
    gap.name: gap
    for gap in (
        Gap(1, "tensors", "tensors and dtypes", 3, 10, 10, "Shapes and dtypes always matter."),
        Gap(2, "split", "the split and its loaders", 3, 10, 15, "What is tested on teaches nothing."),
        Gap(3, "layers", "the layers and their sizes", 2, 15, 20, "Always calculate the feature map's size."),
        Gap(4, "forward", "forward()", 2, 15, 15, "Shapes always matter; what is returned is raw."),
        Gap(5, "loss", "the loss", 1, 5, 5, "The loss decides the output's form."),
        Gap(6, "optimizer", "the optimizer", 1, 5, 5, "Define model, loss, optimizer, in this order."),
        Gap(7, "step", "the training step", 1, 20, 20, "Forward, loss, zero_grad, backward, step."),
        Gap(8, "evaluate", "evaluation", 2, 10, 20, "eval() and no_grad() whenever nothing is learned."),
        Gap(9, "checkpoint", "save and load", 3, 5, 10, "Save the state_dict, and load it into a new model."),
        Gap(10, "device", "the device", 3, 5, 5, "Model and batch are on the same device."),
    )
}
LEVELS = (1, 2, 3)
