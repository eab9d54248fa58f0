"""Made data with a signal to learn, of whatever shape was asked for."""

from __future__ import annotations

from math import prod

from torchgen_scaffold.layers.base import Shape
from torchgen_scaffold.sources.base import Facts, Request, Source


class Synthetic(Source):
    """Every class (or target) has a pattern of its own; a sample is its pattern and noise."""

    name = template = "synthetic"
    form = "synthetic"
    is_known = True
    summary = "made data with a signal to learn; replace it with yours later"
    samples = "made samples with a signal to learn"
    predicts_on = "an .npz file with an array X"
    requires = ("numpy",)
    imports = ("numpy",)

    def facts(self, place: str, request: Request) -> Facts | None:
        """None: the data takes the shapes and the task that were asked for."""
        return None


def usual_samples(input_shape: Shape) -> int:
    """How many samples to make: 1,000, or fewer where they would take more than 128 MiB (at least 100).

    1,000 is split 700/150/150, and 700 is not divisible by the usual batch of 64: the last batch is partial,
    as it is with real data.
    """
    return max(100, min(1000, 2**25 // prod(input_shape)))
