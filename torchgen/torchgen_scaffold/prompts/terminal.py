"""Menus and typed lines: the one file that imports questionary. Ctrl-C is a KeyboardInterrupt everywhere."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import questionary
from prompt_toolkit import print_formatted_text
from prompt_toolkit.completion import PathCompleter
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

_STYLE = questionary.Style(
    [
        ("qmark", "fg:ansigreen"),
        ("question", "bold"),
        ("pointer", "fg:ansicyan bold"),
        ("highlighted", "fg:ansicyan"),
        ("selected", ""),
        ("answer", "fg:ansicyan nobold"),
        ("instruction", "fg:ansibrightblack"),
        ("usual", "fg:ansibrightblack"),
        ("validation-toolbar", "noreverse bg:default fg:ansired"),
        ("bottom-toolbar", "noreverse bg:default fg:ansired"),
    ]
)
_POINTER = "❯"
_LONG = 20  # a menu of more lines can be searched by typing
_TALLEST = 6  # lines of a message below what is typed


class Option(NamedTuple):
    """One line of a menu: the answer it stands for, what it is called, and a few words about it."""

    value: str
    title: str
    summary: str = ""


def say(text: str) -> None:
    """Print a sentence between two questions, a little to the right of them."""
    questionary.print(textwrap.fill(text, _columns() - 1, initial_indent="  ", subsequent_indent="  "))


def choose(message: str, options: Sequence[Option], default: str | None = None) -> str:
    """The value of the option that was picked with the arrow keys; the pointer starts at `default`."""
    searched = len(options) > _LONG
    question = questionary.select(
        message,
        _choices(options),
        default=default if default in [option.value for option in options] else None,
        use_search_filter=searched,
        use_jk_keys=not searched,  # they are letters of the search
        **_LOOKS,
    )
    picked = str(_asked(question))
    _say_answer(message, next(option.title for option in options if option.value == picked))
    return picked


def choose_several(message: str, options: Sequence[Option]) -> list[str]:
    """The values of the options that were ticked, at least one."""
    question = questionary.checkbox(
        message,
        _choices(options),
        validate=lambda ticked: bool(ticked) or "tick at least one, with the space bar",
        **_LOOKS,
    )
    picked: list[str] = _asked(question)
    _say_answer(message, ", ".join(picked))
    return picked


def type_in(
    message: str, problem: Callable[[str], str], *, usual: str = "", start: str = "", path: bool = False
) -> str:
    """The line that was typed, once `problem` finds nothing to say about it.

    `usual` is shown in grey and taken by Enter alone; `start` stands there to be edited.
    """
    lines: list[str] = []

    def check(text: str) -> bool | str:
        # The toolbar that questionary fills holds one line; the rest of a message goes into the one below it.
        lines[:] = textwrap.wrap(problem(text.strip() or usual), _columns() - 1)[:_TALLEST]
        return lines[0] if lines else True

    question = questionary.text(
        message,
        default=start,
        validate=check,
        style=_STYLE,
        placeholder=[("class:usual", usual)],
        bottom_toolbar=lambda: "\n".join(lines[1:]),
        completer=PathCompleter(expanduser=True) if path else None,
        complete_while_typing=False,
    )
    return str(_asked(question)).strip() or usual


# The line of a menu goes when it is answered, and a short one with the answer takes its place.
_LOOKS: dict[str, Any] = {"style": _STYLE, "pointer": _POINTER, "erase_when_done": True}


def _choices(options: Sequence[Option]) -> list[questionary.Choice]:
    width = max(len(option.title) for option in options)
    room = _columns() - 4  # the pointer, and the last column that some terminals wrap at
    lines = [f"{option.title:<{width}}  {option.summary}".rstrip() for option in options]
    return [
        questionary.Choice(line if len(line) <= room else line[: room - 1] + "…", value=option.value)
        for line, option in zip(lines, options, strict=True)
    ]


def _asked(question: questionary.Question) -> Any:
    """The answer. The end of the input (Ctrl-D, a closed terminal) stops the program, as Ctrl-C does."""
    bindings = question.application.key_bindings
    if isinstance(bindings, KeyBindings):
        bindings.add(Keys.SIGINT, eager=True)(_stop)  # menus ignore a signal that no key sent
    try:
        return question.unsafe_ask()
    except EOFError:
        raise KeyboardInterrupt from None


def _stop(event: KeyPressEvent) -> None:
    event.app.exit(exception=KeyboardInterrupt)


def _say_answer(message: str, answer: str) -> None:
    parts = [("class:qmark", "?"), ("class:question", f" {message} "), ("class:answer", answer)]
    print_formatted_text(FormattedText(parts), style=_STYLE)


def _columns() -> int:
    return max(40, shutil.get_terminal_size().columns)
