"""Write the text of every command's --help into cli.md: `python docs/update_cli.py`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from torchgen_scaffold.cli import cli

PAGE = Path(__file__).with_name("cli.md")


def help_of(name: str) -> str:
    """What `torchgen NAME --help` prints, 100 columns wide; the group's own for "torchgen"."""
    group = click.Context(cli, info_name="torchgen", terminal_width=100, **cli.context_settings)
    if name == "torchgen":
        return cli.get_help(group)
    command = cli.commands[name]
    return command.get_help(click.Context(command, parent=group, info_name=name))


def updated(text: str) -> str:
    """The page with the help between its marks as it is now."""

    def block(mark: re.Match[str]) -> str:
        return f"<!-- help: {mark[1]} -->\n```\n{help_of(mark[1])}\n```\n<!-- end -->"

    return re.sub(r"<!-- help: (\w+) -->\n.*?<!-- end -->", block, text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
