"""What has been answered so far, and what is wrong with it: the same check as for flags, after every answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torchgen_scaffold.answers import Answers
from torchgen_scaffold.answers.data import facts_of, source_of
from torchgen_scaffold.answers.merge import look, merge, set_key
from torchgen_scaffold.errors import DestinationError, Problem, SpecError, TorchgenError
from torchgen_scaffold.layers.text import parse_layers
from torchgen_scaffold.records import replace
from torchgen_scaffold.sources import Facts
from torchgen_scaffold.spec import Spec
from torchgen_scaffold.write import check_destination, recover

Changes = Mapping[str, Any]  # dotted key -> value; None takes the answer away


class Talk:
    """The answers of one conversation, shaped as torchgen.toml is."""

    def __init__(
        self, answers: Mapping[str, Any], base: Path, output_dir: Path, *, force: bool = False
    ) -> None:
        self.answers = merge(answers, {})
        self.base = base
        self.output_dir = output_dir
        self.force = force

    def get(self, key: str) -> Any:
        """What was answered for a dotted key, or None."""
        return look(self.answers, key)

    def value(self, key: str) -> Any:
        """What was answered for `key`, or what follows for it from the other answers, or None."""
        given = self.get(key)
        spec = None if given is not None else self.spec()
        return given if spec is None else look(spec.to_dict(), key)

    def changed(self, changes: Changes) -> dict[str, Any]:
        """The answers with `changes`, without what only made sense with those that they replace."""
        given = {key: value for key, value in changes.items() if value is not None}
        again = any(self.get(key) is not None for key in changes)
        answers = merge(self.answers, given if again else {})
        for key, value in changes.items():
            if value is not None:
                set_key(answers, key, value)
            else:
                table, _, name = key.rpartition(".")
                (answers[table] if table else answers).pop(name, None)
        return answers

    def refuse_wrong(self) -> None:
        """Raise what is wrong with the answers before anything was asked; what is missing is not wrong."""
        problems: list[Problem] = []
        layers = self.get("model.layers")
        try:
            self._resolve(self.answers)
        except SpecError as error:
            problems += error.problems
        if layers and not any(problem.key == "model.layers" for problem in problems):
            try:
                parse_layers(layers)  # while the shapes are missing, nothing else has read them
            except SpecError as error:
                problems += error.problems
        wrong = [problem for problem in problems if not problem.missing]
        if wrong:
            raise SpecError(wrong)
        name = self.get("name")
        if name:
            recover(self.home(name))  # what a killed torchgen has left there is in nobody's way
        # Without a name yet, at least the folder around the project has to be one.
        check_destination(self.home(name or ""), force=self.force or not name)

    def spec(self, changes: Changes | None = None) -> Spec | None:
        """The Spec of the answers (with `changes`), or None where they are not complete and right."""
        try:
            return self._resolve(self.changed(changes or {}))
        except TorchgenError:
            return None

    def wrong(self, changes: Changes | None = None) -> list[Problem]:
        """What is wrong with the answers (with `changes`), what is missing left out."""
        return [problem for problem in self._problems(self.changed(changes or {})) if not problem.missing]

    def missing(self) -> set[str]:
        """The keys that need an answer."""
        return {problem.key for problem in self._problems(self.answers) if problem.missing}

    def facts(self) -> Facts | None:
        """What the data decides, or None where it decides nothing or is not known yet."""
        answers = Answers(self.answers)
        try:
            source, place = source_of(answers, self.base)
            return facts_of(answers, source, place, self.base)
        except TorchgenError:
            return None

    def task(self) -> str | None:
        """The task: answered, or decided by the data."""
        given: str | None = self.get("task")
        facts = None if given else self.facts()
        return next(iter(facts.output_shapes)) if facts and facts.sure else given

    def home(self, name: str) -> Path:
        """Where a project called `name` goes."""
        return self.output_dir / name

    def _resolve(self, answers: Mapping[str, Any]) -> Spec:
        return Spec.from_dict(answers, base=self.base, into=self.output_dir)

    def _problems(self, answers: Mapping[str, Any]) -> list[Problem]:
        problems: list[Problem] = []
        try:
            self._resolve(answers)
        except TorchgenError as error:
            problems += error.problems
        if answers.get("name") and not any(problem.key == "name" for problem in problems):
            try:
                check_destination(self.home(answers["name"]), force=self.force)
            except DestinationError as error:
                problems += [replace(problem, key="name") for problem in error.problems]
        return problems
