"""The conversation of `torchgen new`, key by key, in front of a terminal that only writes down what it is shown."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import questionary
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output.plain_text import PlainTextOutput

from torchgen_scaffold.errors import DestinationError, Problem, SpecError
from torchgen_scaffold.prompts import ask
from torchgen_scaffold.prompts.data import _source_at, facts_line
from torchgen_scaffold.prompts.question import as_typed, sentence
from torchgen_scaffold.prompts.questions import QUESTIONS
from torchgen_scaffold.prompts.talk import Talk
from torchgen_scaffold.settings import SETTINGS
from torchgen_scaffold.sources import SOURCES, Facts, Request, Source
from torchgen_scaffold.spec import Spec
from torchgen_scaffold.tasks import TASKS

ENTER, UP, DOWN, CTRL_C, CTRL_D, SPACE, CLEAR = "\r", "\x1b[A", "\x1b[B", "\x03", "\x04", " ", "\x15"
YES, CHANGE, CANCEL = ENTER, DOWN + ENTER, UP + ENTER
SKLEARN, FILE = DOWN + ENTER, UP + ENTER  # in the menu of the data
IMAGE = {"task": "binary", "input_shape": "1,8,8"}
COMPLETE = {"name": "toy", "data": {"source": "synthetic"}, "model": {"preset": "mlp"}, **IMAGE}
WITHOUT_MODEL = {key: value for key, value in COMPLETE.items() if key != "model"}
ROWS = "".join(f"{index},{index % 7}.5,{'yes' if index % 2 else 'no'}\n" for index in range(40))

Person = Callable[..., dict[str, Any]]


class Screen(io.StringIO):
    """What the person saw of the questions; `said` is what typed answers were told."""

    said: list[str]


class Stopped(Exception):
    """A KeyboardInterrupt, which would end the tests."""


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A screen. Keys arrive faster than it is drawn, so messages are noted where they are made."""
    screen = Screen()
    screen.said = []
    text = questionary.text

    def listening(message: str, *, validate: Any, bottom_toolbar: Any, **more: Any) -> questionary.Question:
        def heard(typed: str) -> bool | str:
            told: bool | str = validate(typed)
            screen.said += [] if told is True else [f"{told} {bottom_toolbar()}".replace("\n", " ")]
            return told

        return text(message, validate=heard, bottom_toolbar=bottom_toolbar, **more)

    monkeypatch.setattr(questionary, "text", listening)
    return screen


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, screen: Screen) -> Person:
    """Someone in `tmp_path` who types `keys`, and closes the terminal after the last one."""
    monkeypatch.chdir(tmp_path)

    def types(
        keys: str, answers: dict[str, Any] | None = None, base: Path = Path(), **more: Any
    ) -> dict[str, Any]:
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=PlainTextOutput(screen)):
            pipe.send_text(keys)
            pipe.close()
            try:
                return ask(answers or {}, base, more.pop("output_dir", Path()), **more)
            except KeyboardInterrupt as error:
                raise Stopped from error

    return types


def change(title: str, keys: str) -> str:
    """The keys that change one answer of COMPLETE: the menu's line for it, then `keys`."""
    opens = [
        row.title for row in QUESTIONS if row.key not in ("data.target", "output_shape", "training.loss")
    ]
    return CHANGE + DOWN * opens.index(title) + ENTER + keys


def test_a_set_of_scikit_learn_needs_a_name_a_set_and_a_model(person: Person, screen: Screen) -> None:
    answers = person("digits\r" + SKLEARN + ENTER + ENTER + YES)
    spec = Spec.from_dict(answers)
    assert (spec.name, spec.data.text, spec.model.preset) == ("digits", "sklearn:digits", "cnn")
    seen = screen.getvalue()
    assert "digits: 1,797 grey images" in seen
    assert "Task" not in seen
    assert "Write it to ./digits?" in seen


class Flowers(Source):
    """As a plug-in brings it."""

    name = template = "flowers"
    form = "flowers:iris|wine"
    summary = "flowers and their kind"
    is_known = True

    def facts(self, place: str, request: Request) -> Facts:
        return SOURCES["sklearn"].facts(place, request) or pytest.fail("its sets have facts")


def test_a_source_of_a_plugin_is_on_the_menu(
    person: Person, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SOURCES, "_all", {**SOURCES, "flowers": Flowers()})
    answers = person("lengths\r" + DOWN * 2 + ENTER + "\rirsi\r" + CLEAR + "iris\r" + ENTER + YES)
    assert answers["data"]["source"] == "flowers:iris"
    assert Spec.from_dict(answers).data.classes == ("setosa", "versicolor", "virginica")
    seen = screen.getvalue()
    assert "flowers and their kind" in seen
    assert "Which, as in flowers:iris|wine" in seen
    told = " ".join(screen.said)
    assert "lacks the set" in told and "Did you mean sklearn:iris?" in told


def test_the_table_is_shown_before_anything_is_written(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    person(YES, COMPLETE)
    assert "Linear(128)" in capsys.readouterr().out


def test_nothing_that_was_given_is_asked(person: Person, screen: Screen) -> None:
    answers = person(YES, COMPLETE)
    assert Spec.from_dict(answers) == Spec.from_dict(COMPLETE)
    assert screen.getvalue().count("?") == screen.getvalue().count("Write it to") * 2


def test_notes_are_said_with_the_table(person: Person, capsys: pytest.CaptureFixture[str]) -> None:
    person(YES, COMPLETE | {"input_shape": "4,20", "model": {"preset": "cnn"}})
    assert "Note: The input 4×20 is read as 4 channels of length 20." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("keys", "shape", "vocab_size", "preset"),
    [
        (ENTER + "12\r", (12,), None, "mlp"),
        (DOWN + ENTER + ENTER, (1, 28, 28), None, "cnn"),
        (DOWN * 2 + ENTER + "30x4\r", (30, 4), None, "gru"),
        (DOWN * 3 + ENTER + "20\r" + "500\r", (20,), 500, "gru"),
        (UP + ENTER + "(1, 8, 8, 8)\r", (1, 8, 8, 8), None, "cnn"),
    ],
)
def test_made_data_asks_what_one_sample_is(
    person: Person, keys: str, shape: tuple[int, ...], vocab_size: int | None, preset: str
) -> None:
    binary = DOWN * list(TASKS).index("binary") + ENTER
    spec = Spec.from_dict(person("toy\r" + ENTER + binary + keys + ENTER + YES))
    assert (spec.task, spec.input_shape, spec.model.preset) == ("binary", shape, preset)
    assert spec.model.vocab_size == vocab_size
    assert spec.output_shape == (1,)


@pytest.mark.parametrize(
    ("task", "keys", "shape"),
    [
        ("multiclass", "1\r" + CLEAR + "7\r", (7,)),
        ("multilabel", ENTER, (5,)),
        ("regression", "3,4\r", (3, 4)),
    ],
)
def test_the_output_is_asked_in_the_words_of_the_task(
    person: Person, screen: Screen, task: str, keys: str, shape: tuple[int, ...]
) -> None:
    answers = person(keys + YES, COMPLETE | {"task": task})
    assert Spec.from_dict(answers).output_shape == shape
    words = {"multiclass": "Number of classes", "multilabel": "Number of labels", "regression": "one target"}
    assert words[task] in screen.getvalue()


def test_a_shape_with_its_channels_last_is_refused_as_it_is_typed(person: Person, screen: Screen) -> None:
    answers = {key: value for key, value in COMPLETE.items() if key != "input_shape"}
    spec = Spec.from_dict(
        person(
            DOWN + ENTER + "x\r" + CLEAR + "28,28,1\r" + CLEAR + "28,28\r" + CLEAR + "1,28,28\r" + YES,
            answers,
        )
    )
    assert spec.input_shape == (1, 28, 28)
    assert any("looks channels-last" in told and "1,28,28" in told for told in screen.said)
    assert any("An image has 3 numbers: channels, height, width." in told for told in screen.said)


def test_vocab_size_alone_says_that_samples_are_token_ids(person: Person, screen: Screen) -> None:
    answers = {"name": "toy", "data": {"source": "synthetic"}, "task": "binary", "model": {"vocab_size": 99}}
    spec = Spec.from_dict(person("30\r" + ENTER + YES, answers))
    assert (spec.input_shape, spec.model.vocab_size) == ((30,), 99)
    assert "volume" not in screen.getvalue()


def test_only_presets_that_read_the_input_are_offered_the_usual_one_first(
    person: Person, screen: Screen
) -> None:
    answers = person(DOWN + ENTER + YES, WITHOUT_MODEL)
    assert answers["model"]["preset"] == "linear"
    assert "cnn (usual)" in screen.getvalue()
    assert "lstm" not in screen.getvalue()


def test_own_layers_are_checked_as_they_are_typed(person: Person, screen: Screen) -> None:
    keys = UP + ENTER + "conv(8, 3) -> conv(8, 9)\r" + "\x7f\x7f" + "3)\r" + YES
    spec = Spec.from_dict(person(keys, WITHOUT_MODEL))
    assert [str(call) for call in spec.model.layers] == ["conv(8, 3)", "conv(8, 3)"]
    (told,) = (told for told in screen.said if "conv(8, 9)" in told)
    assert "layer 2, conv(8, 9), does not fit its 6×6 input" in told
    assert "Use a kernel of at most 6" in told


def test_enter_takes_the_layers_of_the_usual_preset(person: Person) -> None:
    spec = Spec.from_dict(person(UP + ENTER + ENTER + YES, WITHOUT_MODEL))
    assert spec.model.preset is None
    assert spec.model.layers == Spec.from_dict(COMPLETE | {"model": {"preset": "cnn"}}).model.layers


def test_a_name_is_checked_as_it_is_typed(person: Person, tmp_path: Path, screen: Screen) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    answers = {key: value for key, value in COMPLETE.items() if key != "name"}
    keys = "full\r" + CLEAR + "json\r" + CLEAR + "a b\r" + CLEAR + "fine\r" + YES
    assert person(keys, answers)["name"] == "fine"
    for words in ("thesis.txt", "Python's standard library", "Try 'a-b'"):
        assert any(words in told for told in screen.said)


def test_the_name_that_enter_takes_is_the_datas_own_and_free(person: Person, tmp_path: Path) -> None:
    digits = {"data": {"source": "sklearn:digits"}, "model": {"preset": "mlp"}}
    assert person(ENTER + YES, digits)["name"] == "digits"
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "model.py").touch()
    assert person(ENTER + YES, digits)["name"] == "digits-2"


def test_a_csv_file_asks_for_its_column_from_a_menu(person: Person, tmp_path: Path, screen: Screen) -> None:
    (tmp_path / "houses.csv").write_text("a,b,sold\n" + ROWS)
    keys = FILE + "house.csv\r" + "\x7f" * 4 + "s.csv\r" + ENTER + ENTER + YES
    spec = Spec.from_dict(person(keys, {"name": "toy"}))
    assert (spec.data.text, spec.data.target, spec.task) == ("csv:../houses.csv", ("sold",), "binary")
    assert any("there is no file 'house.csv'" in told for told in screen.said)
    assert "houses.csv: 40 samples of 2 classes  →  input (2), output (1), binary" in screen.getvalue()


def test_several_columns_can_be_the_target(person: Person, tmp_path: Path) -> None:
    (tmp_path / "houses.csv").write_text("a,b,sold\n" + ROWS.replace("yes", "1.5").replace("no", "2"))
    keys = DOWN + ENTER + SPACE + DOWN + SPACE + ENTER + YES  # the pointer starts at the last column
    answers = person(keys, {"name": "toy", "data": {"source": "csv:houses.csv"}, "model": {"preset": "mlp"}})
    spec = Spec.from_dict(answers)
    assert (spec.data.target, spec.task, spec.output_shape) == (("a", "b"), "regression", (2,))


def test_a_task_is_asked_where_the_data_allows_several(
    person: Person, tmp_path: Path, screen: Screen
) -> None:
    (tmp_path / "rooms.csv").write_text("a,b,rooms\n" + "".join(f"{n},{n * n},{n % 4}\n" for n in range(40)))
    keys = ENTER + DOWN + ENTER + ENTER + YES
    spec = Spec.from_dict(person(keys, {"name": "toy", "data": {"source": "csv:rooms.csv"}}))
    assert spec.task == "regression"
    assert "multilabel" not in screen.getvalue()


def test_data_that_cannot_be_used_is_explained_and_asked_again(
    person: Person, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.csv").write_text("a,b,sold\n1,x,yes\n" + ROWS)
    keys = FILE + "bad.csv\r" + ENTER + UP + ENTER + ENTER + YES  # the column, and then digits after all
    answers = person(keys, {"name": "toy", "model": {"preset": "mlp"}})
    assert Spec.from_dict(answers).data.text == "sklearn:digits"
    assert "line 2: 'x'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["notes.txt", "nowhere", "", "~nobody/x.csv", "x" * 400, "a\\b"])
def test_what_is_no_data_is_refused_as_it_is_typed(person: Person, tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(Stopped):  # Enter does nothing, and then the terminal closes
        person(FILE + name + ENTER, {"name": "toy"})


def test_a_path_is_typed_relative_to_where_the_person_is(person: Person, tmp_path: Path) -> None:
    (tmp_path / "houses.csv").write_text("a,b,sold\n" + ROWS)
    (tmp_path / "conf").mkdir()
    keys = FILE + "houses.csv\r" + ENTER + ENTER + YES
    answers = person(keys, {"name": "toy"}, tmp_path / "conf")  # the answers came from conf/torchgen.toml
    assert answers["data"]["source"] == f"csv:{tmp_path}/houses.csv"


def test_images_of_several_sizes_need_no_answer(person: Person, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for kind, size in (("cat", 8), ("dog", 12)):
        (tmp_path / "pets" / kind).mkdir(parents=True)
        for number in range(6):
            image.new("L", (size, size)).save(tmp_path / "pets" / kind / f"{number}.png")
    spec = Spec.from_dict(person(FILE + "pets\r" + ENTER + YES, {"name": "toy"}))
    assert (spec.data.resize, spec.input_shape, spec.data.classes) == ((), (1, 10, 10), ("cat", "dog"))


def test_an_npz_file_is_read_once(person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numpy = pytest.importorskip("numpy")
    numpy.savez(tmp_path / "maps.npz", X=numpy.zeros((20, 8, 8)), y=numpy.arange(20) % 2)
    reads: list[Any] = []
    load = numpy.load

    def counting(*args: Any, **more: Any) -> Any:
        reads.append(args)
        return load(*args, **more)

    monkeypatch.setattr(numpy, "load", counting)
    keys = FILE + "maps.npz\r" + UP + ENTER + "flatten -> linear(9)\r" + YES
    spec = Spec.from_dict(person(keys, {"name": "toy"}))
    assert len(reads) == 2  # while it was asked about, and by this test's own Spec
    assert spec.task == "binary"


def test_a_library_that_reading_needs_is_named_and_other_data_asked_for(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pets" / "cat").mkdir(parents=True)
    (tmp_path / "pets" / "cat" / "1.png").touch()
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    keys = FILE + "pets\r" + UP + ENTER + ENTER + YES
    answers = person(keys, {"name": "toy", "model": {"preset": "mlp"}})
    assert answers["data"]["source"] == "sklearn:digits"
    assert "pip install pillow" in capsys.readouterr().err


def test_data_that_is_no_token_ids_drops_the_vocabulary(person: Person) -> None:
    answers = {"name": "toy", "model": {"vocab_size": 30, "preset": "mlp"}}
    spec = Spec.from_dict(person(SKLEARN + ENTER + ENTER + YES, answers))
    assert (spec.data.text, spec.model.vocab_size, spec.input_shape) == ("sklearn:digits", None, (1, 8, 8))


def test_data_can_be_read_in_another_way(person: Person) -> None:
    answers = {"name": "toy", "data": {"source": "sklearn:digits"}, "model": {"preset": "mlp"}}
    spec = Spec.from_dict(person(CHANGE + DOWN * 2 + ENTER + UP + ENTER + YES, answers))
    assert spec.input_shape == (64,)


# Change something.


@pytest.mark.parametrize(
    ("title", "keys", "key", "value"),
    [
        ("Project name", CLEAR + "other\r", "name", "other"),
        ("Optimizer", DOWN + ENTER, "training.optimizer", "adamw"),
        ("Schedule", DOWN + ENTER, "training.schedule", "cosine"),
        ("Epochs", CLEAR + "0\r" + CLEAR + "7\r", "training.epochs", 7),
        ("Batch size", CLEAR + "x\r" + CLEAR + "8\r", "training.batch_size", 8),
        ("Learning rate", CLEAR + "3e-4\r", "training.lr", 3e-4),
        ("Seed", CLEAR + "12\r", "training.seed", 12),
        ("Profile", DOWN + ENTER, "project.profile", "lesson"),
        ("CI", DOWN + ENTER, "project.ci", "github"),
        ("Model", UP + ENTER, "model.preset", "linear"),
    ],
)
def test_every_answer_can_be_changed(person: Person, title: str, keys: str, key: str, value: Any) -> None:
    table, _, name = key.rpartition(".")
    answers = Spec.from_dict(person(change(title, keys) + YES, COMPLETE)).to_dict()
    assert (answers[table] if table else answers)[name] == value


def test_each_question_is_about_a_setting() -> None:
    assert all(key in SETTINGS for row in QUESTIONS for key in row.keys)


def test_changing_nothing_goes_back(person: Person) -> None:
    assert Spec.from_dict(person(CHANGE + UP + ENTER + YES, COMPLETE)) == Spec.from_dict(COMPLETE)


def test_another_loss_of_the_same_task(person: Person) -> None:
    answers = COMPLETE | {"task": "regression", "output_shape": "2"}
    keys = CHANGE + DOWN * 6 + ENTER + DOWN + ENTER + YES
    assert Spec.from_dict(person(keys, answers)).training.loss == "l1"


def test_another_task_asks_for_another_output(person: Person) -> None:
    spec = Spec.from_dict(person(change("Task", DOWN + ENTER) + "4\r" + YES, COMPLETE))
    assert (spec.task, spec.output_shape) == ("multiclass", (4,))


def test_other_data_brings_other_shapes(person: Person) -> None:
    keys = change("Your data", DOWN + ENTER + DOWN + ENTER) + YES
    spec = Spec.from_dict(person(keys, COMPLETE))
    assert (spec.data.text, spec.task, spec.input_shape) == ("sklearn:iris", "multiclass", (4,))


def test_a_model_that_no_longer_fits_is_asked_again(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = COMPLETE | {"model": {"preset": "cnn", "channels": [8]}}
    keys = change("One sample", UP + ENTER + CLEAR + "12\r")
    spec = Spec.from_dict(person(keys.replace(UP + ENTER + CLEAR, UP + ENTER) + ENTER + YES, answers))
    assert spec.input_shape == (12,)
    assert spec.model.preset == "mlp"
    assert "the cnn preset cannot read 12" in capsys.readouterr().err


def test_an_answer_that_only_a_flag_could_follow_is_taken_back(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = COMPLETE | {"task": "multiclass", "output_shape": "3", "training": {"class_weights": [1, 2, 3]}}
    keys = CHANGE + DOWN * 4 + ENTER + CLEAR + "5\r" + YES
    assert Spec.from_dict(person(keys, answers)).output_shape == (3,)
    assert "class_weights has 3 numbers" in capsys.readouterr().err


def test_a_given_answer_that_the_data_contradicts_goes(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {"name": "toy", "output_shape": "4", "training": {"loss": "mse"}, "model": {"preset": "mlp"}}
    spec = Spec.from_dict(person(SKLEARN + ENTER + YES, answers))
    assert (spec.output_shape, spec.training.loss) == ((10,), "cross_entropy")
    assert "disagrees with the data" in capsys.readouterr().err


# Stop, and what was given wrong.


@pytest.mark.parametrize("keys", [CTRL_C, CTRL_D, "toy\r" + CTRL_C, "toy\r" + FILE + CTRL_C, ""])
def test_stopping_anywhere_is_a_keyboard_interrupt(person: Person, keys: str, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        person(keys)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("keys", [CANCEL, CTRL_C, CHANGE + CTRL_C])
def test_cancel_is_a_keyboard_interrupt(person: Person, keys: str) -> None:
    with pytest.raises(Stopped):
        person(keys, COMPLETE)


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        (
            {"task": "x", "training": {"lr": -1}},
            ["--task (task) cannot be 'x'", "--lr (training.lr) cannot be -1"],
        ),
        ({"model": {"layers": "conv(8 -> relux"}}, ["layer 1", "layer 2"]),
        (
            {"data": {"source": "csv:nowhere.csv"}, "name": "a b"},
            ["there is no file", "cannot be a project's name"],
        ),
        ({"model": 3}, ["model is a table"]),
        ({"name": 3}, ["name cannot be 3"]),
        (COMPLETE | {"model": {"layers": "conv(8, 9)"}}, ["layer 1, conv(8, 9), does not fit"]),
    ],
)
def test_wrong_flags_are_refused_before_anything_is_asked(
    person: Person, screen: Screen, answers: dict[str, Any], wrong: list[str]
) -> None:
    with pytest.raises(SpecError) as error:
        person("", answers)
    assert not screen.getvalue()
    assert len(error.value.problems) == len(wrong)
    assert all(any(words in problem.what for problem in error.value.problems) for words in wrong)


def test_a_folder_in_the_way_of_a_given_name_is_refused_unless_forced(person: Person, tmp_path: Path) -> None:
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "model.py").touch()
    with pytest.raises(DestinationError):
        person("", COMPLETE)
    assert person(YES, COMPLETE, force=True)["name"] == "toy"
    with pytest.raises(DestinationError):  # no name is possible where a file is in the way
        person("", {}, output_dir=tmp_path / "toy" / "model.py")


def test_a_sentence_has_one_mark_at_the_end_of_each_part() -> None:
    assert (
        sentence(Problem("no layer 'relux'", "", "Did you mean relu?"))
        == "no layer 'relux'. Did you mean relu?"
    )
    assert sentence(Problem("It is.", "It was", "Be")) == "It is. It was. Be."
    assert sentence(Problem("it is", "it was")) == "it is: it was."


def test_answers_are_shown_as_they_are_typed() -> None:
    shown = [as_typed(value) for value in (None, (1, 8, 8), ["conv(8, 3)", "relu"], 0.001, 7, "adam")]
    assert shown == ["", "1,8,8", "conv(8, 3) -> relu", "0.001", "7", "adam"]


def test_made_data_has_no_facts_to_tell() -> None:
    assert facts_line(Talk(COMPLETE, Path(), Path())) == ""


def test_a_saved_dataset_may_be_typed_as_what_it_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "state.json").write_text("{}")
    talk = Talk({}, tmp_path, tmp_path)
    assert _source_at(talk, str(tmp_path / "saved")) == f"hfdir:{tmp_path / 'saved'}"
    with pytest.raises(SpecError):
        _source_at(talk, str(tmp_path / "none"))
