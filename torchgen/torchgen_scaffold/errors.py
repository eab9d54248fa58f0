"""Every error torchgen raises on purpose.

    TorchgenError                 caught once, in the command line
    ├── SpecError                 the request is wrong: every problem of it at once
    │   ├── LayerError            a layer does not fit its input: the table up to it
    │   └── TemplateError         a template of somebody else's is broken: its file and line
    ├── DestinationError          what is on disk is in the way
    └── MachineError              the machine's own fault: a full disk, a missing library

A problem always says what is wrong, why, and what to type instead. The core raises these and knows
nothing of the command line; `exit_code` is what the command line exits with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from torchgen_scaffold.records import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchgen_scaffold.layers.base import Traced


@record
class Problem:
    """One thing that is wrong: what, why, and what to type instead."""

    what: str
    why: str = ""
    instead: str = ""
    key: str = ""  # the setting it is about, as in torchgen.toml: "training.lr"
    missing: bool = False  # an answer that was not given, rather than a wrong one

    def __str__(self) -> str:
        return "\n  ".join(part for part in (self.what, self.why, self.instead) if part)


class TorchgenError(Exception):
    """The root of the tree: one or more problems, in the order they were found."""

    exit_code: ClassVar[int] = 1

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SpecError(TorchgenError):
    """The request is wrong; nothing was written."""

    exit_code = 2


class LayerError(SpecError):
    """Layer number `index` (from 0) does not fit; `layers` are the ones before it, which do. `in_shape` is one sample's."""

    def __init__(
        self,
        problem: Problem,
        *,
        index: int,
        item: str,
        layers: Sequence[Traced],
        in_shape: tuple[int, ...],
    ) -> None:
        self.index = index
        self.item = item
        self.in_shape = in_shape
        self.layers = tuple(layers)
        super().__init__(problem)


class TemplateError(SpecError):
    """A template that is not torchgen's own cannot be used; nothing was written."""


class DestinationError(TorchgenError):
    """Something on disk is in the way; nothing was written."""

    exit_code = 2


class MachineError(TorchgenError):
    """The request was right and the machine could not do it; nothing is half written."""

    exit_code = 1
