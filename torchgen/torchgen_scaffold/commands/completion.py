"""What the shell offers at a TAB, where click does not know it: folders, files, and the words of a setting.

Each is a `shell_complete` of click: what was typed so far to what it may become.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from torchgen_scaffold.kinds import Choice, Kind

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

Completer = Callable[["click.Context", "click.Parameter", str], "list[CompletionItem]"]


def folders(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """The shell's own folders."""
    return _shells_own("dir", typed)


def files(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """The shell's own files."""
    return _shells_own("file", typed)


def one_of(words: Iterable[str]) -> Completer:
    """One of these words."""

    def complete(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
        return _starting(words, typed)

    return complete


def sources(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """A data source by its name; else a path, which says itself what it is."""
    from torchgen_scaffold.sources import SOURCES

    named = [name for source in SOURCES.values() for name in _named(source.form)]
    return _starting(named, typed) or files(ctx, param, typed)


def _named(form: str) -> Iterable[str]:
    """A source's form as far as it is known: `csv:` of csv:PATH, and each set of sklearn:digits|iris."""
    name, colon, places = form.partition(":")
    return (f"{name}{colon}{place if place.islower() else ''}" for place in places.split("|"))


def settings(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """KEY= of every key of torchgen.toml, and behind the = the words that it may be."""
    from torchgen_scaffold.answers.words import row_settings
    from torchgen_scaffold.settings import SETTINGS

    key, equals, _ = typed.partition("=")
    if not equals:
        return _starting([f"{name}=" for name in (*SETTINGS, *row_settings())], typed)
    kind = SETTINGS[key].kind if key in SETTINGS else None
    return _starting([f"{key}={word}" for word in kind.options], typed) if isinstance(kind, Choice) else []


def _starting(words: Iterable[str], typed: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(word) for word in words if word.startswith(typed)]


def _shells_own(what: str, typed: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(typed, type=what)]


_BY_METAVAR: dict[str, Completer] = {"SOURCE": sources, "DIR": folders, "FILE": files}


def of_kind(kind: Kind) -> Completer | None:
    """What completes a setting: its words, or what its metavar stands for; None where there is no telling."""
    return one_of(kind.options) if isinstance(kind, Choice) else _BY_METAVAR.get(kind.metavar)
