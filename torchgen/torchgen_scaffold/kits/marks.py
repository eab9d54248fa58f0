"""The rules of marks: gaps stand side by side, one in a function, each says what to do and stops, and each is tested.

They are read from what the templates give rather than from the templates, so that whatever a template includes counts.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torchgen_scaffold.errors import MachineError, Problem, TemplateError
from torchgen_scaffold.gaps import GAPS
from torchgen_scaffold.plan import Plan

Places = Mapping[str, Sequence[tuple[str, str]]]  # {gap: the functions that it opens}
_UNKNOWN = object()  # what a condition says that is too free to be worked out here


def refuse(plan: Plan, problems: Sequence[Problem]) -> None:
    """Raise what is wrong with a kit's texts, if anything: a TemplateError where templates of one's own made them,
    else a MachineError, since torchgen's own are at fault.
    """
    if problems and plan.spec.project.templates_at:
        raise TemplateError(problems)
    if problems:
        raise MachineError(problems)


def mark_problems(
    together: Places, alone: Mapping[str, Places], opened: Mapping[str, str]
) -> Iterator[Problem]:
    """What is wrong with the gaps' places: `together` when all are open, `alone` when one is; `opened` are the texts."""
    owners: dict[tuple[str, str], str] = {}
    for gap, places in together.items():
        if tuple(alone[gap].get(gap, ())) != tuple(places):
            why = "Opened alone it is in other places than together with the others."
            yield Problem(f"{_called(gap)} is inside another gap.", why, "Put their marks side by side.")
        for place in places:
            if (other := owners.setdefault(place, gap)) != gap:
                what = f"{_called(other)} and {_called(gap)} are in one function, {place[1]}() of {place[0]}."
                yield Problem(
                    what, "Each is graded by putting its function into the reference.", "Make two functions."
                )
    yield from _loose(together, opened)


def _loose(together: Places, opened: Mapping[str, str]) -> Iterator[Problem]:
    """Gaps that say what to do and do not stop there."""
    for file, text in opened.items():
        if file.endswith(".py"):
            for gap, row in GAPS.items():
                stops = sum(name == file for name, _ in together.get(gap, ()))
                if text.count(f"# TODO gap {row.number}:") > stops:
                    what = f"{_called(gap)} has a TODO in {file} that does not stop there."
                    yield Problem(what, "", "End it with {{ plan.open_gap(…) }} before its {% else %}.")


def check_problems(places: Places, grader: Mapping[str, str]) -> Iterator[Problem]:
    """The gaps that no check of the grader tests, as far as those that it has fit the kit."""
    kit = json.loads(grader["kit.json"])
    checked = {
        gap for name, text in grader.items() if name.startswith("check_") for gap in _checked(text, kit)
    }
    for gap in places:
        if gap not in checked:
            what = f"{_called(gap)} has no check that fits this kit."
            instead = f'Write one in templates/kit/grader/check_*.py.jinja, below @check("{gap}"), or leave the gap out: --gaps'
            yield Problem(what, "Without one, an open gap would count as solved.", instead)


def _checked(text: str, kit: Mapping[str, Any]) -> Iterator[str]:
    """The gaps that a module's checks are about, as far as they fit."""
    for node in ast.parse(text).body:
        for call in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "check":
                fits = next((word.value for word in call.keywords if word.arg == "fits"), None)
                first = call.args[0] if call.args else None
                if isinstance(first, ast.Constant) and (
                    not isinstance(fits, ast.Lambda) or _value(fits.body, kit)
                ):
                    yield str(first.value)


def _value(node: ast.expr, kit: Mapping[str, Any]) -> Any:
    """What a condition on kit["…"] says; one that is freer than these fits (as an object that is true)."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return kit.get(str(node.slice.value), _UNKNOWN) if isinstance(node.value, ast.Name) else _UNKNOWN
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return [_value(element, kit) for element in node.elts]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        value = _value(node.operand, kit)
        return _UNKNOWN if value is _UNKNOWN else not value
    if isinstance(node, ast.BoolOp):
        said = [_value(part, kit) for part in node.values]
        return all(said) if isinstance(node.op, ast.And) else any(said)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _compared(_value(node.left, kit), node.ops[0], _value(node.comparators[0], kit))
    return _UNKNOWN


def _compared(left: Any, sign: ast.cmpop, right: Any) -> Any:
    if left is _UNKNOWN or right is _UNKNOWN:
        return _UNKNOWN
    if isinstance(sign, (ast.In, ast.NotIn)) and isinstance(right, (list, str)):
        return (left in right) == isinstance(sign, ast.In)
    if isinstance(sign, (ast.Eq, ast.NotEq)):
        return (left == right) == isinstance(sign, ast.Eq)
    return _UNKNOWN


def _called(gap: str) -> str:
    return f"Gap {GAPS[gap].number} ({GAPS[gap].title})"
