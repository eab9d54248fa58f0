"""The text of --layers: `conv(32, 3) -> relu -> flatten`. Literals only; nothing is ever evaluated."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence

from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.layers import LAYERS
from torchgen_scaffold.layers.base import LayerCall, Misfit, Value
from torchgen_scaffold.spelling import nearest

LONGEST_TEXT = 100_000
LONGEST_ITEM = 500
MOST_LAYERS = 2_000
MOST_DIGITS = 18  # far beyond any size, and far below where Python itself refuses to print an int
MOST_PROBLEMS = 20

# How torch, and people, spell what torchgen calls otherwise; without _, capitals and the 2d at the end.
_OTHER_NAMES = {
    "batchnormalization": "batchnorm",
    "bilstm": "lstm",
    "convolution": "conv",
    "dense": "linear",
    "fc": "linear",
    "globalavgpool": "mean",
    "globalaveragepooling": "mean",
    "swish": "silu",
    "view": "flatten",
    "reshape": "flatten",
}
_SOFTMAX = ("softmax", "logsoftmax")


def parse_layers(text: str | Sequence[str]) -> tuple[LayerCall, ...]:
    """The items of a list of layers, each with a known name and arguments that its signature takes.

    Raises SpecError with every problem of the text (the first twenty).
    """
    items = _items(text)
    calls: list[LayerCall] = []
    problems: list[Problem] = []
    for number, item in enumerate(items, start=1):
        try:
            call = _parse_item(item)
            LAYERS[call.name].bind(call)
            calls.append(call)
        except Misfit as misfit:
            shown = repr(item if len(item) <= 60 else item[:60] + "…")
            what = f"layer {number}, {shown}, cannot be read" if item else f"layer {number} is empty"
            problems.append(Problem(what, misfit.why, misfit.instead, "model.layers"))
    if problems:
        raise SpecError(problems[:MOST_PROBLEMS])
    return tuple(calls)


def _items(text: str | Sequence[str]) -> list[str]:
    """The items as they stand between arrows. Raises SpecError where there are too many, before any is read."""
    if not isinstance(text, str):
        if not all(isinstance(item, str) for item in text):
            raise _refused("layers is a text, or a list of texts", 'Write ["conv(32, 3)", "relu"], say.')
        text = " -> ".join(text)
    if len(text) > LONGEST_TEXT:
        raise _refused(f"--layers has {len(text):,} characters; the most is {LONGEST_TEXT:,}")
    if text.count("->") + text.count("→") >= MOST_LAYERS:
        raise _refused(f"--layers has more than {MOST_LAYERS:,} layers")
    return [item.strip() for item in re.split(r"->|→", text)]


def _refused(what: str, instead: str = "Write fewer layers, or use a preset: --model.") -> SpecError:
    return SpecError(Problem(what, "", instead, "model.layers"))


def _parse_item(item: str) -> LayerCall:
    if not item:
        raise Misfit("there is nothing here", "Write a layer, or drop an arrow.")
    if len(item) > LONGEST_ITEM:
        raise Misfit(f"it has {len(item):,} characters", f"The most is {LONGEST_ITEM}.")
    matched = re.fullmatch(r"([A-Za-z_][A-Za-z0-9_.]*)\s*(\(.*\))?", item, re.DOTALL)
    if not matched:
        raise Misfit("a layer is a name, or a name with arguments in brackets", "Write conv(32, 3), say.")
    name, arguments = matched.groups()
    _check_name(name)
    return _parse_arguments(name, arguments) if arguments else LayerCall(name)


def _check_name(name: str) -> None:
    """Raises Misfit for an unknown layer, with the nearest: torch's spellings count as near."""
    if name in LAYERS:
        return
    if (plain := _plain(name)) in _SOFTMAX:
        raise Misfit(f"there is no layer {name[:40]!r}", "Leave it out: the loss applies it.")
    plain_names = {_plain(known): known for known in LAYERS} | _OTHER_NAMES
    near = plain_names.get(plain) or nearest(name, tuple(LAYERS))
    hint = f"Did you mean {near}?" if near else "`torchgen options` lists every layer."
    raise Misfit(f"there is no layer {name[:40]!r}", hint)


def _plain(name: str) -> str:
    """`torch.nn.AdaptiveAvgPool2d` and `adaptive_avgpool` are both adaptiveavgpool."""
    return re.sub(r"[123]d$", "", name.rpartition(".")[2].lower()).replace("_", "")


def _parse_arguments(name: str, arguments: str) -> LayerCall:
    """Read `(32, 3, padding=1)`. Raises Misfit for what is no literal."""
    signature = f"Write {LAYERS[name].signature}."
    try:
        with warnings.catch_warnings():
            # Python warns of "\\d" on its way to a text that is refused anyway.
            warnings.simplefilter("ignore")
            # The text is parsed, not run; what is not a literal is refused below.
            tree = ast.parse(f"f{arguments}", mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise Misfit("its arguments cannot be read", signature) from None
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise Misfit("its arguments cannot be read", signature)
    kwargs: dict[str, Value] = {}
    for keyword in tree.keywords:
        if keyword.arg is None:
            raise Misfit("** is not a literal", signature)
        if keyword.arg in kwargs:
            raise Misfit(f"{keyword.arg[:40]} is given twice", signature)
        kwargs[keyword.arg] = _literal(keyword.value)
    return LayerCall(name, tuple(_literal(node) for node in tree.args), kwargs)


def _literal(node: ast.expr) -> Value:
    """A number, word, True, False, None, or a flat tuple of whole numbers. Raises Misfit for anything else."""
    if isinstance(node, (ast.Tuple, ast.List)):
        parts = tuple(_scalar(part) for part in node.elts)
        if all(part is None or (isinstance(part, int) and not isinstance(part, bool)) for part in parts):
            return parts  # type: ignore[return-value]
        raise Misfit("a tuple holds whole numbers alone", "Write (2, 3), say.")
    return _scalar(node)


def _scalar(node: ast.expr) -> int | float | bool | str | None:
    # One sign at most: a chain of hundreds would be as many calls deep.
    sign = isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd))
    inner = node.operand if sign and isinstance(node, ast.UnaryOp) else node
    value = inner.value if isinstance(inner, ast.Constant) else ...
    if isinstance(value, int) and abs(value) >= 10**MOST_DIGITS:
        raise Misfit(f"it has a number of more than {MOST_DIGITS} digits", "Write a smaller one.")
    if sign and isinstance(value, (int, float)) and not isinstance(value, bool):
        return -value if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else value
    if not sign and isinstance(value, (int, float, str, bool, type(None))):
        return value
    raise Misfit(
        "an argument is not a literal", "Write numbers, True, False, None, words in quotes, or (2, 3)."
    )
