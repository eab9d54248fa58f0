"""What a question is: the key it answers, when it is asked, how, and what is wrong with an answer as it is typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torchgen_scaffold.errors import Problem
from torchgen_scaffold.prompts.talk import Changes, Talk
from torchgen_scaffold.prompts.terminal import Option, choose, type_in
from torchgen_scaffold.records import record
from torchgen_scaffold.shapes import show_sizes


def always(talk: Talk) -> bool:
    """There is a choice, whatever the other answers are."""
    return True


@record
class Question:
    """One question; `ask` puts it and returns what it changes.

    `opens` says whether there is anything to choose, given the other answers. `insists` is for a question that is
    asked though it has a default.
    """

    key: str
    title: str
    ask: Callable[[Talk, Question], Changes]
    also: tuple[str, ...] = ()  # other keys that its answer decides
    opens: Callable[[Talk], bool] = always
    insists: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that it answers."""
        return (self.key, *self.also)

    def given(self, talk: Talk) -> bool:
        """Whether there is an answer to it, from a flag, a file or this conversation."""
        return any(talk.get(key) is not None for key in self.keys)

    def fault(self, talk: Talk, changes: Changes) -> str:
        """What is wrong with an answer, or nothing. What it makes wrong in other answers is asked about there."""
        mine = (problem for problem in talk.wrong(changes) if problem.key in (*self.keys, ""))
        return next((sentence(problem) for problem in mine), "")

    def typed(self, talk: Talk, message: str, *, usual: str = "", start: Any = None) -> str:
        """An answer to its key, checked at every key press as a flag would be."""
        return type_in(
            message, lambda text: self.fault(talk, {self.key: text}), usual=usual, start=as_typed(start)
        )

    def picked(self, talk: Talk, summaries: Mapping[str, str], default: str | None = None) -> str:
        """An answer from a menu of words, each with its summary; the pointer starts at the present one."""
        options = [Option(word, word, summary) for word, summary in summaries.items()]
        return choose(self.title, options, default or talk.value(self.key))


def as_typed(value: Any) -> str:
    """An answer as a person types it."""
    if isinstance(value, (list, tuple)):
        return " -> ".join(value) if value and isinstance(value[0], str) else show_sizes(value)
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def sentence(problem: Problem) -> str:
    """What is wrong, why, and what would be right, in a line."""
    what = f"{problem.what}:" if problem.why and not problem.what.endswith((".", "?")) else problem.what
    parts = [what, *(part for part in (problem.why, problem.instead) if part)]
    return " ".join(part if part.endswith((".", "?", ":")) else f"{part}." for part in parts)
