"""The group of commands: exit codes, and which module holds which command. Data goes to stdout, words to stderr."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from torchgen_scaffold.commands import COMMANDS
from torchgen_scaffold.version import __version__


class Program(click.Group):
    """The group of commands, with torchgen's own exit codes: 0, 1, 2 and 130, and never a traceback.

    A command is imported when it is asked for; `torchgen --help` needs only their lines.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, line in COMMANDS.items():
            self.add_command(click.Command(name, help=line))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was asked for, from its own module; see click.Group.resolve_command."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in COMMANDS:
            command = importlib.import_module(f"torchgen_scaffold.commands.{name}").command
        return name, command, rest

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command and exit; see click.Group.main."""
        kwargs["standalone_mode"] = False
        try:
            code = super().main(*args, **kwargs)
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except (KeyboardInterrupt, click.Abort):
            click.echo("Stopped; nothing was written by halves.", err=True)
            code = 130
        except BrokenPipeError:  # `torchgen plan | head`: the reader has seen enough
            sys.stderr.close()
            code = 0
        except Exception as error:
            code = _told(error)
        sys.exit(code if isinstance(code, int) else 0)


def _told(error: Exception) -> int:
    """Show an error that torchgen raised on purpose, and return its exit code; any other goes on."""
    from torchgen_scaffold.errors import TorchgenError
    from torchgen_scaffold.show import show_error

    if not isinstance(error, TorchgenError):
        raise error
    show_error(error)
    return error.exit_code


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="torchgen")
def cli() -> None:
    """Turn an input shape, an output shape and a task into a PyTorch project.

    Every layer size is worked out before torch is imported.
    """
