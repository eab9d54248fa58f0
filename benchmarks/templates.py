"""The same project as a template of cookiecutter and of copier, made from one that torchgen wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

NAME = "benchmark-project"  # the one word that a template fills in
_JINJA = ("{{", "{%", "{#")


def files_of(project: Path) -> dict[str, str]:
    """{relative path: text} of everything in a folder."""
    return {
        path.relative_to(project).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(project.rglob("*"))
        if path.is_file()
    }


def as_template(text: str, variable: str) -> str:
    """`text` as Jinja that gives it back, with the project's name as the one thing that is asked for."""
    for mark in _JINJA:
        text = text.replace(mark, f"\0{mark}\1")
    text = text.replace("\0", "{{ '").replace("\1", "' }}")
    return text.replace(NAME, f"{{{{ {variable} }}}}")


def write_cookiecutter(files: dict[str, str], folder: Path) -> Path:
    """A template for cookiecutter; beside it a configuration that keeps its notes out of the home folder."""
    template = folder / "cookiecutter"
    _write(files, template / "{{cookiecutter.name}}", "cookiecutter.name", lambda name: name)
    (template / "cookiecutter.json").write_text(json.dumps({"name": NAME}), encoding="utf-8")
    config = {"replay_dir": str(folder / "replay"), "cookiecutters_dir": str(folder / "cookiecutters")}
    (folder / "cookiecutter.yaml").write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
    return template


def write_copier(files: dict[str, str], folder: Path) -> Path:
    """A template for copier, which renders the files whose names end in .jinja."""
    template = folder / "copier"
    _write(files, template / "template", "name", lambda name: f"{name}.jinja")
    settings = {"_subdirectory": "template", "name": {"type": "str", "default": NAME}}
    (template / "copier.yml").write_text(json.dumps(settings), encoding="utf-8")
    return template


def _write(files: dict[str, str], folder: Path, variable: str, named: Callable[[str], str]) -> None:
    for name, text in files.items():
        path = folder / named(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(as_template(text, variable), encoding="utf-8")
