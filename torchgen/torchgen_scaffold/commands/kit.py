"""`torchgen kit`: a teaching kit of one project: starter, solution, grader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from torchgen_scaffold.commands import completion
from torchgen_scaffold.commands.flags import Asked, spec_flags, tell_notes
from torchgen_scaffold.lessons import LESSONS


@click.command("kit")
@spec_flags()
@click.option(
    "-o",
    "--output-dir",
    "output_dir",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="the kit's folder",
    shell_complete=completion.folders,
)
@click.option("--name", help="the project's name [default: that of its data, or of DIR]")
@click.option(
    "--level", type=click.IntRange(1, 3), default=2, help="1: loss, optimizer, step; 3: all gaps [default: 2]"
)
@click.option("--gaps", metavar="3,4,7", help="these gaps, whatever the level")
@click.option("--lesson", metavar="NAME", help=f"a ready lesson: {', '.join(LESSONS)}")
@click.option("--notebook", is_flag=True, help="write the starter and the solution also as a notebook each")
@click.option("--force", is_flag=True, help="overwrite the files of an earlier kit")
@click.option("--json", "as_json", is_flag=True, help="print one JSON document")
def command(
    config: Path | None,
    sets: tuple[str, ...],
    output_dir: Path,
    name: str | None,
    level: int,
    gaps: str | None,
    lesson: str | None,
    notebook: bool,
    force: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Write a teaching kit: a starter with gaps, its solution, and a grader."""
    from torchgen_scaffold.kits.write import Wanted, write_kit

    asked = Asked({"name": name, **flags}, config, sets)
    wanted = Wanted(asked.answers, asked.base, level, gaps, lesson, notebook)
    kit, files = write_kit(wanted, output_dir, force=force)
    if as_json:
        import json

        document = {"path": str(output_dir), "files": files, "gaps": list(kit.places)}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        from torchgen_scaffold.show_kit import show_kit

        show_kit(kit, output_dir, files)
    tell_notes(kit.plan)
