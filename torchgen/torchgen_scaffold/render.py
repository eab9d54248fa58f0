"""Plan to text: the only file that imports jinja2."""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from torchgen_scaffold.errors import MachineError, Problem, TorchgenError
from torchgen_scaffold.escape import Code, visible
from torchgen_scaffold.plan import Plan
from torchgen_scaffold.plugins import template_folders
from torchgen_scaffold.sources import SOURCES
from torchgen_scaffold.view import View


def templates_folder() -> Path:
    """Where the templates are: inside the installed package, or at the top of a checkout."""
    here = Path(__file__).parent
    installed = here / "templates"
    return installed if installed.is_dir() else here.parents[1] / "templates"


def _only_code(value: object) -> object:
    """Refuse text that passed no escape: what is printed is Code, or a number."""
    if isinstance(value, (Code, int)):
        return value
    raise TypeError(f"a template printed {value!r:.60}, which passed no escape")


class CompiledTemplates(BytecodeCache):
    """Compiled templates, kept where Python keeps compiled modules, and on the same terms.

    To compile them takes longer than everything else that `torchgen new` does. So each stands in `__pycache__` beside
    its template (or under PYTHONPYCACHEPREFIX); PYTHONDONTWRITEBYTECODE keeps them away, and a folder that cannot be
    written does no harm. One is used for the very text that it was made from, by
    the jinja2 and the settings below that made it, and for no other. `kind` tells apart what is compiled in two ways.
    Templates that are not torchgen's are compiled each time: what stands beside them would run outside of the sandbox.
    """

    def __init__(self, kind: str = "") -> None:
        self._kind = kind
        makers = (
            Path(file).stat() for file in (sys.modules[Environment.__module__].__file__, __file__) if file
        )
        self._made_by = " ".join(f"{maker.st_mtime_ns} {maker.st_size}" for maker in makers)

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """The file to keep it in; empty where it is not kept."""
        own = filename and Path(filename).is_relative_to(templates_folder())
        return cache_from_source(filename, optimization=self._kind) if filename and own else ""

    def get_source_checksum(self, source: str) -> str:
        """What it is made from."""
        return hashlib.sha256(f"{self._made_by}\n{source}".encode()).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read it, where it is there and still right."""
        if bucket.key:
            with suppress(OSError), Path(bucket.key).open("rb") as file:
                bucket.load_bytecode(file)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it, whole or not at all: other processes may be reading."""
        if sys.dont_write_bytecode or not bucket.key:
            return
        place = Path(bucket.key)
        staged = place.with_name(f"{place.name}.{os.getpid()}")
        with suppress(OSError):
            place.parent.mkdir(parents=True, exist_ok=True)
            staged.write_bytes(bucket.bytecode_to_string())
            staged.replace(place)


_STRICT: dict[str, Any] = {
    "undefined": StrictUndefined,
    "finalize": _only_code,
    "auto_reload": False,  # templates stay as they are while a command runs
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
    "autoescape": False,
}


@cache
def environment() -> Environment:
    """One strict environment: undefined names fail, and so does text from outside."""
    return Environment(
        loader=FileSystemLoader(templates_folder()), bytecode_cache=CompiledTemplates(), **_STRICT
    )


@cache
def sandbox(*folders: Path) -> Environment:
    """The same for templates that are not torchgen's: they reach what they are given, and nothing behind it."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folders), bytecode_cache=CompiledTemplates("sandbox"), **_STRICT
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
    """{path in the project: text as the template gives it}. Raises MachineError where a plug-in's cannot be used."""
    view = View(plan)
    folders = template_folders()
    if not folders:
        return {
            name: environment().get_template(source).render(plan=view)
            for name, source in files_of(plan).items()
        }
    used = sandbox(templates_folder(), *folders)
    return {name: _foreign(used, source, view) for name, source in files_of(plan).items()}


def _foreign(used: Environment, source: str, view: View) -> str:
    """The text of one template, which may be a plug-in's."""
    try:
        return used.get_template(source).render(plan=view)
    except TorchgenError:
        raise
    except Exception as error:  # a template may do anything wrong that an expression can
        what = f"the template {source}, or one that it includes, cannot be used"
        said = visible(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")
        instead = "Mend or update the plug-in that has it, or take it out with pip uninstall."
        raise MachineError(Problem(what, said, instead)) from error
