"""How samples are divided: one rule, said once, for the plan and for the generated dataset.py."""

from __future__ import annotations

from typing import NamedTuple

VAL_PERCENT = 15
TEST_PERCENT = 15


class Sizes(NamedTuple):
    """Samples in each split."""

    train: int
    val: int
    test: int


def split_sizes(samples: int, test_samples: int = 0) -> Sizes:
    """15% for val and 15% for test (at least one each), the rest to train; a source's own test set is kept."""
    rest = samples - test_samples
    test = test_samples or max(1, samples * TEST_PERCENT // 100)
    val = max(1, rest * VAL_PERCENT // 100)
    return Sizes(samples - test - val, val, test)
