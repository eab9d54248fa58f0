"""How samples are divided: one rule, said once, for the plan and for the generated dataset.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

HELD_PERCENT = 15


class Sizes(NamedTuple):
    """Samples in each split."""

    train: int
    val: int
    test: int


def split_sizes(
    samples: int, test_samples: int = 0, counts: Sequence[int] = (), val_samples: int = 0
) -> Sizes:
    """15% for val and 15% for test, the rest to train; a source's own val and test sets are kept.

    `counts` has the samples of each class (those of the own sets left out): every class is cut by itself, and
    gives at least one sample to each split where it has three.
    """
    rest = samples - test_samples - val_samples
    if sum(counts) == rest:
        held = sum(max(count * HELD_PERCENT // 100, int(count > 2)) for count in counts)
    else:
        held = max(1, rest * HELD_PERCENT // 100)
    val, test = val_samples or held, test_samples or held
    return Sizes(samples - val - test, val, test)
