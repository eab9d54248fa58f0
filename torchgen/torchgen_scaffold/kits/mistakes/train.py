"""Mistakes in train.py."""

from __future__ import annotations

from torchgen_scaffold.kits.mistakes.row import Mistake

ROWS = (
    Mistake(
        "no-zero-grad",
        "step",
        "test_old_gradients_are_cleared",
        "forgets optimizer.zero_grad(), so that gradients add up",
        ((r"^ *optimizer\.zero_grad\(\).*\n", ""),),
    ),
    Mistake(
        "step-before-backward",
        "step",
        "test_backward_comes_before_the_step",
        "calls optimizer.step() before loss.backward()",
        (
            (
                r"^( *)loss\.backward\(\).*\n((?:.*\n)*? *)optimizer\.step\(\).*\n",
                r"\1optimizer.step()\n\2loss.backward()\n",
            ),
        ),
    ),
)
