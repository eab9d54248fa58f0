"""Plan to text: the only file that imports jinja2."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from torchgen_scaffold.escape import Code
from torchgen_scaffold.plan import Plan
from torchgen_scaffold.sources import SOURCES
from torchgen_scaffold.view import View


def templates_folder() -> Path:
    """Where the templates are: inside the installed package, or at the top of a checkout."""
    installed = Path(str(files("torchgen_scaffold") / "templates"))
    return installed if installed.is_dir() else Path(__file__).parents[2] / "templates"


def _only_code(value: object) -> object:
    """Refuse text that passed no escape: what is printed is Code, or a number."""
    if isinstance(value, (Code, int)):
        return value
    raise TypeError(f"a template printed {value!r:.60}, which passed no escape")


@cache
def environment() -> Environment:
    """One strict environment: undefined names fail, and so does text from outside."""
    return Environment(
        loader=FileSystemLoader(templates_folder()),
        undefined=StrictUndefined,
        finalize=_only_code,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def files_of(plan: Plan) -> dict[str, str]:
    """{path in the project: template} for one plan."""
    project = plan.spec.project
    names = {
        name: f"common/{name}.jinja"
        for name in ("README.md", "requirements.txt", ".gitignore", "torchgen.toml")
    }
    names |= {
        "model.py": "common/model.py.jinja",
        "dataset.py": f"dataset/{_dataset(plan)}.py.jinja",
        "train.py": f"{project.profile}/train.py.jinja",
        "eval.py": f"{project.profile}/eval.py.jinja",
        "test_project.py": "common/test_project.py.jinja",
    }
    if project.profile == "standard":
        names["batches.py"] = f"batches/{_batches(plan)}.py.jinja"
        names |= {name: f"standard/{name}.jinja" for name in ("predict.py", "runtime.py")}
    names |= _CI_FILES[project.ci]
    return names


def _dataset(plan: Plan) -> str:
    """The template of dataset.py: the source's, or the one for what is read piece by piece, or for images in it."""
    data = plan.spec.data
    if data.streams:
        return "stream"
    template = SOURCES[data.source].template
    return f"{template}_images" if data.holds_images and template != "images" else template


def _batches(plan: Plan) -> str:
    """The template of batches.py, by what the samples of a split are."""
    data = plan.spec.data
    return "stream" if data.streams else "files" if data.holds_images else "tensors"


_CI_FILES = {
    "none": {},
    "github": {".github/workflows/train.yml": "ci/github.yml.jinja"},
    "gitlab": {".gitlab-ci.yml": "ci/gitlab.yml.jinja"},
}


def render(plan: Plan) -> dict[str, str]:
    """{path in the project: text as the template gives it}."""
    view = View(plan)
    return {
        name: environment().get_template(source).render(plan=view) for name, source in files_of(plan).items()
    }
