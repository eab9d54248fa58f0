"""`torchgen new`: answers to a project on disk."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from torchgen_scaffold.commands import completion
from torchgen_scaffold.commands.flags import Asked, spec_flags, tell_note, tell_notes


@click.command("new")
@click.argument("name", required=False)
@spec_flags()
@click.option(
    "-o",
    "--output-dir",
    type=click.Path(path_type=Path),
    default=Path(),
    help="where NAME is made",
    shell_complete=completion.folders,
)
@click.option("-y", "--yes", is_flag=True, help="ask nothing; what was not given takes its default")
@click.option("--dry-run", is_flag=True, help="show what would be written, and write nothing")
@click.option("--force", is_flag=True, help="overwrite the files of an earlier generation")
@click.option("--json", "as_json", is_flag=True, help="print one JSON document")
def command(
    name: str | None,
    config: Path | None,
    sets: tuple[str, ...],
    output_dir: Path,
    yes: bool,
    dry_run: bool,
    force: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Write a project; at a terminal, ask for what the flags left out."""
    from torchgen_scaffold.create import create

    asked = Asked({"name": name, **flags}, config, sets)
    interactive = not (yes or as_json) and sys.stdin.isatty() and sys.stdout.isatty()
    if interactive:
        from torchgen_scaffold.prompts import ask

        asked.answers = ask(asked.answers, asked.base, output_dir, force=force or dry_run)
    made = create(
        asked.answers,
        base=asked.base,
        output_dir=output_dir,
        force=force,
        dry_run=dry_run,
        tell=None if interactive else tell_note,  # a person has heard it with the table
    )
    if as_json:
        import json

        click.echo(json.dumps(made.to_dict(), indent=2, ensure_ascii=False))
    else:
        from torchgen_scaffold.show import show_made

        show_made(made, dry_run=dry_run, table=not interactive)  # a person has seen it and said yes
    if not interactive:  # a person has heard them with the table
        tell_notes(made.plan)
