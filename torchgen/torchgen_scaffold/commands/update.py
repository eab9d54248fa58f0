"""`torchgen update`: a project brought to this version's templates, or to changed answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from torchgen_scaffold.commands import completion
from torchgen_scaffold.commands.flags import Asked, spec_flags


@click.command("update")
@click.argument(
    "directory", metavar="DIR", type=click.Path(path_type=Path), shell_complete=completion.folders
)
@spec_flags(config=False)
@click.option("--dry-run", is_flag=True, help="show the diff, and write nothing")
@click.option("--force", is_flag=True, help="update though git has uncommitted changes there")
@click.option("--json", "as_json", is_flag=True, help="print one JSON document")
def command(
    directory: Path, sets: tuple[str, ...], dry_run: bool, force: bool, as_json: bool, **flags: Any
) -> None:
    """Bring a project to this version or to changed answers, keeping your edits."""
    from torchgen_scaffold.show_changes import show_update, tell_before
    from torchgen_scaffold.updating import apply, updated
    from torchgen_scaffold.write import recover
    from torchgen_scaffold.written import ANSWERS, read_answers

    recover(directory)  # what a killed update has left
    read_answers(directory)  # where there is no project, that is what is said
    asked = Asked(flags, directory / ANSWERS, sets)
    update = updated(directory, asked.answers, base=asked.base)
    tell_before(update)
    if not dry_run:
        apply(update, force=force)
    if as_json:
        import json

        click.echo(json.dumps(update.to_dict(), indent=2, ensure_ascii=False))
    else:
        show_update(update, dry_run=dry_run)
    if not update.ok:
        raise click.exceptions.Exit(1)
