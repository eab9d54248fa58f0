"""No leaks: what only the teacher has is in no file of a starter, however it is written there.

An answer is what the solution's function has and the starter's has not. A leak is a whole answer, two of its statements
in a row, one of at least 12 tokens, one of its comments, or a number that only it has; and any file, seed or checkpoint
of the teacher's. What the code around the gaps says as well is given, and is no leak.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise
from pathlib import PurePosixPath

from torchgen_scaffold.errors import Problem
from torchgen_scaffold.escape import visible
from torchgen_scaffold.gaps import GAPS
from torchgen_scaffold.kits.tokens import Line, comments_of, lines_of, readings, spoken
from torchgen_scaffold.records import record, replace
from torchgen_scaffold.written import MEMORY

LONG = 12  # tokens of a statement that gives an answer away by itself
_WHOLE = 6  # tokens of the shortest answer that is one: `return nn.MSELoss()`
_COMMENT = 5  # tokens of a comment that is nobody else's
_BIG = re.compile(r"\b[0-9]{3,}\b")  # numbers that are there by no chance
_SEED = 10_000  # a smaller seed is a number like any other
_CUT = "\0"  # stands where an answer was cut out
# Where numbers are looked for: a lesson's page works sizes out on purpose, and data holds any number.
_WORDS = (".py", "README.md", ".yml", ".txt", ".toml", ".cfg")

# Files of the teacher's, by their names, wherever they are.
TEACHERS = frozenset(
    (
        *("torchgen.toml", ".torchgen.json", "test_project.py", "instructor.md", "manifest.csv"),
        *("solution", "solutions", "grader", "reference", "references", "grade.py", "kit.json"),
    )
)
MADE = ("__pycache__", ".pytest_cache")  # by running it
_COMPILED = (".pyc", ".pyo", ".pyd", ".so")
_WEIGHTS = (".pt", ".pth", ".ckpt", ".safetensors")


@record
class Leak:
    """One thing in a starter that is not for students: the file, and what it gives away, without saying it."""

    file: str
    what: str


@record
class Secrets:
    """What a starter must not say: {tokens: what that is}, and numbers; all but what is `given`."""

    phrases: Mapping[str, str]
    numbers: Mapping[str, str]


@record
class Answer:
    """The answer of one place of a gap: its statements in runs, its comments, and what else of its function is known."""

    gap: str
    runs: tuple[tuple[Line, ...], ...]
    comments: tuple[Line, ...]
    open_text: str  # the starter's function

    @property
    def phrases(self) -> Iterator[str]:
        """What gives it away."""
        lines = [line for run in self.runs for line in run]
        if sum(line.count for line in lines) >= _WHOLE:
            yield _joined(lines)
        for run in self.runs:
            yield from (_joined(pair) for pair in pairwise(run))
        yield from (line.said for line in lines if line.count >= LONG)
        yield from (comment.said for comment in self.comments if comment.count >= _COMMENT)


def secrets_of(
    starter: Mapping[str, str],
    solution: Mapping[str, str],
    grader: Mapping[str, str],
    places: Mapping[str, Sequence[tuple[str, str]]],
) -> Secrets:
    """All that must not be in a starter, from the texts of its kit and the functions of its gaps."""
    answers = {
        (file, function): answer_of(
            gap, _function(starter[file], function), _function(solution[file], function)
        )
        for gap, where in places.items()
        for file, function in where
    }
    project = [name.removeprefix("reference/") for name in grader if name.startswith("reference/")]
    given = spoken("\n".join(_given(file, solution[file], answers) for file in project))
    phrases = {
        phrase: f"a part of the answer of gap {GAPS[answer.gap].number} ({GAPS[answer.gap].title})"
        for answer in answers.values()
        for phrase in answer.phrases
        if phrase.strip() and phrase not in given
    }
    for folder, files in (("solution", solution), ("grader", grader)):
        for name, text in files.items():
            # What .torchgen.json says, the files say that it remembers.
            if name not in starter and not name.startswith("reference/") and name != MEMORY:
                said = spoken(text)
                if said.count(" ") > LONG:
                    phrases[said] = f"the text of {folder}/{name}"
    known = _numbers(given).union(*(_numbers(spoken(answer.open_text)) for answer in answers.values()))
    return Secrets(phrases, {number: what for a in answers.values() for number, what in _constants(a, known)})


def with_seeds(secrets: Secrets, seeds: Iterable[int], own: int) -> Secrets:
    """The same, and the seeds of other students."""
    others = {str(seed): "the seed of another student" for seed in seeds if seed >= _SEED and seed != own}
    return replace(secrets, numbers={**secrets.numbers, **others})


def answer_of(gap: str, open_text: str, solved: str) -> Answer:
    """What the solved function has that the open one has not."""
    lines, known = lines_of(solved), lines_of(open_text)
    matcher = SequenceMatcher(
        None, [line.said for line in known], [line.said for line in lines], autojunk=False
    )
    runs = tuple(
        lines[low:high] for kind, _, _, low, high in matcher.get_opcodes() if low < high and kind != "equal"
    )
    said = {comment.said for comment in comments_of(open_text)}
    comments = tuple(comment for comment in comments_of(solved) if comment.said not in said)
    return Answer(gap, runs, comments, open_text)


def leaks_in(files: Mapping[str, str | bytes], secrets: Secrets) -> list[Leak]:
    """What of these files of a starter is not for students, each file and thing once."""
    found: dict[Leak, None] = {}
    for name, content in files.items():
        if (what := _forbidden(name)) is not None:
            found[Leak(name, what)] = None
            continue
        for inner, text in readings(name, content):
            if inner != name and (what := _forbidden(inner)) is not None:
                found[Leak(inner, what)] = None
            for what in _said_in(inner, spoken(text), secrets):
                found[Leak(inner, what)] = None
    return list(found)


def leak_problems(leaks: Iterable[Leak]) -> list[Problem]:
    """Leaks as problems, which name the file and the gap, and print no answer."""
    why = "What students get must not hold what they are to find out."
    return [Problem(f"{visible(leak.file)} leaks {leak.what}.", why) for leak in leaks]


def _said_in(name: str, said: str, secrets: Secrets) -> Iterator[str]:
    for phrase, what in secrets.phrases.items():
        if _holds(said, phrase):
            yield what
    if name.endswith(_WORDS) and "data" not in PurePosixPath(name).parts:
        for number in _numbers(said) & secrets.numbers.keys():
            yield secrets.numbers[number]


@lru_cache(maxsize=1 << 17)  # asked of the same texts for each student of a class
def _holds(said: str, phrase: str) -> bool:
    return phrase in said


@lru_cache(maxsize=4096)
def _numbers(said: str) -> frozenset[str]:
    return frozenset(_BIG.findall(said))


def _forbidden(name: str) -> str | None:
    parts = PurePosixPath(name).parts
    if parts[-1].endswith(_COMPILED) or any(part in MADE for part in parts):
        return "compiled code, or what a run left there"
    if parts[-1].endswith(_WEIGHTS):
        return "a checkpoint"
    teachers = next((part for part in parts if part in TEACHERS), None)
    return f"{teachers}, which is the teacher's" if teachers else None


def _joined(lines: Iterable[Line]) -> str:
    return " ".join(["", *(line.said.strip() for line in lines), ""])


def _constants(answer: Answer, known: frozenset[str]) -> Iterator[tuple[str, str]]:
    """The numbers that nobody but the answer has."""
    said = (*answer.comments, *(line for run in answer.runs for line in run))
    for number in sorted(_numbers(_joined(said)) - known):
        if not number.endswith("00"):  # a round number is anybody's
            yield number, f"a number of the answer of gap {GAPS[answer.gap].number} ({GAPS[answer.gap].title})"


def _given(file: str, text: str, answers: Mapping[tuple[str, str], Answer]) -> str:
    """A file of the solution without its answers."""
    rows: list[str] = text.splitlines()
    for (name, function), answer in answers.items():
        if name == file:
            start, _ = _spans(text)[function]
            for line in (*answer.comments, *(line for run in answer.runs for line in run)):
                for row in range(start + line.first, start + line.last + 1):
                    rows[row] = _CUT
    return "\n".join(rows)


def _function(text: str, dotted: str) -> str:
    start, end = _spans(text)[dotted]
    return "\n".join(text.splitlines()[start:end]) + "\n"


@lru_cache(maxsize=1024)
def _spans(text: str) -> dict[str, tuple[int, int]]:
    """{dotted function: its first row, and the one behind it}."""
    found = {}

    def visit(body: Iterable[ast.stmt], inside: tuple[str, ...]) -> None:
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                dotted = (*inside, node.name)
                found[".".join(dotted)] = (node.lineno - 1, node.end_lineno or node.lineno)
                visit(node.body, dotted)

    visit(ast.parse(text).body, ())
    return found
