"""`torchgen schema`: torchgen.toml for editors."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("schema")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="write it into FILE instead"
)
def command(output: Path | None) -> None:
    """Print a JSON Schema of torchgen.toml, for editors that complete and check it."""
    import json

    from torchgen_scaffold.schema import toml_schema

    text = json.dumps(toml_schema(), indent=2, ensure_ascii=False)
    if output:
        from torchgen_scaffold.write import replace_file

        replace_file(output, f"{text}\n")
    else:
        click.echo(text)
