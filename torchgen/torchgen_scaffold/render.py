"""Plan to text: the only file that imports jinja2."""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from torchgen_scaffold.escape import Code
from torchgen_scaffold.plan import Plan
from torchgen_scaffold.sources import SOURCES
from torchgen_scaffold.view import View
from torchgen_scaffold.view.ci import CI_FILES


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
    the jinja2 and the settings below that made it, and for no other.
    """

    def __init__(self) -> None:
        makers = (
            Path(file).stat() for file in (sys.modules[Environment.__module__].__file__, __file__) if file
        )
        self._made_by = " ".join(f"{maker.st_mtime_ns} {maker.st_size}" for maker in makers)

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """The file to keep it in."""
        return cache_from_source(filename or name)

    def get_source_checksum(self, source: str) -> str:
        """What it is made from."""
        return hashlib.sha256(f"{self._made_by}\n{source}".encode()).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read it, where it is there and still right."""
        with suppress(OSError), Path(bucket.key).open("rb") as file:
            bucket.load_bytecode(file)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it, whole or not at all: other processes may be reading."""
        if sys.dont_write_bytecode:
            return
        place = Path(bucket.key)
        staged = place.with_name(f"{place.name}.{os.getpid()}")
        with suppress(OSError):
            place.parent.mkdir(parents=True, exist_ok=True)
            staged.write_bytes(bucket.bytecode_to_string())
            staged.replace(place)


@cache
def environment() -> Environment:
    """One strict environment: undefined names fail, and so does text from outside."""
    return Environment(
        loader=FileSystemLoader(templates_folder()),
        undefined=StrictUndefined,
        finalize=_only_code,
        bytecode_cache=CompiledTemplates(),
        auto_reload=False,  # templates stay as they are while a command runs
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
    if project.ci in CI_FILES:
        names[CI_FILES[project.ci]] = f"ci/{project.ci}.yml.jinja"
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


def render(plan: Plan) -> dict[str, str]:
    """{path in the project: text as the template gives it}."""
    view = View(plan)
    return {
        name: environment().get_template(source).render(plan=view) for name, source in files_of(plan).items()
    }
