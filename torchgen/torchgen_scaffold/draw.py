"""The network as a picture: an SVG that stands alone, and a Mermaid diagram. Pure text, no dependency.

`layout` decides where everything is; here it is only written down.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from torchgen_scaffold.glyphs import mix, number
from torchgen_scaffold.layers.base import show_shape
from torchgen_scaffold.layout import INK, Text, layout
from torchgen_scaffold.spelling import counted
from torchgen_scaffold.stages import family_of
from torchgen_scaffold.wording import label_of, notes_of

if TYPE_CHECKING:
    from torchgen_scaffold.plan import Plan

_PAPER, _BORDER = "#ffffff", "#e4e7eb"  # a ground of its own, so that it reads on a dark page too
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_MERMAID_EDGES = 500  # arrows, Mermaid's own limit


def svg_of(plan: Plan) -> str:
    """The network as one SVG: no script, no reference to anything outside, the same bytes each time."""
    drawing = layout(plan)
    width, height = number(drawing.width), number(drawing.height)
    title, totals = (escape(text.text) for text in drawing.texts[:2])
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" font-family="{_FONT}">',
            f"<title>{title}</title>",
            f"<desc>{totals}</desc>",
            f'<rect width="{width}" height="{height}" rx="10" fill="{_PAPER}" stroke="{_BORDER}"/>',
            *drawing.shapes,
            *map(_text_svg, drawing.texts),
            "</svg>\n",
        ]
    )


def mermaid_of(plan: Plan) -> str:
    """The network as a Mermaid flowchart, a node a layer; GitHub and many wikis draw it."""
    kinds = ["input", *(layer.kind for layer in plan.layers)]
    lines = ["flowchart TD", f'    n0["input<br/>{show_shape(plan.spec.input_shape)}"]']
    if len(kinds) > _MERMAID_EDGES:
        lines.insert(
            1, "    %% More arrows than Mermaid draws unless its maxEdges is raised; the SVG has no limit."
        )
    for index, layer in enumerate(plan.layers, start=1):
        texts = [", ".join([label_of(layer), *notes_of(layer)]), show_shape(layer.out_shape)]
        texts += [counted(layer.params, "param")] if layer.params else []
        lines.append(f'    n{index}["{"<br/>".join(map(_mermaid_text, texts))}"]')
    lines += [f"    n{index} --> n{index + 1}" for index in range(len(plan.layers))]
    for name, color in dict.fromkeys(map(family_of, kinds)):
        members = ",".join(f"n{index}" for index, kind in enumerate(kinds) if family_of(kind)[0] == name)
        # Dark text on a pale fill: readable whatever the theme of the page.
        lines.append(f"    classDef {name} fill:{mix(color, '#ffffff', 0.75)},stroke:{color},color:{INK}")
        lines.append(f"    class {members} {name}")
    return "\n".join(lines)


def _text_svg(text: Text) -> str:
    anchor = ' text-anchor="middle"' if text.centred else ""
    weight = ' font-weight="600"' if text.bold else ""
    place = f'x="{number(text.x)}" y="{number(text.y)}" font-size="{number(text.size)}" fill="{text.fill}"'
    return f"<text {place}{anchor}{weight}>{escape(text.text)}</text>"


def _mermaid_text(text: str) -> str:
    """Text inside a quoted label, where Mermaid reads HTML and its own # entities."""
    names = {"&": "amp", '"': "quot", "<": "lt", ">": "gt", "#": "35", "`": "96"}
    return "".join(f"#{names[char]};" if char in names else char for char in text)
