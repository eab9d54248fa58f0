"""Every key of torchgen.toml that does not belong to one preset, loss, optimizer or schedule, with its flag."""

from __future__ import annotations

from torchgen_scaffold.kinds import (
    Choice,
    Flag,
    Integer,
    Number,
    Setting,
    Shape,
    Text,
)
from torchgen_scaffold.lists import Columns, Layers, Many
from torchgen_scaffold.presets import PRESETS
from torchgen_scaffold.tasks import TASKS
from torchgen_scaffold.training import LOSSES, OPTIMIZERS, SCHEDULES

PROFILES = ("standard", "lesson")
CI_SYSTEMS = ("none", "github", "gitlab")
LAYOUTS = ("tf", "cl")

SETTINGS: dict[str, Setting] = {
    "torchgen": Setting(
        Text("the version of torchgen that wrote the file"), "the version that wrote this file"
    ),
    "name": Setting(Text("a name such as digits"), "the project's name, and its folder's"),
    "task": Setting(Choice(TASKS), "what the network is to do", flag="--task"),
    "input_shape": Setting(Shape(), "one sample's shape, without the batch", flag="--input-shape"),
    "output_shape": Setting(Shape(), "one output's shape, without the batch", flag="--output-shape"),
    "model.preset": Setting(Choice(PRESETS), "a ready list of layers", flag="--model"),
    "model.layers": Setting(Layers(), 'your own list: "conv(32, 3) -> relu -> …"', flag="--layers"),
    "model.vocab_size": Setting(Integer(2, 2**31 - 1), "the input is token ids below N", flag="--vocab-size"),
    "model.layout": Setting(
        Choice(LAYOUTS), "what two axes mean: tf = time, features; cl = channels, length", flag="--layout"
    ),
    "data.source": Setting(
        Text("a data source such as csv:PATH", metavar="SOURCE"),
        "where the data comes from",
        flag="--data",
    ),
    "data.target": Setting(Columns(), "the column to predict", flag="--target"),
    "data.samples": Setting(Integer(10, 10**9), "how many samples there are (synthetic: how many to make)"),
    "data.test_samples": Setting(Integer(0, 10**9), "how many of them the source keeps for testing"),
    "data.val_samples": Setting(Integer(0, 10**9), "how many of them the source keeps for validating"),
    "data.parts": Setting(Many(Text("a split's name"), limit=3), "the source's own train, val and test"),
    "data.classes": Setting(Many(Text("a class's name"), limit=100_000), "the classes' names, in order"),
    "data.counts": Setting(Many(Integer(0, 10**9), limit=100_000), "samples of each class"),
    "data.columns": Setting(Many(Text("a column's name"), limit=100_000), "the input columns, in order"),
    "data.kinds": Setting(Many(Text("what a column holds"), limit=100_000), "what each input column holds"),
    "data.drop": Setting(Columns(), "columns to leave out", flag="--drop"),
    "data.group": Setting(Columns(), "rows with the same value go to the same split", flag="--group"),
    "data.time": Setting(Columns(), "val and test come after train in this column", flag="--time"),
    "data.time_format": Setting(Text("number, or the format of a date"), "how the time is written"),
    "data.separator": Setting(Text("what stands between cells"), "what separates the cells of a text file"),
    "data.encoding": Setting(Text("an encoding such as utf-8"), "the encoding of a text file"),
    "data.decimal": Setting(Choice((".", ",")), "the decimal mark of a text file"),
    "data.header": Setting(Flag(), "whether the first line of a text file names the columns"),
    "data.skipped": Setting(Many(Text("a file's path"), limit=100_000), "images that cannot be read"),
    "data.strict": Setting(Flag(), "refuse a folder with images that cannot be read", False, flag="--strict"),
    "data.stream": Setting(
        Flag(), "parquet: read the file piece by piece; by itself from 20 million cells on"
    ),
    "data.padded": Setting(Flag(), "whether samples are shorter than the input shape here and there"),
    "data.resize": Setting(Shape(), "images: the height and width to bring them to"),
    "data.augment": Setting(
        Choice(("none", "shift", "flip")),
        "how training varies images: shift by some pixels, flip left and right too, none",
    ),
    "training.loss": Setting(Choice(LOSSES), "what training makes small", flag="--loss"),
    "training.optimizer": Setting(Choice(OPTIMIZERS), "how weights move", "adam", flag="--optimizer"),
    "training.schedule": Setting(Choice(SCHEDULES), "how lr changes", "none", flag="--schedule"),
    "training.epochs": Setting(Integer(1, 1_000_000), "passes over the train split", flag="--epochs"),
    "training.batch_size": Setting(Integer(1, 1_000_000), "samples a step", flag="--batch-size"),
    "training.lr": Setting(
        Number(0, 1000, above=True), "the learning rate: how far a step goes", flag="--lr"
    ),
    "training.seed": Setting(
        Integer(0, 2**31 - 1), "decides the split, the weights and the order", 0, flag="--seed"
    ),
    "training.clip_norm": Setting(Number(0), "largest norm of the gradient; 0 is off"),
    "training.patience": Setting(Integer(0, 1_000_000), "epochs without a better val loss; 0 is off", 0),
    "project.profile": Setting(
        Choice(PROFILES),
        "lesson: one page a file; standard: with the tools of a real run",
        "standard",
        "--profile",
    ),
    "project.ci": Setting(Choice(CI_SYSTEMS), "a CI workflow to write", "none", flag="--ci"),
    "project.templates": Setting(
        Text("a folder of templates", metavar="DIR"),
        "templates of your own, before torchgen's",
        flag="--templates",
    ),
    "project.copy_data": Setting(Flag(), "bring the data into the project", False, flag="--copy-data"),
}
