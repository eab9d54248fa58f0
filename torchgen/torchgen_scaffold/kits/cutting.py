"""Python files cut into the pieces of a notebook: one namespace, no command line.

Everything is cut by lines of the text, so that comments and layout stay as the file has them.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from torchgen_scaffold.records import record

Edit = tuple[ast.expr, str]  # an expression, and the text that takes its place


@record
class Piece:
    """A statement with the comments above it, and the names that it defines."""

    node: ast.stmt
    text: str
    names: tuple[str, ...]


def pieces_of(text: str) -> list[Piece]:
    """The definitions of a module; without its docstring, its imports, and `if __name__ == "__main__"`."""
    return [
        Piece(piece.node, piece.text.strip("\n"), piece.names)
        for piece in _cut(text, ast.parse(text).body)
        if not isinstance(piece.node, (ast.Import, ast.ImportFrom, ast.Expr, ast.If))
    ]


def _cut(text: str, body: Sequence[ast.stmt]) -> Iterator[Piece]:
    """Each statement with the lines between the one before it and itself, and comments that end its block."""
    lines = text.splitlines()
    begin = _first_line(body[0]) - 1 if body else 0
    for node in body:
        end = node.end_lineno or begin
        while end < len(lines) and lines[end].startswith(" " * (node.col_offset + 1)):
            end += 1
        yield Piece(node, "\n".join(lines[begin:end]), tuple(bound_by(node)))
        begin = end


def _first_line(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def bound_by(node: ast.stmt) -> Iterator[str]:
    """The names that a statement gives to the namespace that it stands in."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    else:
        loops = [inside.target for inside in ast.walk(node) if isinstance(inside, ast.comprehension)]
        inner = {name for loop in loops for name in ast.walk(loop)}
        for inside in ast.walk(node):
            if isinstance(inside, ast.Name) and isinstance(inside.ctx, ast.Store) and inside not in inner:
                yield inside.id


def used_in(text: str) -> set[str]:
    """The names that a text reads."""
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with other expressions in the places of some."""
    lines = [line.encode() for line in text.splitlines(keepends=True)]  # ast counts bytes
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    whole = b"".join(lines)
    places = [
        (
            starts[node.lineno - 1] + node.col_offset,
            starts[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0),
            new,
        )
        for node, new in edits
    ]
    for begin, end, new in sorted(places, reverse=True):
        whole = whole[:begin] + new.encode() + whole[end:]
    return whole.decode()


# Imports.


def imports_of(texts: Iterable[str], used: set[str], own: Iterable[str]) -> str:
    """The imports of several files in one block, as far as they are used; those of the project's `own` modules are none."""
    plain: set[tuple[str, str]] = set()
    named: dict[str, set[str]] = {}
    for node in (node for text in texts for node in ast.parse(text).body):
        if isinstance(node, ast.Import):
            plain |= {
                (alias.name, _as(alias))
                for alias in node.names
                if alias.name not in own and (alias.asname or alias.name.partition(".")[0]) in used
            }
        elif isinstance(node, ast.ImportFrom) and node.module and node.module not in own:
            kept = {_as(alias) for alias in node.names if (alias.asname or alias.name) in used}
            if kept:
                named.setdefault(node.module, set()).update(kept)
    found = [(module, f"import {said}") for module, said in sorted(plain)]
    found += [
        (module, f"from {module} import {', '.join(sorted(names))}")
        for module, names in sorted(named.items())
    ]
    groups: list[list[str]] = [[], []]
    for module, line in found:
        groups[module.partition(".")[0] not in sys.stdlib_module_names].append(line)
    return "\n\n".join("\n".join(group) for group in groups if group)


def _as(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name


def without_modules(text: str, own: Iterable[str]) -> str:
    """The text with `train.train_epoch` as `train_epoch`, for the `own` modules that it imports as modules.

    One that is named as a whole is the notebook's own namespace; so is the one in `monkeypatch.setattr("eval.CHECKPOINT", …)`.
    """
    tree = ast.parse(text)
    imports = [alias for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
    modules = {alias.name for alias in imports} & set(own)
    edits: list[Edit] = []
    for statement in tree.body:
        hidden = _local_names(statement)
        taken: set[ast.expr] = set()
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if node.value.id in modules - hidden:
                    edits.append((node, node.attr))
                    taken.add(node.value)
            elif isinstance(node, ast.Name) and node.id in modules - hidden and node not in taken:
                edits.append((node, "sys.modules[__name__]"))
            elif isinstance(node, ast.Constant) and node in _patched(statement):
                module, _, name = str(node.value).partition(".")
                edits += [(node, f'"__main__.{name}"')] if module in own else []
    return edited(text, edits)


def _local_names(statement: ast.stmt) -> set[str]:
    """What a function calls its own, and so hides a module of that name."""
    arguments = {node.arg for node in ast.walk(statement) if isinstance(node, ast.arg)}
    return arguments | {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _patched(statement: ast.stmt) -> list[ast.expr]:
    return [call.args[0] for call in _calls(statement, "setattr") if call.args]


# What a script does when it is run.


def flow_of(text: str) -> tuple[str, str]:
    """What main() is for, and its body as the lines of a cell: no argument parser, the defaults of its flags in their places.

    Both are empty where there is no main().
    """
    if (main := _main(text)) is None:
        return "", ""
    said = (ast.get_docstring(main) or "").partition("\n\n")[0]
    text = edited(text, _defaults(text, main.body))
    body = _main(text).body  # type: ignore[union-attr]  # it is still there
    kept = [piece.text for piece in _cut(text, body) if not _is_told(piece.node)]
    flow = textwrap.dedent("\n".join(kept)).strip("\n")
    # In a notebook they are sections.
    flow = flow.replace("Run train.py first", "Run the cells under Train first").replace(
        "Next: python eval.py", "Next: Evaluate"
    )
    return said, re.sub(r"python (\w+\.py)", r"\1", flow)


def _main(text: str) -> ast.FunctionDef | None:
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == "main":
            return node
    return None


def _calls(node: ast.AST, method: str) -> list[ast.Call]:
    """The calls of a method of that name in it."""
    calls = [inside for inside in ast.walk(node) if isinstance(inside, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == method]


def _is_told(node: ast.stmt) -> bool:
    """Whether it is the docstring, or is about the command line."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or bool(_calls(node, "add_argument"))
    return isinstance(node, ast.Assign) and bool(_calls(node, "ArgumentParser") or _calls(node, "parse_args"))


def _defaults(text: str, body: Sequence[ast.stmt]) -> Iterator[Edit]:
    """What a flag gives where nobody sets it, in the place of each `settings.flag`."""
    defaults: dict[str, str] = {}
    parsed: set[str] = set()
    for node in body:
        for call in _calls(node, "add_argument"):
            flag = ast.literal_eval(call.args[0]).lstrip("-").replace("-", "_")
            defaults[flag] = next(
                _segment(text, word.value) for word in call.keywords if word.arg == "default"
            )
        if (
            isinstance(node, ast.Assign)
            and _calls(node.value, "parse_args")
            and isinstance(node.value, ast.Call)
        ):
            parsed |= set(bound_by(node))
    for inside in (inside for node in body for inside in ast.walk(node)):
        if isinstance(inside, ast.Attribute) and inside.attr in defaults:
            settings = inside.value
            if settings.id in parsed if isinstance(settings, ast.Name) else _calls(settings, "parse_args"):
                yield inside, defaults[inside.attr]


def _segment(text: str, node: ast.expr) -> str:
    return ast.get_source_segment(text, node) or ""


# The answers of a solution.


def with_marks(starter: str, solution: str, functions: Iterable[str]) -> str:
    """The solution's file with what the starter says in its gaps, and nbgrader's marks around the answers."""
    lines = solution.splitlines()
    places = sorted((span_of(solution, function) for function in functions), reverse=True)
    opened = sorted((span_of(starter, function) for function in functions), reverse=True)
    for (begin, end), (there, until) in zip(places, opened, strict=True):
        lines[begin:end] = _marked(lines[begin:end], starter.splitlines()[there:until])
    return "\n".join(lines) + "\n"


def _marked(answered: list[str], opened: list[str]) -> list[str]:
    """One function: what both begin with, what to do, the answer between marks, and what both end with."""
    shared = range(min(len(answered), len(opened)))
    before = next((i for i in shared if answered[i] != opened[i]), len(shared))
    after = next((i for i in shared if answered[-1 - i] != opened[-1 - i]), len(shared))
    after = min(after, len(shared) - before)
    answer, todo = answered[before : len(answered) - after], opened[before : len(opened) - after]
    if not (answer or todo):
        return answered
    first = (answer or todo)[0]
    indent = first[: len(first) - len(first.lstrip())]
    said = [line for line in todo if line.lstrip().startswith("#")]
    marks = [f"{indent}### {edge} SOLUTION" for edge in ("BEGIN", "END")]
    return [*answered[:before], *said, marks[0], *answer, marks[1], *answered[len(answered) - after :]]


def span_of(text: str, dotted: str) -> tuple[int, int]:
    """Where in the lines of a text a function begins and ends: `Model.forward`, or `evaluate`."""
    body: Sequence[ast.stmt] = ast.parse(text).body
    for name in dotted.split("."):
        node = next(
            node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name
        )
        body = node.body
    return _first_line(node) - 1, node.end_lineno or 0
