"""Data sources: what each says of its data, and what it refuses, through real files on a real disk."""

from __future__ import annotations

import importlib
import os
import pickle
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from projects import make, run, run_tests
from torchgen_scaffold import Spec, SpecError
from torchgen_scaffold.create import create
from torchgen_scaffold.errors import MachineError, Problem
from torchgen_scaffold.layers.base import Shape
from torchgen_scaffold.sources import SOURCES, Facts, Request
from torchgen_scaffold.sources.base import class_facts, class_outputs, need
from torchgen_scaffold.sources.reading import reading_once
from torchgen_scaffold.sources.sklearn import SETS
from torchgen_scaffold.sources.tables import Csv

rng = np.random.default_rng(0)


def facts_of(folder: Path, source: str, **request: Any) -> Facts:
    name, _, place = source.partition(":")
    facts = SOURCES[name].facts(place, Request(folder, **request))
    assert facts is not None
    return facts


def refused(folder: Path, source: str, *, strict: bool = False, **answers: Any) -> Problem:
    """The one problem of these answers; it says what, why, and what to do instead."""
    with pytest.raises(SpecError) as caught:
        Spec.from_dict({"name": "demo", "data": {"source": source, "strict": strict}, **answers}, base=folder)
    (problem,) = caught.value.problems
    assert problem.what and problem.why and problem.instead
    assert problem.instead[0].isupper() and problem.key
    return problem


def spec_of(folder: Path, source: str, **answers: Any) -> Spec:
    data = {"source": source, **answers.pop("data", {})}
    return Spec.from_dict({"name": "demo", "data": data, **answers}, base=folder)


# --- what all share


@pytest.mark.parametrize(
    ("text", "what", "instead"),
    [
        ("synthetc", "no data source 'synthetc'", "--data synthetic"),
        ("houses.csv", "there is no file 'houses.csv'", "--data csv:PATH --target COLUMN"),
        ("a/b.NPZ", "there is no file 'a/b.NPZ'", "--data npz:PATH"),
        ("qqqqqq", "no data source 'qqqqqq'", "Choose from synthetic"),
        ("C:/data/x.png", "no data source", "Did you mean --data"),
        ("synthetic:x", "synthetic takes nothing after it", "Type --data synthetic."),
        ("csv", "csv lacks the path", "Type --data csv:PATH."),
        ("csv:", "csv lacks the path", "Type --data csv:PATH."),
        ("sklearn:", "sklearn lacks the set", "Type --data sklearn:digits|"),
        ("sklearn:digit", "no set 'digit'", "sklearn:digits"),
        ("sklearn:qqqqq", "no set 'qqqqq'", "sklearn:digits, say"),
        ("npz:a\0b", "no file is called", "Type the path again."),
        ("csv:\ud800", "cannot be 'csv:\\ud800'", "Give --data"),
    ],
)
def test_words_that_name_no_data(tmp_path: Path, text: str, what: str, instead: str) -> None:
    problem = refused(tmp_path, text)
    assert what in problem.what and instead in problem.instead


@pytest.mark.parametrize("name", ["csv", "npz", "images"])
@pytest.mark.parametrize(
    "place", ["absent", "x" * 300, "/" * 40 + "absent", "a\nb", "{{ 7*7 }}", "../../nowhere/x"]
)
def test_data_that_is_not_there(tmp_path: Path, name: str, place: str) -> None:
    problem = refused(tmp_path, f"{name}:{place}")
    kind = "folder" if name == "images" else "file"
    assert problem.what == f"data: there is no {kind} {place!r}"
    assert str(tmp_path.resolve()) in problem.why


@pytest.mark.parametrize(("name", "kind"), [("csv", "file"), ("npz", "file"), ("images", "folder")])
def test_a_file_for_a_folder_and_the_other_way_round(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    wrong = "folder" if kind == "file" else "file"
    problem = refused(tmp_path, f"{name}:{wrong}")
    assert problem.what == f"data: {wrong!r} is not a {kind}"


@pytest.mark.parametrize("name", ["csv", "npz", "images"])
def test_data_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    place = {"csv": "d.csv", "npz": "d.npz", "images": "d"}[name]
    write_csv(tmp_path / "d.csv")
    write_npz(tmp_path / "d.npz")
    write_images(tmp_path / "d")

    def denied(*args: Any, **kwargs: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, {"csv": "open", "images": "iterdir"}.get(name, "open"), denied)
    if name == "npz":
        monkeypatch.setattr(np, "load", denied)
    problem = refused(tmp_path, f"{name}:{place}")
    assert "Permission denied" in problem.why


def test_a_library_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MachineError, match="pip install pillow"):
        need("no_such_module_at_all", "pillow", "reading image files")


def test_every_source_says_what_it_is() -> None:
    for name, source in SOURCES.items():
        assert source.name == name and source.form.startswith(name)
        assert source.summary and source.predicts_on and source.requires
        assert len(source.requires) == len(source.imports)
        for module in source.imports:
            assert importlib.import_module(module)


@pytest.mark.parametrize(
    ("labels", "names", "counts"),
    [
        (["b", "a", "b"], ("a", "b"), (1, 2)),
        (["10", "9", "-1", "9"], ("-1", "9", "10"), (1, 2, 1)),
        (["01", "1", "1.0"], ("01", "1", "1.0"), (1, 1, 1)),
        (["1", "nan", "0"], ("0", "1", "nan"), (1, 1, 1)),
        (["inf", "1"], ("1", "inf"), (1, 1)),
    ],
)
def test_classes_are_sorted_the_same_way_in_every_order(
    labels: list[str], names: tuple[str, ...], counts: tuple[int, ...]
) -> None:
    assert class_facts(labels) == (names, counts)
    assert class_facts(labels[::-1]) == (names, counts)


def test_one_class_teaches_nothing() -> None:
    with pytest.raises(SpecError, match="one class only: 'cat'"):
        class_outputs(("cat",))
    assert class_outputs(("cat", "dog")) == {"binary": (1,), "multiclass": (2,)}
    assert class_outputs(("cat", "dog", "emu")) == {"multiclass": (3,)}


# --- scikit-learn


@pytest.mark.parametrize("name", SETS)
def test_facts_of_scikit_learn_equal_the_installed_library(name: str) -> None:
    from sklearn import datasets

    row = SETS[name]
    loaded = getattr(datasets, row.loader)()
    facts = row.facts
    assert facts.samples == len(loaded.data) == len(loaded.target)
    assert facts.input_shapes[-1] == loaded.data.shape[1:]
    for view in facts.input_shapes:
        loaded.data.reshape(-1, *view)
    if name == "digits":
        assert facts.input_shapes[1] == loaded.images.shape[1:]
    if "regression" in facts.output_shapes:
        assert facts.output_shapes == {"regression": np.reshape(loaded.target, (facts.samples, -1)).shape[1:]}
        assert len(facts.targets) == facts.output_shapes["regression"][0] and not facts.classes
        if name == "linnerud":
            assert facts.targets == tuple(loaded.target_names)
        return
    assert facts.classes == tuple(str(label) for label in loaded.target_names)
    assert facts.counts == tuple(np.bincount(loaded.target))
    assert sum(facts.counts) == facts.samples
    assert facts.output_shapes == dict(class_outputs(facts.classes))
    assert f"{facts.samples:,}" in row.says


def test_every_set_makes_a_spec_without_another_word() -> None:
    for name in SETS:
        spec = Spec.from_dict({"data": {"source": f"sklearn:{name}"}})
        assert spec.name == name and spec.task == next(iter(SETS[name].facts.output_shapes))


# --- npz


def write_npz(path: Path, X: Any = None, y: Any = None, **more: Any) -> Path:
    arrays = {
        "X": rng.normal(size=(30, 4)) if X is None else X,
        "y": np.arange(30) % 3 if y is None else y,
        **more,
    }
    np.savez(path, **{name: array for name, array in arrays.items() if array is not ...})
    return path


def npz_facts(folder: Path, task: str | None = None, **arrays: Any) -> Facts:
    write_npz(folder / "d.npz", **arrays)
    return facts_of(folder, "npz:d.npz", task=task)


def npz_refused(folder: Path, answers: dict[str, Any] | None = None, **arrays: Any) -> Problem:
    write_npz(folder / "d.npz", **arrays)
    return refused(folder, "npz:d.npz", **(answers or {}))


def test_npz_facts(tmp_path: Path) -> None:
    facts = npz_facts(tmp_path)
    assert facts == Facts(
        ((4,),), {"multiclass": (3,), "regression": (1,)}, 30, classes=("0", "1", "2"), counts=(10, 10, 10)
    )


@pytest.mark.parametrize(
    ("shape", "views"),
    [
        ((4,), ((4,),)),
        ((8, 8), ((8, 8), (1, 8, 8), (64,))),
        ((1, 8, 8), ((1, 8, 8), (64,))),
        ((2, 4, 5, 6), ((2, 4, 5, 6), (240,))),
    ],
)
def test_npz_views(tmp_path: Path, shape: Shape, views: tuple[Shape, ...]) -> None:
    assert npz_facts(tmp_path, X=np.zeros((30, *shape))).input_shapes == views


Y = {
    "words": np.array(["b", "a", "c"] * 10),
    "two words": np.array(["yes", "no", "no"] * 10),
    "ints": np.arange(30) % 4 - 1,
    "two ints": np.arange(30) % 2,
    "bools": np.arange(30) % 2 == 0,
    "whole floats": (np.arange(30) % 3).astype(float),
    "0.0 and 1.0": (np.arange(30) % 2).astype(float),
    "0.0 and 1.0, (N, 1)": (np.arange(30) % 2).astype(float)[:, None],
    "ints, (N, 1)": (np.arange(30) % 3)[:, None],
    "floats": np.linspace(0, 1, 30),
    "floats, (N, 1)": np.linspace(0, 1, 30)[:, None],
    "two columns": np.linspace(0, 1, 60).reshape(30, 2),
    "a grid": np.linspace(0, 1, 240).reshape(30, 2, 4),
    "labels": np.array([[0, 1, 1], [1, 0, 0], [0, 0, 0]] * 10),
    "float labels": np.array([[0, 1, 1], [1, 0, 0], [0, 0, 0]] * 10, dtype=float),
    "one hot": np.eye(3)[np.arange(30) % 3],
    "whole columns": np.arange(60).reshape(30, 2),
    "a whole grid": np.arange(240).reshape(30, 2, 4),
    "30 different ints": np.arange(30),
    "huge whole floats": np.linspace(1e30, 2e30, 30),
}
ANY_CLASS: dict[str, Shape] = {"multiclass": (3,), "regression": (1,)}
TWO: dict[str, Shape] = {"binary": (1,), "multiclass": (2,), "regression": (1,)}
EXPECTED: dict[str, tuple[dict[str, Shape], bool, tuple[str, ...]]] = {
    "words": ({"multiclass": (3,)}, True, ("a", "b", "c")),
    "two words": ({"binary": (1,), "multiclass": (2,)}, True, ("no", "yes")),
    "ints": ({"multiclass": (4,), "regression": (1,)}, True, ("-1", "0", "1", "2")),
    "two ints": (TWO, True, ("0", "1")),
    "bools": (TWO, True, ("0", "1")),
    "whole floats": (ANY_CLASS, False, ("0", "1", "2")),
    "0.0 and 1.0": (TWO, True, ("0", "1")),
    "0.0 and 1.0, (N, 1)": (TWO, True, ("0", "1")),
    "ints, (N, 1)": (ANY_CLASS, True, ("0", "1", "2")),
    "floats": ({"regression": (1,)}, True, ()),
    "floats, (N, 1)": ({"regression": (1,)}, True, ()),
    "two columns": ({"regression": (2,)}, True, ()),
    "a grid": ({"regression": (2, 4)}, True, ()),
    "labels": ({"multilabel": (3,), "regression": (3,)}, True, ("label_0", "label_1", "label_2")),
    "float labels": ({"multilabel": (3,), "regression": (3,)}, True, ("label_0", "label_1", "label_2")),
    "one hot": ({"multilabel": (3,), "regression": (3,)}, False, ("label_0", "label_1", "label_2")),
    "whole columns": ({"regression": (2,)}, True, ()),
    "a whole grid": ({"regression": (2, 4)}, True, ()),
    "30 different ints": (
        {"multiclass": (30,), "regression": (1,)},
        False,
        tuple(str(value) for value in range(30)),
    ),
    "huge whole floats": (
        {"multiclass": (30,), "regression": (1,)},
        False,
        tuple(str(int(value)) for value in np.linspace(1e30, 2e30, 30)),
    ),
}


@pytest.mark.parametrize("kind", Y)
def test_npz_targets(tmp_path: Path, kind: str) -> None:
    facts = npz_facts(tmp_path, y=Y[kind])
    shapes, sure, classes = EXPECTED[kind]
    assert (facts.output_shapes, facts.sure, facts.classes) == (shapes, sure, classes)
    assert list(facts.output_shapes) == list(shapes)
    if classes and "multilabel" not in shapes:
        spelled = [str(v) if isinstance(v, str) else str(int(v)) for v in Y[kind].ravel().tolist()]
        assert facts.counts == tuple(Counter(spelled)[name] for name in classes)
    elif classes:
        assert facts.counts == tuple(Y[kind].sum(axis=0).astype(int))


@pytest.mark.parametrize("kind", [kind for kind in Y if "words" not in kind])
def test_any_numbers_can_be_measured(tmp_path: Path, kind: str) -> None:
    facts = npz_facts(tmp_path, y=Y[kind], task="regression")
    assert list(facts.output_shapes) == ["regression"] and not facts.classes
    assert facts.output_shapes["regression"] == (Y[kind].shape[1:] or (1,))


def test_unsure_targets_are_asked_about(tmp_path: Path) -> None:
    problem = npz_refused(tmp_path, y=Y["one hot"])
    assert problem.missing and "multilabel or regression" in problem.why


def test_npz_with_a_test_set_of_its_own(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "d.npz",
        X_train=np.zeros((40, 4)),
        y_train=np.arange(40) % 2,
        X_test=np.ones((13, 4)),
        y_test=np.arange(13) % 3,
    )
    facts = facts_of(tmp_path, "npz:d.npz")
    assert (facts.samples, facts.test_samples) == (53, 13)
    assert (facts.classes, facts.counts) == (("0", "1", "2"), (20, 20, 0))  # of the train part
    assert spec_of(tmp_path, "npz:d.npz").data.test_samples == 13


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"X_test": np.zeros((13, 5))},
            "X_train has samples of shape (4,) float64, and X_test of (5,) float64",
        ),
        ({"y_test": np.zeros((13, 2))}, "y_train has samples of shape ()"),
        ({"y_test": np.array(["a"] * 13)}, "y_test of () <U1"),
        ({"y_test": np.arange(12)}, "X_test has 13 samples and y_test has 12"),
        ({"X_test": np.zeros((0, 4)), "y_test": np.zeros(0)}, "X_test of 'd.npz' has shape (0, 4)"),
        ({"X_test": ...}, "no array X_test"),
        ({"X_test": ..., "y_test": ...}, "no array X_test and no array y_test"),
        (
            {"X_train": np.zeros((9, 4)), "y_train": np.arange(9) % 2},
            "there are 9 samples besides the test set",
        ),
        ({"X_train": np.zeros((1, 4)), "y_train": np.arange(1)}, "there are 1 samples besides the test set"),
    ],
)
def test_npz_sets_that_do_not_match(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    arrays: dict[str, Any] = {
        "X_train": np.zeros((40, 4)),
        "y_train": np.arange(40) % 2,
        "X_test": np.ones((13, 4)),
        "y_test": np.arange(13) % 2,
    } | change
    np.savez(tmp_path / "d.npz", **{name: array for name, array in arrays.items() if array is not ...})
    assert words in refused(tmp_path, "npz:d.npz").what


class Mischief:
    """What unpickling would run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("unpickled",)


NPZ_REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no X": ({"X": ...}, "no array X"),
    "no y": ({"y": ...}, "no array y"),
    "neither": ({"X": ..., "y": ...}, "no array X and no array y"),
    "scalar X": ({"X": np.array(3.0)}, "X of 'd.npz' has shape ()"),
    "scalar y": ({"y": np.array(3.0)}, "y of 'd.npz' has shape ()"),
    "a row of X": ({"X": np.zeros(30)}, "X of 'd.npz' has shape (30,)"),
    "no samples": ({"X": np.zeros((0, 4)), "y": np.zeros(0)}, "has shape (0, 4)"),
    "no features": ({"X": np.zeros((30, 0))}, "has shape (30, 0)"),
    "no targets": ({"y": np.zeros((30, 0))}, "y of 'd.npz' has shape (30, 0)"),
    "wrong lengths": ({"y": np.arange(29)}, "X has 30 samples and y has 29"),
    "words in X": ({"X": np.array([["a"] * 4] * 30)}, "X holds <U1, not numbers"),
    "complex X": ({"X": np.zeros((30, 4), complex)}, "X holds complex128"),
    "dates in X": ({"X": np.zeros((30, 4), "datetime64[s]")}, "X holds datetime64[s]"),
    "dates in y": ({"y": np.zeros(30, "datetime64[s]")}, "y holds datetime64[s]"),
    "bytes in y": ({"y": np.array([b"a", b"b"] * 15)}, "y holds |S1"),
    "words in columns": ({"y": np.array([["a", "b"]] * 30)}, "y holds <U1 of shape (30, 2)"),
    "identifiers": (
        {"y": np.array([f"id{n}" for n in range(30)])},
        "y has 30 different values in 30 samples",
    ),
    "NaN in X": ({"X": np.full((30, 4), np.nan)}, "X holds nan at index (0, 0)"),
    "inf in X": ({"X": np.where(np.eye(30, 4) == 1, -np.inf, 0)}, "X holds -inf at index (0, 0)"),
    "too large X": ({"X": np.full((30, 4), 1e39)}, "X holds 1e+39 at index (0, 0)"),
    "NaN in y": ({"y": np.where(np.arange(30) == 7, np.nan, 0.5)}, "y holds nan at index (7,)"),
    "too large y": ({"y": np.linspace(0, 1e300, 30)}, "y holds 3.4"),
    "one class": ({"y": np.zeros(30, int)}, "one class only: '0'"),
    "one word": ({"y": np.array(["a"] * 30)}, "one class only: 'a'"),
    "too few": ({"X": np.zeros((9, 4)), "y": np.arange(9) % 2}, "there are 9 samples"),
    "channels last": ({"X": np.zeros((30, 28, 28, 3))}, "X looks channels-last: one sample is 28,28,3"),
    "nine axes": ({"X": np.zeros((30, *[1] * 9))}, "a sample of shape 1,1,1,1,1,1,1,1,1"),
    "an empty name": ({"y": np.array(["", "a"] * 15)}, "a class cannot be called ''"),
    "half a character": ({"y": np.array(["\ud800", "a"] * 15)}, "a class cannot be called '\\ud800'"),
    "a long name": ({"y": np.array(["a" * 5000, "a"] * 15)}, "a class cannot be called 'aaaa"),
    "objects": ({"X": np.array([[Mischief()] * 4] * 30, dtype=object)}, "cannot be read as an .npz file"),
    "objects in y": ({"y": np.array([Mischief()] * 30, dtype=object)}, "cannot be read as an .npz file"),
}


@pytest.mark.parametrize("case", NPZ_REFUSED)
def test_npz_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.chdir(tmp_path)
    arrays, words = NPZ_REFUSED[case]
    assert words in npz_refused(tmp_path, **arrays).what
    assert not (tmp_path / "unpickled").exists(), "a pickle was run"


def test_objects_beside_the_arrays_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert npz_facts(tmp_path, notes=np.array([Mischief()], dtype=object)).samples == 30
    assert not (tmp_path / "unpickled").exists()


def _pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Mischief()))


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("X.npy", b"no array")
        file.writestr("y.npy", b"no array")


def _truncated(path: Path) -> None:
    whole = write_npz(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _flipped(path: Path) -> None:
    whole = bytearray(write_npz(path).read_bytes())
    whole[300] ^= 0xFF
    path.write_bytes(whole)


BROKEN = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("X, y\n"),
    "npy": lambda path: np.save(path.open("wb"), np.zeros(3)),
    "pickle": _pickle,
    "zip": _zip,
    "truncated": _truncated,
    "flipped": _flipped,
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # np.save's own open file
def test_npz_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.chdir(tmp_path)
    BROKEN[case](tmp_path / "d.npz")
    problem = refused(tmp_path, "npz:d.npz")
    assert problem.what == "data: 'd.npz' cannot be read as an .npz file"
    assert "allow_pickle" not in problem.why, "nobody should be told to unpickle"
    assert not (tmp_path / "unpickled").exists()


def test_token_ids(tmp_path: Path) -> None:
    write_npz(tmp_path / "d.npz", X=rng.integers(0, 50, (30, 12)))
    spec = spec_of(tmp_path, "npz:d.npz", model={"vocab_size": 50})
    assert (spec.model.signal.axes, spec.input_shape, spec.model.preset) == ("tokens", (12,), "gru")


@pytest.mark.parametrize(
    ("tokens", "why", "instead"),
    [
        (np.full((30, 12), 49), "the largest of them is 49", "Give --vocab-size 50."),
        (np.full((30, 12), -1), "whole numbers from 0", "Drop --vocab-size."),
        (np.full((30, 12), 3.0), "saved as integers", "Drop --vocab-size."),
        (np.full((30, 12), True), "saved as integers", "Drop --vocab-size."),
    ],
)
def test_inputs_that_are_no_token_ids(tmp_path: Path, tokens: Any, why: str, instead: str) -> None:
    problem = npz_refused(tmp_path, {"model": {"vocab_size": 49}}, X=tokens)
    assert why in problem.why and problem.instead == instead


def test_a_test_set_has_tokens_too(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "d.npz",
        X_train=np.zeros((20, 5), int),
        y_train=np.arange(20) % 2,
        X_test=np.full((9, 5), 70),
        y_test=np.arange(9) % 2,
    )
    assert "the largest of them is 70" in refused(tmp_path, "npz:d.npz", model={"vocab_size": 50}).why


def test_channels_that_are_really_first(tmp_path: Path) -> None:
    write_npz(tmp_path / "d.npz", X=np.zeros((30, 28, 28, 3)))
    assert spec_of(tmp_path, "npz:d.npz", model={"layout": "cl"}).input_shape == (28, 28, 3)


# --- csv

HEADER = "a,b,kind"


def write_csv(path: Path, lines: Iterable[str] | None = None, header: str = HEADER, end: str = "\n") -> Path:
    rows = [f"{n},{n / 2},{'xyz'[n % 3]}" for n in range(30)] if lines is None else list(lines)
    path.write_bytes(end.join([header, *rows, ""]).encode())
    return path


def csv_facts(folder: Path, lines: Iterable[str] | None = None, target: str = "kind", **more: Any) -> Facts:
    task = more.pop("task", None)
    write_csv(folder / "d.csv", lines, **more)
    return facts_of(folder, "csv:d.csv", targets=(target,), task=task)


def csv_refused(folder: Path, content: str | bytes, target: Any = "kind", **answers: Any) -> Problem:
    (folder / "d.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(SpecError) as caught:
        spec_of(folder, "csv:d.csv", data={"target": target} if target else {}, **answers)
    (problem,) = caught.value.problems
    assert problem.what and problem.why and problem.instead
    return problem


def column(cells: Iterable[Any]) -> list[str]:
    return [f"{n},{n / 2},{cell}" for n, cell in enumerate(cells)]


CSV_FACTS = Facts(
    ((2,),),
    {"multiclass": (3,)},
    30,
    classes=("x", "y", "z"),
    counts=(10, 10, 10),
    columns=("a", "b"),
    kinds=("number", "number"),
    targets=("kind",),
    says=(
        ("kind", "target: 3 classes (x 10, y 10, z 10)"),
        ("a", "numbers, 0 to 29"),
        ("b", "numbers, 0 to 14.5"),
    ),
)


def test_csv_facts(tmp_path: Path) -> None:
    assert csv_facts(tmp_path) == CSV_FACTS


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\n", b"\r"),
        lambda text: text.rstrip(b"\n"),
        lambda text: text.replace(b"\n", b"\n\n"),
        lambda text: text.replace(b",", b" , "),
        lambda text: b"\n".join(
            b",".join(b'"' + cell + b'"' for cell in line.split(b",")) for line in text.splitlines()
        ),
    ],
    ids=["bom", "crlf", "cr", "no last newline", "blank lines", "spaces", "quotes"],
)
def test_spellings_of_one_table(tmp_path: Path, change: Any) -> None:
    path = write_csv(tmp_path / "d.csv")
    path.write_bytes(change(path.read_bytes()))
    assert facts_of(tmp_path, "csv:d.csv", targets=("kind",)) == CSV_FACTS
    assert facts_of(tmp_path, "csv:d.csv", targets=(" kind ",)) == CSV_FACTS


CSV_TARGETS: dict[str, tuple[Iterable[Any], dict[str, Shape], bool, tuple[str, ...]]] = {
    "two words": (["no", "yes"] * 15, {"binary": (1,), "multiclass": (2,)}, True, ("no", "yes")),
    "yes or no": ([0, 1] * 15, TWO, True, ("0", "1")),
    "whole floats": (["0.0", "1"] * 15, TWO, True, ("0", "1")),
    "few ints": ([1, 10, 2] * 10, ANY_CLASS, False, ("1", "2", "10")),
    "many ints": (range(30), {"regression": (1,)}, True, ()),
    "floats": ([n + 0.5 for n in range(30)], {"regression": (1,)}, True, ()),
    "a word among numbers": ([1, 2, "other"] * 10, {"multiclass": (3,)}, True, ("1", "2", "other")),
    "None is a word": (["None", "some"] * 15, {"binary": (1,), "multiclass": (2,)}, True, ("None", "some")),
    "spaces inside": (["a b", " c "] * 15, {"binary": (1,), "multiclass": (2,)}, True, ("a b", "c")),
    "a comma": (['"a,b"', "c"] * 15, {"binary": (1,), "multiclass": (2,)}, True, ("a,b", "c")),
    "a line break": (['"a\nb"', "c"] * 15, {"binary": (1,), "multiclass": (2,)}, True, ("a\nb", "c")),
    "a quote": (['"a""b"', "c"] * 15, {"binary": (1,), "multiclass": (2,)}, True, ('a"b', "c")),
}


@pytest.mark.parametrize("case", CSV_TARGETS)
def test_csv_targets(tmp_path: Path, case: str) -> None:
    cells, shapes, sure, classes = CSV_TARGETS[case]
    facts = csv_facts(tmp_path, column(cells))
    assert (facts.output_shapes, facts.sure, facts.classes) == (shapes, sure, classes)
    assert list(facts.output_shapes) == list(shapes)
    assert sum(facts.counts) == (30 if classes else 0)


def test_whole_numbers_can_be_classes_when_that_is_said(tmp_path: Path) -> None:
    write_csv(tmp_path / "d.csv", column([n % 10 for n in range(30)]))
    spec = spec_of(tmp_path, "csv:d.csv", data={"target": "kind"}, task="multiclass")
    assert spec.output_shape == (10,) and len(spec.data.classes) == 10
    spec = spec_of(tmp_path, "csv:d.csv", data={"target": "kind"}, task="regression")
    assert spec.output_shape == (1,) and not spec.data.classes and not spec.data.counts


def test_several_csv_targets(tmp_path: Path) -> None:
    lines = [f"{n},{n % 2},{n % 3 == 0:d},{n / 7}" for n in range(30)]
    write_csv(tmp_path / "d.csv", lines, header="a,b,c,d")
    labels = spec_of(tmp_path, "csv:d.csv", data={"target": "b, c"})
    assert (labels.task, labels.output_shape, labels.data.classes) == ("multilabel", (2,), ("b", "c"))
    assert (labels.data.counts, labels.data.columns, labels.data.target) == ((15, 10), ("a", "d"), ("b", "c"))
    measured = spec_of(tmp_path, "csv:d.csv", data={"target": ["d", "b"]})
    assert (measured.task, measured.output_shape, measured.data.classes) == ("regression", (2,), ())
    chosen = spec_of(tmp_path, "csv:d.csv", data={"target": ["b", "c"]}, task="regression")
    assert (chosen.output_shape, chosen.data.classes, chosen.data.counts) == ((2,), (), ())
    assert spec_of(tmp_path, "csv:d.csv", data={"target": "d,d"}).data.target == ("d",)


def test_a_column_whose_name_holds_a_comma(tmp_path: Path) -> None:
    lines = [f"{n},{n % 2}" for n in range(30)]
    write_csv(tmp_path / "d.csv", lines, header='a,"left, right"')
    assert spec_of(tmp_path, "csv:d.csv", data={"target": "left, right"}).data.target == ("left, right",)
    assert spec_of(tmp_path, "csv:d.csv", data={"target": "left, right"}).data.columns == ("a",)


ROWS = "".join(f"{n},{n},{n % 2}\n" for n in range(30))
CSV_REFUSED: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "'d.csv' is empty"),
    "blank": ("\n\n\n", "'d.csv' is empty"),
    "only a mark": (b"\xef\xbb\xbf", "'d.csv' is empty"),
    "header only": ("a,b,kind\n", "'d.csv' has a header and no rows"),
    "target only": ("kind\n" + "1\n0\n" * 9, "no column to learn from"),
    "short row": (f"a,b,kind\n{ROWS}1,2\n", "line 32 of 'd.csv' has 2 cells and the header has 3"),
    "long row": (f"a,b,kind\n\n1,2,3,4\n{ROWS}", "line 3 of 'd.csv' has 4 cells and the header has 3"),
    "text cell": (f"a,b,kind\n{ROWS}1,red,0\n", "column 'b' of 'd.csv' holds numbers, but for 1 cell"),
    "underscores": (f"a,b,kind\n{ROWS}1,1_000,0\n", "holds numbers, but for 1 cell"),
    "inf": (f"a,b,kind\n{ROWS}1,-inf,0\n", "column 'b' of 'd.csv' holds what is no finite float32"),
    "too large": (f"a,b,kind\n{ROWS}1,1e39,0\n", "column 'b' of 'd.csv' holds what is no finite float32"),
    "infinite target": (f"a,b,kind\n{ROWS}1,2,inf\n", "the target 'kind' holds what is no finite"),
    "no targets": ("a,b,kind\n" + "1,2,\n" * 20, "the target kind of 'd.csv' is empty in every row"),
    "one class": ("a,b,kind\n" + "1,2,x\n" * 20, "one class only: 'x'"),
    "one number": ("a,b,kind\n" + "1,2,7\n" * 20, "one class only: '7'"),
    "free text": (
        "a,b,kind\n" + "".join(f"1,2,n{n}\n" for n in range(20)),
        "20 different values in 20 samples",
    ),
    "nine rows": ("a,b,kind\n" + "1,2,x\n3,2,y\n1,2,x\n" * 3, "there are 9 samples"),
    "twice": (f"a,a,kind\n{ROWS}", "more than one column 'a'"),
    "twice but for spaces": (f"kind, kind,b\n{ROWS}", "more than one column 'kind'"),
    "NUL": (f"a,b,kind\n{ROWS}1,2,\0\n", "'d.csv' cannot be read as text"),
    "binary": (b"\0" * 100, "'d.csv' cannot be read as text"),
    "an open quote": (f'a,b,kind\n{ROWS}1,2,"x\n', "'d.csv' cannot be read as CSV"),
    "a stray quote": (f'a,b,kind\n{ROWS}1,2,"x"y\n', "'d.csv' cannot be read as CSV"),
    "a huge cell": (f"a,b,kind\n{ROWS}1,2,{'x' * 200_000}\n", "'d.csv' cannot be read as CSV"),
    "a long name": (f"a,{'b' * 5000},kind\n{ROWS}", "a column cannot be called 'bbbb"),
}


@pytest.mark.parametrize("case", CSV_REFUSED)
def test_csv_refused(tmp_path: Path, case: str) -> None:
    content, words = CSV_REFUSED[case]
    assert words in csv_refused(tmp_path, content).what


def test_bad_cells_are_named_and_counted(tmp_path: Path) -> None:
    rows = "".join(f"x,{n},{n % 2}\n" for n in range(1000, 2007))
    good = "".join(f"{n},{n},{n % 2}\n" for n in range(20_000))
    problem = csv_refused(tmp_path, f"a,b,kind\n0,0,0\n0,,1\n{rows}{good}")
    assert problem.why.startswith("line 4: 'x'; line 5: 'x'; line 6")
    assert problem.why.endswith("; and 1,002 more")
    assert problem.instead.endswith("--drop a")


@pytest.mark.parametrize(
    ("target", "what", "instead"),
    [
        (None, "which column is the target?", "Name the one to predict: --target COLUMN"),
        ("knd", "no column 'knd'", "Did you mean --target kind?"),
        ("KIND", "no column 'KIND'", "Did you mean --target kind?"),
        ("qqqqq", "no column 'qqqqq'", "Name one of them: --target COLUMN"),
        ("a,qqqqq", "no column 'qqqqq'", "Name one of them: --target COLUMN"),
        (",", "no column ''", "Name one of them: --target COLUMN"),
        (["a", ","], "no column ','", "Name one of them: --target COLUMN"),
        (" ", "no column ''", "Name one of them: --target COLUMN"),
    ],
)
def test_targets_that_are_no_columns(tmp_path: Path, target: Any, what: str, instead: str) -> None:
    problem = csv_refused(tmp_path, f"a,b,kind\n{ROWS}", target)
    assert what in problem.what and problem.instead == instead
    assert "a, b, kind" in problem.why, "the columns are listed"


def test_words_in_several_targets(tmp_path: Path) -> None:
    problem = csv_refused(tmp_path, "a,b,c\n" + "1,x,2\n" * 20, "b,c")
    assert problem.what == "data: the targets b, c are not all numbers"


def test_a_target_for_data_without_columns(tmp_path: Path) -> None:
    write_npz(tmp_path / "d.npz")
    with pytest.raises(SpecError, match="--target does nothing with npz"):
        spec_of(tmp_path, "npz:d.npz", data={"target": "y"})


@pytest.mark.parametrize(
    ("answers", "both"),
    [
        ({"input_shape": "5"}, ("--input-shape 5", "are 2")),
        ({"output_shape": "4"}, ("--output-shape 4", "3 (multiclass)")),
        ({"task": "binary"}, ("binary", "3 classes")),
        ({"task": "regression"}, ("regression", "3 classes")),
        ({"model": {"vocab_size": 99}}, ("99", "saved as integers in an .npz file")),
    ],
)
def test_what_was_given_must_agree_with_the_file(
    tmp_path: Path, answers: dict[str, Any], both: tuple[str, str]
) -> None:
    problem = csv_refused(tmp_path, write_csv(tmp_path / "d.csv").read_bytes(), **answers)
    assert all(word in f"{problem.what} {problem.why}" for word in both)


# --- images


def write_images(
    folder: Path,
    classes: Iterable[str] = ("cat", "dog"),
    mode: str = "L",
    size: tuple[int, int] = (8, 6),
    count: int = 6,
) -> Path:
    for name in classes:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            Image.new(mode, size).save(folder / name / f"{index}.{'tiff' if mode == 'CMYK' else 'png'}")
    return folder


def test_image_facts(tmp_path: Path) -> None:
    write_images(tmp_path / "d")
    facts = facts_of(tmp_path, "images:d")
    assert facts == Facts(
        ((1, 6, 8),), {"binary": (1,), "multiclass": (2,)}, 12, classes=("cat", "dog"), counts=(6, 6)
    )


@pytest.mark.parametrize(
    ("mode", "channels"), [("1", 1), ("L", 1), ("LA", 1), ("P", 3), ("RGB", 3), ("RGBA", 3), ("CMYK", 3)]
)
def test_image_modes(tmp_path: Path, mode: str, channels: int) -> None:
    write_images(tmp_path / "d", mode=mode)
    assert facts_of(tmp_path, "images:d").input_shapes == ((channels, 6, 8),)


def test_one_colour_image_makes_all_of_them_colour(tmp_path: Path) -> None:
    write_images(tmp_path / "d")
    Image.new("RGB", (8, 6)).save(tmp_path / "d/dog/7.png")
    assert facts_of(tmp_path, "images:d").input_shapes == ((3, 6, 8),)


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_sixteen_bits_would_be_clipped(tmp_path: Path, mode: str) -> None:
    write_images(tmp_path / "d")
    Image.new(mode, (8, 6)).save(tmp_path / "d/dog/deep.tiff")
    problem = refused(tmp_path, "images:d", strict=True)
    assert "1 of 13 images in 'd' cannot be read" in problem.what
    assert "dog/deep.tiff (its pixels are" in problem.why and "8-bit" in problem.why


def test_images_of_several_sizes(tmp_path: Path) -> None:
    write_images(tmp_path / "d")
    Image.new("L", (9, 9)).save(tmp_path / "d/dog/odd.png")
    facts = facts_of(tmp_path, "images:d")
    assert facts.input_shapes == ((1, 6, 8),)  # the median height and width
    assert dict(facts.says) == {
        "(images)": "6 to 9 high and 8 to 9 wide: brought to 6x8; to choose: --set data.resize=HEIGHT,WIDTH"
    }
    spec = spec_of(tmp_path, "images:d", data={"resize": "16,12"})
    assert (spec.input_shape, spec.data.resize) == ((1, 16, 12), (16, 12))


@pytest.mark.parametrize("resize", ["64", "1,2,3", "0,4", "x"])
def test_bad_resize(tmp_path: Path, resize: str) -> None:
    write_images(tmp_path / "d")
    with pytest.raises(SpecError) as caught:
        spec_of(tmp_path, "images:d", data={"resize": resize})
    assert [problem.key for problem in caught.value.problems] == ["data.resize"]


def test_files_that_are_no_images(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "d")
    Image.fromarray(rng.integers(0, 255, (6, 8), dtype=np.uint8)).save(folder / "cat/0.png")
    whole = (folder / "cat/0.png").read_bytes()
    (folder / "cat/empty.png").touch()
    (folder / "cat/half.png").write_bytes(whole[: len(whole) - 40])
    (folder / "dog/text.jpg").write_text("no image")
    (folder / "dog/folder.png").mkdir()
    problem = refused(tmp_path, "images:d", strict=True)
    assert problem.what == "data: 4 of 16 images in 'd' cannot be read"
    for name in (
        "cat/empty.png (it is no image)",
        "cat/half.png (",
        "dog/text.jpg (it is no image)",
        "dog/folder.png (",
    ):
        assert name in problem.why
    assert str(tmp_path) not in problem.why


def test_many_bad_images_are_counted(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "d")
    for index in range(20):
        (folder / f"dog/bad{index:02}.png").touch()
    assert refused(tmp_path, "images:d", strict=True).why.endswith("; and 15 more")


def test_images_that_cannot_be_read_stay_out(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "d")
    (folder / "cat/half.png").write_bytes((folder / "cat/0.png").read_bytes()[:30])
    (folder / "dog/text.jpg").write_text("no image")
    made = make(tmp_path, data={"source": "d"})
    spec = Spec.from_toml(made / "torchgen.toml")
    assert (spec.data.samples, spec.data.counts) == (12, (6, 6))
    assert spec.data.skipped == ("cat/half.png", "dog/text.jpg")
    (warning,) = Spec.from_dict({"name": "demo", "data": {"source": "d"}}, base=tmp_path).data.warnings
    assert warning.startswith("2 images cannot be read and stay out: cat/half.png (")
    assert "--strict" in warning
    run(made, "dataset.py")
    for path in folder.rglob("*.png"):
        path.write_text("nothing")
    assert "8 of 8" not in refused(tmp_path, "images:d").what
    assert "cannot be read" in refused(tmp_path, "images:d").what


def test_a_camera_that_was_held_upright(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "d", size=(8, 6))
    for index, path in enumerate(sorted(folder.rglob("*.png"))):
        image = Image.new("RGB", (6, 8), (index, 0, 0))
        noted = image.getexif()
        noted[0x0112] = 6  # turn it by a quarter to see it as it was taken
        path.unlink()
        image.save(path.with_suffix(".jpg"), exif=noted)
    made = make(tmp_path, data={"source": "d"})
    assert Spec.from_toml(made / "torchgen.toml").input_shape == (3, 6, 8)
    run_tests(made, tmp_path)


class Odd(Exception):
    """An error that says nothing."""


@pytest.mark.parametrize("error", [Odd(), OSError(), ValueError("\n"), MemoryError(), SyntaxError("a\nb")])
def test_whatever_pillow_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    write_images(tmp_path / "d")

    def load(*args: Any) -> None:
        raise error

    monkeypatch.setattr(Image.Image, "load", load)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    assert "12 of 12 images" in refused(tmp_path, "images:d").what


def test_an_image_that_would_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_images(tmp_path / "d")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert "12 of 12 images" in refused(tmp_path, "images:d").what


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda d: None, "holds no folders of images"),
        (lambda d: (d / "cat").mkdir(), "holds no folders of images"),
        (lambda d: Image.new("L", (4, 4)).save(d / "loose.png"), "holds no folders of images"),
        (lambda d: write_images(d, [".git", ".cache"]), "holds no folders of images"),
        (lambda d: write_images(d, ["cat"]), "one class only: 'cat'"),
        (lambda d: write_images(d, ["cat", ".hidden"]), "one class only: 'cat'"),
        (lambda d: write_images(d, count=4), "there are 8 samples"),
    ],
    ids=["empty", "an empty class", "loose", "hidden", "one class", "one and hidden", "too few"],
)
def test_folders_without_classes(tmp_path: Path, build: Any, words: str) -> None:
    (tmp_path / "d").mkdir()
    build(tmp_path / "d")
    assert words in refused(tmp_path, "images:d").what


def test_what_is_no_class_is_left_out(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "d", ["b", "a", "c d"])
    write_images(folder, [".ipynb_checkpoints"])
    (folder / "empty").mkdir()
    (folder / "loose.png").touch()
    (folder / "notes.txt").touch()
    (folder / "a/notes.txt").touch()
    write_images(folder / "a", ["deeper"])
    facts = facts_of(tmp_path, "images:d")
    assert (facts.classes, facts.counts) == (("a", "b", "c d"), (12, 6, 6))


def test_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "d")
    odd = folder / os.fsdecode(b"\xff")
    try:
        odd.mkdir()
    except OSError:
        pytest.skip("this disk takes UTF-8 names only")
    Image.new("L", (8, 6)).save(odd / "1.png")
    assert "a class cannot be called '\\udcff'" in refused(tmp_path, "images:d").what


# --- where the data is


def test_paths_are_kept_relative_to_the_project(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_csv(tmp_path / "in/d.csv")
    answers = {"name": "demo", "data": {"source": "csv:in/d.csv", "target": "kind"}}
    made = create(answers, base=tmp_path, output_dir=tmp_path / "out")
    assert made.plan.spec.data.place == "../../in/d.csv"
    assert 'source = "csv:../../in/d.csv"' in (made.path / "torchgen.toml").read_text()
    spec = Spec.from_toml(made.path / "torchgen.toml")
    assert spec.data.place == "../../in/d.csv" and "in/d.csv" in str(spec.data.original)
    absolute = {**answers, "data": {"source": f"csv:{tmp_path}/in/../in/d.csv", "target": "kind"}}
    assert Spec.from_dict(absolute, base=Path("/"), home=made.path).data.place == "../../in/d.csv"


def test_a_copy_comes_along(tmp_path: Path) -> None:
    write_csv(tmp_path / "d.csv")
    answers = {
        "name": "demo",
        "data": {"source": "csv:d.csv", "target": "kind"},
        "project": {"copy_data": True},
    }
    made = create(answers, base=tmp_path, output_dir=tmp_path)
    assert "data/d.csv" in made.files
    assert (made.path / "data/d.csv").read_bytes() == (tmp_path / "d.csv").read_bytes()
    (tmp_path / "d.csv").unlink()
    spec = Spec.from_toml(made.path / "torchgen.toml")
    assert spec.data.place == "data/d.csv" and spec.project.copy_data
    again = create({**spec.to_dict(), "name": "twin"}, base=made.path, output_dir=tmp_path)
    assert (again.path / "data/d.csv").read_bytes() == (made.path / "data/d.csv").read_bytes()


@pytest.mark.parametrize("place", ["d", "d/", "./d", "in/../d", ".", "../here", "", "d/cat/.."])
def test_a_folder_is_copied_under_its_own_name(tmp_path: Path, place: str) -> None:
    here = tmp_path / "here"
    write_images(here / "d")
    (here / "in").mkdir()
    base = here / "d" if place in (".", "") else here
    if place == "../here":
        write_images(here, ["cat", "dog"])
    source = f"images:{place or here / 'd'}"
    answers = {"name": "demo", "data": {"source": source}, "project": {"copy_data": True}}
    made = create(answers, base=base, output_dir=tmp_path / "out")
    name = "here" if place == "../here" else "d"
    assert made.plan.spec.data.place == f"data/{name}"
    assert (made.path / "data" / name / "cat/0.png").is_file()


def test_a_project_behind_a_symlink_finds_its_data(tmp_path: Path) -> None:
    (tmp_path / "deep/er").mkdir(parents=True)
    (tmp_path / "link").symlink_to("deep/er")
    write_csv(tmp_path / "d.csv")
    answers = {"name": "demo", "data": {"source": "csv:d.csv", "target": "kind"}}
    made = create(answers, base=tmp_path, output_dir=tmp_path / "link")
    assert (made.path / made.plan.spec.data.place).is_file()
    (tmp_path / "folder").symlink_to(".")
    answers["data"] = {"source": "csv:folder/d.csv", "target": "kind"}
    made = create({**answers, "name": "other"}, base=tmp_path, output_dir=tmp_path)
    assert made.plan.spec.data.place == "../d.csv"


def test_a_link_to_the_data_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    write_csv(tmp_path / "store/v7.csv")
    (tmp_path / "d.csv").symlink_to("store/v7.csv")
    assert spec_of(tmp_path, "csv:d.csv", data={"target": "kind"}).data.place == "../d.csv"


def test_a_project_in_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    write_csv(tmp_path / "d.csv")
    home = tmp_path / "\udcff" / "demo"
    spec = Spec.from_dict(
        {"name": "demo", "data": {"source": "csv:d.csv", "target": "kind"}}, base=tmp_path, home=home
    )
    assert spec.data.place == "../../d.csv"
    base = tmp_path / "\udcff"
    base.mkdir()
    write_csv(base / "d.csv")
    with pytest.raises(SpecError, match="lone surrogate"):
        Spec.from_dict(
            {"name": "demo", "data": {"source": "csv:d.csv", "target": "kind"}},
            base=base,
            home=tmp_path / "demo",
        )


def test_recorded_facts_are_enough_when_the_data_is_gone(tmp_path: Path) -> None:
    write_csv(tmp_path / "d.csv")
    write_npz(tmp_path / "d.npz")
    write_images(tmp_path / "d")
    for name, data in (
        ("one", {"source": "csv:d.csv", "target": "kind"}),
        ("two", {"source": "npz:d.npz"}),
        ("three", {"source": "images:d", "resize": "10,10"}),
    ):
        made = create({"name": name, "data": data}, base=tmp_path, output_dir=tmp_path)
        before = made.plan.spec
        there = tmp_path / data["source"].partition(":")[2]
        there.rename(tmp_path / "elsewhere")
        assert Spec.from_toml(made.path / "torchgen.toml").to_dict() == before.to_dict()
        (tmp_path / "elsewhere").rename(there)


def test_the_data_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "houses.csv").write_text("rooms,price\n" + "".join(f"{n},{2 * n}\n" for n in range(20)))
    read: list[str] = []
    facts = Csv.facts

    def counted(self: Csv, place: str, request: Request) -> Facts | None:
        read.append(place)
        return facts(self, place, request)

    monkeypatch.setattr(Csv, "facts", counted)
    answers = {"task": "regression", "data": {"source": "csv:houses.csv", "target": "price"}}
    made = create(answers, base=tmp_path, output_dir=tmp_path / "out", dry_run=True)
    assert (read, made.path.name) == (["houses.csv"], "houses")  # the name too comes from the data
    with reading_once():
        for _ in range(3):
            Spec.from_dict(answers, base=tmp_path)
    assert len(read) == 2
    Spec.from_dict(answers, base=tmp_path)
    assert len(read) == 3


# --- arrays in files of their own


@pytest.mark.parametrize("profile", ["lesson", "standard"])
@pytest.mark.parametrize("parts", [("",), ("_train", "_test"), ("_digits",)], ids=str)
def test_npy_files(tmp_path: Path, parts: tuple[str, ...], profile: str) -> None:
    for part, samples in zip(parts, (60, 30), strict=False):
        labels = np.arange(samples) % 2
        np.save(tmp_path / f"X{part}.npy", np.eye(2, dtype=np.float32)[labels] * 3)
        np.save(tmp_path / f"y{part}.npy", labels)
    made = make(tmp_path, data={"source": f"X{parts[0]}.npy"}, project={"profile": profile})
    spec = Spec.from_toml(made / "torchgen.toml")
    held = 30 if len(parts) > 1 else 0
    assert (spec.data.source, spec.data.samples, spec.data.test_samples) == ("npy", 60 + held, held)
    run_tests(made, tmp_path)
    run(made, "train.py")
    assert "accuracy  1" in run(made, "eval.py")
    if profile == "standard":
        said = run(made, "predict.py", str(tmp_path / f"X{parts[0]}.npy"))
        assert [line.split(",")[1] for line in said.splitlines()[1:5]] == ["0", "1", "0", "1"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("inputs.npy", "y.npy"), "does not say where its targets are"),
        (("X.npy", "labels.npy"), "there is no y.npy beside 'X.npy'"),
    ],
)
def test_npy_files_without_targets(tmp_path: Path, names: tuple[str, str], words: str) -> None:
    for name in names:
        np.save(tmp_path / name, np.zeros((20, 2)))
    assert words in refused(tmp_path, f"npy:{names[0]}").what


def test_an_npy_file_of_objects_is_not_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", np.array([object()] * 20), allow_pickle=True)
    np.save(tmp_path / "y.npy", np.zeros(20))
    assert "'X.npy' cannot be read as an .npy file" in refused(tmp_path, "npy:X.npy").what
