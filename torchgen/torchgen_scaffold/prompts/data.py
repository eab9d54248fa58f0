"""The questions about the data, and the sentence that says what it holds."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from torchgen_scaffold.answers import Answers
from torchgen_scaffold.answers.data import recognised, source_of
from torchgen_scaffold.errors import SpecError
from torchgen_scaffold.escape import visible
from torchgen_scaffold.prompts.question import Question, sentence
from torchgen_scaffold.prompts.talk import Changes, Talk
from torchgen_scaffold.prompts.terminal import Option, choose, choose_several, type_in
from torchgen_scaffold.shapes import show_sizes
from torchgen_scaffold.sources import SOURCES, Request, Source
from torchgen_scaffold.sources.base import existing
from torchgen_scaffold.sources.sklearn import SETS
from torchgen_scaffold.spelling import counted
from torchgen_scaffold.tasks import TASKS

_SEVERAL = "\0several"  # no column is called this

_WHERE = (
    Option("synthetic", "made data for now", "with a signal to learn; replace it with yours later"),
    Option("sklearn", "a set from scikit-learn", "real data that needs no download"),
    Option("path", "a file or folder", "a table, an .npz file, or a folder with images of each class"),
)


def ask_data(talk: Talk, question: Question) -> Changes:
    """Where the data comes from: nowhere yet, scikit-learn, a plug-in, or a path that says which source it is."""
    now, _, place = str(talk.get("data.source") or "").partition(":")
    brought = {row.name: row for row in SOURCES.brought if not row.has_path}
    options = [*_WHERE[:-1], *(Option(name, name, row.summary) for name, row in brought.items()), _WHERE[-1]]
    where = choose(question.title, options, "path" if place and now not in ("sklearn", *brought) else now)
    if where in brought:
        return {"data.source": _named(talk, brought[where])}
    if where == "synthetic":
        return {"data.source": where}
    if where == "sklearn":
        sets = [Option(name, name, row.says) for name, row in SETS.items()]
        return {"data.source": f"sklearn:{choose('Which set', sets, place)}"}
    typed = type_in("Its path", lambda text: _path_fault(talk, text), path=True)
    return {"data.source": _source_at(talk, typed)}


def _named(talk: Talk, source: Source) -> str:
    """A plug-in's source, with what follows its colon where it takes something."""
    if source.form == source.name:
        return source.name

    def fault(typed: str) -> str:
        try:
            source_of(Answers({"data": {"source": f"{source.name}:{typed}"}}), talk.base)
            if source.is_known:
                source.facts(typed, Request(talk.base))
        except SpecError as error:
            return sentence(error.problems[0])
        return ""

    return f"{source.name}:{type_in(f'Which, as in {source.form}', fault)}"


def _source_at(talk: Talk, typed: str) -> str:
    """`csv:houses.csv` for houses.csv: the ending says which source it is. Raises SpecError where it is not there.

    What is typed is relative to where the person is, which need not be where the answers' paths start.
    """
    home = Path(os.path.expanduser(typed))  # noqa: PTH111 - Path.expanduser raises for an unknown ~name
    name = recognised(home) or "images"
    # os.path.isdir, because Path.is_dir raises where a name is too long
    folder = name == "images" or os.path.isdir(home)  # noqa: PTH112 - see above
    existing(str(home), Request(Path()), form=SOURCES[name].form, folder=folder)
    return f"{name}:{home if talk.base == Path() else home.absolute()}"


def _path_fault(talk: Talk, typed: str) -> str:
    """What is wrong with a path as far as can be told at every key press: the file is opened once it is entered."""
    if not typed:
        return (
            "Type the path of a table (.csv, .parquet, .xlsx, .jsonl), an .npz file, or a folder of images."
        )
    try:
        _source_at(talk, typed)
    except SpecError as error:
        with suppress(OSError):  # a name that is too long
            if Path(typed).is_file():
                return f"{typed!r} is no table and no .npz file. Save it as one, or give a folder of images."
        return sentence(error.problems[0])
    return ""


def is_table(talk: Talk) -> bool:
    """Whether the data has columns to choose from."""
    try:
        source, _ = source_of(Answers(talk.answers), talk.base)
    except SpecError:
        return False
    return source.needs_target


def ask_target(talk: Talk, question: Question) -> Changes:
    """The column to predict, the last one first in line; or several."""
    source, place = source_of(Answers(talk.answers), talk.base)
    header = source.columns(talk.base / place, place)  # the table was read once: it is sound
    columns = [Option(name, visible(name)) for name in header]
    more = [Option(_SEVERAL, "several of them", "all numbers, or all 0 and 1")] if len(header) > 2 else []
    picked = choose(question.title, [*columns, *more], header[-1])
    return {"data.target": choose_several("Which columns", columns) if picked == _SEVERAL else [picked]}


def facts_line(talk: Talk) -> str:
    """What the data holds and what follows from it, in a line; nothing where it decides nothing yet."""
    facts = talk.facts()
    if facts is None:
        return ""
    name, _, place = str(talk.get("data.source")).partition(":")
    about = SETS[place].says if name == "sklearn" else counted(facts.samples, "sample")
    if name != "sklearn" and facts.classes:
        about += f" of {counted(len(facts.classes), 'class', 'classes')}"
    task = talk.task()
    follows = [f"input ({show_sizes(facts.input_shapes[0])})".replace(",", ", ")]
    form = TASKS[task].form if task else ""
    if task and form in facts.output_shapes:
        follows += [f"output ({show_sizes(facts.output_shapes[form])})".replace(",", ", "), task]
    return f"{visible(place)}: {about}  →  {', '.join(follows)}"
