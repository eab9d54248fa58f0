"""A report as text: a table for the terminal, and the same table in Markdown for the pages."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.machine import sentence
from benchmarks.report import Group, Report, Row


def amount(value: float, unit: str) -> str:
    """Three significant digits with their unit; below a second, milliseconds: 0.0123 s is 12.3 ms."""
    if unit == "s" and value < 1:
        value, unit = value * 1000, "ms"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def ratio(value: float) -> str:
    """Two digits behind the point, three for small ones, none for large ones: 0.43 ×, 0.054 ×, 120 ×."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 else 3
    return f"{value:,.{digits}f} ×"


def header(group: Group) -> list[str]:
    """The columns: what, its median, the span of its values, and a ratio to each row that it is compared with."""
    return [group.axis or "", "median", "lowest to highest", *(f"÷ {name}" for name in compared(group))]


def compared(group: Group) -> list[str]:
    """The rows that there is a ratio to; what was not measured has none."""
    return [name for name in group.against if any(row.name == name for row in group.rows)]


def cells(group: Group, row: Row) -> list[str]:
    """One line of the table."""
    ratios = group.ratios(row)
    span = f"{amount(min(row.values), group.unit)} to {amount(max(row.values), group.unit)}"
    lone = len(row.values) == 1
    told = [ratio(ratios[name]) if name in ratios else "" for name in compared(group)]
    return [row.name, amount(row.median, group.unit), "once" if lone else span, *told]


def plain(report: Report) -> str:
    """The report for a terminal."""
    return "\n".join(_plain_lines(report))


def _plain_lines(report: Report) -> Iterator[str]:
    yield f"{report.command}\n{sentence(report.machine)}"
    for group in report.groups:
        lines = [header(group), *(cells(group, row) for row in group.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
        yield f"\n{group.title}"
        for first, *rest in lines:
            told = [text.rjust(width) for text, width in zip(rest, widths[1:], strict=True)]
            yield "  ".join(["", first.ljust(widths[0]), *told]).rstrip()
    yield from (f"\n{note}" for note in report.notes)


def markdown(report: Report, picture: str) -> str:
    """The report for a page: the command, the machine, the picture, and a table for each group."""
    parts = [f"```\n{report.command}\n```", f"On {sentence(report.machine)}.", picture]
    for group in report.groups:
        lines = [header(group), ["---", *("---:" for _ in header(group)[1:])]]
        lines += [cells(group, row) for row in group.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        parts.append(f"**{group.title}**\n\n{table}")
    return "\n\n".join([*parts, *report.notes])
