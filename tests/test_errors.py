"""Golden error messages: a request that is wrong, and every word of the answer.

Each file of golden_errors/ holds a command line, the files that it finds, and what it answers. To write the answers
anew after a wording has changed, run `TORCHGEN_UPDATE=1 pytest tests/test_errors.py`, and read the difference.
"""

from __future__ import annotations

import errno
import os
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from torchgen_scaffold.cli import cli

FOLDER = Path(__file__).parent / "golden_errors"
CASES = sorted(FOLDER.glob("*.toml"))
MARK = "# The answer.\n"
HERE = "<here>"  # the working directory, whose name differs from run to run


def _tables(folder: Path) -> None:
    rows = "".join(f"{n},{n / 4},{n * 0.37:.2f},{'no' if n % 3 else 'yes'}\n" for n in range(30))
    (folder / "houses.csv").write_text(f"rooms,area,price,sold\n{rows}")
    visits = "".join(f"p{n // 4},{n % 4},{n * 7 % 11},{'ill' if n == 9 else 'well'}\n" for n in range(60))
    (folder / "visits.csv").write_text(f"patient,day,pulse,state\n{visits}")
    (folder / "photos.csv").write_text("file,kind\ncat.png,cat\ndog.txt,dog\n")
    (folder / "gaps.csv").write_text(f"rooms,area,price,sold\n{rows}3,NaN,1,no\n4,,1,no\n5,wide,inf,yes\n")


def _arrays(folder: Path) -> None:
    inputs, labels = np.zeros((30, 1, 8, 8), np.float32), np.arange(30) % 3
    np.savez(folder / "good.npz", X=inputs, y=labels)
    np.savez(
        folder / "nan.npz", X=np.where(np.arange(30)[:, None, None, None] == 4, np.nan, inputs), y=labels
    )
    np.savez(folder / "last.npz", X=np.zeros((30, 28, 28, 3)), y=labels)
    np.savez(folder / "tokens.npz", X=np.full((30, 12), 70), y=labels)
    np.savez(folder / "one_class.npz", X=inputs, y=np.zeros(30, int))
    whole = (folder / "good.npz").read_bytes()
    (folder / "half.npz").write_bytes(whole[: len(whole) // 2])


def _images(folder: Path) -> None:
    for name in ("mixed/cat", "mixed/dog", "one/cat", "bad/cat", "bad/dog", "none"):
        (folder / name).mkdir(parents=True)
        for index in range(0 if name == "none" else 6):
            size = (8, 8) if name != "mixed/dog" else (12, 10)
            Image.new("L", size).save(folder / name / f"{index}.png")
    for name in ("train/cat", "train/dog", "test/cat", "test/fox"):
        (folder / "parts" / name).mkdir(parents=True)
        for index in range(6):
            Image.new("L", (8, 8)).save(folder / "parts" / name / f"{index}.png")
    (folder / "bad/cat/3.png").write_text("no image")
    Image.new("I;16", (8, 8)).save(folder / "bad/dog/deep.tiff")


MAKERS: dict[str, Callable[[Path], None]] = {"tables": _tables, "arrays": _arrays, "images": _images}


def _disk_full(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("torchgen_scaffold.staging.write_new", write)


def _not_writable(monkeypatch: pytest.MonkeyPatch) -> None:
    def mkdir(self: Path, *args: Any, **kwargs: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self.parent))

    monkeypatch.setattr(Path, "mkdir", mkdir)


FAULTS = {"disk full": _disk_full, "not writable": _not_writable}


def everything_in(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def answer(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """The exit code, stdout and stderr of `torchgen ARGUMENTS`, run in this process."""
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments, prog_name="torchgen")
    out, err = (text.replace(str(Path.cwd()), HERE) for text in capsys.readouterr())
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, out, err


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_golden_error(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    question = tomllib.loads(case.read_text("utf-8"))
    for name in question.get("makes", []):
        MAKERS[name](tmp_path)
    for name, text in question.get("files", {}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    before = everything_in(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["torchgen"])
    with monkeypatch.context() as machine:
        if "fault" in question:
            FAULTS[question["fault"]](machine)
        code, out, err = answer(question["arguments"], capsys)
    if os.environ.get("TORCHGEN_UPDATE"):
        asked = case.read_text("utf-8").partition(MARK)[0]
        texts = "".join(
            f"{key} = '''\n{text}'''\n" for key, text in (("stderr", err), ("stdout", out)) if text
        )
        case.write_text(f"{asked}{MARK}[answer]\nexit = {code}\n{texts}", "utf-8")
        question = tomllib.loads(case.read_text("utf-8"))
    expected = question["answer"]
    assert err == expected["stderr"]
    assert code == expected["exit"]
    assert out == expected.get("stdout", "")
    assert everything_in(tmp_path) == before, "something was written, or lost"


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_every_message_says_what_why_and_what_instead(case: Path) -> None:
    question = tomllib.loads(case.read_text("utf-8"))
    expected = question["answer"]
    assert expected["exit"] == (1 if question.get("fault") == "disk full" else 2)
    assert "Traceback" not in expected["stderr"]
    if expected["stderr"].startswith("Usage:"):  # click's own words about a flag
        return
    for block in expected["stderr"].rstrip("\n").split("\n\n"):
        what, *rest = block.split("\n")
        assert what.startswith("Error: ") and not what.endswith(" ")
        assert rest and all(line.startswith("  ") for line in rest), block
        assert 2 <= len(block.split("\n")) <= 3
    if "stdout" in expected:
        assert "✗" in expected["stdout"], "stdout is empty but for the table up to a bad layer"


def test_there_is_a_case_for_every_error_of_the_contract() -> None:
    assert len(CASES) >= 45
    assert {"disk_full", "not_writable", "not_empty", "several"} <= {case.stem for case in CASES}
