"""Plan to text: the only file that imports jinja2."""

from __future__ import annotations

import hashlib
import os
import sys
import traceback
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from jinja2 import (
    BytecodeCache,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
    Undefined,
)
from jinja2.bccache import Bucket

from torchgen_scaffold.errors import MachineError, Problem, TemplateError, TorchgenError
from torchgen_scaffold.escape import Code, visible
from torchgen_scaffold.overlay import EXTRA, SUFFIX, is_inside, names_in, own_templates
from torchgen_scaffold.plan import Plan
from torchgen_scaffold.plugins import template_folders
from torchgen_scaffold.sources import SOURCES
from torchgen_scaffold.view import View
from torchgen_scaffold.view.ci import CI_FILES


def _only_code(value: object) -> object:
    """Refuse text that passed no escape: what is printed is Code, or a number."""
    if isinstance(value, (Code, int)):
        return value
    if isinstance(value, Undefined):
        return str(value)  # raises, and says which name
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
        own = filename and Path(filename).is_relative_to(own_templates())
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
        loader=FileSystemLoader(own_templates()), bytecode_cache=CompiledTemplates(), **_STRICT
    )


@cache
def sandbox(folder: Path | None, plugins: tuple[Path, ...]) -> Environment:
    """The same for templates that are not torchgen's: they reach what they are given, and nothing behind it.

    The `folder` of --templates goes before torchgen's own, and those before the folders of `plugins`.
    """
    from jinja2 import ChoiceLoader
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    before = [_Inside(folder)] if folder else []
    loader = ChoiceLoader([*before, FileSystemLoader(own_templates()), *map(_Inside, plugins)])
    return ImmutableSandboxedEnvironment(
        loader=loader, bytecode_cache=CompiledTemplates("sandbox"), **_STRICT
    )


class _Inside(FileSystemLoader):
    """Templates of one folder that really are in it: no link leads out, and nothing but templates is read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._folder = folder

    def get_source(self, environment: Environment, template: str) -> Any:
        """See jinja2.FileSystemLoader.get_source. Raises TemplateNotFound for anything else."""
        if not template.endswith(SUFFIX) or not is_inside(self._folder / template, self._folder):
            raise TemplateNotFound(template)
        return super().get_source(environment, template)


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


def render(plan: Plan, gaps: frozenset[str] = frozenset()) -> dict[str, str]:
    """{path in the project: text as the template gives it}, with these gaps of a teaching kit open.

    Raises TemplateError where one of `--templates` is broken, MachineError where one of a plug-in is.
    """
    folder = plan.spec.project.templates_at
    names = files_of(plan) if _own_alone(folder) else _with_extra(plan, folder)
    return rendered(View(plan, gaps), names, folder)


def rendered(view: View, names: dict[str, str], folder: Path | None) -> dict[str, str]:
    """{path: text} of {path: template}; the templates of `folder` go before torchgen's own. Raises as `render` does."""
    if _own_alone(folder):
        return {name: environment().get_template(source).render(plan=view) for name, source in names.items()}
    return {name: _foreign(folder, source, view) for name, source in names.items()}


def _own_alone(folder: Path | None) -> bool:
    return folder is None and not template_folders()


# Templates of somebody else's.


def _with_extra(plan: Plan, folder: Path | None) -> dict[str, str]:
    """`files_of`, and what is under `extra/`. Raises TemplateError where both would be one file."""
    names = files_of(plan)
    for source in names_in(folder) if folder else ():
        if source.startswith(EXTRA):
            path = source.removeprefix(EXTRA).removesuffix(SUFFIX)
            if path in names:
                what = f"{visible(source)} would be {visible(path)}, which {visible(names[path])} makes"
                raise TemplateError(Problem(what, "", f"Put yours at {visible(names[path])}, or rename it."))
            names[path] = source
    return names


def _foreign(folder: Path | None, source: str, view: View) -> str:
    """The text that one template gives, or that a file under `extra/` holds as it is."""
    place, line = Path(source), 0
    failed: Exception
    try:
        if folder and not source.endswith(SUFFIX):
            return (folder / source).read_text(encoding="utf-8")
        template = sandbox(folder, template_folders()).get_template(source)
        place = Path(template.filename or source)
        return template.render(plan=view)
    except TorchgenError:
        raise
    except TemplateSyntaxError as error:
        place, line, failed = Path(error.filename or place), error.lineno, error
    except Exception as error:  # a template may do anything wrong that an expression can
        for frame in traceback.extract_tb(error.__traceback__):  # jinja2 puts its own lines there
            if frame.filename.endswith(SUFFIX):
                place, line = Path(frame.filename), frame.lineno or 0
        failed = error
    why = visible(str(failed).splitlines()[0] if str(failed) else type(failed).__name__)
    if isinstance(failed, TypeError) and "passed no escape" in why:
        why = f"{why}: print what `plan` offers"
    where = visible(str(place)) + (f", line {line}," if line else "")
    raise _fault(folder, place, f"the template {where} cannot be used", why) from failed


def broken(plan: Plan, path: str, error: SyntaxError) -> Exception:
    """The error for a Python file that is none: a template's of somebody else's, else torchgen's own (a bug)."""
    folder = plan.spec.project.templates_at
    source = _with_extra(plan, folder)[path]
    place = next((where / source for where in _foreign_folders(folder) if (where / source).is_file()), None)
    if place is None and not folder:
        return error
    shown = visible(str(place or source))
    line = f", line {error.lineno}" if error.lineno else ""
    what = f"the template {shown} makes a {visible(path)} that is no Python"
    return _fault(folder, place or Path(source), what, f"{visible(path)}{line}: {error.msg}")


def _foreign_folders(folder: Path | None) -> tuple[Path, ...]:
    return (*([folder] if folder else []), *template_folders())


def _fault(folder: Path | None, place: Path, what: str, why: str) -> TorchgenError:
    """Whose fault it is: the request's, which named the folder, or that of a package that is installed."""
    if any(place.is_relative_to(installed) for installed in template_folders()):
        instead = "Mend or update the plug-in that has it, or take it out with pip uninstall."
        return MachineError(Problem(what, why, instead))
    instead = "Mend it, or compare it with torchgen's own: torchgen templates export DIR"
    return TemplateError(Problem(what, why, instead)) if folder else MachineError(Problem(what, why, instead))
