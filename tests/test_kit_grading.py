"""The grader of a teaching kit tells a starter, a solution and every mistake apart, gap by gap.

The evidence is gathered in this process, by the grader's own probes, and judged by the function that grade.py judges with.
"""

from __future__ import annotations

import importlib
import io
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from torchgen_scaffold.gaps import GAPS
from torchgen_scaffold.kits import Kit, make_kit
from torchgen_scaffold.kits.mistakes import MISTAKES, planted
from torchgen_scaffold.kits.write import Wanted, planned

OPENED = ("split", "layers", "forward", "loss", "optimizer", "step")
MODULES = ("check_layers", "check_model", "check_train")  # whose checks are held here
SYNTHETIC = {"data": {"source": "synthetic"}}
SPECS: dict[str, dict[str, Any]] = {
    "cnn": {"data": {"source": "sklearn:digits"}},
    "mlp": {"data": {"source": "sklearn:wine"}, "training": {"optimizer": "adamw", "weight_decay": 0.1}},
    "regression": {"data": {"source": "sklearn:diabetes"}, "model": {"preset": "mlp"}},
    "binary": {
        **SYNTHETIC,
        "input_shape": [6],
        "output_shape": [1],
        "task": "binary",
        "model": {"layers": "linear(16) -> batchnorm -> relu"},
        "training": {"optimizer": "sgd"},
    },
    "lstm": {
        **SYNTHETIC,
        "input_shape": [8, 8],
        "output_shape": [10],
        "task": "multiclass",
        "model": {"preset": "lstm"},
        "training": {"clip_norm": 1.0, "schedule": "onecycle"},
    },
    "tokens": {
        **SYNTHETIC,
        "input_shape": [12],
        "output_shape": [2],
        "task": "multiclass",
        "model": {"vocab_size": 20},
    },
    "multilabel": {**SYNTHETIC, "input_shape": [1, 8, 8], "output_shape": [3], "task": "multilabel"},
}
Judged = dict[str, tuple[str, str]]  # {check: (state, what is said)}


class Grader(NamedTuple):
    """The modules of a built grader."""

    probing: ModuleType
    checking: ModuleType
    compose: ModuleType
    grade: ModuleType


@cache
def kit_of(name: str) -> Kit:
    answers = {"name": name, **SPECS[name]}
    return make_kit(planned(Wanted(answers, Path(), 3), Path("kit")), OPENED, exactly=True)


@pytest.fixture(scope="module")
def grader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grader]:
    """The grader as it is written, imported once: its code is the same for every kit."""
    folder = tmp_path_factory.mktemp("grader")
    for name, text in kit_of("cnn").grader.items():
        if "/" not in name:
            (folder / name).write_text(text, "utf-8")
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.import_module("probes")
    yield Grader(*(importlib.import_module(name) for name in Grader._fields))
    sys.path.remove(str(folder))
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


class Bench:
    """One kit and its grader: judges the files of a submission, a gap at a time."""

    def __init__(self, grader: Grader, name: str, folder: Path) -> None:
        import json

        self.grader, self.folder, self.kit = grader, folder, kit_of(name)
        self.facts = json.loads(self.kit.grader["kit.json"])
        self.gaps = {gap["name"]: gap for gap in self.facts["gaps"]}
        self.reference = {
            name.removeprefix("reference/"): text
            for name, text in self.kit.grader.items()
            if name.startswith("reference/")
        }
        self.right = {gap: self.evidence(self.reference, gap) for gap in self.gaps}

    def evidence(self, files: Mapping[str, str], gap: str) -> Any:
        """What the probes of a gap gather from these files, as it comes back from the process that ran them."""
        import torch

        place = self.folder / str(len(list(self.folder.iterdir())))
        place.mkdir()
        for name, text in files.items():
            (place / name).write_text(text, "utf-8")
        for name in ("model", "dataset", "train", "eval"):
            sys.modules.pop(name, None)
        sys.path.insert(0, str(place))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch warns of some of the mistakes
                gathered = self.grader.probing.gather(gap, self.facts)
        finally:
            sys.path.remove(str(place))
        stored = io.BytesIO()
        torch.save(gathered, stored)
        stored.seek(0)
        return self.grader.checking.Evidence(torch.load(stored, weights_only=True))

    def judge(self, submission: Mapping[str, str], gap: str) -> list[Any]:
        """The results of one gap, as grade.py gives them."""
        try:
            files = self.grader.compose.compose(self.reference, submission, self.gaps[gap])
        except self.grader.compose.Unusable as error:
            mine, said = self.grader.checking.Evidence({}), str(error)
        else:
            mine, said = self.evidence(files, gap), ""
        results: list[Any] = self.grader.grade.judged(self.gaps[gap], mine, self.right[gap], self.facts, said)
        return results


@pytest.fixture(scope="module", params=SPECS)
def bench(request: pytest.FixtureRequest, grader: Grader, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(grader, request.param, tmp_path_factory.mktemp(request.param))


def test_a_starter_gets_no_points_and_each_gap_is_named(bench: Bench) -> None:
    for gap in bench.gaps:
        for result in bench.judge(bench.kit.starter, gap):
            assert result.points == 0
            assert f"Gap {GAPS[gap].number} is still open" in result.said


def test_a_solution_gets_all_points(bench: Bench) -> None:
    for gap in bench.gaps:
        results = bench.judge(bench.kit.solution, gap)
        assert [(r.check.name, r.said) for r in results if r.state != "passed"] == []
        assert sum(result.points for result in results) == pytest.approx(GAPS[gap].points)


HIT: dict[str, set[str]] = {}  # {spec: the checks that its mistakes failed}


def test_each_mistake_fails_its_own_check_with_its_sentence(bench: Bench) -> None:
    wrong = []
    for name, mistake in MISTAKES.items():
        if mistake.gap not in bench.gaps or (files := _planted(bench.kit, name)) is None:
            continue
        results = bench.judge(files, mistake.gap)
        failed = {result.check.name: result.said for result in results if result.state == "failed"}
        waiting = [r.check.name for r in results if r.state == "waiting" and not r.check.last]
        if set(failed) != {mistake.check} or waiting or not _is_sentence(failed[mistake.check]):
            wrong.append((name, failed, waiting))
        HIT.setdefault(bench.facts["name"], set()).update(failed)
    assert wrong == []


def _planted(kit: Kit, name: str) -> dict[str, str] | None:
    files = planted(kit.solution, kit.places, MISTAKES[name])
    assert files is None or files != kit.solution, f"{name} changes nothing"
    return files


def _is_sentence(said: str) -> bool:
    """Whether it is the check's own, rather than what an exception said."""
    return bool(re.match(r"[A-Za-z_]", said)) and said.endswith(".") and "stopped:" not in said


def test_every_check_is_failed_by_some_mistake(grader: Grader) -> None:
    checks = {check.name for check in grader.checking.CHECKS if check.test.__module__ in MODULES}
    assert checks, "no checks were found"
    assert checks - {row.check for row in MISTAKES.values()} == set()
    if set(HIT) == set(SPECS):  # all specs ran in this process
        assert checks - set.union(*HIT.values()) == set()
