"""torchgen update: the templates' changes arrive, the user's stay, and it happens whole or not at all."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from projects import make, run
from test_merging import run_git
from torchgen_scaffold import Spec, generate
from torchgen_scaffold.checkpoints import breaks
from torchgen_scaffold.cli import cli
from torchgen_scaffold.version import __version__
from torchgen_scaffold.written import MEMORY, remembered

SIZES: dict[str, Any] = {"input_shape": [4], "output_shape": [3], "task": "multiclass"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make(tmp_path, **SIZES)


def update(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(cli, ["update", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def tree(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }


def age(project: Path, **older: Callable[[str], str]) -> None:
    """Make the project one that older templates wrote: `older` makes the older text of a file (train for train.py)."""
    memory = json.loads((project / MEMORY).read_text())
    for stem, change in {"torchgen": _older_version, **older}.items():
        name = "torchgen.toml" if stem == "torchgen" else f"{stem}.py"
        text = change((project / name).read_text())
        assert text != (project / name).read_text()
        (project / name).write_text(text)
        memory["files"][name] = text.split("\n")
    (project / MEMORY).write_text(json.dumps(memory))


def _older_version(text: str) -> str:
    return text.replace(f'torchgen = "{__version__}"', 'torchgen = "0.0.1"')


def without_tqdm(text: str) -> str:
    """train.py as if its progress bar had been new."""
    return text.replace("from tqdm import tqdm\n", "")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1))


# What arrives and what stays.


def test_a_project_that_is_up_to_date_is_not_touched(project: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in project.iterdir()}
    result = update(project)
    assert result.exit_code == 0 and "is up to date." in result.stdout
    assert {path: path.stat().st_mtime_ns for path in project.iterdir()} == before


def test_untouched_files_become_what_new_gives(project: Path) -> None:
    fresh = tree(project)
    age(project, train=without_tqdm, model=lambda text: text.upper(), eval=lambda text: text + "# old\n")
    result = update(project)
    assert result.exit_code == 0, result.stderr
    assert tree(project) == fresh
    assert CliRunner().invoke(cli, ["check", str(project)]).exit_code == 0


def test_edits_stay_and_the_templates_changes_arrive(project: Path) -> None:
    fresh = (project / "train.py").read_text()
    age(project, train=without_tqdm)
    edit(
        project / "train.py",
        'if __name__ == "__main__":\n',
        'if __name__ == "__main__":\n    print("mine")\n',
    )
    (project / "notes.txt").write_text("mine\n")
    result = update(project)
    assert result.exit_code == 0, result.stderr
    assert "merged    train.py" in result.stdout
    expected = fresh.replace(
        'if __name__ == "__main__":\n', 'if __name__ == "__main__":\n    print("mine")\n'
    )
    assert (project / "train.py").read_text() == expected
    assert (project / "notes.txt").read_text() == "mine\n"
    memory = remembered(project)
    assert memory and memory["train.py"] == fresh, "the next update starts from what was generated now"


def test_a_conflict_is_marked_listed_and_has_to_be_resolved(project: Path) -> None:
    fresh = (project / "train.py").read_text()
    title = fresh.partition("\n")[0]
    age(project, train=lambda text: text.replace(title, '"""Old."""'), eval=lambda text: text + "# old\n")
    edit(project / "train.py", '"""Old."""', '"""Mine."""')
    result = update(project)
    assert result.exit_code == 1
    assert "conflict  train.py" in result.stdout and "1 file with conflicts" in result.stdout
    text = (project / "train.py").read_text()
    start = f'<<<<<<< yours\n"""Mine."""\n=======\n{title}\n>>>>>>> torchgen {__version__}\n'
    assert text == start + fresh.partition("\n")[2]
    assert not (project / "eval.py").read_text().endswith("# old\n"), "the other files are updated"
    assert not [name for name in tree(project) if name.endswith((".rej", ".orig"))]
    again = update(project)
    assert again.exit_code == 2 and "conflicts of an earlier update: train.py" in again.stderr
    (project / "train.py").write_text(text.replace(start, '"""Mine."""\n'))
    assert update(project).exit_code == 0


def test_changed_answers_arrive_beside_edits(project: Path) -> None:
    edit(
        project / "train.py",
        'if __name__ == "__main__":\n',
        'if __name__ == "__main__":\n    print("mine")\n',
    )
    result = update(project, "--set", "training.clip_norm=3", "--epochs", "7", "--ci", "github")
    assert result.exit_code == 0, result.stderr
    text = (project / "train.py").read_text()
    assert '"epochs": (7,' in text and 'print("mine")' in text
    assert "epochs = 7" in (project / "torchgen.toml").read_text()
    assert "added     .github/workflows/train.yml" in result.stdout
    result = update(project, "--ci", "gitlab")
    assert result.exit_code == 0
    assert (project / ".gitlab-ci.yml").is_file() and not (project / ".github").exists()


def test_what_the_user_wrote_into_the_answers_stays(project: Path) -> None:
    answers = project / "torchgen.toml"
    edit(answers, "epochs = ", "# as long as the paper\nepochs = ")
    edit(answers, "seed = 0", "seed = 4  # drawn by a die")
    result = update(project, "--lr", "0.5", "--optimizer", "sgd")
    assert result.exit_code == 0, result.stderr
    text = answers.read_text()
    assert "# as long as the paper\nepochs = " in text and "seed = 4  # drawn by a die" in text
    assert "lr = 0.5" in text and 'optimizer = "sgd"' in text and "momentum = 0.9" in text
    assert '"seed": (4,' in (project / "train.py").read_text()
    assert CliRunner().invoke(cli, ["check", str(project)]).exit_code == 0
    assert "a run that has not ended cannot be resumed: the optimizer was adam" in result.stderr


def test_answers_that_an_editor_marked_as_utf_8_are_read(project: Path) -> None:
    answers = project / "torchgen.toml"
    answers.write_bytes(b"\xef\xbb\xbf" + answers.read_bytes())
    assert CliRunner().invoke(cli, ["check", str(project)]).exit_code == 0
    assert update(project, "--lr", "0.5").exit_code == 0
    assert "lr = 0.5" in answers.read_text(encoding="utf-8")


def test_removed_files_stay_removed_and_dropped_ones_go_unless_edited(project: Path) -> None:
    age(project, eval=lambda text: text + "# old\n")
    (project / "eval.py").unlink()
    edit(project / "runtime.py", "import csv\n", "import csv  # mine\n")
    result = update(project, "--profile", "lesson")
    assert result.exit_code == 0, result.stderr
    assert not (project / "eval.py").exists() and not (project / "predict.py").exists()
    assert "import csv  # mine" in (project / "runtime.py").read_text()
    assert "kept      runtime.py: it is not generated any more, and has your edits" in result.stdout
    assert "checkpoints of the standard profile do not load in the lesson one" in result.stderr


def test_a_file_that_the_templates_renamed_moves_with_its_edits(project: Path) -> None:
    memory = json.loads((project / MEMORY).read_text())
    memory["files"]["evaluate.py"] = memory["files"].pop("eval.py")
    (project / MEMORY).write_text(json.dumps(memory))
    fresh = (project / "eval.py").read_text()
    (project / "eval.py").rename(project / "evaluate.py")
    (project / "evaluate.py").write_text(fresh + "# mine\n")
    result = update(project)
    assert result.exit_code == 0, result.stderr
    assert "eval.py, as evaluate.py is called now" in result.stdout
    assert not (project / "evaluate.py").exists()
    assert (project / "eval.py").read_text() == fresh + "# mine\n"


def test_line_endings_and_permissions_are_the_users(project: Path) -> None:
    age(project, train=without_tqdm)
    path = project / "train.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    path.chmod(0o755)
    fresh = generate(Spec.from_toml(project / "torchgen.toml"))["train.py"]
    assert update(project).exit_code == 0
    assert path.read_bytes() == fresh.replace("\n", "\r\n").encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_the_data_in_a_project_stays_as_it_is(tmp_path: Path) -> None:
    rows = "a,b,c\n" + "".join(f"{i},{i % 7},{i * 2}\n" for i in range(40))
    (tmp_path / "rows.csv").write_text(rows)
    project = make(tmp_path, data={"source": "csv:rows.csv", "target": "c"}, project={"copy_data": True})
    (tmp_path / "rows.csv").unlink()
    before = tree(project)
    assert update(project, "--epochs", "3").exit_code == 0
    assert update(project, "--drop", "b").exit_code == 0
    after = tree(project)
    assert after.keys() == before.keys()
    assert [after[name] for name in after if name.endswith(".csv")] == [rows.encode()]
    assert "b" not in Spec.from_toml(project / "torchgen.toml").data.columns


# What is refused, with nothing written.


def test_a_dry_run_shows_a_diff_that_does_the_same(project: Path, tmp_path: Path) -> None:
    age(project, train=without_tqdm)
    edit(
        project / "train.py",
        'if __name__ == "__main__":\n',
        'if __name__ == "__main__":\n    print("mine")\n',
    )
    before = tree(project)
    result = update(project, "--dry-run", "--ci", "github", "--profile", "standard")
    assert result.exit_code == 0 and tree(project) == before
    subprocess.run(["git", "apply", "-"], cwd=project, input=result.stdout.encode(), check=True)
    by_hand = tree(project)
    for name, content in before.items():
        (project / name).write_bytes(content)
    assert update(project, "--ci", "github").exit_code == 0
    done = tree(project)
    assert {name: text for name, text in done.items() if name != MEMORY} == {
        name: text for name, text in by_hand.items() if name != MEMORY
    }


def test_a_dirty_tree_is_refused(project: Path) -> None:
    run_git(project, "init", "-q")
    run_git(project, "add", "-A")
    run_git(project, "commit", "-qm", "first")
    edit(project / "README.md", "#", "# My")
    (project / "notes.txt").write_text("mine\n")  # untracked, and none of torchgen's business
    before = tree(project)
    result = update(project, "--epochs", "7")
    assert result.exit_code == 2 and "uncommitted changes" in result.stderr and "README.md" in result.stderr
    assert "notes.txt" not in result.stderr and tree(project) == before
    assert update(project, "--epochs", "7", "--dry-run").exit_code == 0
    assert update(project, "--epochs", "7", "--force").exit_code == 0
    run_git(project, "commit", "-qam", "second")
    assert update(project, "--epochs", "8").exit_code == 0
    assert (project / "README.md").read_text().startswith("# My")


def test_a_new_file_does_not_land_on_one_of_the_users(project: Path) -> None:
    (project / ".gitlab-ci.yml").write_text("mine: 1\n")
    before = tree(project)
    result = update(project, "--ci", "gitlab", "--force")
    assert result.exit_code == 2 and ".gitlab-ci.yml is in the way" in result.stderr
    assert tree(project) == before


@pytest.mark.parametrize(
    ("version", "says"),
    [("99.0", "torchgen 99.0 wrote this project"), ("0.0.1", "nobody knows what torchgen wrote")],
)
def test_a_version_that_it_cannot_start_from_is_refused(project: Path, version: str, says: str) -> None:
    (project / MEMORY).unlink()
    edit(project / "torchgen.toml", f'torchgen = "{__version__}"', f'torchgen = "{version}"')
    before = tree(project)
    result = update(project)
    assert result.exit_code == 2 and says in result.stderr
    assert tree(project) == before


def test_without_a_memory_the_same_version_knows_what_it_wrote(project: Path) -> None:
    (project / MEMORY).unlink()
    edit(
        project / "train.py",
        'if __name__ == "__main__":\n',
        'if __name__ == "__main__":\n    print("mine")\n',
    )
    assert update(project, "--epochs", "7").exit_code == 0
    assert 'print("mine")' in (project / "train.py").read_text() and (project / MEMORY).is_file()


@pytest.mark.parametrize("damage", ["{", '{"files": {"../outside": ["a"]}}', '{"files": {"/etc/x": ["a"]}}'])
def test_a_damaged_memory_is_refused(project: Path, damage: str) -> None:
    (project / MEMORY).write_text(damage)
    before = tree(project)
    result = update(project)
    assert result.exit_code == 2 and "is damaged" in result.stderr and tree(project) == before


@pytest.mark.parametrize("flags", [["--model", "cnn"], ["--set", "training.lrr=1"], ["--input-shape", "x"]])
def test_wrong_answers_are_refused(project: Path, flags: list[str]) -> None:
    before = tree(project)
    result = update(project, *flags)
    assert result.exit_code == 2 and "Error: " in result.stderr and tree(project) == before


def test_json_is_one_document(project: Path) -> None:
    age(project, eval=lambda text: text + "# old\n")
    document = json.loads(update(project, "--json", "--profile", "lesson").stdout)
    assert document["ok"] is True and document["conflicts"] == []
    kinds = {file["path"]: file["kind"] for file in document["files"]}
    assert kinds["runtime.py"] == "removed" and kinds["eval.py"] == "updated"
    assert any("profile" in note for note in document["notes"])


# Checkpoints.


def test_a_trained_network_still_loads_after_an_update_that_leaves_it_alone(project: Path) -> None:
    run(project, "train.py", "--epochs", "1")
    before = run(project, "eval.py")
    result = update(project, "--lr", "0.5", "--ci", "github")
    assert result.exit_code == 0 and "checkpoints" not in result.stderr
    assert run(project, "eval.py") == before


NETWORKS: list[dict[str, Any]] = [
    {"model": {"preset": "mlp"}},
    {"model": {"preset": "mlp", "hidden": [64]}},
    {"model": {"preset": "mlp", "dropout": 0.5}},
    {"model": {"preset": "linear"}},
    {"model": {"layers": "linear(128) -> tanh -> linear(64) -> tanh"}},
    {"model": {"layers": "linear(8) -> batchnorm -> relu"}},
    {"model": {"layers": "linear(8) -> batchnorm(eps=0.1) -> relu"}},
    {"model": {"layers": "linear(8) -> layernorm -> relu"}},
    {"model": {"layers": "linear(8, bias=False) -> layernorm -> relu"}},
    {"model": {"preset": "mlp"}, "task": "binary", "output_shape": [1]},
    {"model": {"preset": "mlp"}, "task": "regression"},
]


def specs() -> Iterator[Spec]:
    for network in NETWORKS:
        yield Spec.from_dict({"name": "p", **SIZES, **network})
    maps = {"input_shape": [3, 8, 8]}
    for layers in (
        "conv(4, 3)",
        "conv(4, 3, padding=1)",
        "conv(4, 3, stride=2)",
        "conv(4, 5)",
        "conv(4, 3) -> groupnorm(2)",
    ):
        yield Spec.from_dict(
            {"name": "p", **SIZES, **maps, "model": {"layers": f"{layers} -> adaptive_avgpool(1)"}}
        )
    for preset, more in (
        ("lstm", {}),
        ("gru", {}),
        ("lstm", {"num_layers": 2}),
        ("lstm", {"bidirectional": True}),
    ):
        shape = {"input_shape": [5, 4], "model": {"preset": preset, **more}}
        yield Spec.from_dict({"name": "p", **SIZES, **shape})


def test_which_checkpoints_load_is_what_torch_says() -> None:
    """Over every pair of these networks: torch loads the weights if and only if torchgen does not say otherwise."""
    import torch

    made = []
    for spec in specs():
        names: dict[str, Any] = {"__name__": "model"}
        exec(generate(spec)["model.py"], names)
        made.append((spec, names["Model"]()))
    loaded = 0
    for old, source in made:
        for new, target in made:
            said = " ".join(breaks(old, new))
            try:
                with torch.no_grad():
                    target.load_state_dict(source.state_dict())
                loads = True
            except RuntimeError:
                loads = False
            assert loads == ("will not load" not in said), (said, old.model, new.model)
            loaded += loads
    assert len(made) < loaded < len(made) ** 2


def test_another_network_around_the_same_weights_is_said() -> None:
    relu, tanh = (
        Spec.from_dict({"name": "p", **SIZES, "model": {"layers": f"linear(8) -> {name}"}})
        for name in ("relu", "tanh")
    )
    (note,) = breaks(relu, tanh)
    assert "were trained in another network: layer 2 was ReLU(), and becomes Tanh()" in note
    assert "nobody can tell" in next(breaks(None, tanh))
