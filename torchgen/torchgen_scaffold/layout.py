"""Where everything in the drawing stands: stages flow from left to right and wrap like text.

Widths of texts are estimated, generously, since no font can be asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING

from torchgen_scaffold.escape import visible
from torchgen_scaffold.glyphs import Glyph, Scale, draw, mix, number, path
from torchgen_scaffold.layers.base import show_shape
from torchgen_scaffold.records import record, replace
from torchgen_scaffold.spelling import counted
from torchgen_scaffold.stages import Stage, stages_of
from torchgen_scaffold.wording import amount

if TYPE_CHECKING:
    from torchgen_scaffold.plan import Plan

INK, _MUTED, _LINE = "#1f2933", "#616e7c", "#9aa5b1"
_MARGIN, _GAP, _ROW_GAP, _TITLE, _LEAD = 36.0, 34.0, 46.0, 74.0, 16.0
_ONE_ROW = 1150.0  # a network of this width stays in one row
_SHAPE = 620.0  # of a picture about twice as wide as high: twice the height of a row


@record
class Text:
    """One line of text, centred on x (or starting there, for the title), its baseline at y."""

    x: float
    y: float
    text: str
    size: float = 11.5
    fill: str = _MUTED
    bold: bool = False
    centred: bool = True

    @property
    def width(self) -> float:
        """A width that no common font exceeds for letters and digits."""
        return len(self.text) * self.size * (0.62 if self.bold else 0.57)


@dataclass
class Drawing:
    """Where everything is: texts, and SVG for everything else."""

    width: float
    height: float
    texts: list[Text]
    shapes: list[str]


def layout(plan: Plan) -> Drawing:
    """Place every stage, its texts and its arrows."""
    stages = stages_of(plan)
    scale = Scale.of((stage.shape, stage.look) for stage in stages)
    heading = _heading(plan)
    placed, top = [], _TITLE
    for cells in _rows([_Cell.of(stage, scale) for stage in stages]):
        row = _Row.under(top, cells)
        x = _MARGIN
        for cell in cells:
            placed.append(_Placed(cell, x, row))
            x += cell.width + _GAP
        top = row.bottom
    width = max(*(one.x + one.cell.width for one in placed), *(text.x + text.width for text in heading))
    return Drawing(
        width + _MARGIN,
        top,  # the last row's gap is the margin
        [*heading, *(text for one in placed for text in one.texts())],
        [*(_connection(*pair) for pair in pairwise(placed)), *(one.svg() for one in placed)],
    )


def _heading(plan: Plan) -> list[Text]:
    """The name, and the totals under it."""
    facts = [plan.spec.task, f"{show_shape(plan.spec.input_shape)} → {show_shape(plan.spec.output_shape)}"]
    facts += [counted(plan.params, "parameter"), amount(plan.macs)]
    return [
        Text(_MARGIN, 42, visible(plan.spec.name), 20, INK, bold=True, centred=False),
        Text(_MARGIN, 65, " · ".join(facts), 13, centred=False),
    ]


@record
class _Cell:
    """A stage with its glyph, and the lines of text that stand under it."""

    stage: Stage
    glyph: Glyph
    lines: tuple[Text, ...]  # around x = 0, their baselines counted from the first

    @classmethod
    def of(cls, stage: Stage, scale: Scale) -> _Cell:
        """Draw the stage, and set its texts."""
        glyph = draw(stage.shape, stage.look, stage.color, scale, arrows=stage.arrows)
        strong = mix(stage.color, "#000000", 0.3)
        texts = [Text(0, 0, show_shape(stage.shape), 13, INK, bold=True)]
        texts += [Text(0, 0, label, 12, strong, bold=True) for label in stage.labels]
        texts += [Text(0, 0, note) for note in stage.notes]
        texts += [Text(0, 0, counted(stage.params, "param"))] if stage.params else []
        return cls(stage, glyph, tuple(replace(text, y=index * _LEAD) for index, text in enumerate(texts)))

    @property
    def width(self) -> float:
        """The room it takes in its row."""
        return max(self.glyph.width, *(text.width for text in self.lines))

    @property
    def depth(self) -> float:
        """The room its lines take under the glyph."""
        return len(self.lines) * _LEAD


@record
class _Row:
    """Where a row of cells stands: the axis through the glyphs, the first line of text, and its end."""

    axis: float
    below: float
    bottom: float

    @classmethod
    def under(cls, top: float, cells: Sequence[_Cell]) -> _Row:
        """The row of these cells, starting at `top`."""
        half = max(cell.glyph.height for cell in cells) / 2
        below = top + 24 + 2 * half + 36
        return cls(top + 24 + half, below, below + max(cell.depth for cell in cells) + _ROW_GAP / 2)


@record
class _Placed:
    """A cell that knows where it stands."""

    cell: _Cell
    x: float
    row: _Row

    @property
    def left(self) -> float:
        """Where the glyph starts."""
        return self.x + (self.cell.width - self.cell.glyph.width) / 2

    @property
    def right(self) -> float:
        """Where the glyph ends."""
        return self.left + self.cell.glyph.width

    def svg(self) -> str:
        """The glyph, its middle on the row's axis."""
        at = f"{number(self.left)} {number(self.row.axis - self.cell.glyph.height / 2)}"
        return f'<g transform="translate({at})">{self.cell.glyph.svg}</g>'

    def texts(self) -> list[Text]:
        """The lines under the glyph."""
        middle = self.x + self.cell.width / 2
        return [replace(text, x=middle, y=self.row.below + text.y) for text in self.cell.lines]


def _rows(cells: Sequence[_Cell]) -> list[list[_Cell]]:
    """Break the cells into rows of about the same width, in a picture about twice as wide as it is high."""
    total = sum(cell.width + _GAP for cell in cells)
    wanted = 1 if total <= _ONE_ROW else max(2, round(sqrt(total / _SHAPE)))
    limit = total / wanted
    rows = _broken(cells, limit)
    while len(rows) > wanted:
        limit *= 1.03
        rows = _broken(cells, limit)
    return rows


def _broken(cells: Sequence[_Cell], limit: float) -> list[list[_Cell]]:
    rows: list[list[_Cell]] = [[]]
    used = 0.0
    for cell in cells:
        if rows[-1] and used + cell.width > limit:
            rows.append([])
            used = 0.0
        rows[-1].append(cell)
        used += cell.width + _GAP
    return rows


def _connection(before: _Placed, after: _Placed) -> str:
    """What leads from one stage to the next: a fan between two bars, an arrow between all others."""
    start, end = before.right + 6, after.left - 6
    if before.row is not after.row:
        return _arrow(
            f"M{number(start)} {number(before.row.axis)}{_elbow(before, after)}H{number(end - 5)}", end, after
        )
    if before.cell.stage.look == after.cell.stage.look == "bar":
        y, high, low = after.row.axis, before.cell.glyph.height / 2, after.cell.glyph.height / 2
        corners = [(start - 4, y - high), (end + 4, y - low), (end + 4, y + low), (start - 4, y + high)]
        return f'<path d="{path(corners)}" fill="{after.cell.stage.color}" fill-opacity="0.16"/>'
    return _arrow(f"M{number(start)} {number(before.row.axis)}H{number(end - 5)}", end, after)


def _elbow(before: _Placed, after: _Placed) -> str:
    """Round the end of a row, back through the gap beneath it, and down to the next row's axis."""
    right, left, turn = before.x + before.cell.width + 18, _MARGIN - 18, 8
    gutter, axis = number(before.row.bottom - turn), number(after.row.axis - turn)
    return (
        f"H{number(right - turn)}q{turn} 0 {turn} {turn}V{gutter}q0 {turn} -{turn} {turn}"
        f"H{number(left + turn)}q-{turn} 0 -{turn} {turn}V{axis}q0 {turn} {turn} {turn}"
    )


def _arrow(line: str, x: float, after: _Placed) -> str:
    """A line, and its tip at x on the axis of the stage that it leads to."""
    y = after.row.axis
    tip = path([(x - 7, y - 4), (x, y), (x - 7, y + 4)])
    return (
        f'<path d="{line}" fill="none" stroke="{_LINE}" stroke-width="1.5"/><path d="{tip}" fill="{_LINE}"/>'
    )
