"""No leaks: whatever is planted into a starter is found, and nothing is found where nothing is."""

from __future__ import annotations

import io
import json
import marshal
import re
import shutil
import tarfile
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strategies import Answers, made_up
from torchgen_scaffold import Spec, SpecError, TorchgenError, plan
from torchgen_scaffold.cli import cli
from torchgen_scaffold.errors import MachineError, TemplateError
from torchgen_scaffold.gaps import GAPS
from torchgen_scaffold.kits import Kit, make_kit
from torchgen_scaffold.kits.leaks import answer_of, leak_problems, leaks_in, with_seeds
from torchgen_scaffold.kits.marks import check_problems, mark_problems
from torchgen_scaffold.kits.places import chosen_gaps
from torchgen_scaffold.overlay import own_templates

DIGITS: dict[str, Any] = {"name": "digits", "data": {"source": "sklearn:digits"}}


def kit_of(answers: Mapping[str, Any], gaps: tuple[str, ...]) -> Kit:
    project = {**answers.get("project", {}), "profile": "lesson"}
    return make_kit(plan(Spec.from_dict({**answers, "project": project})), gaps)


@cache
def digits() -> Kit:
    return kit_of(DIGITS, chosen_gaps(3))


def found(files: Mapping[str, str | bytes]) -> list[str]:
    """What leaks where these files are added to the starter, and the starter alone leaks nothing."""
    return [
        f"{leak.file} leaks {leak.what}" for leak in leaks_in({**digits().starter, **files}, digits().secrets)
    ]


def lines_of(file: str, first: str, last: str) -> str:
    """A piece of the solution's text, from one word on to the end of a line that has another."""
    text = digits().solution[file]
    start = text.index(first)
    end = text.index("\n", text.index(last, start))
    return text[start:end]


STEP = lines_of("train.py", "logits = model(inputs)", "optimizer.step()")
LAYERS = lines_of("model.py", "self.features = nn.Sequential(", "self.head = ")
STEP_LEAKS = "leaks a part of the answer of gap 7 (the training step)"


def test_the_starter_alone_leaks_nothing() -> None:
    assert found({}) == []
    assert "zero_grad" in STEP and "Conv2d" in LAYERS


def zipped(name: str, text: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return content.getvalue()


def tarred(name: str, text: str) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(text.encode())
        archive.addfile(entry, io.BytesIO(text.encode()))
    return content.getvalue()


def commented(text: str) -> str:
    return "".join(f"# {line.strip()}\n" for line in text.splitlines())


NOTEBOOK = {"cells": [{"cell_type": "code", "source": [f"{line}\n" for line in STEP.splitlines()]}]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("more.py", STEP),
        ("more.py", commented(STEP)),
        ("more.py", f'"""Once upon a time.\n\n{STEP}\n"""\n'),
        ("more.py", f"x = {STEP!r}\n"),
        ("more.py", "; ".join(line.split("#")[0].strip() for line in STEP.splitlines())),
        ("more.py", re.sub(r"([(),.=])", r" \1  ", STEP)),
        ("NOTES.md", f"So:\n\n```python\n{STEP}\n```\n"),
        ("notes.txt", STEP),
        ("lesson.ipynb", json.dumps(NOTEBOOK)),
        ("help.zip", zipped("a/b.py", STEP)),
        ("help.tar.gz", tarred("a/b.py", STEP)),
        ("data/help.bin", STEP.encode()),
    ],
)
def test_an_answer_is_found_however_it_is_dressed(name: str, content: str | bytes) -> None:
    assert any(STEP_LEAKS in what for what in found({name: content})), found({name: content})


def test_every_answer_is_found_by_the_gap_that_it_is_of() -> None:
    kit = digits()
    assert set(kit.places) == set(GAPS)
    for gap, places in kit.places.items():
        for file, _ in places:
            whole = {f"copy_{file}": kit.solution[file]}
            assert any(f"gap {GAPS[gap].number} " in what for what in found(whole)), gap


def test_two_statements_in_a_row_are_a_leak_and_one_short_one_is_none() -> None:
    assert found({"a.py": "optimizer.zero_grad()\n"}) == []
    assert found({"a.py": "optimizer.zero_grad()\nx = 1\nloss.backward()\n"}) == []
    assert found({"a.py": "optimizer.zero_grad()  # first\n\nloss.backward()\n"}) == [f"a.py {STEP_LEAKS}"]


def test_one_long_statement_is_a_leak() -> None:
    long = "nn.Conv2d(32, 64, kernel_size=3, padding=1), nn.ReLU(), nn.MaxPool2d(2)"
    assert found({"a.md": long}) == []  # a part of a statement
    assert any("gap 3 " in what for what in found({"a.md": LAYERS[: LAYERS.index("self.flatten")]}))


def test_a_statement_inside_a_file_of_the_starter_is_found_beside_the_gap() -> None:
    text = digits().starter["train.py"]
    for planted in (STEP.replace("\n", "\n        "), commented(STEP)):
        assert f"train.py {STEP_LEAKS}" in found(
            {"train.py": f"{text}\n\ndef more():\n    if True:\n        {planted}\n"}
        )


def test_a_comment_of_an_answer_is_found() -> None:
    solved = "def f(x):\n    # The mean comes first, then the rest of it.\n    return x\n"
    answer = answer_of("step", 'def f(x):\n    raise NotImplementedError("gap 7: x")\n', solved)
    assert any("the mean" in phrase.lower() for phrase in answer.phrases)


def test_a_number_that_only_the_answer_has_is_found() -> None:
    kit = digits()
    size = str(64 * 2 * 2)
    assert size in kit.secrets.numbers and size in kit.solution["model.py"]
    leaks = leaks_in({**kit.starter, "README.md": f"Hint: the head has {size} inputs."}, kit.secrets)
    assert [leak.file for leak in leaks] == ["README.md"]
    assert (
        leaks_in({**kit.starter, "data/x.csv": f"1,{size}\n"}, kit.secrets) == []
    )  # data may hold any number


@pytest.mark.parametrize(
    "name",
    [
        "checkpoint.pt",
        "old/best.pth",
        "__pycache__/train.cpython-312.pyc",
        "train.pyc",
        "torchgen.toml",
        ".torchgen.json",
        "test_project.py",
        "solution/README.md",
        "grader/checks.py",
        "data/kit.json",
        ".pytest_cache/v/cache/lastfailed",
    ],
)
def test_files_of_the_teachers_are_none_of_a_starter(name: str) -> None:
    assert [what.split(" leaks")[0] for what in found({name: "x"})] == [name]
    inside = found({"more.zip": zipped(name, "x")})
    assert [what.split(" leaks")[0] for what in inside] == [f"more.zip/{name}"]


def test_bytecode_is_found_whatever_it_holds() -> None:
    code = compile(digits().solution["train.py"], "train.py", "exec", dont_inherit=True)
    compiled = b"\xcb\r\r\n" + bytes(12) + marshal.dumps(code)
    assert found({"train.cpython-311.pyc": compiled})


@pytest.mark.parametrize("name", ["check_train.py", "probe_train.py", "grade.py", "kit.json"])
def test_texts_of_the_grader_are_found_under_another_name(name: str) -> None:
    assert any(f"the text of grader/{name}" in what for what in found({"helper.txt": digits().grader[name]}))


def test_seeds_of_others_are_found_and_ones_own_is_not() -> None:
    secrets = with_seeds(digits().secrets, [123_456_789, 555_555_555, 7], own=555_555_555)
    said = {
        "README.md": "123456789",
        "train.py": "SEED = 555555555\nSEVEN = 7\n",
        "a.py": "x = 123_456_789\n",
    }
    assert [leak.file for leak in leaks_in(said, secrets)] == ["README.md", "a.py"]


def test_a_leak_says_the_file_and_the_gap_and_prints_no_answer() -> None:
    (problem,) = leak_problems(leaks_in({"a.py": STEP}, digits().secrets))
    assert "a.py" in problem.what and "gap 7" in problem.what
    assert "zero_grad" not in str(problem) and "backward" not in str(problem)


@pytest.mark.parametrize("gap", GAPS)
def test_each_gap_alone_leaks_nothing(gap: str) -> None:
    kit = kit_of(DIGITS, (gap,))
    assert list(kit.places) == [gap]
    assert kit.secrets.phrases, "there was nothing to look for"


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(answers=made_up(), gaps=st.lists(st.sampled_from(sorted(GAPS)), min_size=1, unique=True))
def test_no_kit_has_a_leak_or_a_false_alarm(answers: Answers, gaps: list[str]) -> None:
    """Whatever is asked for: make_kit raises where the scan finds something."""
    try:
        kit = kit_of(answers, tuple(name for name in GAPS if name in gaps))
    except SpecError:  # the answers do not fit, or there is none of these gaps
        return
    for gap, places in kit.places.items():
        for file, _ in places:
            leaks = leaks_in({"mine.md": kit.solution[file]}, kit.secrets)
            # An answer of a line that the code around it has too is given, and so is no leak.
            assert leaks or not any(GAPS[gap].title in what for what in kit.secrets.phrases.values())


# Marks.


def own(folder: Path, **changes: tuple[str, str]) -> Path:
    """A folder of templates of one's own: torchgen's, each with one change; a template is named as lesson__train."""
    for name, (old, new) in changes.items():
        path = f"{name.replace('__', '/')}.py.jinja"
        text = (own_templates() / path).read_text(encoding="utf-8")
        assert text.count(old) == 1, (path, old, text.count(old))
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text.replace(old, new), encoding="utf-8")
    return folder


def refused(folder: Path, gaps: tuple[str, ...]) -> TorchgenError:
    with pytest.raises(TemplateError) as caught:
        kit_of({**DIGITS, "project": {"templates": str(folder)}}, gaps)
    return caught.value


STEP_MARK = '{% if "step" in plan.opened %}'


def test_an_unclosed_mark_fails_the_build(tmp_path: Path) -> None:
    folder = tmp_path / "own" / "lesson"
    folder.mkdir(parents=True)
    (folder / "train.py.jinja").write_text(STEP_MARK + "\nx = 1\n", encoding="utf-8")
    assert "train.py.jinja" in str(refused(tmp_path / "own", ("step",)))


def test_a_mark_of_no_gap_fails_the_build(tmp_path: Path) -> None:
    folder = own(tmp_path / "own", lesson__train=(STEP_MARK, '{% if "stepp" in plan.opened %}'))
    said = str(refused(folder, ("step", "forward")))
    assert "stepp" in said and "train.py.jinja" in said


def test_a_gap_inside_another_fails_the_build(tmp_path: Path) -> None:
    nested = '{% if "device" in plan.opened %}\n    {{ plan.open_gap("device") }}\n{% else %}\n    return x\n{% endif %}\n'
    template = (own_templates() / "lesson/eval.py.jinja").read_text(encoding="utf-8")
    start = template.index('{% if "evaluate" in plan.opened %}')
    end = template.index("{% else %}", start) + len("{% else %}\n")
    folder = own(tmp_path / "own", lesson__eval=(template[start:end], template[start:end] + nested))
    said = str(refused(folder, ("evaluate", "device")))
    assert "Gap 10 (the device) is inside another gap" in said


def test_two_gaps_in_one_function_fail_the_build(tmp_path: Path) -> None:
    more = '{% if "loss" in plan.opened %}\n        {{ plan.open_gap("loss") }}\n{% endif %}\n' + STEP_MARK
    folder = own(tmp_path / "own", lesson__train=(STEP_MARK, more))
    said = str(refused(folder, ("loss", "step")))
    assert "are in one function, train_epoch() of train.py" in said


def test_a_todo_that_does_not_stop_fails_the_build(tmp_path: Path) -> None:
    folder = own(tmp_path / "own", lesson__train=('        {{ plan.open_gap("step") }}\n', "        pass\n"))
    assert "has a TODO in train.py that does not stop there" in str(refused(folder, ("step", "forward")))


def test_a_leak_by_a_template_of_ones_own_fails_the_build(tmp_path: Path) -> None:
    readme = next((own_templates() / "kit").rglob("README.md.jinja"))
    place = tmp_path / "own" / readme.relative_to(own_templates())
    place.parent.mkdir(parents=True)
    place.write_text(f"# Help\n\n{STEP}\n", encoding="utf-8")
    said = str(refused(tmp_path / "own", ("step",)))
    assert "README.md leaks" in said and "zero_grad" not in said


def test_a_leak_by_torchgens_own_is_its_own_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torchgen_scaffold.kits as kits

    real = kits.secrets_of  # type: ignore[attr-defined]  # as that module calls it
    monkeypatch.setattr(kits, "secrets_of", lambda *given: with_phrase(real(*given)))
    with pytest.raises(MachineError, match=r"README\.md leaks"):
        kit_of(DIGITS, ("step",))


def with_phrase(secrets: Any) -> Any:
    return type(secrets)({**secrets.phrases, " python train . py ": "a command"}, secrets.numbers)


def test_a_gap_without_a_check_that_fits_is_named() -> None:
    grader = {
        "kit.json": '{"has_steps": false, "task": "regression", "input_dtype": "long"}',
        "check_a.py": (
            '@check("step", public=True)\ndef one(): ...\n'
            '@check("forward", fits=lambda kit: kit["has_steps"])\ndef two(): ...\n'
            '@check("loss", fits=lambda kit: kit["task"] == "binary" or kit["input_dtype"] != "long")\ndef three(): ...\n'
            '@check("layers", fits=lambda kit: not kit["has_steps"] and kit["task"] in ("regression",))\ndef four(): ...\n'
            '@check("split", fits=lambda kit: len(kit) > 2)\ndef five(): ...\n'
        ),
        "more.py": '@check("device")\ndef none(): ...\n',
    }
    places = {gap: [("train.py", gap)] for gap in ("step", "forward", "loss", "layers", "split", "device")}
    said = [problem.what for problem in check_problems(places, grader)]
    assert said == [
        f"Gap {GAPS[gap].number} ({GAPS[gap].title}) has no check that fits this kit."
        for gap in ("forward", "loss", "device")
    ]


def test_torchgens_own_marks_keep_the_rules() -> None:
    kit = digits()
    assert (
        list(
            mark_problems(kit.places, {gap: kit_of(DIGITS, (gap,)).places for gap in kit.places}, kit.starter)
        )
        == []
    )


def test_a_folder_in_which_something_was_left_is_refused(tmp_path: Path) -> None:
    def kit(*more: str) -> Any:
        flags = ["kit", "--data", "sklearn:digits", "--gaps", "4,7", "-o", str(tmp_path / "kit")]
        return CliRunner().invoke(cli, [*flags, *more])

    assert kit().exit_code == 0
    (tmp_path / "kit" / "starter" / "checkpoint.pt").write_bytes(b"weights")
    result = kit("--force")
    assert result.exit_code == 2
    assert "checkpoint.pt" in result.stderr
    shutil.rmtree(tmp_path / "kit" / "starter")
    assert kit("--force").exit_code == 0
