"""The conversation of `torchgen new`: ask what the flags left out, show the layers, write or change something."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from torchgen_scaffold.errors import SpecError
from torchgen_scaffold.generate import texts_of
from torchgen_scaffold.plan import plan
from torchgen_scaffold.prompts.data import facts_line
from torchgen_scaffold.prompts.question import Question, as_typed
from torchgen_scaffold.prompts.questions import QUESTIONS
from torchgen_scaffold.prompts.talk import Talk
from torchgen_scaffold.prompts.terminal import Option, choose, say
from torchgen_scaffold.show import show_error, show_plan
from torchgen_scaffold.sources.reading import reading_once
from torchgen_scaffold.spec import Spec
from torchgen_scaffold.written import replaced_notes

__all__ = ["ask"]

_YES, _CHANGE, _CANCEL, _BACK = "yes", "change something", "cancel", "nothing"


def ask(answers: Mapping[str, Any], base: Path, output_dir: Path, *, force: bool = False) -> dict[str, Any]:
    """Ask for what `answers` (shaped as torchgen.toml is) leave out, and return them complete.

    Paths in `data.source` are relative to `base`; the project goes into `output_dir / name`, over an earlier one
    where `force` says so. Raises SpecError or DestinationError for what was given wrong, before anything is asked,
    and KeyboardInterrupt where the person stops.
    """
    talk = Talk(answers, base, output_dir, force=force)
    with reading_once():
        talk.refuse_wrong()
        if talk.get("data.source"):
            _tell(talk)
        while True:
            spec = _complete(talk)
            place = talk.home(spec.name)
            _show(spec, place, force=force)
            shown = str(place) if place.is_absolute() or str(place).startswith(".") else f"./{place}"
            options = [Option(word, word) for word in (_YES, _CHANGE, _CANCEL)]
            answer = choose(f"Write it to {shown}?", options)
            if answer == _YES:
                return talk.answers
            if answer == _CANCEL:
                raise KeyboardInterrupt
            _change(talk, spec)


def _show(spec: Spec, place: Path, *, force: bool) -> None:
    """Print the layer table and what deserves saying aloud; with `force`, what would be replaced at `place` too."""
    planned = plan(spec)
    show_plan(planned)
    for note in (*planned.notes, *(replaced_notes(place, texts_of(planned)) if force else ())):
        click.echo(f"Note: {note}", err=True)


def _complete(talk: Talk) -> Spec:
    """Ask until nothing is open."""
    while question := _next(talk):
        _put(talk, question)
    spec = talk.spec()
    assert spec is not None  # else something was missing, or wrong
    return spec


def _next(talk: Talk) -> Question | None:
    """The first question that nothing has answered yet."""
    missing = talk.missing()
    open_ones = (row for row in QUESTIONS if row.key in missing or (row.insists and not row.given(talk)))
    return next(open_ones, None)


def _put(talk: Talk, question: Question) -> None:
    """Put a question. Where the answer does not fit the others, say why and ask about what the problem is about."""
    before = talk.answers
    talk.answers = talk.changed(question.ask(talk, question))
    while wrong := talk.wrong():
        show_error(SpecError(wrong))
        about = next((row for row in QUESTIONS if wrong[0].key in row.keys), None)
        if about and about.opens(talk):
            talk.answers = talk.changed(about.ask(talk, about))
        elif about and about.given(talk):  # the other answers leave no choice: what was given goes
            talk.answers = talk.changed(dict.fromkeys(about.keys))
        else:  # only a flag or a file could follow this answer: it goes
            talk.answers = before
            return
    if any(key.startswith("data.") for key in question.keys):
        _tell(talk)


def _tell(talk: Talk) -> None:
    """Say what the data holds, once that is known."""
    line = facts_line(talk)
    if line:
        say(line)


def _change(talk: Talk, spec: Spec) -> None:
    """Let a person pick one of the answers and give another."""
    rows = {question.key: question for question in QUESTIONS if question.opens(talk)}
    options = [Option(key, row.title, _present(talk, row)) for key, row in rows.items()]
    picked = choose("Change what?", [*options, Option(_BACK, _BACK, "leave it as it is")])
    if picked != _BACK:
        _put(talk, rows[picked])


def _present(talk: Talk, question: Question) -> str:
    """The present answer to a question, given or not."""
    values = [talk.get(key) for key in question.keys]
    return next(
        (as_typed(value) for value in values if value is not None), as_typed(talk.value(question.key))
    )
