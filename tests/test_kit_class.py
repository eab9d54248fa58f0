"""A class: a variant for each student of a roster, the same bytes each time, and one changed without the others."""

from __future__ import annotations

import csv
import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from test_ci import checked
from torchgen_scaffold import Spec, SpecError
from torchgen_scaffold.cli import cli
from torchgen_scaffold.kits import classes, proving
from torchgen_scaffold.kits.classes import Roll, write_class
from torchgen_scaffold.kits.roster import read_roster, seed_of
from torchgen_scaffold.kits.variants import KINDS, kinds_of, variant
from torchgen_scaffold.kits.write import Wanted

DIGITS = ["--data", "sklearn:digits", "--gaps", "4,7"]
MADE = ["--input-shape", "12", "--output-shape", "3", "--task", "multiclass", "--gaps", "4,7"]
ROSTER = "id,seed,level\nada,1,\ngrace,2,\nalan,,\n"


@pytest.fixture(autouse=True)
def unproved(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """No solution is verified where no test asks for it: that takes torch, and seconds."""
    if "proved" not in request.fixturenames:
        monkeypatch.setattr(proving, "_LOOK", "import sys; sys.exit(1)")


@pytest.fixture
def proved() -> None:
    """Solutions are verified."""


def torchgen(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(cli, ["kit", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def roster(folder: Path, text: str = ROSTER) -> Path:
    path = folder / "students.csv"
    path.write_bytes(text.encode())
    return path


def made(folder: Path, text: str = ROSTER, *more: str | Path, flags: list[str] | None = None) -> Path:
    place = folder / "class"
    result = torchgen(*(flags or DIGITS), "-o", place, "--roster", roster(folder, text), *more)
    assert result.exit_code == 0, result.stderr
    return place


def tree(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def manifest(place: Path) -> dict[str, dict[str, str]]:
    with (place / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


# Rosters.


def students(folder: Path, text: str | bytes) -> list[tuple[str, int, int | None]]:
    path = folder / "r.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [(one.id, one.seed, one.level) for one in read_roster(path, 0)]


@pytest.mark.parametrize(
    "text",
    [
        "id,seed,level\nada,1,2\ngrace hopper,7,3\n",
        "id;seed;level\nada;1;2\ngrace hopper;7;3\n",
        "id\tseed\tlevel\r\nada\t1\t2\r\ngrace hopper\t7\t3\r\n",
        "\ufeffID, Seed ,LEVEL,e-mail\nada, 1 ,2,a@b.c\n\n,,,\ngrace hopper,7,3,\n",
        'name,level,id,seed\n"L, Ada",2,ada,1\n"H\nG",3,"grace hopper",7\n',
    ],
)
def test_a_roster_may_be_written_as_spreadsheets_write_it(tmp_path: Path, text: str) -> None:
    assert students(tmp_path, text) == [("ada", 1, 2), ("grace hopper", 7, 3)]


def test_a_seed_follows_from_the_id_and_the_kits_seed_alone(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"0:ada").digest()
    assert students(tmp_path, "id\nada\n") == [("ada", int.from_bytes(digest[:4], "big") >> 1, None)]
    assert students(tmp_path, "id\nbob\nada\nzoe\n")[1] == students(tmp_path, "id\nada\n")[0]
    assert seed_of("ada", 0) != seed_of("ada", 1) and seed_of("ada", 0) != seed_of("bob", 0)


def test_all_that_is_wrong_with_a_roster_is_said_at_once_with_its_line(tmp_path: Path) -> None:
    ids = [
        "ok",
        "",
        "a/b",
        "..",
        "-x",
        "=1",
        "con",
        "a.zip",
        "x.",
        "a\\b",
        "ok",
        "OK",
        "a:b",
        "y" * 101,
        ".git",
    ]
    text = "id,seed,level\n" + "".join(f"{name},,\n" for name in ids) + "fine,1.5,\ngood,,4\nwell,x,two\n"
    with pytest.raises(SpecError) as caught:
        students(tmp_path, text.replace("\n,,\n", '\n" ",5,\n'))
    said = [problem.what for problem in caught.value.problems]
    lines = sorted({int(what.removeprefix("line ").partition(":")[0].partition(",")[0]) for what in said})
    assert lines == [*range(3, 17), 17, 18, 19]
    assert sum("line 19" in what for what in said) == 2
    assert all("Traceback" not in what for what in said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no column id"),
        ("name,seed\nada,1\n", "has no column id"),
        ("id,seed,id\nada,1,x\n", "has the column id twice"),
        ("id,seed\n", "has no students"),
        ('id\n"ada\n', "is no CSV"),
        (b"id\n\xff\xfe\n", "is no text"),
    ],
)
def test_what_is_no_roster_is_refused(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        students(tmp_path, text)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="a file without end")
def test_a_roster_without_end_is_answered_at_once() -> None:
    with pytest.raises(SpecError, match="too large"):
        read_roster(Path("/dev/zero"), 0)


def test_a_roster_that_is_not_there_is_refused(tmp_path: Path) -> None:
    result = torchgen(*DIGITS, "-o", tmp_path / "class", "--roster", tmp_path / "none.csv")
    assert result.exit_code == 2 and "none.csv cannot be read" in result.stderr
    assert not (tmp_path / "class").exists()


# Variants.


def test_variants_are_functions_of_the_seed(tmp_path: Path) -> None:
    spec = Spec.from_dict(
        {"name": "k", "task": "multiclass", "input_shape": [3, 20, 20], "output_shape": [4]}
    )
    kinds = kinds_of(spec, None)
    assert kinds == tuple(KINDS)
    assert variant(spec, 5, kinds) == variant(spec, 5, kinds) != variant(spec, 6, kinds)
    drawn = [Spec.from_dict(variant(spec, seed, kinds)) for seed in range(40)]
    assert {one.input_shape[0] for one in drawn} == {3}, "channels stay"
    assert {one.input_shape[1] for one in drawn} == set(range(20, 26))
    assert {one.output_shape for one in drawn} == {(4,), (5,), (6,)}
    assert {len(one.model.settings["channels"]) for one in drawn} == {3}
    assert len({one.model.settings["channels"] for one in drawn}) > 10
    assert [one.training.seed for one in drawn] == list(range(40))


@pytest.mark.parametrize(
    ("answers", "applies"),
    [
        ({"data": {"source": "sklearn:digits"}}, ("data", "sizes")),
        ({"data": {"source": "sklearn:diabetes"}, "model": {"preset": "linear"}}, ("data",)),
        ({"data": {"source": "sklearn:digits"}, "model": {"layers": "conv(4, 3) -> relu"}}, ("data",)),
        ({"input_shape": [8, 8], "model": {"layers": "gru(4)"}}, ("data", "shapes")),
        ({"input_shape": [30], "model": {"vocab_size": 50, "preset": "mean"}}, ("data", "sizes", "shapes")),
    ],
)
def test_what_does_not_apply_stays(answers: dict[str, Any], applies: tuple[str, ...]) -> None:
    given = {"name": "k", "task": "multiclass", "output_shape": [3], **answers}
    if "data" in answers:
        given = {"name": "k", **answers}
    spec = Spec.from_dict(given)
    assert kinds_of(spec, None) == applies
    for seed in range(20):
        changed = Spec.from_dict(variant(spec, seed, applies))
        assert ("shapes" in applies) or changed.input_shape == spec.input_shape
        assert changed.model.layers == spec.model.layers or "sizes" in applies
        assert changed.model.vocab_size == spec.model.vocab_size and changed.model.preset == spec.model.preset
    for name in set(KINDS) - set(applies):
        with pytest.raises(SpecError, match="changes nothing here"):
            kinds_of(spec, name)


def test_vary_chooses(tmp_path: Path) -> None:
    place = made(tmp_path, ROSTER, "--vary", "shapes", flags=MADE)
    trains = {(place / f"students/{name}/train.py").read_text() for name in ("ada", "grace", "alan")}
    assert len(trains) == 1, "neither seeds nor sizes differ"
    assert len({row["shapes"] for row in manifest(place).values()}) > 1
    result = torchgen(
        *MADE, "-o", tmp_path / "b", "--roster", tmp_path / "students.csv", "--vary", "hats,sizes"
    )
    assert result.exit_code == 2 and "'hats'" in result.stderr


def test_a_variant_that_cannot_be_is_said_with_its_line(tmp_path: Path) -> None:
    # Four groups: for 12 numbers, not for 13.
    flags = [*MADE, "--layers", "groupnorm(4) -> linear(8) -> relu"]
    result = torchgen(
        *flags, "-o", tmp_path / "class", "--roster", roster(tmp_path, "id,seed\na,1\nb,2\nc,3\nd,4\n")
    )
    assert result.exit_code == 2
    assert "line 3, b: layer 1, groupnorm(4), does not fit" in result.stderr
    assert "line 5, d: " in result.stderr and "--vary data" in result.stderr
    assert not (tmp_path / "class").exists()


# What is written.


def test_a_class_has_all_that_it_needs(tmp_path: Path) -> None:
    place = made(tmp_path, "id,seed,level\nada,1,1\ngrace,2,3\n", flags=DIGITS[:2])
    files = tree(place)
    assert {name.split("/")[0] for name in files} == {
        "students",
        "solutions",
        "grader",
        "manifest.csv",
        "instructor.md",
    }
    for name in ("ada", "grace"):
        assert f"students/{name}/train.py" in files and f"solutions/{name}/torchgen.toml" in files
        assert f"students/{name}/torchgen.toml" not in files
        facts = json.loads(files[f"grader/references/{name}/kit.json"])
        assert len(facts["gaps"]) == {"ada": 3, "grace": 10}[name]
        for code in ("model.py", "dataset.py", "train.py", "eval.py"):
            assert files[f"grader/references/{name}/{code}"] == files[f"solutions/{name}/{code}"]
    assert "grader/grade.py" in files and "grader/kit.json" not in files
    assert not any(name.startswith("grader/reference/") or name.endswith(".pyc") for name in files)
    rows = manifest(place)
    assert list(rows) == ["ada", "grace"]
    assert rows["ada"] == {
        "id": "ada",
        "seed": "1",
        "level": "1",
        "shapes": "1x8x8 -> 10",
        "sha256": hashlib.sha256(files["students/ada.zip"]).hexdigest(),
    }


def test_a_zip_holds_the_starter_and_nothing_else(tmp_path: Path) -> None:
    place = made(tmp_path)
    with zipfile.ZipFile(place / "students/ada.zip") as archive:
        assert archive.testzip() is None
        inside = {entry.filename: archive.read(entry) for entry in archive.infolist()}
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}
    assert inside == {f"ada/{name}": content for name, content in tree(place / "students/ada").items()}


def test_the_same_command_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    assert tree(made(tmp_path / "one")) == tree(made(tmp_path / "two"))


def test_another_student_changes_nobody_elses_files(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    one, two = made(tmp_path / "one"), made(tmp_path / "two", ROSTER + "zoe,,\n")
    before, after = tree(one), tree(two)
    assert {name for name in before if before[name] != after[name]} == {"manifest.csv"}
    assert all("zoe" in name for name in after.keys() - before.keys())


def test_only_one_students_files_change(tmp_path: Path) -> None:
    place = made(tmp_path)
    was = {name: (path.stat().st_mtime_ns, path.read_bytes()) for name, path in paths(place).items()}
    # The roster has another seed for somebody else, too: that stays for another time.
    roster(tmp_path, ROSTER.replace("ada,1", "ada,77").replace("grace,2", "grace,88"))
    result = torchgen(*DIGITS, "-o", place, "--roster", tmp_path / "students.csv", "--only", "ada")
    assert result.exit_code == 0, result.stderr
    now = {name: (path.stat().st_mtime_ns, path.read_bytes()) for name, path in paths(place).items()}
    changed = {name for name in was.keys() | now.keys() if was.get(name) != now.get(name)}
    assert all(name == "manifest.csv" or "/ada" in name for name in changed), changed
    assert {"manifest.csv", "students/ada.zip", "students/ada/train.py"} <= changed
    rows = manifest(place)
    assert list(rows) == ["ada", "grace", "alan"]
    assert (rows["ada"]["seed"], rows["grace"]["seed"]) == ("77", "2")
    assert rows["ada"]["sha256"] == hashlib.sha256((place / "students/ada.zip").read_bytes()).hexdigest()
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    again = tree(made(fresh, ROSTER.replace("ada,1", "ada,77")))
    assert tree(place) == again, "as if the class had been written so at once"


def paths(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def test_only_takes_a_new_student_in_and_refuses_strangers(tmp_path: Path) -> None:
    place = made(tmp_path)
    roster(tmp_path, ROSTER + "zoe,5,\n")
    flags = [*DIGITS, "-o", str(place), "--roster", str(tmp_path / "students.csv")]
    assert torchgen(*flags, "--only", "zoe").exit_code == 0
    assert list(manifest(place)) == ["ada", "grace", "alan", "zoe"]
    result = torchgen(*flags, "--only", "eve", "--only", "bob")
    assert result.exit_code == 2 and "eve, bob" in result.stderr
    empty = torchgen(*DIGITS, "-o", tmp_path / "none", "--roster", tmp_path / "students.csv", "--only", "ada")
    assert empty.exit_code == 2 and "Write the whole class first" in empty.stderr


def test_only_and_vary_need_a_roster(tmp_path: Path) -> None:
    for flag in (["--only", "ada"], ["--vary", "data"]):
        result = torchgen(*DIGITS, "-o", tmp_path / "kit", *flag)
        assert result.exit_code == 2 and f"{flag[0]} needs a roster" in result.stderr


def test_a_class_is_not_written_over_without_force(tmp_path: Path) -> None:
    place = made(tmp_path)
    before = tree(place)
    flags = [*DIGITS, "-o", str(place), "--roster", str(tmp_path / "students.csv")]
    assert torchgen(*flags).exit_code == 2
    assert torchgen(*flags, "--force").exit_code == 0
    assert tree(place) == before


def test_data_goes_along_with_everybody(tmp_path: Path) -> None:
    table = "a,b,label\n" + "".join(f"{i},{i * i % 7},{'xyz'[i % 3]}\n" for i in range(90))
    (tmp_path / "plants.csv").write_text(table, encoding="utf-8")
    flags = [
        "--data",
        f"csv:{tmp_path / 'plants.csv'}",
        "--target",
        "label",
        "--task",
        "multiclass",
        "--gaps",
        "4,7",
    ]
    files = tree(made(tmp_path, flags=flags))
    for folder in ("students", "solutions", "grader/references"):
        for name in ("ada", "grace", "alan"):
            assert files[f"{folder}/{name}/data/plants.csv"].decode() == table
    with zipfile.ZipFile(tmp_path / "class/students/ada.zip") as archive:
        assert archive.read("ada/data/plants.csv").decode() == table


def test_a_leak_in_the_data_is_refused(tmp_path: Path) -> None:
    from PIL import Image

    for label in ("cat", "dog"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(12):
            Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / f"photos/{label}/{number}.png")
    (tmp_path / "photos" / "kit.json").write_text("{}", encoding="utf-8")
    result = torchgen("--data", f"images:{tmp_path / 'photos'}", "--gaps", "4,7", "-o", tmp_path / "kit")
    assert (
        result.exit_code == 2 and "kit.json" in result.stderr and "Take it out of the data" in result.stderr
    )
    assert not (tmp_path / "kit").exists()


def test_nobodys_seed_is_in_anothers_starter(tmp_path: Path) -> None:
    place = made(tmp_path, "id\nada\ngrace\nalan\n")
    seeds = {name: row["seed"] for name, row in manifest(place).items()}
    for name in seeds:
        texts = b"".join(tree(place / "students" / name).values()).decode()
        assert [other for other, seed in seeds.items() if seed in texts.replace("_", "")] == [name]


def test_what_students_share_of_the_grader_depends_on_no_variant(tmp_path: Path) -> None:
    kits = write_class(
        Wanted({"data": {"source": "sklearn:digits"}}, Path(), 3), rolled(tmp_path), tmp_path / "c"
    ).kits
    alone = write_class(
        Wanted({"data": {"source": "sklearn:digits"}}, Path(), 3),
        rolled(tmp_path, "id,seed,level\nzoe,99,1\n"),
        tmp_path / "d",
    ).kits["zoe"]
    for kit in kits.values():
        assert {n: t for n, t in kit.grader.items() if not classes._is_own(n)} == {
            n: t for n, t in alone.grader.items() if not classes._is_own(n)
        }


def rolled(folder: Path, text: str = "id,seed,level\nada,1,3\ngrace,2,1\n") -> Roll:
    return Roll(roster(folder, text))


def test_whatever_stops_it_nothing_is_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torchgen_scaffold.staging as staging

    real: Callable[..., None] = staging.write_new
    count = 0

    def failing(*given: Any, **named: Any) -> None:
        nonlocal count
        count += 1
        if count > 40:
            raise OSError(28, "No space left on device")
        real(*given, **named)

    monkeypatch.setattr(staging, "write_new", failing)
    result = torchgen(*DIGITS, "-o", tmp_path / "class", "--roster", roster(tmp_path))
    assert result.exit_code == 1 and "no room" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["students.csv"]


def test_json_tells_of_every_student(tmp_path: Path) -> None:
    result = torchgen(*DIGITS, "-o", tmp_path / "class", "--roster", roster(tmp_path), "--json")
    told = json.loads(result.stdout)
    assert [student["id"] for student in told["students"]] == ["ada", "grace", "alan"]
    assert told["vary"] == ["data", "sizes"] and told["verified"] == []
    assert "no solution was verified" in result.stderr
    assert sorted(told["files"]) == sorted(tree(tmp_path / "class"))


# Verifying.


def test_the_sample_is_spread_over_the_class() -> None:
    assert proving.sample_of([str(n) for n in range(300)]) == ["0", "149", "299"]
    assert proving.sample_of(["a", "b"]) == ["a", "b"]


def test_verify_needs_a_python_with_torch(tmp_path: Path) -> None:
    result = torchgen(*DIGITS, "-o", tmp_path / "kit", "--verify")
    assert result.exit_code == 2 and "has no torch, or no pytest" in result.stderr
    assert not (tmp_path / "kit").exists()


@pytest.mark.usefixtures("proved")
def test_a_solution_that_fails_its_tests_is_exit_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The solutions are proved in processes of their own; here a broken one is written."""
    real = classes.kit_of  # type: ignore[attr-defined]  # as that module calls it

    def broken(*given: Any, **named: Any) -> Any:
        kit = real(*given, **named)
        if named["level"] == 1:
            kit.solution["test_project.py"] = "def test_it() -> None:\n    assert False, 'no good'\n"
        else:
            kit.solution["test_project.py"] = "def test_it() -> None:\n    assert True\n"
        return kit

    monkeypatch.setattr(classes, "kit_of", broken)
    text = "id,seed,level\nada,1,2\ngrace,2,1\n"
    result = torchgen(*DIGITS[:2], "-o", tmp_path / "class", "--roster", roster(tmp_path, text), "--verify")
    assert result.exit_code == 1
    assert "FAILED grace" in result.stderr and "no good" in result.stderr and "ok     ada" in result.stderr
    assert "1 of 2 solutions passed" in result.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("proved")
def test_every_kind_of_variant_passes_its_own_tests(tmp_path: Path) -> None:
    for number, flags in enumerate(
        (
            ["--input-shape", "12,5", "--output-shape", "3", "--task", "multiclass", "--model", "lstm"],
            [
                "--input-shape",
                "1,9,9",
                "--output-shape",
                "2",
                "--task",
                "regression",
                "--layers",
                "conv(4, 3) -> relu",
            ],
        )
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        place = folder / "class"
        result = torchgen(*flags, "--gaps", "4,7", "-o", place, "--roster", roster(folder), "--verify")
        assert result.exit_code == 0, result.stderr
        assert "3 of 3 solutions passed" in result.stdout


# CI for a class.


@pytest.mark.parametrize(
    ("ci", "file", "schema"),
    [
        ("github", ".github/workflows/test_gaps.yml", "vendor.github-workflows"),
        ("gitlab", ".gitlab-ci.yml", "vendor.gitlab-ci"),
    ],
)
def test_the_workflow_of_a_starter_runs_its_public_tests(
    tmp_path: Path, ci: str, file: str, schema: str
) -> None:
    assert torchgen(*DIGITS, "-o", tmp_path / "kit", "--ci", ci).exit_code == 0
    starter, solution = tree(tmp_path / "kit/starter"), tree(tmp_path / "kit/solution")
    assert [name for name in starter if name.endswith(".yml")] == [file]
    done = checked("--builtin-schema", schema, str(tmp_path / "kit/starter" / file))
    assert done.returncode == 0, done.stdout
    parsed = yaml.safe_load(starter[file])
    if ci == "github":
        commands = [step["run"] for step in parsed["jobs"]["test"]["steps"] if "run" in step]
        assert parsed["permissions"] == {"contents": "read"} and solution[file] == starter[file]
        assert parsed["env"]["PIP_EXTRA_INDEX_URL"].endswith("/cpu")
    else:
        commands = parsed["test"]["script"]
        assert parsed["test"]["variables"]["PIP_EXTRA_INDEX_URL"].endswith("/cpu")
        assert (
            b"test_project.py" in solution[file]
        ), "the solution's own workflow runs more than the public tests"
    assert commands[0] == "pip install -r requirements.txt"
    assert commands[1].endswith("test_gaps.py") and len(commands) == 2


def test_without_ci_a_starter_has_none(tmp_path: Path) -> None:
    assert torchgen(*DIGITS, "-o", tmp_path / "kit").exit_code == 0
    assert not list((tmp_path / "kit").rglob("*.yml"))


def test_a_solution_is_the_project_that_new_writes(tmp_path: Path) -> None:
    place = made(tmp_path, ROSTER, "--ci", "gitlab")
    done = CliRunner().invoke(cli, ["check", str(place / "solutions" / "ada")])
    assert done.exit_code == 0, done.output
