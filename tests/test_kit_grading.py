"""The grader of a teaching kit tells a starter, a solution and every mistake apart, gap by gap.

The evidence is gathered in this process, by the grader's own probes, and judged by the function that grade.py judges with.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from projects import inside
from torchgen_scaffold.formatting import formatted
from torchgen_scaffold.gaps import GAPS
from torchgen_scaffold.kits import Kit, make_kit
from torchgen_scaffold.kits.mistakes import MISTAKES, planted
from torchgen_scaffold.kits.mistakes.row import Mistake
from torchgen_scaffold.kits.write import Wanted, planned
from torchgen_scaffold.render import rendered
from torchgen_scaffold.view.kit import Contents, KitView, source_of

PROJECT = ("model", "dataset", "train", "eval")
OPENED = ("split", "layers", "forward", "loss", "optimizer", "step")
MODULES = ("check_layers", "check_model", "check_step", "check_train")  # whose checks are held here
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


@contextlib.contextmanager
def in_front(files: Mapping[str, str]) -> Iterator[None]:
    """As if a fresh Python had been started in a folder with these files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            if name.removesuffix(".py") in PROJECT:
                Path(folder, name).write_text(text, "utf-8")
        with inside(Path(folder)):
            yield


class Bench:
    """One kit and its grader: judges the files of a submission, a gap at a time."""

    def __init__(self, grader: Grader, name: str) -> None:
        self.grader, self.kit = grader, kit_of(name)
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

        with in_front(files), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of some of the mistakes
            gathered = self.grader.probing.gather(gap, self.facts)
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

    def shown(self, said: str, submission: Mapping[str, str]) -> str:
        """What of a sentence a learner is shown."""
        judging = sys.modules["judging"]
        secrets = judging.Secrets(self.reference, self.facts)
        own = "\n".join(submission.values()) + judging.OWN_WORDS
        told: str = secrets.told(said, own, len(said))
        return told


@pytest.fixture(scope="module", params=SPECS)
def bench(request: pytest.FixtureRequest, grader: Grader) -> Bench:
    return Bench(grader, request.param)


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


# Code that does nothing, and makes no mistake either: {gap: (file, function and its body)}.
NOTHING = {
    "layers": (
        "model.py",
        "def __init__(self):\n        super().__init__()\n        {buffers}\n        {blocks}",
    ),
    "forward": ("model.py", "def forward(self, inputs):\n        return inputs"),
    "loss": ("model.py", "def make_loss():\n    return nn.Identity()"),
    "optimizer": (
        "train.py",
        "def make_optimizer(model, lr):\n    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)",
    ),
    "step": ("train.py", "def train_epoch(*given, **named):\n    return 0.0"),
}


@pytest.mark.parametrize("gap", NOTHING)
def test_code_that_does_nothing_earns_nothing(bench: Bench, gap: str) -> None:
    """It would pass each check that looks for a mistake."""
    file, code = NOTHING[gap]
    kept = re.findall(r"self\.register_buffer\(.*\)", bench.kit.solution["model.py"])
    names = [block.name for block in bench.kit.plan.network.blocks if block.name]
    lines = "\n        "
    code = code.replace("{buffers}", lines.join(kept) or "self.training = True")
    code = code.replace("{blocks}", lines.join(f"self.{name} = nn.Identity()" for name in names))
    function = code.partition("(")[0].removeprefix("def ")
    place = next(place for place in bench.kit.places[gap] if place[1].rpartition(".")[2] == function)
    old = source_of(bench.kit.solution[file], place[1])
    indent = old[: len(old) - len(old.lstrip(" "))]
    files = {**bench.kit.solution, file: bench.kit.solution[file].replace(old, f"{indent}{code}\n")}
    results = bench.judge(files, gap)
    assert {result.points for result in results} == {0.0}
    assert len({result.said for result in results}) == 1 and "stopped" not in results[0].said


HIT: dict[str, set[str]] = {}  # {spec: the checks that its mistakes failed}


def planted_in(kit: Kit, gaps: Iterable[str]) -> Iterator[tuple[Mistake, dict[str, str]]]:
    """Each mistake that fits a kit, in these gaps, and the solution with it."""
    for mistake in MISTAKES.values():
        if mistake.gap in gaps and (files := planted(kit.solution, kit.places, mistake)) is not None:
            assert files != kit.solution, f"{mistake.name} changes nothing"
            yield mistake, files


def test_each_mistake_fails_its_own_check_with_its_sentence(bench: Bench) -> None:
    wrong = []
    for mistake, files in planted_in(bench.kit, bench.gaps):
        results = bench.judge(files, mistake.gap)
        failed = {result.check.name: result.said for result in results if result.state == "failed"}
        others = [r.check.name for r in results if r.state != "passed" and not r.check.last]
        shown = {said: bench.shown(said, files) for said in failed.values()}
        assert shown == {
            said: said for said in shown
        }, mistake.name  # and not kept back as if it were the solution's
        if set(failed) != {mistake.check} or set(others) - set(failed) or not is_sentence(*failed.values()):
            wrong.append((mistake.name, failed, others))
        HIT.setdefault(bench.facts["name"], set()).update(failed)
    assert wrong == []


def is_sentence(said: str) -> bool:
    """Whether it is the check's own, rather than what an exception said."""
    return said.endswith(".") and "stopped:" not in said and "cannot be judged" not in said


def test_every_check_is_failed_by_some_mistake(grader: Grader) -> None:
    checks = {check.name for check in grader.checking.CHECKS if check.test.__module__ in MODULES}
    assert len(checks) > 30
    assert checks - {row.check for row in MISTAKES.values()} == set()
    if set(HIT) == set(SPECS):  # where all of them ran in this process
        assert checks - {name for hit in HIT.values() for name in hit} == set()


def public_tests(kit: Kit, files: Mapping[str, str]) -> dict[str, Callable[[], None]]:
    """{name: test} of a starter's test_gaps.py, as it runs over these files."""
    with in_front(files):
        space: dict[str, Any] = {"__name__": "test_gaps"}
        exec(compile(kit.starter["test_gaps.py"], "test_gaps.py", "exec"), space)
        return {name: value for name, value in space.items() if name.startswith("test_")}


def test_the_public_tests_are_the_checks_that_are_public(bench: Bench) -> None:
    checks = [check for check in bench.grader.checking.CHECKS if check.gap in bench.gaps]
    public = {check.name for check in checks if check.public and check.fits(bench.facts)}
    assert set(public_tests(bench.kit, bench.kit.solution)) == public


def test_the_solution_passes_the_public_tests(bench: Bench) -> None:
    for test in public_tests(bench.kit, bench.kit.solution).values():
        test()


def test_a_public_test_fails_for_the_mistakes_that_its_check_is_about(bench: Bench) -> None:
    silent = []
    for mistake, files in planted_in(bench.kit, bench.gaps):
        tests = public_tests(bench.kit, files)
        if mistake.check in tests:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    tests[mistake.check]()
            except (AssertionError, RuntimeError):
                continue
            silent.append(mistake.name)
    assert silent == []


def test_the_public_tests_do_not_say_the_answers(bench: Bench) -> None:
    text = bench.kit.starter["test_gaps.py"]
    answers = [
        *(bench.facts[name] for name in ("loss",)),
        "CLIP_NORM",
        "shuffle=True",
        "batch_first",
        "in_features",
    ]
    assert [answer for answer in answers if answer in text] == []
    calls = ("zero_grad()", "loss.backward()", "optimizer.step()", "clip_grad_norm_", "model.train()")
    assert [call for call in calls if call in text] == []


def test_the_public_tests_import_what_they_need_with_any_choice_of_gaps(tmp_path: Path) -> None:
    kit = kit_of("cnn")
    for size in range(1, len(OPENED) + 1):
        for chosen in combinations(OPENED, size):
            view = KitView(kit.plan, Contents({name: kit.places[name] for name in chosen}, kit.solution))
            text = rendered(view, {"test_gaps.py": "kit/starter/test_gaps.py.jinja"}, None)["test_gaps.py"]
            (tmp_path / f"test_{'_'.join(chosen)}.py").write_text(formatted("test_gaps.py", text), "utf-8")
    for name in ("train", "dataset", "model", "eval"):  # so that ruff knows them as the project's own
        (tmp_path / f"{name}.py").touch()
    check = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--no-cache",
        "--extend-select",
        "I,UP,B,RUF100",
    ]
    done = subprocess.run([*check, "."], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_grader_and_public_tests_are_clean_by_ruff_and_mypy_strict(tmp_path: Path) -> None:
    kit = kit_of("lstm")  # with a scheduler in train_epoch, and clipping
    for path, text in {**kit.grader, **kit.solution}.items():
        if path.endswith(".py") and "/" not in path:
            (tmp_path / path).write_text(text, "utf-8")
    ruff = ["ruff", "check", "--isolated", "--no-cache", "--extend-select", "I,UP,B,RUF100", "."]
    mypy = ["mypy", "--strict", "--ignore-missing-imports", "--config-file", "", "."]
    for command in (ruff, mypy):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
