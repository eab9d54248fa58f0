"""The figures of docs/performance.md, from the runs that are kept beside it: `python -m benchmarks.page`.

A run is kept by `python -m benchmarks WHAT --json docs/figures/NAME.json`. Between `<!-- figures: NAME -->` and `<!-- end -->`
the page shows its command, its machine, its picture and its table, all from that one file.
"""

from __future__ import annotations

import re

from benchmarks.plot import draw
from benchmarks.processes import ROOT
from benchmarks.report import read
from benchmarks.table import markdown

PAGE = ROOT / "docs" / "performance.md"
FIGURES = ROOT / "docs" / "figures"
BLOCK = re.compile(r"<!-- figures: ([\w-]+) -->\n.*?<!-- end -->", re.DOTALL)
ABSENT = "No run is kept here yet."


def filled(text: str) -> str:
    """The page with every block as its run says."""

    def block(mark: re.Match[str]) -> str:
        return f"<!-- figures: {mark[1]} -->\n{shown(mark[1])}\n<!-- end -->"

    return BLOCK.sub(block, text)


def shown(name: str) -> str:
    """What the page shows of one run."""
    path = FIGURES / f"{name}.json"
    if not path.exists():
        return ABSENT
    report = read(path)
    what = "; ".join(group.title for group in report.groups[:3])
    return markdown(report, f"![{what}](figures/{name}.png)")


def main() -> None:
    """Draw the picture of every run, and write the page again."""
    for path in sorted(FIGURES.glob("*.json")):
        draw(read(path), path.with_suffix(".png"))
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
