"""What is said of a mistake."""

from __future__ import annotations

from torchgen_scaffold.records import record


@record
class Mistake:
    """A mistake in one gap: the check that it fails, what a learner does, and how the solution's text changes.

    `changes` are regular expressions and replacements, within the functions of the gap.
    """

    name: str
    gap: str
    check: str
    says: str
    changes: tuple[tuple[str, str], ...]
