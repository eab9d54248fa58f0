"""The commands: flags, exit codes, nothing else. Data goes to stdout, words to stderr.

Whatever is heavy (black, jinja2, questionary) is imported inside the command that needs it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from torchgen_scaffold.version import __version__

if TYPE_CHECKING:
    from torchgen_scaffold.plan import Plan

Command = Callable[..., None]


class Program(click.Group):
    """The group of commands, with torchgen's own exit codes: 0, 1, 2 and 130, and never a traceback."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command and exit; see click.Group.main."""
        from torchgen_scaffold.errors import TorchgenError

        kwargs["standalone_mode"] = False
        try:
            code = super().main(*args, **kwargs)
        except TorchgenError as error:
            from torchgen_scaffold.show import show_error

            show_error(error)
            code = error.exit_code
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except (KeyboardInterrupt, click.Abort):
            click.echo("Stopped; nothing was written.", err=True)
            code = 130
        except BrokenPipeError:  # `torchgen plan | head`: the reader has seen enough
            sys.stderr.close()
            code = 0
        sys.exit(code if isinstance(code, int) else 0)


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="torchgen")
def cli() -> None:
    """Turn an input shape, an output shape and a task into a PyTorch project.

    Every layer size is worked out before torch is imported.
    """


def spec_flags(command: Command) -> Command:
    """The spec flags, the same on every command that takes them; one for each setting that has a flag."""
    from torchgen_scaffold.kinds import Choice, Flag
    from torchgen_scaffold.settings import SETTINGS

    options = [
        click.option(
            "--config", type=click.Path(path_type=Path), metavar="FILE", help="a torchgen.toml; flags win"
        ),
        click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="any key of torchgen.toml"),
    ]
    for key, setting in SETTINGS.items():
        if not setting.flag:
            continue
        about = (
            setting.help
            if setting.default in (None, False)
            else f"{setting.help} [default: {setting.default}]"
        )
        if isinstance(setting.kind, Flag):
            options.append(
                click.option(setting.flag, _parameter(key), is_flag=True, default=None, help=about)
            )
            continue
        choices = "|".join(setting.kind.options) if isinstance(setting.kind, Choice) else setting.kind.metavar
        options.append(click.option(setting.flag, _parameter(key), metavar=choices, help=about))
    for option in reversed(options):
        command = option(command)
    return command


def _parameter(key: str) -> str:
    """training.lr as click names a parameter; Asked turns it back."""
    return key.replace(".", "__")


class Asked:
    """What a command was asked: the merged answers, and where their paths start."""

    def __init__(self, flags: dict[str, Any], config: Path | None, sets: tuple[str, ...]) -> None:
        from torchgen_scaffold.answers.merge import merge, parse_set
        from torchgen_scaffold.answers.words import read_toml

        given = {key.replace("__", "."): value for key, value in flags.items() if value is not None}
        given |= dict(parse_set(text) for text in sets)
        file = read_toml(config) if config else {}
        self.answers = merge(file, given)
        # A path in a file is relative to that file; one that was typed, to where it was typed.
        self.base = config.parent if config and "data.source" not in given else Path()


def tell_notes(planned: Plan) -> None:
    """What a person should hear though nothing is wrong."""
    for note in planned.notes:
        click.echo(f"Note: {note}", err=True)


@cli.command()
@click.argument("name", required=False)
@spec_flags
@click.option(
    "-o", "--output-dir", type=click.Path(path_type=Path), default=Path(), help="where NAME is made"
)
@click.option("-y", "--yes", is_flag=True, help="ask nothing; what was not given takes its default")
@click.option("--dry-run", is_flag=True, help="show what would be written, and write nothing")
@click.option("--force", is_flag=True, help="overwrite the files of an earlier generation")
@click.option("--json", "as_json", is_flag=True, help="print one JSON document")
def new(
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
    made = create(asked.answers, base=asked.base, output_dir=output_dir, force=force, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps(made.to_dict(), indent=2, ensure_ascii=False))
    else:
        from torchgen_scaffold.show import show_made

        show_made(made, dry_run=dry_run, table=not interactive)  # a person has seen it and said yes
    if not interactive:  # a person has heard them with the table
        tell_notes(made.plan)


@cli.command()
@spec_flags
@click.option("--json", "as_json", is_flag=True, help="print one JSON document")
@click.option("--svg", type=click.Path(path_type=Path), metavar="FILE", help="draw the network into FILE")
@click.option("--mermaid", is_flag=True, help="print a Mermaid diagram")
def plan(
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
        click.echo(json.dumps(planned.to_dict(), indent=2))
    elif mermaid:
        from torchgen_scaffold.draw import mermaid_of

        click.echo(mermaid_of(planned))
    else:
        from torchgen_scaffold.show import show_plan

        show_plan(planned)
    tell_notes(planned)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="print one JSON document")
def options(as_json: bool) -> None:
    """List every preset, layer, task, loss, optimizer, schedule and data source."""
    from torchgen_scaffold.catalogue import catalogue

    if as_json:
        click.echo(json.dumps(catalogue(), indent=2, ensure_ascii=False))
    else:
        from torchgen_scaffold.show import show_catalogue

        show_catalogue(catalogue())


@cli.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--python", metavar="PATH", help="the Python that has torch [default: the one running torchgen]"
)
@click.option("--json", "as_json", is_flag=True, help="print one JSON document")
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="write a JUnit report")
def verify(directory: Path, python: str | None, as_json: bool, junit: Path | None) -> None:
    """Prove a generated project: its tests, one epoch, eval, predict."""
    from torchgen_scaffold.show import show_step
    from torchgen_scaffold.verify import junit_of
    from torchgen_scaffold.verify import verify as prove
    from torchgen_scaffold.write import replace_file

    result = prove(directory, python or sys.executable, tell=None if as_json else show_step)
    if as_json:
        click.echo(json.dumps(result.to_dict(), indent=2, ensure_ascii=False))
    if junit:
        replace_file(junit, junit_of(result))
    if not result.ok:
        raise click.exceptions.Exit(1)
