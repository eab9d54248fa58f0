"""`torchgen matrix`: many projects from one file, each written and proved for itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torchgen_scaffold.answers.merge import parse_set
from torchgen_scaffold.answers.words import read_toml
from torchgen_scaffold.commands import completion
from torchgen_scaffold.matrix import Cell, cells_of, read_matrix

if TYPE_CHECKING:
    from torchgen_scaffold.matrix.run import Ran, Way


@click.command("matrix")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="where the projects are made",
)
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="KEY=VALUE",
    help="a key of FILE, for all cells",
    shell_complete=completion.settings,
)
@click.option("--verify", "proved", is_flag=True, help="prove each: its tests, one epoch, eval, predict")
@click.option(
    "--python",
    type=click.Path(dir_okay=False),
    metavar="PATH",
    help="the Python that has torch [default: the one running torchgen]",
)
@click.option(
    "--jobs", type=click.IntRange(1), metavar="N", help="cells at a time [default: as many as processors]"
)
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="write a JUnit report")
@click.option("--dry-run", is_flag=True, help="show the cells, and write nothing")
@click.option("--force", is_flag=True, help="overwrite the files of an earlier generation")
@click.option("--json", "as_json", is_flag=True, help="print one JSON document")
def command(
    file: Path,
    output_dir: Path,
    sets: tuple[str, ...],
    proved: bool,
    python: str | None,
    jobs: int | None,
    junit: Path | None,
    dry_run: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Write and prove many projects: a TOML file whose lists multiply out."""
    over = dict(parse_set(text) for text in sets)
    instead = "Give the path of a TOML file with lists: torchgen matrix FILE"
    matrix = read_matrix(read_toml(file, instead), file.stem, over)
    cells = cells_of(matrix)
    from torchgen_scaffold.matrix.run import Way, processors
    from torchgen_scaffold.verify import found_python

    way = Way(
        # A path in a file is relative to that file; one that was typed, to where it was typed.
        base=Path() if "data.source" in matrix.sets else file.parent,
        output_dir=output_dir,
        python=found_python(python or sys.executable) if proved else None,
        force=force,
        dry_run=dry_run,
    )
    results = _run(cells, way, min(jobs or processors(), len(cells)))
    _report(results, way, junit, as_json)
    if not all(ran.ok for ran in results):
        raise click.exceptions.Exit(1)


def _run(cells: tuple[Cell, ...], way: Way, jobs: int) -> list[Ran]:
    """Run the cells; after Ctrl-C say how far they came."""
    from torchgen_scaffold.matrix.run import run_cells

    done: list[Ran] = []
    try:
        with _progress(len(cells), proved=way.python is not None) as shown:

            def tell(ran: Ran) -> None:
                done.append(ran)
                shown(ran)

            return run_cells(cells, way, jobs, tell)
    except KeyboardInterrupt:
        click.echo(f"Stopped after {len(done):,} of {len(cells):,} cells; none is half written.", err=True)
        raise click.exceptions.Exit(130) from None


@contextmanager
def _progress(count: int, *, proved: bool) -> Iterator[Callable[[Ran], None]]:
    """A bar on a terminal. Elsewhere, such as in the log of a CI job, a line for each cell that takes its time."""
    if not sys.stderr.isatty():
        yield _tell_line if proved else _tell_nothing
        return
    with click.progressbar(length=count, file=sys.stderr, show_pos=True, item_show_func=_name) as bar:
        yield lambda ran: bar.update(1, ran)


def _name(ran: Ran | None) -> str | None:
    return ran.cell.name if ran else None


def _tell_line(ran: Ran) -> None:
    click.echo(f"{'ok    ' if ran.ok else 'FAILED'} {ran.cell.name} {ran.seconds:.1f} s", err=True)


def _tell_nothing(ran: Ran) -> None:
    """Cells that are only written take milliseconds; the table says it all."""


def _report(results: list[Ran], way: Way, junit: Path | None, as_json: bool) -> None:
    """Show what became of the cells, and write it down where that was asked for."""
    if as_json:
        import json

        document = {"ok": all(ran.ok for ran in results), "cells": [ran.to_dict() for ran in results]}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        from torchgen_scaffold.show import show_matrix

        show_matrix(results, "sound" if way.dry_run else "verified" if way.python else "written")
    if junit:
        from torchgen_scaffold.verify import junit_of
        from torchgen_scaffold.write import replace_file

        steps = ((ran.cell.name, step) for ran in results for step in ran.steps)
        replace_file(junit, junit_of("torchgen matrix", steps))
