"""The spec flags, the same on every command that takes them, and what they and a file say together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from torchgen_scaffold.answers.merge import look, merge, parse_set, set_key
from torchgen_scaffold.answers.words import read_toml
from torchgen_scaffold.commands import completion
from torchgen_scaffold.kinds import Choice, Flag, Setting
from torchgen_scaffold.settings import SETTINGS

if TYPE_CHECKING:
    from torchgen_scaffold.plan import Plan

Command = Callable[..., None]


def spec_flags(*, config: bool = True) -> Callable[[Command], Command]:
    """One flag for each setting that has one, and --set for the rest; --config unless the project has its own."""
    options: list[Callable[[Command], Command]] = [
        click.option(
            "--set",
            "sets",
            multiple=True,
            metavar="KEY=VALUE",
            help="any key of torchgen.toml",
            shell_complete=completion.settings,
        ),
        *(_option(key, setting) for key, setting in SETTINGS.items() if setting.flag),
    ]
    if config:
        about = "a torchgen.toml; flags win"
        file = click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help=about)
        options.insert(0, file)

    def flagged(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return flagged


def _option(key: str, setting: Setting) -> Callable[[Command], Command]:
    """The flag of one setting, under a name that click can give a parameter; Asked turns it back."""
    about = (
        setting.help if setting.default in (None, False) else f"{setting.help} [default: {setting.default}]"
    )
    parameter = key.replace(".", "__")
    if isinstance(setting.kind, Flag):
        return click.option(setting.flag, parameter, is_flag=True, default=None, help=about)
    choices = "|".join(setting.kind.options) if isinstance(setting.kind, Choice) else setting.kind.metavar
    complete = completion.of_kind(setting.kind)
    return click.option(setting.flag, parameter, metavar=choices, help=about, shell_complete=complete)


class Asked:
    """What a command was asked: the merged answers, and where their paths start."""

    def __init__(self, flags: dict[str, Any], config: Path | None, sets: tuple[str, ...]) -> None:
        given = {key.replace("__", "."): value for key, value in flags.items() if value is not None}
        given |= dict(parse_set(text) for text in sets)
        file = read_toml(config) if config else {}
        # A path in a file is relative to that file; one that was typed, to where it was typed.
        self.base = config.parent if config and "data.source" not in given else Path()
        if config and "project.templates" in given:
            given["project.templates"] = str(Path(given["project.templates"]).absolute())
        self.answers = merge(file, given)
        if config and self.base != config.parent and (templates := look(file, "project.templates")):
            place = given.get("project.templates", config.parent.absolute() / str(templates))
            set_key(self.answers, "project.templates", str(place))


def tell_note(note: str) -> None:
    """Say one thing that a person should hear though nothing is wrong."""
    click.echo(f"Note: {note}", err=True)


def tell_notes(planned: Plan) -> None:
    """Say all that a plan has to say."""
    for note in planned.notes:
        tell_note(note)
