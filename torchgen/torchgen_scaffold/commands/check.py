"""`torchgen check`: has a project drifted from what its torchgen.toml gives?"""

from __future__ import annotations

from pathlib import Path

import click

from torchgen_scaffold.commands import completion


@click.command("check")
@click.argument(
    "directory", metavar="DIR", type=click.Path(path_type=Path), shell_complete=completion.folders
)
@click.option("--json", "as_json", is_flag=True, help="print one JSON document")
def command(directory: Path, as_json: bool) -> None:
    """Compare a project with what its torchgen.toml gives; differences as a diff."""
    from torchgen_scaffold.checking import check

    result = check(directory)
    if as_json:
        import json

        click.echo(json.dumps(result.to_dict(), indent=2, ensure_ascii=False))
    else:
        from torchgen_scaffold.show_changes import show_checked

        show_checked(result)
    if not result.ok:
        raise click.exceptions.Exit(1)
