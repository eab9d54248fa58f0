"""A table of image files and their labels: `imagelist:PATH`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torchgen_scaffold.sources.base import Facts, Request, Source, existing, refuse
from torchgen_scaffold.sources.pictures import SUFFIXES, check_skipped, image_shape, look_at_all, told
from torchgen_scaffold.sources.table.columns import shown
from torchgen_scaffold.sources.table.read import read_text
from torchgen_scaffold.sources.table.table import Table, is_empty
from torchgen_scaffold.sources.table.targets import rows_with_targets, target_columns, target_facts


class ImageList(Source):
    """`imagelist:PATH`: a CSV file with a column of file names, as seen from its folder, and one of labels."""

    name = "imagelist"
    template = "images"
    form = "imagelist:PATH"
    summary = "a CSV file of image files and their labels; --target names the labels"
    samples = "images that a table names"
    predicts_on = "image files"
    requires = ("numpy", "pillow")
    imports = ("numpy", "PIL")
    has_path = True
    needs_target = True
    names_files = True

    def recognises(self, path: Path) -> bool:
        """A text file in whose second line some cell names an image."""
        if path.suffix.lower() not in (".csv", ".tsv", ".tab", ".txt") or not path.is_file():
            return False
        with path.open("rb") as file:
            _, second = file.readline(100_000), file.readline(100_000)
        cells = second.decode("utf-8", "replace").replace("\t", ",").replace(";", ",").split(",")
        return any(cell.strip().strip('"').lower().endswith(SUFFIXES) for cell in cells)

    def columns(self, path: Path, place: str) -> Sequence[str]:
        """The header of the table."""
        return read_text(path, place).names

    def facts(self, place: str, request: Request) -> Facts:
        """Read the table, and open every image that it names."""
        path = existing(place, request, form=f"{self.form} --target COLUMN")
        table = read_text(path, place)
        if not table.reading.header:
            raise refuse(
                f"{place!r} has no header",
                "its first line is no names of columns",
                "Add a line such as file,label.",
            )
        files = _file_column(table, place)
        targets = target_columns(table.names, request.targets, place)
        kept = rows_with_targets(table, targets, place)
        named = [path.parent / table.column(files)[row] for row in kept]
        looked = look_at_all(path.parent, named)
        check_skipped(looked, place, strict=request.strict)
        rows = [row for row, file in zip(kept, named, strict=True) if file in looked.seen]
        lines, cells = [table.lines[row] for row in rows], [table.column(name) for name in targets]
        labels = [[column[row] for row in rows] for column in cells]
        about = target_facts(targets, labels, lines, table.reading.decimal, request.task)
        shape, says = image_shape(looked, request.resize)
        return Facts(
            input_shapes=(shape,),
            samples=len(rows),
            columns=(files,),
            targets=targets,
            reading=table.reading,
            skipped=tuple(looked.skipped),
            says=((files, f"image files, such as {shown(table.column(files)[0])}"), *says),
            warnings=told(looked.skipped),
            **about,
        )


def _file_column(table: Table, place: str) -> str:
    """The column that names image files. Raises SpecError where there is none."""
    for name in table.names:
        cells = [cell for cell in table.column(name) if not is_empty(cell)]
        if cells and all(cell.lower().endswith(SUFFIXES) for cell in cells):
            return name
    raise refuse(
        f"{place!r} has no column of image files",
        f"each of its cells would end in {' '.join(SUFFIXES)}",
        "Mend the cells that do not, or give --data csv:PATH for a table of other things.",
    )
