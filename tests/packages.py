"""Packages with rows for torchgen: the example in tests/plugin as pip installs it, and small ones written by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "tests" / "plugin"


def installed(folder: Path) -> Path:
    """Install the example into a folder of its own, without the network; returns the folder."""
    site = folder / "site"
    command = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    offline = ("--no-deps", "--no-build-isolation", "--no-index")
    done = subprocess.run(
        [*command, *offline, "--target", str(site), str(EXAMPLE)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return site


def written(site: Path, package: str, entry_points: Mapping[str, str], **modules: str) -> Path:
    """Write a package as an installer leaves it: modules, and metadata whose keys are `layers/prelu`; returns `site`."""
    metadata = site / f"{package.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = []
    for key, value in entry_points.items():
        group, _, name = key.partition("/")
        lines += [f"[torchgen.{group}]", f"{name} = {value}"]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    for name, text in modules.items():
        (site / f"{name}.py").write_text(text)
    return site


def torchgen(site: Path | None, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `torchgen` in `folder`, with what is in `site` beside it."""
    path = [str(ROOT / "torchgen"), *([str(site)] if site else [])]
    return subprocess.run(
        [sys.executable, "-m", "torchgen_scaffold", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
