"""`torchgen options`: what there is to choose from."""

from __future__ import annotations

import click

from torchgen_scaffold.catalogue import catalogue


@click.command("options")
@click.option("--json", "as_json", is_flag=True, help="print one JSON document")
def command(as_json: bool) -> None:
    """List every preset, layer, task, loss, optimizer, schedule and data source."""
    if as_json:
        import json

        click.echo(json.dumps(catalogue(), indent=2, ensure_ascii=False))
    else:
        from torchgen_scaffold.show import show_catalogue

        show_catalogue(catalogue())
