"""Sequences of several lengths and texts: what is past the end of a sample must change nothing."""

from __future__ import annotations

import csv
import importlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from projects import inside, make, run, run_tests, script_fails
from torchgen_scaffold import Spec, SpecError

STEPS, FEATURES, SAMPLES = 12, 3, 40

NETWORKS: list[dict[str, Any]] = [
    *({"preset": name} for name in ("rnn", "lstm", "gru")),
    {"preset": "lstm", "bidirectional": True, "num_layers": 2},
    {"preset": "gru", "bidirectional": True},
    {"layers": "lstm(8) -> mean"},
    {"layers": "mean -> linear(8) -> relu"},
    {"layers": "gru(8, bidirectional=True) -> lstm(4) -> dropout(0.2)"},
    {"layers": "gru(8) -> relu -> laststep"},
    {"layers": "linear(6) -> relu -> lstm(8, proj_size=3)"},
]


def write_npz(path: Path) -> list[int]:
    """Sequences whose last numbers say their class; returns their lengths."""
    chance = np.random.default_rng(0)
    inputs = np.full((SAMPLES, STEPS, FEATURES), np.nan)
    lengths = [int(length) for length in chance.integers(1, STEPS + 1, SAMPLES)]
    lengths[0] = STEPS
    for sample, length in enumerate(lengths):
        inputs[sample, :length] = chance.normal(size=(length, FEATURES))
        inputs[sample, length - 1, 0] += 4 * (sample % 2)
    np.savez(path, X=inputs, y=np.arange(SAMPLES) % 2)
    return lengths


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_padding_changes_nothing(tmp_path: Path, network: dict[str, Any]) -> None:
    """torch is the oracle: each sequence alone, cut to its own length, gives what it gives among longer ones."""
    lengths = write_npz(tmp_path / "d.npz")
    made = make(tmp_path, data={"source": "d.npz"}, model=network)
    assert "padded = true" in (made / "torchgen.toml").read_text()
    with inside(made):
        model_file: Any = importlib.import_module("model")
        torch.manual_seed(0)
        model = model_file.Model().eval()
        inputs = torch.from_numpy(np.load(tmp_path / "d.npz")["X"].astype(np.float32))
        together = model(inputs)
        assert together.isfinite().all()
        for sample, length in enumerate(lengths):
            alone = (
                model(inputs[sample : sample + 1, :length]) if "pad_packed" not in _forward(made) else None
            )
            if alone is not None:
                torch.testing.assert_close(together[sample : sample + 1], alone, rtol=1e-4, atol=1e-5)
        longer = torch.cat([inputs, torch.full((SAMPLES, 0, FEATURES), torch.nan)], dim=1)
        torch.testing.assert_close(model(longer), together)


def _forward(made: Path) -> str:
    """forward() of the generated model; pad_packed_sequence brings outputs to the length that the data has."""
    return (made / "model.py").read_text().partition("def forward(self")[2].partition("def make_loss")[0]


@pytest.mark.parametrize("network", [NETWORKS[1], NETWORKS[5], NETWORKS[7]], ids=str)
def test_what_stands_past_the_end_is_not_read(tmp_path: Path, network: dict[str, Any]) -> None:
    """The gradient says which inputs matter: none of them past a sequence's end, and some before it."""
    lengths = write_npz(tmp_path / "d.npz")
    made = make(tmp_path, data={"source": "d.npz"}, model=network)
    with inside(made):
        model_file: Any = importlib.import_module("model")
        model = model_file.Model().eval()
        inputs = torch.from_numpy(np.load(tmp_path / "d.npz")["X"].astype(np.float32)).requires_grad_()
        model(inputs).sum().backward()
    assert inputs.grad is not None
    for sample, length in enumerate(lengths):
        assert inputs.grad[sample, :length].abs().sum() > 0
        assert not inputs.grad[sample, length:].nan_to_num().abs().sum()


@pytest.mark.parametrize("profile", ["lesson", "standard"])
@pytest.mark.parametrize("network", [{}, {"preset": "mlp"}, {"layers": "lstm(8) -> lstm(4)"}], ids=str)
def test_sequences_of_several_lengths_train(tmp_path: Path, profile: str, network: dict[str, Any]) -> None:
    write_npz(tmp_path / "d.npz")
    made = make(
        tmp_path,
        data={"source": "d.npz"},
        model=network,
        project={"profile": profile},
        training={"epochs": 2},
    )
    run_tests(made, tmp_path)
    assert "parameters" in run(made, "model.py")
    run(made, "train.py")
    run(made, "eval.py")
    if profile == "standard":
        assert "nan" not in run(made, "predict.py", str(tmp_path / "d.npz"))


@pytest.mark.parametrize(
    "model", [{"preset": "cnn"}, {"layers": "conv(8, 1) -> relu"}, {"layout": "cl"}], ids=str
)
def test_sequences_of_several_lengths_have_no_channels(tmp_path: Path, model: dict[str, str]) -> None:
    write_npz(tmp_path / "d.npz")
    answers = {"name": "demo", "data": {"source": "d.npz"}, "model": model}
    with pytest.raises(SpecError, match="are time steps of features, not channels: 12,3"):
        Spec.from_dict(answers, base=tmp_path)
    made = make(
        tmp_path, data={"source": "d.npz"}, model={"layers": "transpose -> conv(8, 3) -> relu -> mean"}
    )
    run_tests(made, tmp_path)


def test_nan_elsewhere_is_refused(tmp_path: Path) -> None:
    inputs = np.zeros((20, 5, 2))
    inputs[3, 2, 1] = np.nan  # one number of a step, with steps after it
    np.savez(tmp_path / "d.npz", X=inputs, y=np.arange(20) % 2)
    with pytest.raises(SpecError, match=r"X holds nan at index \(3, 2, 1\)"):
        Spec.from_dict({"name": "demo", "data": {"source": "npz:d.npz"}}, base=tmp_path)


def visits(patients: int = 40) -> pd.DataFrame:
    """Visits of patients, shuffled: some numbers missing, and an outcome that is the same in all visits of one."""
    chance = np.random.default_rng(0)
    rows = [
        {
            "patient": f"p{patient}",
            "day": f"2024-01-{visit + 1:02}",
            "pulse": None if chance.random() < 0.1 else round(60 + 20 * (patient % 2) + chance.normal(), 1),
            "ward": "abc"[int(chance.integers(3))],
            "remark": f"seen by the doctor in room {visit}",
            "well": ["no", "yes"][patient % 2],
        }
        for patient in range(patients)
        for visit in range(int(chance.integers(1, 9)))
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


ROLES = {"target": "well", "group": "patient", "time": "day"}


def test_a_table_in_long_form(tmp_path: Path) -> None:
    table = visits()
    table.to_csv(tmp_path / "visits.csv", index=False)
    made = make(tmp_path, data={"source": "visits.csv", **ROLES}, training={"epochs": 15})
    spec = Spec.from_toml(made / "torchgen.toml")
    longest = int(table.groupby("patient").size().max())
    # pulse, its mark of a gap, and the codes of ward and remark
    assert (spec.input_shape, spec.data.samples, spec.data.padded) == ((longest, 4), 40, True)
    assert spec == Spec.from_dict(
        {"name": "project", "data": {"source": "visits.csv", **ROLES}, "training": {"epochs": 15}},
        base=tmp_path,
    )
    run_tests(made, tmp_path)
    run(made, "train.py")
    assert "accuracy  1" in run(made, "eval.py")
    rows = list(csv.DictReader(io.StringIO(run(made, "predict.py", str(tmp_path / "visits.csv")))))
    truth = table.set_index("patient")["well"].to_dict()
    said = {row["sample"].rpartition(":")[2]: row["prediction"] for row in rows}
    assert said == truth
    with (made / "outputs/splits.csv").open(newline="") as file:
        assert {row["sample"] for row in csv.DictReader(file)} == set(truth)


def test_the_order_of_rows_is_that_of_time(tmp_path: Path) -> None:
    table = visits()
    table.to_csv(tmp_path / "visits.csv", index=False)
    made = make(tmp_path, data={"source": "visits.csv", "drop": "ward,remark", **ROLES})
    with inside(made):
        dataset: Any = importlib.import_module("dataset")
        splits = dataset.load_splits(0)
        name = splits.rows[0][0]
        inputs, _ = splits.train[0]
    own = table[table["patient"] == name].sort_values("day")["pulse"]
    pulses = inputs[: len(own), 0]
    read = [pulse for pulse, there in zip(pulses.tolist(), own.notna(), strict=True) if there]
    assert read == pytest.approx(own.dropna().tolist())
    assert inputs[len(own) :].isnan().all() and not inputs[: len(own)].isnan().any()


def test_sequences_without_gaps_or_names_need_no_encoder(tmp_path: Path) -> None:
    table = visits()[["patient", "day", "pulse", "well"]].dropna()
    table.to_csv(tmp_path / "visits.csv", index=False)
    made = make(tmp_path, data={"source": "visits.csv", **ROLES}, project={"profile": "lesson"})
    assert "class Encoder" not in (made / "dataset.py").read_text()
    run_tests(made, tmp_path)


def test_a_sequence_has_one_target(tmp_path: Path) -> None:
    table = visits()
    table.loc[table.index[0], "well"] = "maybe"
    table.to_csv(tmp_path / "visits.csv", index=False)
    with pytest.raises(SpecError, match="is not the same in all of its rows"):
        Spec.from_dict({"name": "demo", "data": {"source": "visits.csv", **ROLES}}, base=tmp_path)


def test_sequences_without_a_target_stay_out(tmp_path: Path) -> None:
    table = visits()
    table.loc[table["patient"] == "p3", "well"] = None
    table.to_csv(tmp_path / "visits.csv", index=False)
    made = make(tmp_path, data={"source": "visits.csv", **ROLES})
    assert Spec.from_toml(made / "torchgen.toml").data.samples == 39
    run_tests(made, tmp_path)


def test_of_a_very_long_sequence_the_last_steps_are_read(tmp_path: Path) -> None:
    rows = [(f"s{n % 12}", n, n % 7, n % 12 % 2) for n in range(12 * 1100)]
    frame = pd.DataFrame(rows, columns=["name", "tick", "value", "odd"])
    frame.to_csv(tmp_path / "long.csv", index=False)
    roles = {"target": "odd", "group": "name", "time": "tick"}
    made = make(tmp_path, data={"source": "long.csv", **roles}, model={"preset": "linear"})
    assert Spec.from_toml(made / "torchgen.toml").input_shape == (1000, 1)
    with inside(made):
        dataset: Any = importlib.import_module("dataset")
        splits = dataset.load_splits(0)
    own = frame[frame["name"] == splits.rows[0][0]]["value"].tolist()
    assert splits.train[0][0].flatten().tolist() == own[-1000:]


# --- texts


def reviews(rows: int = 200) -> pd.DataFrame:
    """Reviews of several lengths; one word in each says the verdict."""
    chance = np.random.default_rng(0)
    fill = ["the", "film", "was", "long", "and", "it", "had", "a", "plot", "with", "many", "people", "in"]
    texts = []
    for row in range(rows):
        words = [fill[int(place)] for place in chance.integers(len(fill), size=int(chance.integers(5, 25)))]
        words.insert(int(chance.integers(len(words))), ["awful", "lovely"][row % 2])
        texts.append(" ".join(words).capitalize() + f". Number{row}!")
    return pd.DataFrame({"text": texts, "stars": np.arange(rows) % 5, "verdict": np.arange(rows) % 2})


@pytest.mark.parametrize("preset", ["gru", "lstm", "mean"])
def test_a_text_alone_is_read_word_by_word(tmp_path: Path, preset: str) -> None:
    table = reviews().drop(columns="stars")
    table.to_csv(tmp_path / "reviews.csv", index=False)
    made = make(
        tmp_path,
        data={"source": "reviews.csv", "target": "verdict"},
        model={"preset": preset},
        training={"epochs": 20, "lr": 0.01},
    )
    spec = Spec.from_toml(made / "torchgen.toml")
    assert spec.model.signal.axes == "tokens" and spec.data.padded
    run_tests(made, tmp_path)
    run(made, "train.py")
    assert "accuracy  1" in run(made, "eval.py")
    (tmp_path / "new.csv").write_text('text\n"Lovely, a LOVELY film!"\nawful unheardof words\n""\n')
    rows = list(csv.DictReader(io.StringIO(run(made, "predict.py", str(tmp_path / "new.csv")))))
    assert [row["prediction"] for row in rows][:2] == ["1", "0"] and len(rows) == 3


def test_the_vocabulary_is_that_of_the_train_split(tmp_path: Path) -> None:
    table = reviews()
    table.loc[:, "text"] = [f"{text} twice{row // 2}" for row, text in enumerate(table["text"])]
    table.drop(columns="stars").to_csv(tmp_path / "reviews.csv", index=False)
    made = make(tmp_path, data={"source": "reviews.csv", "target": "verdict"})
    with inside(made):
        dataset: Any = importlib.import_module("dataset")
        splits = dataset.load_splits(0)
    (words,) = splits.encoder.vocabularies
    train = set(splits.rows[0])
    for pair in range(100):
        both = {2 * pair, 2 * pair + 1} <= train
        assert (f"twice{pair}" in words) == both  # a word has an id where train has it twice
    assert not any(word.startswith("number") for word in words)
    inputs = torch.stack([row for row, _ in splits.test])
    assert inputs.max() < dataset.TEXTS["text"][1] and (inputs == 1).any() and (inputs == 0).any()


def test_a_vocabulary_of_ones_own_size(tmp_path: Path) -> None:
    reviews().drop(columns="stars").to_csv(tmp_path / "reviews.csv", index=False)
    made = make(tmp_path, data={"source": "reviews.csv", "target": "verdict"}, model={"vocab_size": 6})
    assert "(26, 6)" in (made / "dataset.py").read_text()
    run_tests(made, tmp_path)


@pytest.mark.parametrize("profile", ["lesson", "standard"])
def test_a_text_among_other_columns(tmp_path: Path, profile: str) -> None:
    table = reviews()
    table["place"] = ["north", "south", "east"] * 66 + ["north", "east"]
    table.to_csv(tmp_path / "reviews.csv", index=False)
    made = make(
        tmp_path,
        data={"source": "reviews.csv", "target": "verdict"},
        training={"epochs": 30, "lr": 0.01},
        project={"profile": profile},
    )
    assert "EmbeddingBag" in (made / "model.py").read_text()
    run_tests(made, tmp_path)
    run(made, "train.py")
    assert "accuracy  1" in run(made, "eval.py")
    if profile == "standard":
        (tmp_path / "new.csv").write_text("text,stars\nlovely,1\n")
        assert "has no column place" in script_fails(made, "predict.py", str(tmp_path / "new.csv"))


def test_a_text_in_which_nothing_is_said_twice_stays_out(tmp_path: Path) -> None:
    lines = [f"{' '.join(f'w{row}x{word}' for word in range(5))},{row % 3},{row % 2}" for row in range(60)]
    (tmp_path / "d.csv").write_text("\n".join(["text,number,y", *lines]))
    spec = Spec.from_dict({"name": "demo", "data": {"source": "d.csv", "target": "y"}}, base=tmp_path)
    assert dict(spec.data.says)["text"] == "left out: text in which no word stands twice"
