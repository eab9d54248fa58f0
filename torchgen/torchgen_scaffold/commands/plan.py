"""`torchgen plan`: the layer table, as text, JSON or a drawing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from torchgen_scaffold.commands.flags import Asked, spec_flags, tell_notes


@click.command("plan")
@spec_flags()
@click.option("--json", "as_json", is_flag=True, help="print one JSON document")
@click.option("--svg", type=click.Path(path_type=Path), metavar="FILE", help="draw the network into FILE")
@click.option("--mermaid", is_flag=True, help="print a Mermaid diagram")
def command(
    config: Path | None, sets: tuple[str, ...], as_json: bool, svg: Path | None, mermaid: bool, **flags: Any
) -> None:
    """Show every layer's shape, parameters and arithmetic; write nothing."""
    from torchgen_scaffold.answers.merge import look
    from torchgen_scaffold.errors import LayerError
    from torchgen_scaffold.plan import plan as make_plan
    from torchgen_scaffold.spec import Spec

    asked = Asked(flags, config, sets)
    if ":" not in str(look(asked.answers, "data.source")):  # else the data names it
        asked.answers.setdefault("name", "network")
    try:
        planned = make_plan(Spec.from_dict(asked.answers, base=asked.base))
    except LayerError as error:
        if not as_json:
            from torchgen_scaffold.show import show_layers_up_to

            show_layers_up_to(error)
        raise
    if svg:
        from torchgen_scaffold.draw import svg_of
        from torchgen_scaffold.write import replace_file

        replace_file(svg, svg_of(planned))
    if as_json:
        import json

        click.echo(json.dumps(planned.to_dict(), indent=2))
    elif mermaid:
        from torchgen_scaffold.draw import mermaid_of

        click.echo(mermaid_of(planned))
    else:
        from torchgen_scaffold.show import show_plan

        show_plan(planned)
    tell_notes(planned)
