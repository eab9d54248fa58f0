"""`torchgen verify`: proof that a generated project works."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from torchgen_scaffold.commands import completion


@click.command("verify")
@click.argument(
    "directory", metavar="DIR", type=click.Path(path_type=Path), shell_complete=completion.folders
)
@click.option(
    "--python",
    metavar="PATH",
    help="the Python that has torch [default: the one running torchgen]",
    shell_complete=completion.files,
)
@click.option("--json", "as_json", is_flag=True, help="print one JSON document")
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="write a JUnit report")
def command(directory: Path, python: str | None, as_json: bool, junit: Path | None) -> None:
    """Prove a generated project: its tests, one epoch, eval, predict."""
    from torchgen_scaffold.show import show_step
    from torchgen_scaffold.verify import junit_of, verify
    from torchgen_scaffold.write import replace_file

    result = verify(directory, python or sys.executable, tell=None if as_json else show_step)
    if as_json:
        import json

        click.echo(json.dumps(result.to_dict(), indent=2, ensure_ascii=False))
    if junit:
        replace_file(junit, junit_of("torchgen verify", [("torchgen.verify", step) for step in result.steps]))
    if not result.ok:
        raise click.exceptions.Exit(1)
