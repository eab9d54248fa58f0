"""`torchgen templates`: torchgen's own templates, as a start for templates of your own."""

from __future__ import annotations

from pathlib import Path

import click

from torchgen_scaffold.commands import completion
from torchgen_scaffold.overlay import own_names, own_templates


@click.group("templates")
def command() -> None:
    """List or copy torchgen's templates, to change them for --templates DIR."""


@command.command("list")
def list_names() -> None:
    """List the templates; a file of the same path in DIR takes the place of one."""
    click.echo("\n".join(own_names()))


@command.command("export")
@click.argument(
    "directory", metavar="DIR", type=click.Path(path_type=Path), shell_complete=completion.folders
)
@click.option("--force", is_flag=True, help="overwrite the templates of an earlier export")
def export(directory: Path, force: bool) -> None:
    """Copy the templates into DIR; keep those that you change, and delete the rest."""
    from torchgen_scaffold.show import show_lines
    from torchgen_scaffold.spelling import counted
    from torchgen_scaffold.write import write_tree

    names = ("README.md", *own_names())
    files = {name: (own_templates() / name).read_text(encoding="utf-8") for name in names}
    write_tree(files, directory, force=force)
    show_lines([f"{counted(len(files), 'file')} in {directory}. Next:  torchgen new --templates {directory}"])
