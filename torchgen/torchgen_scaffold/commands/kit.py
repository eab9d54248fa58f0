"""`torchgen kit`: a teaching kit of one project: starter, solution, grader."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from torchgen_scaffold.commands import completion
from torchgen_scaffold.commands.flags import Asked, spec_flags, tell_note, tell_notes
from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.escape import visible
from torchgen_scaffold.lessons import LESSONS

if TYPE_CHECKING:
    from torchgen_scaffold.kits.classes import Roll
    from torchgen_scaffold.kits.proving import Proof
    from torchgen_scaffold.kits.write import Wanted


@click.command("kit")
@spec_flags()
@click.option(
    "-o",
    "--output-dir",
    "output_dir",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="the kit's folder",
    shell_complete=completion.folders,
)
@click.option("--name", help="the project's name [default: that of its data, or of DIR]")
@click.option("--level", type=click.IntRange(1, 3), help="1: loss, optimizer, step; 3: all gaps [default: 2]")
@click.option("--gaps", metavar="3,4,7", help="these gaps, whatever the level")
@click.option("--lesson", metavar="NAME", help=f"a ready lesson: {', '.join(LESSONS)}")
@click.option("--notebook", is_flag=True, help="write the starter and the solution also as a notebook each")
@click.option(
    "--roster",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="a CSV of students (id, seed, level): a variant for each",
)
@click.option(
    "--only", multiple=True, metavar="ID", help="write this student's files anew, and nobody else's"
)
@click.option("--vary", metavar="data,sizes,shapes", help="how variants differ [default: all that can]")
@click.option("--verify", "proved", is_flag=True, help="run every solution's tests [default: those of 3]")
@click.option(
    "--python",
    type=click.Path(dir_okay=False),
    metavar="PATH",
    help="the Python that has torch [default: the one running torchgen]",
)
@click.option("--force", is_flag=True, help="overwrite the files of an earlier kit")
@click.option("--json", "as_json", is_flag=True, help="print one JSON document")
def command(
    config: Path | None,
    sets: tuple[str, ...],
    output_dir: Path,
    name: str | None,
    level: int | None,
    gaps: str | None,
    lesson: str | None,
    notebook: bool,
    roster: Path | None,
    only: tuple[str, ...],
    vary: str | None,
    proved: bool,
    python: str | None,
    force: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Write a teaching kit: a starter with gaps, its solution, and a grader."""
    from torchgen_scaffold.kits.proving import prover
    from torchgen_scaffold.kits.write import Wanted

    asked = Asked({"name": name, **flags}, config, sets)
    wanted = Wanted(asked.answers, asked.base, level, gaps, lesson, notebook)
    able = prover(python or sys.executable, needed=proved) if proved or roster else None
    if roster:
        from torchgen_scaffold.kits.classes import Roll

        ok = _class(wanted, Roll(roster, vary, only), output_dir, Way(able, proved, force, as_json))
    else:
        _check_alone(only, vary)
        ok = _one(wanted, output_dir, Way(able, proved, force, as_json))
    if not ok:
        raise click.exceptions.Exit(1)


class Way(NamedTuple):
    """How kits are written and told of: the Python that verifies, if any; all of them; over what is there; as JSON."""

    python: str | None
    proved: bool
    force: bool
    as_json: bool


def _check_alone(only: tuple[str, ...], vary: str | None) -> None:
    """Refuse what only a class has."""
    flag = "--only" if only else "--vary" if vary is not None else ""
    if flag:
        why = "Only a class has variants."
        raise SpecError(
            Problem(f"{flag} needs a roster.", why, "Add --roster students.csv, or leave it out.")
        )


def _one(wanted: Wanted, place: Path, way: Way) -> bool:
    """Write one kit and tell of it; whether its solution, where that was asked for, passes its tests."""
    from torchgen_scaffold.kits.write import write_kit

    kit, files = write_kit(wanted, place, force=way.force)
    proofs = _proofs(place, ["solution"] if way.proved else [], way)
    if way.as_json:
        _tell({"path": str(place), "files": files, "gaps": list(kit.places)}, proofs)
    else:
        from torchgen_scaffold.show_kit import show_kit

        show_kit(kit, place, files)
    tell_notes(kit.plan)
    return all(proof.step.ok for proof in proofs)


def _class(wanted: Wanted, roll: Roll, place: Path, way: Way) -> bool:
    """Write the kits of a class and tell of them; whether the solutions that were verified pass their tests."""
    from torchgen_scaffold.kits.classes import write_class
    from torchgen_scaffold.kits.proving import sample_of

    made = write_class(wanted, roll, place, force=way.force, tell=_tell_count)
    names = list(made.kits)
    proofs = _proofs(place / "solutions", names if way.proved else sample_of(names), way)
    if way.as_json:
        students = [row._asdict() for row in made.rows]
        document = {
            "path": str(place),
            "files": list(made.files),
            "vary": list(made.vary),
            "students": students,
        }
        _tell(document, proofs)
    else:
        from torchgen_scaffold.show_kit import show_class

        show_class(made, place, proofs)
    tell_notes(made.plan)
    return all(proof.step.ok for proof in proofs)


def _tell_count(done: int, count: int) -> None:
    """How far a class is; where nobody watches, the last lines say it all."""
    if sys.stderr.isatty():
        click.echo(f"\r  {done:,} of {count:,} kits", nl=done == count, err=True)


def _proofs(folder: Path, names: list[str], way: Way) -> list[Proof]:
    """Verify these solutions, a line to stderr for each; after Ctrl-C say that what was written stays."""
    from torchgen_scaffold.kits.proving import prove

    if not names:
        return []
    if way.python is None:
        tell_note(
            "no solution was verified, since this Python has no torch or no pytest; --python PATH names another."
        )
        return []

    def tell(proof: Proof) -> None:
        result = "ok    " if proof.step.ok else "FAILED"
        click.echo(f"{result} {proof.id} {proof.step.seconds:.1f} s", err=True)
        for line in () if proof.step.ok else click.unstyle(proof.step.detail).splitlines():
            click.echo(f"    {visible(line.expandtabs())}", err=True)

    try:
        return prove(folder, names, way.python, tell)
    except KeyboardInterrupt:
        click.echo("Stopped while solutions were verified; everything is written.", err=True)
        raise click.exceptions.Exit(130) from None


def _tell(document: dict[str, Any], proofs: list[Proof]) -> None:
    import json

    document["verified"] = [{"id": proof.id, **vars(proof.step)} for proof in proofs]
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))
