"""Whatever is asked for: a valid spec becomes a clean project whose shapes torch confirms, a wrong one is told and refused.

Specs are drawn from the whole option space (strategies.py); `pytest --nightly` draws many more of them.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import black
import pytest
import tomlkit
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import often
from projects import make, run, run_tests
from strategies import Answers, make_pool, valid
from torchgen_scaffold import Spec, SpecError
from torchgen_scaffold.cli import cli
from torchgen_scaffold.generate import texts_of
from torchgen_scaffold.plan import Plan, plan

# What a network that was drawn may be unable to pass: one unit wide, or of ReLUs that are dead. The tests say so rightly.
LIVELY = ("test_a_handful_of_samples_can_be_learned_by_heart", "test_gradients_reach_every_parameter")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pool")


@pytest.fixture(scope="module")
def pool(base: Path) -> list[Answers]:
    return make_pool(base)


def drawn(count: int) -> settings:
    """So many examples; shrinking a spec is slow, and the first that fails says enough."""
    slow = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    return settings(max_examples=count, suppress_health_check=slow, database=None)


@cache  # projects share many of their files
def is_black_clean(text: str) -> bool:
    return bool(black.format_str(text, mode=black.Mode()) == text)


def confirm_shapes(planned: Plan, model_py: str) -> None:
    """Build the model and run three samples through it on the meta device: every shape, and every parameter."""
    import torch

    spec, names = planned.spec, {"__name__": "model"}
    exec(compile(model_py, "model.py", "exec", dont_inherit=True), names)
    padded = spec.model.signal.padded or spec.data.padded  # lengths come from the values, which meta has not
    with torch.device("cpu" if padded else "meta"), torch.no_grad():
        model: Any = names["Model"]().eval()  # type: ignore[operator]  # a class that exec has made
        shapes: dict[str, tuple[int, ...]] = {}

        def note(name: str) -> Any:
            def hook(_: object, __: object, output: Any) -> None:
                output = output[0] if isinstance(output, tuple) else output
                if isinstance(output, torch.Tensor):  # else packed, and its steps are not one axis
                    shapes[name] = tuple(output.shape[1:])

            return hook

        modules = dict(model.named_modules())
        layers = [layer for layer in planned.layers if layer.name]
        for layer in layers:
            modules[layer.name].register_forward_hook(note(layer.name))
        size = (3, *spec.input_shape)
        tokens = spec.model.vocab_size
        outputs = model(torch.ones(size, dtype=torch.long) if tokens else torch.zeros(size))
    assert tuple(outputs.shape) == (3, *spec.output_shape)
    for layer in layers:
        assert shapes.get(layer.name, layer.out_shape) == layer.out_shape, layer
    assert len(shapes) == len({layer.name for layer in layers}) or padded
    assert sum(parameter.numel() for parameter in model.parameters()) == planned.params


def test_every_valid_spec_becomes_a_clean_project_with_the_shapes_of_torch(
    base: Path, pool: list[Answers], tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    found: list[Spec] = []

    @drawn(often(pytestconfig, nightly=2000, otherwise=60))
    @given(valid(pool, base))
    def check(drawn: tuple[Answers, Spec]) -> None:
        _, spec = drawn
        planned = plan(spec)
        folder = tmp_path / f"p{len(found)}"
        for name, text in texts_of(planned).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
            assert not name.endswith(".py") or is_black_clean(text), name
        confirm_shapes(planned, (folder / "model.py").read_text(encoding="utf-8"))
        found.append(spec)

    check()
    # Which imports are local is known from one folder that has every module.
    standard = next(number for number, spec in enumerate(found) if spec.project.profile == "standard")
    ruff = ["ruff", "check", "--isolated", "--extend-select", "I,UP,B,RUF100", "--no-cache", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", *ruff, "--config", f"src = ['p{standard}']", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    kinds = {(spec.task, spec.data.source, spec.project.profile) for spec in found}
    assert len(kinds) > 6, "the space is not gone through"


def test_a_sample_of_them_trains_and_passes_its_own_tests(
    base: Path, pool: list[Answers], tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    turns = 0

    @drawn(often(pytestconfig, nightly=150, otherwise=5))
    @given(valid(pool, base))
    def check(drawn: tuple[Answers, Spec]) -> None:
        nonlocal turns
        turns += 1
        answers, _ = drawn
        place = tmp_path / str(turns)
        place.mkdir()
        for source in base.iterdir():
            (place / source.name).symlink_to(source)
        project = make(place, **answers)
        with contextlib.suppress(SystemExit):  # a learning rate may be too high for it, which train.py says
            run(project, "train.py", "--epochs", "1")
        usual = answers.get("model", {}).keys() <= {"preset", "vocab_size", "layout"}
        assert run_tests(project, tmp_path, but=() if usual else LIVELY) > 5

    check()


# Wrong ones.


@st.composite
def wrong(draw: st.DrawFn, pool: list[Answers], base: Path) -> Answers:
    """Valid answers with one thing made wrong, so that they surely are."""
    answers, _ = draw(valid(pool, base))
    answers = {key: dict(value) if isinstance(value, dict) else value for key, value in answers.items()}
    made = "synthetic" in str(answers["data"]["source"])
    ways: list[tuple[str, Any]] = [
        ("unknown", draw(st.sampled_from(["epoch", "learning_rate", "model.dropouts", "training.leer", "x y", ""]))),
        ("task", draw(st.sampled_from(["", "guess", "Binary", 3, ["binary"]]))),
        ("name", draw(st.sampled_from(["torch", "con", "a/b", "..", "-x", "ﬁt", "a" * 65, "class", "", 3]))),
        ("training.epochs", draw(st.sampled_from([0, -1, "many", 1.5, 10**9, [1], True]))),
        ("training.batch_size", draw(st.sampled_from([0, -5, "x", 10**12, {}]))),
        ("training.lr", draw(st.sampled_from([0, -1e-3, "fast", float("inf"), float("nan"), [1]]))),
        ("training.seed", draw(st.sampled_from([-1, 2**31, "a", 0.5]))),
        ("training.momentumm", 0.9),
        ("training.optimizer", draw(st.sampled_from(["sgdd", "Adam", 1, []]))),
        ("training.loss", draw(st.sampled_from(["hinge", "mse2", 0]))),
        ("training.schedule", draw(st.sampled_from(["cosinus", "", False]))),
        ("project.profile", draw(st.sampled_from(["leson", "", 1]))),
        ("project.ci", draw(st.sampled_from(["jenkins", 0]))),
        ("model.preset", draw(st.sampled_from(["cnnn", "", 3, ["mlp"]]))),
        ("model.layers", draw(st.sampled_from(["conv(", "nothing(3)", "linear", "linear(0)", "relu -> ", "__import__('os')", 3]))),
        ("data.source", draw(st.sampled_from(["csv", "csv:", "csv:none.csv", "sql:x", "sklearn:none", "sklearn", 3, ""]))),
        ("training", draw(st.sampled_from([[], 3, "fast"]))),
    ]  # fmt: skip
    if made:
        ways += [
            ("input_shape", draw(st.sampled_from([[], [0], [-1, 3], "a,b", [2**40], [1] * 9, "1,,2", [1.5]]))),
            ("output_shape", draw(st.sampled_from([[], [0], [-2], "x", [10**9], [1.5]]))),
            ("data.samples", draw(st.sampled_from([0, 1, -3, "x"]))),
            ("gone", draw(st.sampled_from(["task", "input_shape"]))),
        ]  # fmt: skip
    key, value = draw(st.sampled_from(ways))
    if key == "gone":
        del answers[value]
    elif key == "unknown":
        table, dot, name = value.rpartition(".")
        target = answers.setdefault(table, {}) if dot else answers
        target[name] = 1
    elif "." in key:
        table, _, name = key.partition(".")
        answers.setdefault(table, {})[name] = value
        if name in ("preset", "layers"):
            answers[table] = {name: value}
    else:
        answers[key] = value
    return answers


def files_under(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")))


def test_every_wrong_spec_is_told_and_writes_nothing(
    base: Path, pool: list[Answers], tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    before = list(files_under(base))
    seen: set[str] = set()

    @drawn(often(pytestconfig, nightly=2000, otherwise=150))
    @given(wrong(pool, base))
    def check(answers: Answers) -> None:
        with pytest.raises(SpecError) as caught:
            Spec.from_dict(answers, base=base, into=tmp_path)
        assert all(problem.what for problem in caught.value.problems)
        config = base / "wrong.toml"
        config.write_text(tomlkit.dumps(answers), encoding="utf-8")
        try:
            result = CliRunner().invoke(
                cli, ["new", "--config", str(config), "--yes", "-o", str(tmp_path / "out")]
            )
        finally:
            config.unlink()
        assert result.exit_code == 2, (answers, result.output)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert result.stdout == "" and result.stderr.startswith("Error: ")
        assert "Traceback" not in result.stderr
        assert not (tmp_path / "out").exists() and list(files_under(base)) == before
        seen.add(caught.value.problems[0].what[:12])

    check()
    assert len(seen) > 15, "the same mistake again and again"
