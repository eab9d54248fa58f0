"""The grader's tests of dataset.py and eval.py: each mistake fails its own check, the solution none, the starter all.

Everything runs in this one process, as the grader's own processes would run it: fresh modules of the project for each
submission, the probes over them, and the checks on what they wrote down.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import linecache
import random
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import black
import numpy as np
import pytest
import torch
from PIL import Image

from torchgen_scaffold.kits import Kit, make_kit
from torchgen_scaffold.kits.mistakes import MISTAKES, planted
from torchgen_scaffold.kits.write import Wanted, write_kit

GAPS = ("tensors", "split", "evaluate", "checkpoint", "device")
PROJECT = ("model", "dataset", "train", "eval", "test_gaps")
GRADER = ("probing", "probes", "checking", "checks", "compose", "judging")
FAMILIES = ("probe_", "check_")


def table(*columns: str, rows: int = 120) -> str:
    """A CSV table of these columns; `price` is missing once."""
    chance = random.Random(0)
    made: dict[str, Callable[[int], str]] = {
        "size": lambda _: f"{chance.random():.3f}",
        "weight": lambda _: f"{5 * chance.random():.3f}",
        "kind": lambda n: ("low", "mid", "high")[n % 3],
        "price": lambda n: "" if n == 5 else f"{9 * chance.random():.3f}",
        "owner": lambda n: f"owner {n // 3}",
        "day": lambda n: str(n),
    }
    lines = [",".join(made[name](number) for name in columns) for number in range(rows)]
    return "\n".join([",".join(columns), *lines, ""])


def write_data(folder: Path) -> None:
    """The files that the kits read."""
    numbers = np.random.default_rng(0)
    (folder / "classes.csv").write_text(table("size", "weight", "kind"), "utf-8")
    (folder / "numbers.csv").write_text(table("size", "weight", "price"), "utf-8")
    (folder / "groups.csv").write_text(table("size", "weight", "owner", "kind"), "utf-8")
    (folder / "times.csv").write_text(table("size", "weight", "day", "price"), "utf-8")
    np.savez(folder / "arrays.npz", X=numbers.normal(size=(120, 6, 3)), y=np.arange(120) % 3)
    for number in range(24):
        file = folder / "photos" / ("left", "right")[number % 2] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(numbers.integers(0, 256, (12, 10, 3)).astype(np.uint8)).save(file)


SPECS: dict[str, dict[str, Any]] = {
    "digits": {"data": {"source": "sklearn:digits"}},
    "diabetes": {"data": {"source": "sklearn:diabetes"}},
    "breast_cancer": {"data": {"source": "sklearn:breast_cancer"}},
    "multilabel": {"task": "multilabel", "input_shape": "6", "output_shape": "3", "data": {"samples": 90}},
    "classes": {"data": {"source": "classes.csv", "target": "kind"}},
    "numbers": {"data": {"source": "numbers.csv", "target": "price"}},
    "groups": {"data": {"source": "groups.csv", "target": "kind", "group": "owner"}},
    "times": {"data": {"source": "times.csv", "target": "price", "time": "day"}},
    "npz": {"data": {"source": "arrays.npz"}},
    "images": {"data": {"source": "images:photos"}},
}


def forget(names: Iterable[str]) -> None:
    """Have these modules imported anew."""
    for name in names:
        sys.modules.pop(name, None)


def grader_modules() -> list[str]:
    """Those of a grader that were imported."""
    return [name for name in sys.modules if name in GRADER or name.startswith(FAMILIES)]


class Grader:
    """One kit, and the modules of its grader."""

    def __init__(self, folder: Path, kit: Kit, work: Path) -> None:
        self.kit, self.work = kit, work
        self.judging = importlib.import_module("judging")
        self.probing = importlib.import_module("probing")
        self.compose = importlib.import_module("compose").compose
        self.unusable = importlib.import_module("compose").Unusable
        self.facts = importlib.import_module("json").loads(
            (folder / "grader" / "kit.json").read_text("utf-8")
        )
        self.gaps = {gap["name"]: gap for gap in self.facts["gaps"] if gap["name"] in GAPS}
        self.reference = {
            name: kit.solution[name] for name in ("model.py", "dataset.py", "train.py", "eval.py")
        }
        self.right = {name: self.evidence(self.reference, name) for name in self.gaps}

    @contextlib.contextmanager
    def fresh(self, files: Mapping[str, str]) -> Iterator[None]:
        """These files as the modules of the project."""
        for name, text in files.items():
            (self.work / name).write_text(text, "utf-8")
        forget(PROJECT)
        linecache.clearcache()
        importlib.invalidate_caches()
        sys.path.insert(0, str(self.work))
        try:
            yield
        finally:
            sys.path.remove(str(self.work))
            forget(PROJECT)

    def evidence(self, files: Mapping[str, str], gap: str) -> Any:
        """What the probes write down, as it comes from another process."""
        with self.fresh(files):
            gathered = self.probing.gather(gap, self.facts)
        written = io.BytesIO()
        torch.save(gathered, written)
        written.seek(0)
        return importlib.import_module("checking").Evidence(torch.load(written, weights_only=True))

    def results(self, submission: Mapping[str, str], gap: str) -> list[Any]:
        """Every check of one gap."""
        try:
            files, said = self.compose(self.reference, submission, self.gaps[gap]), ""
            mine = self.evidence(files, gap)
        except self.unusable as error:
            mine, said = importlib.import_module("checking").Evidence({}), str(error)
        found: list[Any] = self.judging.judged(self.gaps[gap], mine, self.right[gap], self.facts, said)
        return found

    def public_tests(self, gap: str) -> set[str]:
        """The names of the checks that the starter has too."""
        checks = self.judging.CHECKS
        return {
            check.name for check in checks if check.gap == gap and check.public and check.fits(self.facts)
        }


@pytest.fixture(scope="module")
def graders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Grader]]:
    folder = tmp_path_factory.mktemp("kits")
    write_data(folder)
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    forget(grader_modules())
    made: dict[str, Grader] = {}
    try:
        for name, answers in SPECS.items():
            kit, _ = write_kit(Wanted({"name": f"my-{name}", **answers}, folder, 3), folder / name)
            if not made:
                sys.path.insert(0, str(folder / name / "grader"))
            shutil.copytree(folder / name / "grader" / "reference", folder / name / "work")
            importlib.import_module("probes")
            made[name] = Grader(folder / name, kit, folder / name / "work")
        yield made
    finally:
        sys.dont_write_bytecode = written
        sys.path.remove(str(folder / next(iter(SPECS)) / "grader"))
        forget(grader_modules())


def mutants(grader: Grader) -> Iterator[tuple[Any, dict[str, str]]]:
    """Each mistake that fits a kit, and the solution with it."""
    for mistake in MISTAKES.values():
        if mistake.gap in grader.gaps:
            files = planted(grader.kit.solution, grader.kit.places, mistake)
            if files is not None and places_in(mistake.check, grader):
                yield mistake, files


def places_in(check: str, grader: Grader) -> bool:
    """Whether this kit has the check: those of other parts of a gap are proved elsewhere."""
    return any(row.name == check and row.fits(grader.facts) for row in grader.judging.CHECKS)


@pytest.mark.parametrize("name", SPECS)
def test_the_solution_has_every_point_and_the_starter_none(graders: dict[str, Grader], name: str) -> None:
    grader = graders[name]
    assert {"split", "evaluate", "checkpoint", "device"} <= set(grader.gaps)
    for gap, facts in grader.gaps.items():
        solved = grader.results(grader.kit.solution, gap)
        assert [(row.check.name, row.said) for row in solved if row.state != "passed"] == []
        assert sum(row.points for row in solved) == pytest.approx(facts["points"])
        left = grader.results(grader.kit.starter, gap)
        assert {row.points for row in left} == {0.0}
        assert all(row.said.startswith(f"Gap {facts['number']} is still open") for row in left)


@pytest.mark.parametrize("name", SPECS)
def test_each_mistake_fails_its_own_check_and_no_other(graders: dict[str, Grader], name: str) -> None:
    grader = graders[name]
    wrong = {}
    for mistake, files in mutants(grader):
        results = grader.results(files, mistake.gap)
        failed = {row.check.name: row.said for row in results if row.state == "failed"}
        stopped = any("stopped:" in said or "cannot be judged" in said for said in failed.values())
        if set(failed) != {mistake.check} or stopped:
            wrong[mistake.name] = failed
    assert not wrong


def test_every_check_is_failed_by_some_mistake(graders: dict[str, Grader]) -> None:
    proved = {mistake.check for grader in graders.values() for mistake, _ in mutants(grader)}
    checks = next(iter(graders.values())).judging.CHECKS
    ours = {row.name for row in checks if row.gap in GAPS and row.test.__module__ != "check_train"}
    assert ours <= proved


@pytest.mark.parametrize("name", SPECS)
def test_public_tests_are_the_public_checks(graders: dict[str, Grader], name: str, tmp_path: Path) -> None:
    """The solution passes the starter's tests of these gaps, and a mistake fails the one of its check."""
    grader = graders[name]
    tests = grader.kit.starter["test_gaps.py"]
    public = set[str]().union(*map(grader.public_tests, grader.gaps))
    assert failing(grader, grader.kit.solution, tests, public, tmp_path) == set()
    for mistake, files in mutants(grader):
        if mistake.check in public and mistake.name != "rows-without-a-target":
            assert mistake.check in failing(grader, files, tests, {mistake.check}, tmp_path), mistake.name


def failing(grader: Grader, files: Mapping[str, str], tests: str, names: set[str], folder: Path) -> set[str]:
    """Which of these tests of test_gaps.py fail, run as pytest would."""
    code = {name: text for name, text in files.items() if name in grader.reference}
    failed = set()
    with grader.fresh({**code, "test_gaps.py": tests}):
        module = importlib.import_module("test_gaps")
        for name in sorted(names):
            with pytest.MonkeyPatch.context() as patch:
                given = {"monkeypatch": patch}
                test = getattr(module, name)
                wants = test.__code__.co_varnames[: test.__code__.co_argcount]
                if "checkpoint" in wants:
                    patch.setattr("eval.CHECKPOINT", folder / "checkpoint.pt")
                    given["checkpoint"] = folder / "checkpoint.pt"  # type: ignore[assignment]
                try:
                    test(**{want: given[want] for want in wants})
                except Exception:
                    failed.add(name)
    return failed


# Other ways of writing the digits' gaps, all of them right; the last function of a name counts.
OTHER_WAYS = {
    "tensors": (
        "dataset.py",
        """
def load_tensors():
    inputs, targets = load_digits(return_X_y=True)
    return torch.from_numpy(inputs).float().view(-1, 1, 8, 8), torch.LongTensor(targets)
""",
    ),
    "split": (
        "dataset.py",
        """
def cut(labels, seed):
    import numpy as np

    chance, parts = np.random.default_rng(seed), ([], [], [])
    for label in sorted(set(labels.tolist())):
        members = chance.permutation(np.flatnonzero(labels.numpy() == label)).tolist()
        held = round(0.15 * len(members))
        parts[2].extend(members[:held])
        parts[1].extend(members[held : 2 * held])
        parts[0].extend(members[2 * held :])
    return tuple(torch.tensor(part) for part in parts)
""",
    ),
    "evaluate": (
        "eval.py",
        """
def evaluate(model, loader, loss_fn, device):
    model.train(False)
    loss = right = 0.0
    for inputs, targets in loader:
        targets = targets.to(device)
        with torch.inference_mode():
            logits = model.forward(inputs.to(device))
            loss += loss_fn(logits, targets).item() * len(targets)
        right += int((logits.softmax(-1).max(-1)[1] == targets).sum())
    return {"accuracy": right / len(loader.dataset), "loss": loss / len(loader.dataset)}
""",
    ),
    "checkpoint": (
        "eval.py",
        """
def load_checkpoint(device):
    with CHECKPOINT.open("rb") as file:
        state = torch.load(file, "cpu", weights_only=True)
    model = Model()
    model.load_state_dict(state.pop("model"))
    return model.to(device), state.pop("seed")
""",
    ),
    "device": (
        "eval.py",
        """
def choose_device(name):
    if name != "auto":
        return torch.device(name)
    found = torch.accelerator.current_accelerator(check_available=True)
    return torch.device("cpu") if found is None else found
""",
    ),
}


@pytest.mark.parametrize("gap", GAPS)
def test_another_right_way_passes(graders: dict[str, Grader], gap: str) -> None:
    """A check asks for what is right, not for the solution's own words."""
    grader = graders["digits"]
    file, text = OTHER_WAYS[gap]
    submission = {**grader.kit.solution, file: grader.kit.solution[file] + text}
    failed = {row.check.name: row.said for row in grader.results(submission, gap) if row.state != "passed"}
    assert not failed


def test_code_that_stops_costs_every_point(graders: dict[str, Grader]) -> None:
    grader = graders["digits"]
    for gap, (file, text) in OTHER_WAYS.items():
        stops = text.strip().splitlines()[0] + "\n    raise KeyError('oh')\n"
        submission = {**grader.kit.solution, file: grader.kit.solution[file] + "\n" + stops}
        results = grader.results(submission, gap)
        if gap == "split":  # make_loaders() is the other function of this gap, and whole
            results = [row for row in results if row.check.test.__module__ != "check_train"]
        if gap == "checkpoint":  # what load_checkpoint() spoils is no fault of save_checkpoint()
            results = [row for row in results if "saved" not in row.check.test.__code__.co_consts]
        assert {row.points for row in results} == {0.0}, gap
        assert any("KeyError" in row.said and "raise KeyError('oh')" in row.said for row in results), gap


@pytest.mark.parametrize("gap", GAPS)
def test_the_public_tests_of_one_gap_alone_can_be_collected(graders: dict[str, Grader], gap: str) -> None:
    grader = graders["digits"]
    kit = make_kit(grader.kit.plan, (gap,))
    text = kit.starter["test_gaps.py"]
    assert black.format_str(text, mode=black.Mode()) == text
    code = {name: kit.starter[name] for name in grader.reference}
    with grader.fresh({**code, "test_gaps.py": text}):
        tests = vars(importlib.import_module("test_gaps"))
    assert grader.public_tests(gap) <= {name for name in tests if name.startswith("test_")}
