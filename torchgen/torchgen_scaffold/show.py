"""What people read in a terminal: the layer table, errors, the catalogue, the steps of verify.

Colours appear on a terminal only. Anywhere else the text is plain and its lines stay whole, however long,
so that a file holds the table and not an 80-column cut of it. A narrow terminal wraps the last column.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any

import click

from torchgen_scaffold.escape import visible
from torchgen_scaffold.spelling import counted
from torchgen_scaffold.wording import Row, loss_and_optimizer, plan_rows, rows_up_to

if TYPE_CHECKING:
    from torchgen_scaffold.create import Made
    from torchgen_scaffold.errors import LayerError, TorchgenError
    from torchgen_scaffold.matrix.run import Ran
    from torchgen_scaffold.plan import Plan
    from torchgen_scaffold.verify import Step

_ENDLESS = 10**9  # the width of what is not a terminal
_READABLE = 24  # a last column that would be narrower is left out, rather than written one word a line
_SIGNATURE = 30  # a name that is longer, such as a layer's whole signature, is no column
_ASCII = {"×": "x", "−": "-", "→": "->", "…": "...", "✓": "+", "✗": "!"}


def show_error(error: TorchgenError) -> None:
    """Print every problem of `error` to stderr: what is wrong, why, and what to type instead."""
    blocks = []
    for problem in error.problems:
        # A line of its own needs no full stop; only what to type is a sentence.
        what, why = problem.what.removesuffix("."), problem.why.removesuffix(".")
        rest = [f"  {visible(part)}" for part in (why, problem.instead) if part]
        mark = _style("Error:", sys.stderr, fg="red", bold=True)
        blocks.append("\n".join([f"{mark} {visible(what)}", *rest]))
    _print("\n\n".join(blocks), sys.stderr)


def show_plan(plan: Plan) -> None:
    """Print the layer table with its totals, then the data and the training in a line each."""
    heading = Row("layer", "output", "params", "why", "head")
    training, data = plan.spec.training, plan.spec.data
    place = data.original or data.place  # as a person here calls it, rather than as the project will
    splits = [f"{count:,} {name}" for name, count in plan.splits._asdict().items()]
    run = f"{counted(training.epochs, 'epoch')} of {training.batch_size:,}"
    lines = [
        *_columns(plan),
        *_table([heading, *plan_rows(plan)]),
        "",
        f"  data  {visible(data.source + (f':{place}' if place else ''))}: {' · '.join(splits)}",
        f"  loss  {' · '.join([*loss_and_optimizer(plan), run])}",
    ]
    _print("\n".join(lines))


_MOST_COLUMNS = 40


def _columns(plan: Plan) -> list[str]:
    """What torchgen has seen in a table, a line a column."""
    says = plan.spec.data.says
    if not says:
        return []
    width = min(_SIGNATURE, max(len(visible(name)) for name, _ in says))
    lines = [f"  {visible(name):<{width}}  {visible(text)}" for name, text in says[:_MOST_COLUMNS]]
    more = len(says) - _MOST_COLUMNS
    return [*lines, *([f"  … and {counted(more, 'column')} more"] if more > 0 else []), ""]


def show_layers_up_to(error: LayerError) -> None:
    """Print the layers that fit, as they were written, then the one that does not, and why."""
    _print("\n".join(_table(rows_up_to(error))))


def show_made(made: Made, *, dry_run: bool, table: bool = True) -> None:
    """Print the plan of a project (unless it was shown before), where it was written, and what comes next."""
    from torchgen_scaffold.errors import SpecError

    if table:
        show_plan(made.plan)
    place = visible(str(made.path))
    place = place if made.path.is_absolute() or place.startswith(".") else f"./{place}"
    files = counted(len(made.files), "file")
    if dry_run:
        names = [f"    {visible(name)}" for name in made.files]
        _print("\n".join([f"\n  {files} would be written to {place}; nothing was:", *names]))
        return
    try:
        following = " && ".join(made.next)
    except SpecError:  # no shell line can hold this path; the project is there all the same
        following = "in that folder, pip install -r requirements.txt && python train.py"
    _print(f"\n  {files} in {place}\n  Next:  {following}")


def show_catalogue(tables: dict[str, list[dict[str, Any]]]) -> None:
    """Print what `catalogue()` lists: a heading a group, a line a choice, its settings beneath it."""
    groups = []
    for heading, rows in tables.items():
        lines = [_style(heading, bold=True)]
        names = [row["name"] for row in rows]
        if max(map(len, names), default=0) > _SIGNATURE:  # whole signatures: those stand beneath
            names = [re.split(r"\W", name)[0] for name in names]
        width = max(map(len, names), default=0)
        for name, row in zip(names, rows, strict=True):
            lines += _hanging(f"  {name:<{width}}  ", row["summary"])
            if name != row["name"]:
                lines += [_style(line, dim=True) for line in _hanging("      ", row["name"])]
            settings: dict[str, str] = row.get("settings", {})
            inner = max(map(len, settings), default=0)
            for key, about in settings.items():
                lines += [_style(line, dim=True) for line in _hanging(f"      {key:<{inner}}  ", about)]
        groups.append("\n".join(lines))
    _print("\n\n".join(groups))


def show_step(step: Step) -> None:
    """Print one step of verify as it ends; what a failed one said last stands indented beneath it."""
    _print("\n".join(_step(step)))


def _step(step: Step) -> list[str]:
    mark = _style("✓", fg="green") if step.ok else _style("✗", fg="red", bold=True)
    # pytest and tqdm colour their lines; what remains after that is shown, not acted on.
    said = [visible(line.expandtabs()) for line in click.unstyle(step.detail).split("\n")]
    line = f"{mark} {step.name:<8}{step.seconds:6.1f} s"
    if step.ok:
        return [f"{line}  {' '.join(said)}".rstrip()]
    return [line, *(f"    {text}".rstrip() for text in said)]


def show_matrix(results: Sequence[Ran], done: str) -> None:
    """Print a line a cell, and beneath them the steps that failed; `done` is what all the other cells are."""
    passed = sum(ran.ok for ran in results)
    lines = _table(
        [
            Row("cell", "model", "params", "result", "head"),
            *(_cell_row(ran, done) for ran in results),
            Row("", "", "", f"{passed:,} of {counted(len(results), 'cell')} {done}", "foot"),
        ]
    )
    alike: dict[tuple[str, ...], list[Ran]] = {}  # one fault often stops many cells: it is said once
    for ran in results:
        if not ran.ok:
            alike.setdefault(tuple(step.detail for step in ran.steps if not step.ok), []).append(ran)
    for failed in alike.values():
        steps = (step for step in failed[0].steps if not step.ok)
        lines += ["", *(ran.cell.name for ran in failed), *(line for step in steps for line in _step(step))]
    _print("\n".join(lines))


def _cell_row(ran: Ran, done: str) -> Row:
    failed = next((f"✗ {step.name}" for step in ran.steps if not step.ok), "")
    result = f"{failed or f'✓ {done}':<{len(done) + 2}}"
    if len(ran.steps) > 1:  # to write a project takes no time worth telling
        result += f" {ran.seconds:6.1f} s"
    model, params = "", ""
    if ran.plan:
        model, params = ran.plan.spec.model.preset or "layers", f"{ran.plan.params:,}"
    return Row(ran.cell.name, model, params, result, "bad" if failed else "")


def show_lines(lines: Sequence[str], stream: IO[str] | None = None) -> None:
    """Print lines, to stdout unless another stream is given."""
    _print("\n".join(lines), stream)


def _table(rows: Sequence[Row]) -> list[str]:
    """Lay the rows out; on a narrow terminal the last column wraps, and goes where it cannot be read."""
    layer, output, params = (max(len(row[column]) for row in rows) for column in range(3))
    start = 2 + layer + 2 + output + 2 + (params + 2 if params else 0)
    room = _width() - start
    lines = []
    for row in rows:
        number = f"{row.params:>{params}}  " if params else ""
        cells = f"  {row.layer:<{layer}}  {row.output:<{output}}  {number}"
        # What does not fit and the totals say what nothing else says: they stay, however narrow it is.
        shown = room >= _READABLE or row.style in ("bad", "foot")
        first, *more = _wrapped(row.why, room) if shown else [""]
        texts = [(cells + first).rstrip(), *(" " * start + line for line in more)]
        lines += [_styled(text, row.style) for text in texts]
    return lines


def _styled(text: str, style: str) -> str:
    if style == "bad":
        return _style(text, fg="red")
    if style == "foot":
        return _style(text, bold=True)
    return _style(text, dim=True) if style == "head" else text


def _hanging(start: str, text: str) -> list[str]:
    """`start` and `text` on one line; on a terminal that is too narrow the text wraps beside its start."""
    first, *more = _wrapped(text, _width() - len(start))
    return [start + first, *(" " * len(start) + line for line in more)]


def _wrapped(text: str, room: int) -> list[str]:
    """`text` in lines of `room` columns; whole where it fits, or where a column would be one word wide."""
    whole = room >= len(text) or room < _READABLE
    return [text] if whole else textwrap.wrap(text, room, break_on_hyphens=False)


def _width() -> int:
    """Columns of the terminal; without one, lines never end."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _ENDLESS


def _colored(stream: IO[str]) -> bool:
    """Whether `stream` is a terminal that shows colours, and nobody asked for none (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _style(text: str, stream: IO[str] | None = None, **style: Any) -> str:
    return click.style(text, **style) if text and _colored(stream or sys.stdout) else text


def _print(text: str, stream: IO[str] | None = None) -> None:
    """Print `text`, in the nearest ASCII where the stream's encoding has no × or ✓."""
    stream = stream or sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.replace(" · ", " | ").replace("·", "*")  # between two layers, and between two numbers
        text = re.sub("[^\x00-\x7f]", lambda found: _ASCII.get(found[0], found[0]), text)
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    click.echo(text, file=stream, color=_colored(stream))
