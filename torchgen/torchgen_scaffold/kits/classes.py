"""A class: for each student of a roster a variant of the kit, one grader for all, and a manifest."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from torchgen_scaffold.errors import DestinationError, Problem, SpecError
from torchgen_scaffold.escape import visible
from torchgen_scaffold.kits import Kit
from torchgen_scaffold.kits.archive import write_zip
from torchgen_scaffold.kits.leaks import with_seeds
from torchgen_scaffold.kits.roster import Student, read_roster
from torchgen_scaffold.kits.variants import kinds_of, variant
from torchgen_scaffold.kits.write import USUAL_LEVEL, Wanted, carried, check_handout, kit_of, planned
from torchgen_scaffold.plan import Plan, plan
from torchgen_scaffold.records import record, replace
from torchgen_scaffold.spec import Spec
from torchgen_scaffold.write import write_tree

MANIFEST = "manifest.csv"
_OF_ONE = (
    "The answers on this page are those of one variant; each student's are in `solutions/ID/`. "
    "Hand out the folders or zips of `students/`; what this page says of `starter/` holds for each of them. "
    "The points of a student are in `grader/references/ID/kit.json`."
)
_HEADER = ("id", "seed", "level", "shapes", "sha256")
_OWN = "reference/"  # what of a grader belongs to one student


@record
class Roll:
    """What was asked for of a class: its roster, what varies (`data,sizes`; None: all that can), and who alone."""

    roster: Path
    vary: str | None = None
    only: tuple[str, ...] = ()


class Row(NamedTuple):
    """A line of the manifest."""

    id: str
    seed: str
    level: str
    shapes: str
    sha256: str


@record
class Made:
    """What was written: the kit of each student, which files, and the manifest's rows."""

    plan: Plan
    kits: Mapping[str, Kit]
    files: Sequence[str]
    rows: Sequence[Row]
    vary: tuple[str, ...]


def write_class(
    wanted: Wanted,
    roll: Roll,
    destination: Path,
    *,
    force: bool = False,
    tell: Callable[[int, int], None] = lambda done, count: None,
) -> Made:
    """Write the kits of a class, all of them or nothing; of `only` some, and then nobody else's files are touched.

    `tell` hears how many kits of how many are ready. Raises SpecError, DestinationError and MachineError.
    """
    base = planned(wanted, destination)
    students = read_roster(roll.roster, base.spec.training.seed)
    kinds = kinds_of(base.spec, roll.vary or ("data" if wanted.ready else None))
    if wanted.ready and kinds != ("data",):
        why = "Its text works out the sizes of its network, which would be others."
        raise SpecError(
            Problem(f"--lesson {wanted.lesson} varies in its data alone.", why, "Leave --vary out.")
        )
    chosen = _chosen(students, roll, destination)
    kits = _kits(chosen, base, wanted, kinds, [student.seed for student in students], tell)
    files: dict[str, str] = {} if roll.only else _shared(kits)
    copies: dict[str, Path] = {}
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="torchgen-class-") as scratch:
        rows = {}
        for student in chosen:
            kit = kits[student.id]
            texts, carried_along = _texts(student, kit), _copies(student, kit)
            zipped = Path(scratch, f"{student.line}.zip")
            digest = _zip(student, kit, zipped)
            files |= texts
            copies |= carried_along | {f"students/{student.id}.zip": zipped}
            check_handout(kit, destination, f"students/{student.id}", carried(kit)["starter"], zipped)
            rows[student.id] = _row(student, kit, wanted, digest)
        manifest = list(_merged(rows, students, destination, only=bool(roll.only)))
        files[MANIFEST] = _csv(manifest)
        names = write_tree(files, destination, force=force or bool(roll.only), copies=copies)
    return Made(base, kits, names, manifest, kinds)


def _chosen(students: Sequence[Student], roll: Roll, destination: Path) -> list[Student]:
    """Everybody, or those who were named. Raises SpecError for somebody whom the roster has not."""
    missing = [
        identifier for identifier in roll.only if identifier not in {student.id for student in students}
    ]
    if missing:
        what = f"--only {', '.join(map(visible, missing))}: the roster has nobody of that id."
        raise SpecError(Problem(what, "", f"Write an id as {visible(str(roll.roster))} has it."))
    if roll.only and not (destination / MANIFEST).is_file():
        what = f"{visible(str(destination))} holds no class."
        why = f"It has no {MANIFEST}, and --only changes a class that is there."
        raise DestinationError(Problem(what, why, "Write the whole class first, without --only."))
    return [student for student in students if not roll.only or student.id in roll.only]


def _kits(
    chosen: Sequence[Student],
    base: Plan,
    wanted: Wanted,
    kinds: Sequence[str],
    seeds: Sequence[int],
    tell: Callable[[int, int], None],
) -> dict[str, Kit]:
    """{id: kit}. What is wrong with variants is said with their students' lines, all of it at once."""
    kits: dict[str, Kit] = {}
    alike: dict[int | None, Kit] = {}  # by level: the first of each says what all share
    problems: list[Problem] = []
    for student in chosen:
        home = Path("students", student.id)
        try:
            spec = Spec.from_dict(variant(base.spec, student.seed, kinds), base=home, home=home)
            # The variant's answers know the data as the project sees it; where it is now, its base knows.
            spec = replace(spec, data=replace(spec.data, original=base.spec.data.original))
            kit = kit_of(wanted, plan(spec), level=student.level, like=alike.get(student.level))
        except SpecError as error:
            problems += _told(student, error)
            continue
        alike.setdefault(student.level, kit)
        kits[student.id] = replace(kit, secrets=with_seeds(kit.secrets, seeds, student.seed))
        tell(len(kits), len(chosen))
    if problems:
        raise SpecError(problems)
    return kits


def _told(student: Student, error: SpecError) -> list[Problem]:
    who = f"line {student.line}, {visible(student.id)}"
    instead = "Or give another seed in that row, or vary less: --vary data"
    return [Problem(f"{who}: {p.what}", p.why, f"{p.instead} {instead}", p.key) for p in error.problems]


def _shared(kits: Mapping[str, Kit]) -> dict[str, str]:
    """What all students share: the grader, which is the same whatever the variant, and the page of one with most gaps."""
    widest = max(kits.values(), key=lambda kit: len(kit.places))
    grader = {f"grader/{name}": text for name, text in widest.grader.items() if not _is_own(name)}
    title, _, rest = widest.instructor.partition("\n\n")
    return {**grader, "instructor.md": f"{title}\n\n{_OF_ONE}\n\n{rest}"}


def _is_own(name: str) -> bool:
    return name.startswith(_OWN) or name == "kit.json"


def _texts(student: Student, kit: Kit) -> dict[str, str]:
    own = {name.removeprefix(_OWN): text for name, text in kit.grader.items() if _is_own(name)}
    folders = {"students": kit.starter, "solutions": kit.solution, "grader/references": own}
    return {
        f"{folder}/{student.id}/{name}": text
        for folder, texts in folders.items()
        for name, text in texts.items()
    }


def _copies(student: Student, kit: Kit) -> dict[str, Path]:
    along = carried(kit)
    folders = {"students": "starter", "solutions": "solution", "grader/references": "grader/reference"}
    return {
        f"{folder}/{student.id}/{name}": file
        for folder, part in folders.items()
        for name, file in along[part].items()
    }


def _zip(student: Student, kit: Kit, place: Path) -> str:
    return write_zip(place, {**kit.starter, **carried(kit)["starter"]}, student.id)


def _row(student: Student, kit: Kit, wanted: Wanted, digest: str) -> Row:
    own = wanted.gaps is not None or wanted.ready is not None
    level = "" if own else str(student.level or wanted.level or USUAL_LEVEL)
    spec = kit.plan.spec
    shapes = " -> ".join("x".join(map(str, shape)) for shape in (spec.input_shape, spec.output_shape))
    return Row(student.id, str(student.seed), level, shapes, digest)


def _merged(
    rows: Mapping[str, Row], students: Sequence[Student], destination: Path, *, only: bool
) -> Iterator[Row]:
    """The manifest: the new rows in the roster's order; where only some were made, with what it had of the others."""
    before = {row.id: row for row in _read_manifest(destination / MANIFEST)} if only else {}
    for student in students:
        if (row := rows.get(student.id) or before.get(student.id)) is not None:
            yield row
    known = {student.id for student in students}
    yield from (row for row in before.values() if row.id not in known)


def _read_manifest(place: Path) -> Iterator[Row]:
    with place.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        if tuple(next(reader, ())) != _HEADER:
            what = f"{visible(str(place))} is no manifest of torchgen's."
            raise DestinationError(
                Problem(what, "Its header is another.", "Write the whole class again with --force.")
            )
        yield from (Row(*cells) for cells in reader if len(cells) == len(_HEADER))


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_HEADER, *rows])
    return text.getvalue()
