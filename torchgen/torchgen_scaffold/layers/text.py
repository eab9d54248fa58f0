"""The text of --layers: `conv(32, 3) -> relu -> flatten`. Literals only; nothing is ever evaluated."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.layers import LAYERS
from torchgen_scaffold.layers.base import LayerCall, Misfit, Value
from torchgen_scaffold.spelling import nearest

LONGEST_TEXT = 100_000
LONGEST_ITEM = 500
MOST_LAYERS = 2_000
MOST_DIGITS = 18
MOST_PROBLEMS = 20

# How torch spells what torchgen calls by a shorter name.
_TORCH_NAMES = {
    "adaptiveavgpool": "adaptive_avgpool",
    "adaptivemaxpool": "adaptive_maxpool",
    "convolution": "conv",
    "dense": "linear",
    "fc": "linear",
    "leakyrelu": "leaky_relu",
}


def parse_layers(text: str | Sequence[str]) -> tuple[LayerCall, ...]:
    """The items of a list of layers, each with a known name and arguments that its signature takes.

    Raises SpecError with every problem of the text (the first twenty).
    """
    if not isinstance(text, str):
        text = " -> ".join(text)
    if len(text) > LONGEST_TEXT:
        raise _refused(f"--layers has {len(text):,} characters", f"the most is {LONGEST_TEXT:,}")
    items = [item.strip() for item in re.split(r"->|→", text)]
    if len(items) > MOST_LAYERS:
        raise _refused(f"--layers has {len(items):,} layers", f"the most is {MOST_LAYERS:,}")
    calls, problems = [], []
    for number, item in enumerate(items, start=1):
        try:
            call = _parse_item(item)
            LAYERS[call.name].bind(call)
            calls.append(call)
        except Misfit as misfit:
            shown = item if len(item) <= 60 else item[:60] + "…"
            what = f"layer {number}, {shown!r}, cannot be read" if item else f"layer {number} is empty"
            problems.append(Problem(what, misfit.why, misfit.instead, "model.layers"))
    if problems:
        raise SpecError(problems[:MOST_PROBLEMS])
    return tuple(calls)


def _refused(what: str, why: str) -> SpecError:
    return SpecError(Problem(what, why, "Write fewer, or use a preset: --model.", "model.layers"))


def _parse_item(item: str) -> LayerCall:
    if not item:
        raise Misfit("there is nothing between two arrows", "Write a layer, or drop one arrow.")
    if len(item) > LONGEST_ITEM:
        raise Misfit(f"it has {len(item):,} characters", f"The most is {LONGEST_ITEM}.")
    matched = re.fullmatch(r"([A-Za-z_][A-Za-z0-9_]*)\s*(\(.*\))?", item, re.DOTALL)
    if not matched:
        raise Misfit("a layer is a name, or a name with arguments in brackets", "Write conv(32, 3), say.")
    name, arguments = matched.groups()
    _check_name(name)
    if not arguments:
        return LayerCall(name)
    if re.search(rf"[0-9]{{{MOST_DIGITS + 1},}}", arguments):
        raise Misfit(f"it has a number of more than {MOST_DIGITS} digits", "Write a smaller one.")
    try:
        # The text is parsed, not run; what is not a literal is refused below.
        tree = ast.parse(f"f{arguments}", mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        tree = None
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise Misfit("its arguments cannot be read", f"Write {LAYERS[name].signature}.")
    if any(keyword.arg is None for keyword in tree.keywords):
        raise Misfit("** is not a literal", f"Write {LAYERS[name].signature}.")
    return LayerCall(
        name,
        tuple(_literal(node) for node in tree.args),
        {str(keyword.arg): _literal(keyword.value) for keyword in tree.keywords},
    )


def _check_name(name: str) -> None:
    if name in LAYERS:
        return
    plain = re.sub(r"[123]d$", "", name.lower()).rstrip("_")
    plain = _TORCH_NAMES.get(plain.replace("_", ""), plain.replace("_", "") if plain not in LAYERS else plain)
    near = plain if plain in LAYERS else nearest(name, tuple(LAYERS))
    hint = f"Did you mean {near}?" if near else "`torchgen options` lists every layer."
    raise Misfit(f"there is no layer {name[:40]!r}", hint)


def _literal(node: ast.expr) -> Value:
    """A number, word, True, False, None, or a flat tuple of whole numbers."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float, str, bool, type(None))):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        value = _literal(node.operand)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, (ast.Tuple, ast.List)):
        parts = [_literal(part) for part in node.elts]
        if all(part is None or (isinstance(part, int) and not isinstance(part, bool)) for part in parts):
            return tuple(parts)  # type: ignore[arg-type]
    raise Misfit(
        "an argument is not a literal", "Write numbers, True, False, None, words in quotes, or (2, 3)."
    )
