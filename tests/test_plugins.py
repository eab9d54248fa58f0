"""Rows from other packages: the example package works as torchgen's own rows do, and a broken one is told by name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from packages import ROOT, installed, torchgen, written
from projects import run, run_tests
from torchgen_scaffold import Spec, plan, plugins
from torchgen_scaffold.errors import MachineError
from torchgen_scaffold.layers import LAYERS
from torchgen_scaffold.layers.activation import ACTIVATIONS, Activation
from torchgen_scaffold.layers.base import LayerType
from torchgen_scaffold.overlay import own_templates
from torchgen_scaffold.plan import Plan
from torchgen_scaffold.plugins import Rows
from torchgen_scaffold.render import environment, files_of, render, sandbox
from torchgen_scaffold.sources import SOURCES
from torchgen_scaffold.view import View
from torchgen_scaffold.view.data import requirements


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example package, installed."""
    return installed(tmp_path_factory.mktemp("example"))


def new(site: Path, folder: Path, *flags: str) -> Path:
    """Write a project that takes rows of the example, with torchgen in a process of its own."""
    done = torchgen(site, folder, "new", "project", "--yes", *flags)
    assert done.returncode == 0, done.stderr
    return folder / "project"


# The example.


def test_options_lists_its_rows(site: Path, tmp_path: Path) -> None:
    tables = json.loads(torchgen(site, tmp_path, "options", "--json").stdout)
    last = {table: rows[-1] for table, rows in tables.items()}
    assert last["layers"]["name"] == "prelu(init=0.25)"
    assert last["models"]["name"] == "dilated"
    assert set(last["models"]["settings"]) == {"width", "depth"}
    assert last["tasks"]["name"] == "estimate"
    assert last["data"]["name"] == "tones:clear|noisy"
    shown = torchgen(site, tmp_path, "options").stdout
    assert all(row["summary"] in " ".join(shown.split()) for row in (last["layers"], last["models"]))


def test_without_it_nothing_of_it_is_there(tmp_path: Path) -> None:
    tables = json.loads(torchgen(None, tmp_path, "options", "--json").stdout)
    assert not {"dilated", "estimate"} & {row["name"] for rows in tables.values() for row in rows}


def test_flags_offer_its_names_and_settings(site: Path, tmp_path: Path) -> None:
    assert "|dilated" in torchgen(site, tmp_path, "plan", "--help").stdout
    asked = ("plan", "--json", "--data", "tones:noisy", "--model", "dilated", "--set", "model.depth=2")
    layers = json.loads(torchgen(site, tmp_path, *asked).stdout)["layers"]
    assert [layer["kind"] for layer in layers].count("PReLU") == 2


def test_its_errors_are_torchgens(site: Path, tmp_path: Path) -> None:
    done = torchgen(site, tmp_path, "plan", "--data", "tones:loud", "--set", "model.depth=0")
    assert done.returncode == 2
    assert "there are no tones 'loud'" in done.stderr
    done = torchgen(site, tmp_path, "plan", "--data", "tones:clear", "--model", "dilate")
    assert "Did you mean dilated?" in done.stderr


TONES = ("--data", "tones:clear")
SHAPES = ("--input-shape", "32,2", "--output-shape", "1")
PROJECTS = {
    "all": (*TONES, "--model", "dilated", "--task", "estimate"),
    "all, as a lesson": (*TONES, "--model", "dilated", "--task", "estimate", "--profile", "lesson"),
    "source": TONES,
    "preset": (*SHAPES, "--task", "regression", "--model", "dilated", "--set", "data.samples=100"),
    "task": (*SHAPES, "--task", "estimate", "--model", "mlp", "--set", "data.samples=100"),
    "layer": (*SHAPES, "--task", "binary", "--layers", "linear(8) -> prelu", "--set", "data.samples=100"),
}


@pytest.mark.parametrize("flags", PROJECTS.values(), ids=PROJECTS)
def test_a_project_passes_its_tests_and_trains(flags: tuple[str, ...], site: Path, tmp_path: Path) -> None:
    project = new(site, tmp_path, *flags)
    assert run_tests(project, tmp_path) > 5
    run(project, "train.py", "--epochs", "1")
    assert run(project, "eval.py")


def test_its_targets_have_their_name(site: Path, tmp_path: Path) -> None:
    assert "TARGETS = ['frequency']" in (new(site, tmp_path, *TONES) / "dataset.py").read_text().replace(
        '"', "'"
    )


def test_its_projects_are_checked_and_updated(site: Path, tmp_path: Path) -> None:
    project = new(site, tmp_path, *PROJECTS["all"])
    assert torchgen(site, tmp_path, "check", str(project)).returncode == 0
    done = torchgen(site, tmp_path, "update", str(project), "--set", "model.depth=2")
    assert done.returncode == 0, done.stderr
    assert "depth = 2" in (project / "torchgen.toml").read_text()
    assert torchgen(site, tmp_path, "check", str(project)).returncode == 0
    without = torchgen(None, tmp_path, "check", str(project))
    assert without.returncode == 2
    assert "dilated" in without.stderr and "Traceback" not in without.stderr


# What is imported first.

FIRST = (
    *(f"torchgen_tones.{name}" for name in ("layers", "presets", "tasks", "sources")),
    *(
        f"torchgen_scaffold.{name}"
        for name in ("layers.base", "presets", "sources", "settings", "commands.new")
    ),
)


@pytest.mark.parametrize("first", FIRST)
def test_it_does_not_matter_what_is_imported_first(first: str, site: Path) -> None:
    done = python(
        site,
        f"import {first}\nfrom torchgen_scaffold.catalogue import catalogue\nprint(catalogue())",
    )
    assert done.returncode == 0, done.stderr
    assert "prelu" in done.stdout and "dilated" in done.stdout


def python(site: Path, code: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(ROOT / "torchgen"), str(site)))
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_importing_torchgen_asks_no_plugin(tmp_path: Path) -> None:
    """Below the commands: else a plug-in that imports a module could be asked for before it is complete."""
    source = ROOT / "torchgen" / "torchgen_scaffold"
    paths = [path.relative_to(source).with_suffix("").parts for path in sorted(source.rglob("*.py"))]
    names = [
        ".".join(parts)
        for parts in paths
        if parts[0] not in ("commands", "prompts", "cli", "__main__", "__init__")
    ]
    lines = [f"import torchgen_scaffold.{name.removesuffix('.__init__')}" for name in names]
    asked = "from torchgen_scaffold import plugins\nprint(plugins._plugins.cache_info().currsize)"
    done = python(tmp_path, "\n".join((*lines, asked)))
    assert len(lines) > 80
    assert done.stdout == "0\n", done.stdout + done.stderr


CURIOUS = """
import torchgen_scaffold.commands.new
from torchgen_scaffold import Spec, generate, plan
from torchgen_scaffold.layers import LAYERS
from torchgen_scaffold.layers.activation import Activation
from torchgen_scaffold.presets import PRESETS
from torchgen_scaffold.settings import SETTINGS

assert LAYERS["relu"] and "tanh" in list(LAYERS) and len(PRESETS) and "mish" not in LAYERS
assert plan(Spec.from_dict({"name": "x", "data": {"source": "sklearn:iris"}})).layers
MISH = Activation("mish", "Mish", "a smooth relu that dips below 0")
"""


@pytest.mark.parametrize("first", ["curious", "torchgen_scaffold.settings", "torchgen_scaffold.layers"])
def test_a_plugin_may_use_all_of_torchgen_while_it_is_imported(first: str, tmp_path: Path) -> None:
    """What it sees then are torchgen's own rows."""
    written(tmp_path, "curious", {"layers/mish": "curious:MISH"}, curious=CURIOUS)
    done = python(
        tmp_path, f"import {first}\nfrom torchgen_scaffold.layers import LAYERS\nprint(LAYERS['mish'].kind)"
    )
    assert done.stdout == "Mish\n", done.stderr


# Plug-ins that cannot be used.


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose packages this process finds."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    caches = (plugins._plugins, plugins.template_folders)
    for kept in caches:
        kept.cache_clear()
    yield tmp_path
    for kept in caches:
        kept.cache_clear()
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


def fresh() -> Rows[LayerType]:
    """A registry that has asked nobody yet."""
    return Rows("layers", LayerType, ACTIVATIONS)


ROW = "from torchgen_scaffold.layers.activation import Activation\nROW = Activation({!r}, 'Mish', 'smooth')\n"
BROKEN = {
    "a module that is missing": ("mish", "not_there:ROW", "", "No module named 'not_there'"),
    "a name that is missing": ("mish", "broken:OTHER", "", "has no attribute 'OTHER'"),
    "a module that raises": ("mish", "broken:ROW", "1 / 0", "ZeroDivisionError: division by zero"),
    "a module that is no Python": ("mish", "broken:ROW", "def", "SyntaxError"),
    "a module that exits": ("mish", "broken:ROW", "raise SystemExit(3)", "SystemExit: 3"),
    "the wrong type": ("mish", "broken:ROW", "ROW = 7", "is of the type int, and should be a LayerType"),
    "a class": (
        "mish",
        "broken:ROW",
        "from torchgen_scaffold.layers.reshape import Flatten as ROW",
        "is the class Flatten, and should be a LayerType itself",
    ),
    "a row without a summary": (
        "mish",
        "broken:ROW",
        "from torchgen_scaffold.layers.base import LayerType\n"
        "class Mish(LayerType):\n    name = 'mish'\n    def trace(self, *_): ...\nROW = Mish()",
        "it lacks summary",
    ),
    "another name": (
        "mish",
        "broken:ROW",
        ROW.format("mush"),
        "calls itself 'mush', and its entry point 'mish'",
    ),
    "a name that no list of layers can hold": (
        "mi-sh",
        "broken:ROW",
        ROW.format("mi-sh"),
        "lower-case letters",
    ),
    "a name of torchgen's": (
        "relu",
        "broken:ROW",
        ROW.format("relu"),
        "torchgen itself has one of that name",
    ),
}


@pytest.mark.parametrize(("name", "value", "module", "why"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_told_by_name(beside: Path, name: str, value: str, module: str, why: str) -> None:
    written(beside, "some-broken", {f"layers/{name}": value}, broken=module)
    rows = fresh()
    assert rows["relu"].summary == "negative numbers become 0"  # torchgen's own need nobody
    for _ in range(2):  # told each time
        with pytest.raises(MachineError) as raised:
            list(rows)
        (problem,) = raised.value.problems
        assert problem.what == f"the plug-in some-broken: {name!r} in torchgen.layers cannot be used"
        assert why in problem.why
        assert "pip uninstall some-broken" in problem.instead


@pytest.mark.parametrize(
    "text",
    [b"[torchgen.layers]\nmish", b"[torchgen.layers]\nmish = ???", b"[torchgen.layers]\nmish = \xff\xfe"],
    ids=["no value", "no module", "no text"],
)
def test_metadata_that_cannot_be_read_are_told_by_name(beside: Path, text: bytes) -> None:
    written(beside, "some-broken", {})
    (beside / "some_broken-1.0.dist-info" / "entry_points.txt").write_bytes(text)
    with pytest.raises(MachineError, match="the plug-in some-broken: its entry points cannot be read"):
        list(fresh())


def test_two_plugins_with_one_name_are_both_named(beside: Path) -> None:
    for package in ("one", "two"):
        written(beside, package, {"layers/mish": "both:ROW"}, both=ROW.format("mish"))
    with pytest.raises(MachineError) as raised:
        len(fresh())
    (problem,) = raised.value.problems
    assert "the plug-in two" in problem.what
    assert problem.why == "one has one of that name"


def test_all_that_is_broken_is_told_at_once(beside: Path) -> None:
    written(beside, "one", {"layers/a": "not_there:A"})
    written(beside, "two", {"layers/b": "not_there:B"})
    with pytest.raises(MachineError) as raised:
        fresh().values()
    assert len(raised.value.problems) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("options",),
        ("options", "--json"),
        ("plan", "--data", "sklearn:iris"),
        ("new", "x", "--data", "sklearn:iris", "--yes"),
        ("new", "--help"),
        ("check", "."),
        ("update", "."),
    ],
    ids=" ".join,
)
def test_no_command_shows_a_traceback(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "torchgen.toml").write_text('name = "x"\n[data]\nsource = "sklearn:iris"\n')
    written(tmp_path / "site", "some-broken", {"presets/mine": "broken:ROW"}, broken="1 / 0")
    done = torchgen(tmp_path / "site", tmp_path / "work", *arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    assert not done.stdout
    assert "Traceback" not in done.stderr
    assert "pip uninstall some-broken" in done.stderr
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["torchgen.toml"]


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_need_no_plugin(flag: str, tmp_path: Path) -> None:
    written(tmp_path, "some-broken", {"presets/mine": "broken:ROW"}, broken="1 / 0")
    assert torchgen(tmp_path, tmp_path, flag).returncode == 0


# The search for them.


def test_the_search_goes_past_what_is_no_folder(beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (beside / "archive.zip").write_bytes(b"PK")
    (beside / "old-1.0.egg-info").write_text("a file, as it was of old")
    (beside / "none-1.0.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [str(beside / "archive.zip"), str(beside / "not there"), str(beside)])
    assert plugins._mentioning() == {}
    assert len(fresh()) == len(ACTIVATIONS)


def test_the_first_of_a_name_counts(beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Python takes the first module of a name: an upgrade in front hides what is behind it."""
    written(beside / "behind", "Mine.and-yours", {"layers/mish": "mine:ROW"}, mine=ROW.format("mish"))
    written(beside / "front", "mine_and_yours", {})
    monkeypatch.setattr(sys, "path", [str(beside / "front"), *sys.path, str(beside / "behind")])
    assert "mish" not in fresh()
    plugins._plugins.cache_clear()
    monkeypatch.setattr(sys, "path", [str(beside / "behind"), *sys.path])
    assert "mish" in fresh()


def test_without_plugins_their_library_is_not_imported(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom torchgen_scaffold.cli import cli\n"
        "try: cli(['plan', '--data', 'sklearn:digits'])\n"
        "finally: print('importlib.metadata' in sys.modules, 'email' in sys.modules, file=sys.stderr)"
    )
    done = python(tmp_path, code)
    assert done.stderr.splitlines()[-1] == "False False", done.stderr


def test_rows_are_in_an_order_that_no_machine_decides(beside: Path) -> None:
    for package, name in (("a", "zeta"), ("z", "alpha"), ("m", "mid")):
        written(
            beside,
            package,
            {f"layers/{name}": f"rows_{package}:ROW"},
            **{f"rows_{package}": ROW.format(name)},
        )
    assert [*fresh()][len(ACTIVATIONS) :] == ["alpha", "mid", "zeta"]


# Their templates.


def planned(**answers: object) -> Plan:
    return plan(Spec.from_dict({"name": "digits", "data": {"source": "sklearn:digits"}, **answers}))


@pytest.mark.parametrize("profile", ["standard", "lesson"])
def test_the_sandbox_gives_the_same_text(profile: str) -> None:
    made = planned(project={"profile": profile, "ci": "github"})
    used = sandbox(None, ())
    for source in files_of(made).values():
        text = environment().get_template(source).render(plan=View(made))
        assert used.get_template(source).render(plan=View(made)) == text


TEMPLATES = {
    "reaches behind the plan": "{{ plan.__class__.__mro__ }}",
    "reaches a function's globals": "{{ plan.forward.__func__.__globals__ }}",
    "is no template": "{% if %}",
    "prints what there is not": "{{ plan.nothing_such }}",
    "prints text from outside": "{{ 'import os' }}",
}


@pytest.mark.parametrize("text", TEMPLATES.values(), ids=TEMPLATES)
def test_a_broken_template_is_told_and_reaches_nothing(
    beside: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    with_template(beside, "dataset/mine.py.jinja", text)
    monkeypatch.setattr(type(SOURCES["sklearn"]), "template", "mine")
    with pytest.raises(MachineError, match=r"dataset/mine\.py\.jinja"):
        render(planned())


def test_a_template_that_is_missing_is_told(beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_template(beside, "dataset/other.py.jinja", "")
    monkeypatch.setattr(type(SOURCES["sklearn"]), "template", "mine")
    with pytest.raises(MachineError, match=r"dataset/mine\.py\.jinja"):
        render(planned())


def test_a_template_of_torchgens_name_does_not_take_its_place(beside: Path) -> None:
    before = render(planned())
    with_template(beside, "dataset/sklearn.py.jinja", "nothing")
    assert plugins.template_folders()
    assert render(planned()) == before


def with_template(site: Path, name: str, text: str) -> None:
    written(site, "mine", {"templates/mine": "mine_templates"})
    place = site / "mine_templates" / name
    place.parent.mkdir(parents=True)
    place.write_text(text)
    plugins._plugins.cache_clear()
    plugins.template_folders.cache_clear()


def test_only_torchgens_templates_are_kept_compiled(beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies beside another's template would be run as it is, outside of the sandbox."""
    own = Path(shutil.copytree(own_templates(), beside / "own"))
    monkeypatch.setattr("torchgen_scaffold.render.own_templates", lambda: own)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(type(SOURCES["sklearn"]), "template", "mine")
    with_template(beside, "dataset/mine.py.jinja", "{% include 'parts/splits.py.jinja' %}")
    render(planned())
    kept = [path.name for path in beside.rglob("*.pyc")]
    assert any(name.startswith("splits.py.") and ".opt-sandbox." in name for name in kept)
    assert not [name for name in kept if name.startswith("mine.py.")]


def test_a_module_has_no_folder_of_templates(beside: Path) -> None:
    written(beside, "mine", {"templates/mine": "mine"}, mine="")
    with pytest.raises(MachineError, match="mine is a module"):
        plugins.template_folders()


def test_what_a_source_needs_is_in_the_requirements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(SOURCES["sklearn"]), "requires", ("numpy", "h5py>=3.11"))
    lines = requirements(planned())
    assert lines[0].startswith("torch>") and lines[-1] == "h5py>=3.11"


def test_a_registry_is_a_mapping() -> None:
    rows = fresh()
    assert rows["relu"] is ACTIVATIONS[0] and rows.get("none such") is None
    assert dict(rows.items()) == dict(zip(rows, rows.values(), strict=True))
    assert isinstance(LAYERS["relu"], Activation)
