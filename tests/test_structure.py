"""The house's own rules: imports go down only, heavy libraries stay where they belong, files stay small."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from torchgen_scaffold.commands import COMMANDS

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "torchgen" / "torchgen_scaffold"
PACKAGE = "torchgen_scaffold"

# Each floor may import the floors above it in this list, and modules of its own floor where that makes no circle.
FLOORS = (
    ("version", "records", "errors", "spelling", "splits", "children"),
    ("escape",),
    ("names", "overlay", "plugins"),
    ("layers",),
    ("shapes", "kinds", "lists"),
    ("training", "presets", "sources", "tasks", "gaps", "lessons"),
    ("settings", "spec"),
    ("network", "answers"),
    ("plan",),
    ("view",),
    (
        "render",
        "folding",
        "formatting",
        "catalogue",
        "schema",
        "wording",
        "verify",
        "places",
        "staging",
        "changing",
    ),
    ("checkpoints", "git", "written"),
    ("generate", "merging", "write", "stages", "layout", "glyphs", "show"),
    ("checking", "create", "draw", "kits", "matrix", "updating"),
    ("prompts", "show_changes", "show_kit"),
    ("commands",),
    ("cli",),
    ("__main__", "__init__"),
)
LEVEL = {name: level for level, floor in enumerate(FLOORS) for name in floor}

# A module may import upwards only inside a function, and only these do.
# Spec.from_dict is the door that people use; what checks the answers stands above the Spec that it makes.
LATE_IMPORTS = {("spec", "answers")}


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def unit_of(dotted: str) -> str:
    """`torchgen_scaffold.layers.base` stands on the floor of `layers`; the package itself is `__init__`."""
    return [*dotted.split("."), "__init__"][1]


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).with_suffix("").parts[0]


def imports_of(path: Path) -> Iterator[tuple[str, bool]]:
    """(dotted module, whether it is imported when this module is); what only type checkers read does not count."""
    for node, late in _walk(tree_of(path), False):
        if isinstance(node, ast.Import):
            yield from ((alias.name, late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            module = node.module or ""
            if module == PACKAGE:  # from torchgen_scaffold import x
                yield from ((f"{PACKAGE}.{alias.name}", late) for alias in node.names)
            else:
                yield module, late


def _walk(node: ast.AST, late: bool) -> Iterator[tuple[ast.AST, bool]]:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        return
    yield node, late
    inside = late or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, inside)


def test_every_module_has_a_floor() -> None:
    assert {name_of(path) for path in modules()} == set(LEVEL)


def test_imports_go_down_only() -> None:
    upwards = []
    for path in modules():
        here = name_of(path)
        for dotted, late in imports_of(path):
            there = unit_of(dotted)
            if not dotted.startswith(PACKAGE) or LEVEL[there] <= LEVEL[here]:
                continue
            if not (late and (here, there) in LATE_IMPORTS):
                upwards.append(f"{path.relative_to(SOURCE)} imports {dotted}")
    assert not upwards


def test_no_circle_within_a_floor() -> None:
    wants: dict[str, set[str]] = {}
    for path in modules():
        wanted = {
            unit_of(dotted) for dotted, late in imports_of(path) if dotted.startswith(PACKAGE) and not late
        }
        wants.setdefault(name_of(path), set()).update(wanted - {name_of(path)})
    seen: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"a circle: {' -> '.join((*path, name))}"
        if name not in seen:
            for other in sorted(wants[name]):
                visit(other, (*path, name))
            seen.add(name)

    for name in sorted(wants):
        visit(name, ())


# (library, the only files that import it; whether the import may stand at the top of the file)
HOMES = {
    "jinja2": ({"render.py"}, True),
    "black": ({"formatting.py"}, False),
}
LATE_ONLY = {"torch", "numpy", "pandas", "PIL", "sklearn", "questionary", "black", "prompt_toolkit"}


def test_jinja2_and_black_each_have_one_home() -> None:
    found: dict[str, set[str]] = {library: set() for library in HOMES}
    for path in modules():
        for dotted, late in imports_of(path):
            library = dotted.split(".")[0]
            if library in HOMES:
                found[library].add(path.relative_to(SOURCE).as_posix())
                assert HOMES[library][1] or late, f"{path.name} imports {library} at its top"
    assert found == {library: home for library, (home, _) in HOMES.items()}


def test_the_generator_imports_no_heavy_library_when_it_is_imported() -> None:
    early = [
        f"{path.relative_to(SOURCE)}: {dotted}"
        for path in modules()
        for dotted, late in imports_of(path)
        if dotted.split(".")[0] in LATE_ONLY and not late and name_of(path) != "prompts"
    ]
    assert not early


def test_nobody_imports_torch() -> None:
    users = [
        path.name for path in modules() for dotted, _ in imports_of(path) if dotted.split(".")[0] == "torch"
    ]
    assert not users


# Modules above 300 lines and functions above 45, each with the reason why it is better whole.
LONG_MODULES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}


def test_modules_stay_small() -> None:
    long = {
        path.relative_to(SOURCE).as_posix(): lines
        for path in modules()
        if (lines := len(path.read_text("utf-8").splitlines())) > 300
    }
    assert set(long) == set(LONG_MODULES), long


def test_functions_stay_small() -> None:
    long = {
        f"{path.relative_to(SOURCE).as_posix()}:{node.name}": node.end_lineno - node.lineno + 1
        for path in modules()
        for node in ast.walk(tree_of(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > 45
    }
    assert set(long) == set(LONG_FUNCTIONS), long


# In processes of their own: what a command really imports.

LOADED = """
import sys
before = set(sys.modules)  # what coverage brings along is none of ours
from torchgen_scaffold.cli import cli
try:
    cli(sys.argv[1:], prog_name="torchgen")
finally:
    print("LOADED", *sorted({name.split(".")[0] for name in set(sys.modules) - before}), file=sys.stderr)
"""


def loaded_by(folder: Path, *arguments: str) -> set[str]:
    """The top-level modules that a command has loaded when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(SOURCE.parent)},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.rpartition("LOADED ")[2].split())


HEAVY = {"torch", "numpy", "pandas", "PIL", "sklearn", "scipy", "matplotlib", "questionary", "prompt_toolkit"}

LATER = HEAVY | {"jinja2", "black", "rich"}
# Of the standard library, what would be felt: milliseconds each, for one source or one flag alone.
SLOW = {"dataclasses", "tomllib", "csv", "statistics", "zipfile", "tempfile", "secrets"}


@pytest.mark.parametrize(
    ("arguments", "never"),
    [
        (["--help"], LATER | SLOW | {"json"}),
        (["new", "--help"], LATER | SLOW | {"json"}),
        (["--version"], LATER | SLOW | {"json"}),
        (["options"], LATER | SLOW | {"json"}),
        (["plan", "--data", "sklearn:digits"], LATER | SLOW | {"json"}),
        (["plan", "--data", "sklearn:digits", "--json"], LATER | SLOW),
        (["new", "digits", "--data", "sklearn:digits", "--yes"], HEAVY | {"black", "rich"}),
    ],
)
def test_what_a_command_loads(tmp_path: Path, arguments: list[str], never: set[str]) -> None:
    loaded = loaded_by(tmp_path, *arguments)
    assert "click" in loaded, "the probe saw nothing"
    assert not loaded & never


def test_the_help_needs_no_table() -> None:
    """`torchgen --help` and --version load the group, the commands' lines and the version; nothing else of ours."""
    probe = (
        "import sys\nfrom torchgen_scaffold.cli import cli\ntry: cli(['--help'])\n"
        f"finally: print('OURS', *sorted(n for n in sys.modules if n.startswith('{PACKAGE}')), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe],
        env={**os.environ, "PYTHONPATH": str(SOURCE.parent)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    ours = {PACKAGE, f"{PACKAGE}.cli", f"{PACKAGE}.commands", f"{PACKAGE}.version"}
    assert set(done.stderr.partition("OURS ")[2].split()) == ours


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_of_a_command_is_its_own(name: str) -> None:
    command = importlib.import_module(f"{PACKAGE}.commands.{name}").command
    assert command.name == name
    assert command.help.splitlines()[0] == COMMANDS[name]


def test_every_module_of_the_commands_has_its_line() -> None:
    holders = {path.stem for path in (SOURCE / "commands").glob("*.py") if "command" in names_in(path)}
    assert holders == set(COMMANDS)


def names_in(path: Path) -> set[str]:
    """The functions at the top of a module."""
    return {node.name for node in tree_of(path).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("folder", [ROOT, ROOT / "torchgen"])
def test_torchs_own_torchgen_stays_in_front(folder: Path) -> None:
    """torch's wheel has a package called torchgen: the checkout as working directory must not hide it."""
    probe = (
        "import sys; sys.path.insert(0, '')\n"
        "import torch, torchgen.model, torchgen_scaffold\n"
        "print(torchgen.__file__); print(torchgen_scaffold.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(SOURCE.parent)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    theirs, ours = done.stdout.split()
    assert "site-packages" in theirs
    assert Path(ours).resolve() == SOURCE / "__init__.py"


def test_the_source_root_is_no_package() -> None:
    assert not (ROOT / "torchgen" / "__init__.py").exists()
