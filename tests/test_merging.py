"""Three-way merges: whatever the user changed survives, and whatever the templates changed arrives."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torchgen_scaffold import git
from torchgen_scaffold.errors import MachineError
from torchgen_scaffold.git import merge_texts, uncommitted
from torchgen_scaffold.merging import Change, merge_trees, renames

TEXT = "".join(f"line {number}\n" for number in range(1, 21))
EDITED = TEXT.replace("line 3\n", "my line 3\n")
NEWER = TEXT.replace("line 17\n", "their line 17\n")
BOTH = EDITED.replace("line 17\n", "their line 17\n")


def one(base: str | None, mine: str | None, new: str | None, name: str = "a.txt") -> Change | None:
    """What becomes of one file in these three states; None is a file that is not there."""
    sides = ({name: text} if text is not None else {} for text in (base, mine, new))
    changes = merge_trees(*sides)
    assert len(changes) <= 1
    return changes[0] if changes else None


@pytest.mark.parametrize(
    ("base", "mine", "new", "kind", "text"),
    [
        (TEXT, TEXT, TEXT, None, None),
        (TEXT, EDITED, TEXT, None, None),  # the templates have not changed it: the edit stays
        (TEXT, None, TEXT, None, None),  # nor the removal
        (TEXT, NEWER, NEWER, None, None),  # done already
        (None, TEXT, TEXT, None, None),
        (TEXT, TEXT, NEWER, "updated", NEWER),
        (TEXT, EDITED, NEWER, "merged", BOTH),
        (TEXT, None, NEWER, "gone", None),
        (None, None, NEWER, "added", NEWER),
        (None, EDITED, NEWER, "taken", None),
        (TEXT, TEXT, None, "removed", None),
        (TEXT, EDITED, None, "kept", None),
        (TEXT, None, None, None, None),
    ],
)
def test_every_state_of_a_file(
    base: str | None, mine: str | None, new: str | None, kind: str | None, text: str | None
) -> None:
    change = one(base, mine, new)
    assert (change.kind if change else None) == kind
    assert (change.text if change else None) == text
    assert change is None or change.writes == (text is not None)
    assert change is None or change.removes == ("a.txt" if kind == "removed" else "")


def test_a_conflict_stands_in_the_file_between_markers() -> None:
    change = one(TEXT, TEXT.replace("line 3\n", "mine\n"), TEXT.replace("line 3\n", "theirs\n"))
    assert change and change.kind == "conflict" and change.text
    before, inside, after = change.text.partition("<<<<<<< yours\nmine\n=======\ntheirs\n>>>>>>> torchgen ")
    assert before == "line 1\nline 2\n" and inside and after.endswith("line 20\n")


def test_the_users_own_style_of_conflicts_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "gitconfig"
    config.write_text("[merge]\n\tconflictStyle = diff3\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    text, conflicts = merge_texts("a\n", "b\n", "c\n")
    assert conflicts == 1 and "|||||||" not in text


def test_two_sides_that_fit_by_lines_and_not_as_python_are_a_conflict() -> None:
    body = "".join(f"    {name} = 1\n" for name in "abcdef")
    base, mine = f"def f():\n{body}", f"def f():\n    x = 1\n{body}"
    new = f"{base}    global x\n    x = 2\n"  # fine by itself, and an error after the user's x
    change = one(base, mine, new, "a.py")
    assert change and change.kind == "conflict" and "not as Python" in change.why
    assert change.text == f"{mine}    global x\n    x = 2\n"
    text = one(base, mine, new, "a.txt")
    assert text and text.kind == "merged"
    broken = one(base, mine.replace("a = 1", "a = ["), new, "a.py")
    assert broken and broken.kind == "merged", "what the user broke is the user's to mend"


def test_a_renamed_file_takes_the_edits_along() -> None:
    changes = merge_trees({"old.py": TEXT}, {"old.py": EDITED}, {"new.py": NEWER})
    assert changes == (Change("new.py", "merged", BOTH, "old.py"),)
    assert changes[0].removes == "old.py"
    untouched = merge_trees({"old.py": TEXT}, {"old.py": TEXT}, {"new.py": TEXT})
    assert untouched == (Change("new.py", "updated", TEXT, "old.py"),)


def test_a_renamed_file_that_was_removed_stays_removed() -> None:
    (change,) = merge_trees({"old.py": TEXT}, {}, {"new.py": NEWER})
    assert change.kind == "gone" and not change.writes and not change.removes


def test_a_renamed_file_does_not_land_on_one_of_the_users() -> None:
    (change,) = merge_trees({"old.py": TEXT}, {"old.py": EDITED, "new.py": "mine\n"}, {"new.py": NEWER})
    assert change.kind == "taken" and not change.writes and not change.removes


def test_files_that_are_alike_are_paired_once_and_best_first() -> None:
    base = {"a": TEXT, "b": TEXT.replace("line 1", "row 1")}
    assert renames(base, {"c": TEXT, "d": "other\n"}) == {"a": "c"}
    assert renames(base, {"a": TEXT, "b": "other\n"}) == {}


LINES = st.lists(st.sampled_from("abcd"), max_size=6).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)


@settings(max_examples=60)
@given(LINES, LINES, LINES)
def test_no_line_of_the_users_is_ever_lost(base: str, mine: str, new: str) -> None:
    """Every line that the user added is in the result, conflict or not; without edits the result is the new text."""
    change = one(base, mine, new)
    text = mine if change is None or change.text is None else change.text
    if change and change.kind == "removed":
        return
    for line in set(mine.split()) - set(base.split()):
        assert line in text.split()
    if mine == base:
        assert text == new


# What git knows of a project.


def run_git(folder: Path, *arguments: str) -> None:
    names = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *names, *arguments], cwd=folder, check=True, capture_output=True)


def test_uncommitted_changes_are_found_from_any_depth(tmp_path: Path) -> None:
    project = tmp_path / "deep" / "project"
    project.mkdir(parents=True)
    assert uncommitted(project, ["a"]) == []  # no repository: nothing that git could know
    run_git(tmp_path, "init", "-q")
    (project / "a").write_text("1\n")
    (project / "ü b").write_text("1\n")
    (tmp_path / "outside").write_text("1\n")
    run_git(tmp_path, "add", "deep")
    assert sorted(uncommitted(project, [])) == ["a", "ü b"]
    run_git(tmp_path, "commit", "-qm", "first")
    assert uncommitted(project, ["a"]) == []
    (project / "a").unlink()
    (project / "new").write_text("mine\n")
    assert uncommitted(project, []) == ["a"]
    assert sorted(uncommitted(project, ["new", "other"])) == ["a", "new"]


def test_without_git_a_merge_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="Install git"):
        merge_texts("a\n", "b\n", "c\n")
    assert git.uncommitted(Path(), []) == []
