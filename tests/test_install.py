"""A clean machine: the wheel installs without torch and makes a project; requirements.txt alone runs it."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from projects import ROOT, make


def environment(folder: Path) -> Path:
    """A new virtual environment; returns its Python."""
    venv.create(folder, with_pip=True)
    return folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"


def call(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT, cwd=folder)
    return next(folder.glob("torchgen_scaffold-*.whl"))


def test_the_wheel_makes_a_project_without_torch(wheel: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / "venv")
    call(python, "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    assert "torch" not in call(python, "-m", "pip", "list", "--format=freeze", cwd=tmp_path).replace(
        "torchgen", ""
    )
    call(python.parent / "torchgen", "new", "digits", "--data", "sklearn:digits", "--yes", cwd=tmp_path)
    names = {path.name for path in (tmp_path / "digits").iterdir()}
    assert {"model.py", "train.py", "eval.py", "predict.py", "runtime.py", "test_project.py"} <= names
    call(python, "-m", "compileall", "-q", "digits", cwd=tmp_path)


@pytest.mark.parametrize("profile", ["standard", "lesson"])
def test_requirements_alone_run_the_project(profile: str, tmp_path: Path) -> None:
    project = make(tmp_path, data={"source": "sklearn:iris"}, project={"profile": profile})
    python = environment(tmp_path / "venv")
    # Held to the tested line of torch: what a newer one asks for is not this test's question.
    (tmp_path / "constraints.txt").write_text("torch~=2.13.0\n")
    held = tmp_path / "constraints.txt"
    call(
        *(python, "-m", "pip", "install", "--quiet", "-c", held, "-r", project / "requirements.txt"),
        cwd=tmp_path,
    )
    call(
        python, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_project.py", cwd=project
    )
    call(python, "train.py", "--epochs", "2", cwd=project)
    assert "accuracy" in call(python, "eval.py", cwd=project)
    if profile == "standard":
        assert "prediction" in call(python, "predict.py", cwd=project)


def test_torch_keeps_its_own_torchgen(wheel: Path, tmp_path: Path) -> None:
    """torch ships a package called torchgen; ours must never stand in front of it."""
    site = tmp_path / "site"
    call(
        sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site, wheel, cwd=tmp_path
    )
    assert not (site / "torchgen").exists()
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r}); "
        "import torch, torchgen.model, torchgen_scaffold, pathlib; "
        "assert 'torch' in str(pathlib.Path(torch.__file__).parent.name); "
        "assert pathlib.Path(torchgen.__file__).parent.parent == pathlib.Path(torch.__file__).parent.parent"
    )
    call(sys.executable, "-c", code, cwd=ROOT)
    call(sys.executable, "-c", code, cwd=ROOT / "torchgen")
