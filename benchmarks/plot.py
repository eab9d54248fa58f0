"""A report as a PNG that can be read at the width of a README: bars beside each other, lines for what grows."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.machine import sentence
from benchmarks.report import Group, Report, Row
from benchmarks.table import amount, compared, ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Told apart by colour-blind people and in print: torchgen dark blue, the others grey.
OURS, THEIRS = "#0072B2", "#B4B4B4"
WIDTH, BAR, HEAD, DPI = 9.0, 0.3, 0.95, 110  # inches: a row of panels, a bar, title and axis; dots an inch
COLUMNS = 3


def draw(report: Report, path: Path) -> None:
    """Draw every group of the report into one picture."""
    import matplotlib

    matplotlib.use("Agg")  # files only: there may be no screen
    from matplotlib import pyplot as plt

    columns = min(COLUMNS, len(report.groups)) if len(report.groups) != 4 else 2
    lines = -(-len(report.groups) // columns)
    grows = any(group.axis for group in report.groups)
    most = max(len(group.rows) for group in report.groups)
    tall = 2.6 if grows else HEAD + BAR * most
    figure, panels = plt.subplots(
        lines, columns, figsize=(WIDTH, tall * lines + 0.3), squeeze=False, layout="constrained"
    )
    for panel, group in zip(panels.flat, report.groups, strict=False):
        draw_lines(panel, group) if group.axis else draw_bars(panel, group)
        if not group.axis:  # bars are as thick in every panel
            panel.set_ylim(most - 0.5, -0.5)
        width = 100 // columns
        panel.set_title("\n".join(textwrap.wrap(group.title, width)), fontsize=9, loc="left")
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(labelsize=8)
    for panel in list(panels.flat)[len(report.groups) :]:
        panel.set_visible(False)
    figure.supxlabel("\n".join(textwrap.wrap(sentence(report.machine), 130)), fontsize=7, color="#555555")
    figure.savefig(path, dpi=DPI)
    plt.close(figure)


def is_ours(row: Row) -> bool:
    """Whether a row is torchgen's own."""
    return "torchgen" in row.name or "train.py" in row.name or "Python API" in row.name


def label(group: Group, row: Row) -> str:
    """What stands at the end of a bar: how long, and how many times the first row that it is compared with."""
    told = amount(row.median, group.unit)
    first = compared(group)[:1]
    ratios = group.ratios(row)
    return f" {told} ({ratio(ratios[first[0]])})" if first else f" {told}"


def draw_bars(panel: Axes, group: Group) -> None:
    """A bar for each row, the first on top, with a whisker from its lowest value to its highest."""
    names = [row.name for row in group.rows]
    medians = [row.median for row in group.rows]
    colors = [OURS if is_ours(row) else THEIRS for row in group.rows]
    panel.barh(names, medians, color=colors, height=0.72)
    for place, row in enumerate(group.rows):
        panel.plot([min(row.values), max(row.values)], [place, place], color="#333333", linewidth=1)
        panel.text(max(row.values), place, label(group, row), va="center", fontsize=8)
    highest = max(max(row.values) for row in group.rows)
    panel.set_xlim(0, highest * 1.75)  # room for the labels
    first = compared(group)[:1]
    seen = f"{group.unit}; × is times {first[0]}" if first else group.unit
    panel.set_xlabel(seen, fontsize=8)


def draw_lines(panel: Axes, group: Group) -> None:
    """A point for each size on logarithmic axes, where a straight line of slope one is cost in proportion."""
    sizes = [row.x or 0 for row in group.rows]
    panel.plot(sizes, [row.median for row in group.rows], color=OURS, marker="o", markersize=4)
    panel.set_xscale("log")
    panel.set_yscale("log")
    for size, row in zip(sizes, group.rows, strict=True):
        place = (size, row.median)
        panel.annotate(
            amount(row.median, group.unit), place, (0, 5), textcoords="offset points", ha="center", fontsize=7
        )
    panel.margins(x=0.15)
    # At least two powers of ten, so that what hardly grows looks as flat as it is.
    medians = [row.median for row in group.rows]
    middle = math.sqrt(min(medians) * max(medians))
    reach = max(10, 2 * math.sqrt(max(medians) / min(medians)))
    panel.set_ylim(middle / reach, middle * reach)
    panel.set_xlabel(group.axis, fontsize=8)
    panel.set_ylabel(group.unit, fontsize=8)
