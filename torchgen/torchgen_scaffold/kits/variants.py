"""Variants of a project: a function of its answers and a seed, to answers.

Everything that is drawn follows from the seed and from what it is drawn for (sha256), and from nothing else; so one
student's variant is the same in any class, on any machine, in any version of Python.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

from torchgen_scaffold.answers.merge import set_key
from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.kinds import Integer
from torchgen_scaffold.lists import Many
from torchgen_scaffold.presets import PRESETS, usual_channels
from torchgen_scaffold.records import record
from torchgen_scaffold.spec import Spec

_WIDE = 1000  # a setting that may be so large is a width, and one that may not is a number of layers
_EIGHTHS = (6, 8, 10, 12)  # what a width becomes: three quarters of itself, itself, 5/4, 3/2

Values = dict[str, Any]  # dotted key -> value


class Draw:
    """Chances from a seed: called with what a number is for and how many there are, it gives one below that."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, what: str, count: int) -> int:
        """A number from 0 to below `count`, always the same for the same seed and `what`."""
        digest = hashlib.sha256(f"{self.seed}:{what}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % count


@record
class Kind:
    """One thing in which variants differ: what it is, and the answers that it gives; none where it does not apply."""

    name: str
    says: str
    why_not: str
    values: Callable[[Spec, Draw], Values]


def kinds_of(spec: Spec, wanted: str | None) -> tuple[str, ...]:
    """What varies: what was asked for (`data,sizes`), else all that applies. Raises SpecError."""
    applies = {name for name, kind in KINDS.items() if kind.values(spec, Draw(0))}
    if wanted is None:
        return tuple(name for name in KINDS if name in applies)
    problems, names = [], [name.strip() for name in wanted.split(",")]
    for name in names:
        if name not in KINDS:
            instead = f"Write some of these: --vary {','.join(KINDS)}"
            problems.append(Problem(f"--vary {name[:40]!r} is nothing that varies.", "", instead))
        elif name not in applies:
            problems.append(
                Problem(f"--vary {name} changes nothing here.", KINDS[name].why_not, "Leave it out.")
            )
    if problems:
        raise SpecError(problems)
    return tuple(name for name in KINDS if name in names)


def variant(spec: Spec, seed: int, kinds: Collection[str]) -> dict[str, Any]:
    """The answers of one variant of a project, to be checked like any others."""
    answers = {
        key: dict(value) if isinstance(value, Mapping) else value for key, value in spec.to_dict().items()
    }
    if spec.project.templates_at:
        set_key(answers, "project.templates", str(spec.project.templates_at.absolute()))
    for name in kinds:
        for key, value in KINDS[name].values(spec, Draw(seed)).items():
            set_key(answers, key, value)
    return answers


def _sizes(spec: Spec, draw: Draw) -> Values:
    """Widths of the preset near those that it has."""
    row = PRESETS.get(spec.model.preset or "")
    values: Values = {}
    for name, setting in row.settings_for(spec.model.signal.axes).items() if row else ():
        item = setting.kind.item if isinstance(setting.kind, Many) else setting.kind
        if isinstance(item, Integer) and item.high >= _WIDE:
            now = spec.model.settings.get(name)
            if name == "channels" and not now:
                now = usual_channels(spec.input_shape[1:])
            near = [
                max(1, width * _EIGHTHS[draw(f"{name}.{place}", len(_EIGHTHS))] // 8)
                for place, width in enumerate(now if isinstance(now, (tuple, list)) else [now])
            ]
            if near:
                values[f"model.{name}"] = near if isinstance(now, (tuple, list)) else near[0]
    return values


def _shapes(spec: Spec, draw: Draw) -> Values:
    """Input sizes and classes that are the asked ones or a little more: what fits those fits these."""
    if spec.data.source != "synthetic":
        return {}
    shape = list(spec.input_shape)
    first = 1 if spec.model.signal.axes == "map" else 0  # channels stay
    for axis in range(first, len(shape)):
        shape[axis] += draw(f"input.{axis}", max(2, shape[axis] // 4) + 1)
    values: Values = {"input_shape": shape}
    if spec.task_row.form == "multiclass" and not spec.data.classes:
        values["output_shape"] = [spec.output_shape[0] + draw("classes", 3)]
    return values


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "data",
            "the split, the order and the first weights",
            "",
            lambda _, draw: {"training.seed": draw.seed},
        ),
        Kind("sizes", "the sizes of the network", "Only a preset with widths has sizes to choose.", _sizes),
        Kind("shapes", "the shapes of made data", "The shapes are those of the data.", _shapes),
    )
}
