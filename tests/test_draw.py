"""The drawing and the diagram: valid, complete, the same each time, and nothing on top of anything else."""

from __future__ import annotations

import re
from itertools import combinations
from math import prod
from typing import TypeAlias
from xml.etree import ElementTree

import pytest

from torchgen_scaffold.draw import mermaid_of, svg_of
from torchgen_scaffold.glyphs import Scale, draw, look_of, mix
from torchgen_scaffold.layers.base import Axes, Shape, Signal, Traced, Value
from torchgen_scaffold.layout import Text, layout
from torchgen_scaffold.network import Block, Network
from torchgen_scaffold.plan import Plan, plan
from torchgen_scaffold.spec import Data, Model, Project, Spec, Training
from torchgen_scaffold.stages import stages_of
from torchgen_scaffold.wording import label_of, notes_of

SVG = "{http://www.w3.org/2000/svg}"


def planned(input_shape: Shape, layers: list[Traced], axes: Axes = "map", name: str = "network") -> Plan:
    spec = Spec(
        name,
        "multiclass",
        input_shape,
        layers[-1].out_shape,
        Model(None, (), Signal(input_shape, axes), vocab_size=100 if axes == "tokens" else None),
        Data("synthetic", "", 1000),
        Training("cross_entropy", "adam", "none", 50, 64, 0.001, 0, 1.0, 0),
        Project(),
    )
    return Plan(spec, Network(tuple(Block(f"layer{index}", (layer,)) for index, layer in enumerate(layers))))


_Step: TypeAlias = tuple[str, dict[str, Value], Shape | None, int]


def chain(shape: Shape, *steps: _Step) -> list[Traced]:
    """Layers that follow each other: kind, arguments, the shape they give (None keeps it), parameters."""
    layers = []
    for kind, args, out, params in steps:
        layers.append(Traced(kind.lower(), kind, args, shape, out or shape, params))
        shape = out or shape
    return layers


def deep(count: int) -> Plan:
    """A stack of `count` convolutions, each with its own number of channels, and activations between them."""
    shape: Shape = (3, 64, 64)
    steps: list[_Step] = []
    for index in range(count // 2):
        steps.append(
            ("Conv2d", {"out_channels": 8 + index, "kernel_size": 3, "padding": 1}, (8 + index, 64, 64), 99)
        )
        steps.append(("ReLU", {}, None, 0))
    return planned(shape, chain(shape, *steps))


def answered(**answers: object) -> Plan:
    return plan(Spec.from_dict({"name": "network", "task": "multiclass", "output_shape": 10, **answers}))


PLANS = {
    "cnn": answered(input_shape="1,28,28", model={"preset": "cnn", "batchnorm": True, "dropout": 0.2}),
    "mlp": answered(input_shape="30", model={"preset": "mlp"}),
    "linear": answered(input_shape="4", model={"preset": "linear"}),
    "one number": answered(input_shape="1", output_shape="1", task="regression", model={"preset": "linear"}),
    "lstm": answered(input_shape="50,8", model={"preset": "lstm", "bidirectional": True, "num_layers": 2}),
    "volumes": answered(input_shape="2,16,32,32", model={"preset": "cnn"}),
    "signals": answered(input_shape="3,200", model={"preset": "cnn", "layout": "cl"}),
    "tokens": answered(input_shape="50", model={"preset": "mean", "vocab_size": 10_000, "hidden": [64]}),
    "an image back": answered(
        input_shape="16", output_shape="3,8,8", task="regression", model={"preset": "mlp"}
    ),
    "own layers": answered(
        input_shape="3,32,32",
        model={
            "layers": "conv(32, (3, 5), stride=2, bias=False) -> groupnorm(8) -> gelu -> adaptive_avgpool(1)"
        },
    ),
    "40 layers": deep(40),
}
every_plan = pytest.mark.parametrize("drawn", PLANS.values(), ids=PLANS)


def boxes(texts: list[Text]) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of each text."""
    lefts = [text.x - text.width / 2 if text.centred else text.x for text in texts]
    return [
        (left, text.y - 0.8 * text.size, left + text.width, text.y + 0.25 * text.size)
        for left, text in zip(lefts, texts, strict=True)
    ]


@every_plan
def test_the_svg_parses_and_stands_alone(drawn: Plan) -> None:
    text = svg_of(drawn)
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "title", "desc", "rect", "g", "path", "circle", "text")
    }
    assert "href" not in text
    assert "url(" not in text
    assert text.count("http") == 1  # the namespace


@every_plan
def test_every_layer_shape_and_total_is_in_it(drawn: Plan) -> None:
    root = ElementTree.fromstring(svg_of(drawn))
    texts = [element.text or "" for element in root.iter(f"{SVG}text")]
    words = " ".join(texts)
    for layer in drawn.layers:
        assert label_of(layer) in words
        assert "×".join(map(str, layer.out_shape)) in texts
    assert f"{drawn.params:,} parameter" in texts[1]
    assert "multiply-adds" in texts[1]
    assert sum(stage.params for stage in stages_of(drawn)) == drawn.params


@every_plan
def test_no_text_lies_on_another_or_leaves_the_page(drawn: Plan) -> None:
    drawing = layout(drawn)
    placed = boxes(drawing.texts)
    for (left, top, right, bottom), (left2, top2, right2, bottom2) in combinations(placed, 2):
        assert right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top
    assert min(left for left, *_ in placed) >= 0
    assert max(right for *_, right, _ in placed) <= drawing.width
    assert max(bottom for *_, bottom in placed) <= drawing.height


@every_plan
def test_no_arrow_lies_on_a_text(drawn: Plan) -> None:
    """An arrow between rows leads around the texts: its corners are outside of every text's box."""
    drawing = layout(drawn)
    placed = boxes(drawing.texts)
    for line in drawing.shapes:
        for x, y in _corners(line):
            assert 0 < x < drawing.width
            assert not any(left < x < right and top < y < bottom for left, top, right, bottom in placed)


def _corners(shape: str) -> list[tuple[float, float]]:
    """Points along an arrow's line: where its straight parts start and end, and their middles."""
    found = re.match(r'<path d="(M[^"]*)" fill="none"', shape)
    if not found:
        return []
    x = y = 0.0
    points = []
    for command, text in re.findall(r"([MHVq])([^MHVq]*)", found[1]):
        numbers = [float(part) for part in re.findall(r"-?[0-9.]+", text)]
        before = (x, y)
        if command == "M":
            before = x, y = numbers[0], numbers[1]
        elif command == "H":
            x = numbers[0]
        elif command == "V":
            y = numbers[0]
        else:
            x, y = x + numbers[2], y + numbers[3]
        points += [
            (before[0] + (x - before[0]) * part / 20, before[1] + (y - before[1]) * part / 20)
            for part in range(21)
        ]
    return points


@every_plan
def test_the_same_plan_gives_the_same_bytes(drawn: Plan) -> None:
    assert svg_of(drawn) == svg_of(drawn)
    assert mermaid_of(drawn) == mermaid_of(drawn)


def test_a_long_network_wraps_and_a_short_one_does_not() -> None:
    def rows(drawn: Plan) -> int:
        return len({text.y for text in layout(drawn).texts if re.fullmatch(r"[0-9]+(×[0-9]+)+", text.text)})

    assert rows(PLANS["own layers"]) == 1
    assert rows(PLANS["40 layers"]) in (2, 3)


def test_a_thousand_layers_stay_a_picture() -> None:
    drawn = deep(1000)
    text = svg_of(drawn)
    ElementTree.fromstring(text)
    drawing = layout(drawn)
    assert len(text) < 1_000_000
    assert 1 < drawing.width / drawing.height < 4
    assert max(drawing.width, drawing.height) < 12_000


def test_many_activations_in_a_row_do_not_pile_up_under_one_stage() -> None:
    drawn = planned(
        (8,), chain((8,), ("Linear", {"out_features": 8}, (8,), 72), *[("ReLU", {}, None, 0)] * 9)
    )
    assert max(len(stage.notes) for stage in stages_of(drawn)) <= 5
    assert svg_of(drawn).count(">ReLU<") == 9


def test_a_layer_with_weights_is_drawn_even_where_the_shape_stays() -> None:
    linear: _Step = ("Linear", {"out_features": 8}, (8,), 72)
    drawn = planned((8,), chain((8,), linear, linear, linear))
    assert len(stages_of(drawn)) == 4


def test_what_a_person_wrote_is_escaped() -> None:
    drawn = planned((8,), list(PLANS["mlp"].layers), "features", '<a href="x">&\x1b\x00')
    root = ElementTree.fromstring(svg_of(drawn))
    assert root.findtext(f"{SVG}title") == '<a href="x">&\\x1b\\x00'


@pytest.mark.parametrize(
    ("shape", "axes", "look"),
    [
        ((8,), "features", "bar"),
        ((8,), "tokens", "tokens"),
        ((8, 4), "sequence", "steps"),
        ((8, 4), "map", "lanes"),
        ((1, 8, 8), "map", "box"),
        ((1, 8, 8, 8), "map", "volume"),
        ((1, 2, 3, 4, 5), "map", "volume"),
    ],
)
def test_every_shape_has_a_look(shape: Shape, axes: Axes, look: str) -> None:
    assert look_of(shape, axes) == look
    for sizes in (shape, (1,) * len(shape), (100_000,) * len(shape)):
        glyph = draw(sizes, look_of(sizes, axes), "#3f83c8", Scale.of([(sizes, look_of(sizes, axes))]))
        assert 4 < glyph.width < 250
        assert 4 < glyph.height < 180
        ElementTree.fromstring(f"<svg>{glyph.svg}</svg>")


@pytest.mark.parametrize("axes", ["features", "sequence", "map"])
def test_more_is_never_drawn_smaller(axes: Axes) -> None:
    rank = {"features": 1, "sequence": 2, "map": 3}[axes]
    shapes: list[Shape] = [(2**power,) * rank for power in range(11)]
    scale = Scale.of((shape, look_of(shape, axes)) for shape in shapes)
    areas = [
        (glyph.width, glyph.height) for glyph in (draw(s, look_of(s, axes), "#3f83c8", scale) for s in shapes)
    ]
    heights = [height for _, height in areas]
    assert heights == sorted(heights)
    assert prod(areas[-1]) > prod(areas[0])


def test_a_layer_that_reads_both_ways_has_an_arrow_each_way() -> None:
    stages = stages_of(PLANS["lstm"])
    assert [stage.arrows for stage in stages if stage.kind == "LSTM"] == ["⇄"]


@pytest.mark.parametrize(
    ("kind", "args", "label", "notes"),
    [
        (
            "Conv2d",
            {"in_channels": 1, "out_channels": 8, "kernel_size": 3, "stride": 2},
            "Conv2d 3×3",
            ["stride 2"],
        ),
        ("Conv3d", {"kernel_size": (1, 3, 3), "padding": (0, 1, 1)}, "Conv3d 1×3×3", ["padding 0×1×1"]),
        (
            "Conv1d",
            {"kernel_size": 5, "padding": "same", "bias": False},
            "Conv1d 5",
            ["padding same", "no bias"],
        ),
        (
            "LSTM",
            {"hidden_size": 8, "num_layers": 2, "bidirectional": True},
            "LSTM",
            ["2 layers", "bidirectional"],
        ),
        ("Dropout", {"p": 0.2}, "Dropout 0.2", []),
        ("GroupNorm", {"num_groups": 4, "num_channels": 8}, "GroupNorm 4", []),
        ("AdaptiveAvgPool2d", {"output_size": (None, 1)}, "AdaptiveAvgPool2d", []),
        ("Embedding", {"num_embeddings": 1000, "embedding_dim": 8}, "Embedding", ["1,000 tokens"]),
        ("Unflatten", {"dim": 1, "unflattened_size": (2, 4)}, "Unflatten", []),
    ],
)
def test_labels(kind: str, args: dict[str, Value], label: str, notes: list[str]) -> None:
    layer = Traced("", kind, args, (8, 8, 8), (8, 8, 8))
    assert label_of(layer) == label
    assert notes_of(layer) == notes


def test_colours_mix() -> None:
    assert mix("#000000", "#ffffff", 0) == "#000000"
    assert mix("#000000", "#ffffff", 1) == "#ffffff"
    assert mix("#204060", "#000000", 0.5) == "#102030"


@every_plan
def test_mermaid_has_a_node_for_every_layer_and_an_arrow_between_each_two(drawn: Plan) -> None:
    lines = [line.strip() for line in mermaid_of(drawn).splitlines()]
    assert lines[0] == "flowchart TD"
    nodes = [match for line in lines if (match := re.fullmatch(r'n(\d+)\["([^"]+)"\]', line))]
    assert [int(node[1]) for node in nodes] == list(range(len(drawn.layers) + 1))
    for layer, node in zip(drawn.layers, nodes[1:], strict=True):
        label, shape, *params = node[2].split("<br/>")
        assert label.startswith(label_of(layer))
        assert shape == "×".join(map(str, layer.out_shape))
        assert params == ([f"{layer.params:,} params"] if layer.params else [])
    assert [line for line in lines if "-->" in line] == [
        f"n{i} --> n{i + 1}" for i in range(len(drawn.layers))
    ]


def test_mermaid_says_when_it_is_too_much_for_mermaid() -> None:
    assert "%%" in mermaid_of(deep(1000)).splitlines()[1]
    assert "%%" not in mermaid_of(deep(40))


def test_mermaid_labels_are_escaped() -> None:
    drawn = planned((8,), chain((8,), ("Conv1d", {"padding_mode": '"]; click n0 "x" <b> # `'}, (8,), 0)))
    label = mermaid_of(drawn).splitlines()[2]
    assert label.count('"') == 2
    assert "<b>" not in label
