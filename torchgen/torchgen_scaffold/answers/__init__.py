"""Answers to Spec: every check, every default that follows from another answer, every problem at once.

The order is the order in which one answer decides the next: the words themselves, the data's facts, the task, the
shapes, the model, the training. A stage whose grounds are missing stays silent, so that a person sees causes and
not their echoes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torchgen_scaffold.answers.data import data_of, facts_of, relative, source_of
from torchgen_scaffold.answers.model import model_of
from torchgen_scaffold.answers.shapes import input_shape_of, output_shape_of, task_of
from torchgen_scaffold.answers.training import check_batch, loss_of, training_of
from torchgen_scaffold.answers.words import Answers, read_toml
from torchgen_scaffold.errors import LayerError, SpecError
from torchgen_scaffold.names import project_name_problem, suggest_name
from torchgen_scaffold.network import Network
from torchgen_scaffold.overlay import names_in
from torchgen_scaffold.spec import Data, Model, Project, Spec, Training

__all__ = ["Answers", "read_toml", "resolve"]


def resolve(given: Mapping[str, Any], *, base: Path, into: Path, home: Path | None = None) -> Spec:
    """The Spec of these answers. Raises SpecError listing every problem; see Spec.from_dict for the paths."""
    answers = Answers(given)
    source, place, facts = None, "", None
    readable = False  # until the facts are read
    if not answers.wrong_in("data"):
        with answers.collecting():
            source, place = source_of(answers, base)
            facts = facts_of(answers, source, place, base)
            readable = True
    name = _name_of(answers, base / place if source and source.has_path else Path(place))
    home = home or into / name
    task = task_of(answers, facts) if readable else answers.get("task")
    input_shape = input_shape_of(answers, facts) if readable else None
    output_shape = output_shape_of(answers, facts, task) if readable else None
    model: Model | None = None
    network: Network | None = None
    data: Data | None = None
    training: Training | None = None
    layer_error: LayerError | None = None
    if input_shape and output_shape and not answers.wrong_in("model"):
        try:
            model, network = model_of(answers, input_shape, output_shape, facts)
        except LayerError as error:
            layer_error = error
        except SpecError as error:
            answers.problems.extend(error.problems)
    if source and task and input_shape and output_shape and readable:
        with answers.collecting():
            data = data_of(answers, source, place, facts, task, base, home)
    if task and output_shape and data:
        training = training_of(answers, task, output_shape, data, model)
        if network and training:
            check_batch(answers, network, training.batch_size)
    elif task:
        loss_of(answers, task)  # whether the loss fits can be said without shapes
    project = _project_of(answers, base, home)
    if layer_error and not answers.problems:
        raise layer_error
    if layer_error:
        answers.problems.extend(layer_error.problems)
    if answers.problems:
        raise SpecError(answers.problems)
    assert task and input_shape and output_shape and model and data and training  # else there was a problem
    return Spec(name, task, input_shape, output_shape, model, data, training, project)


def _project_of(answers: Answers, base: Path, home: Path) -> Project:
    """What is written around the model; notes what is wrong with a folder of templates."""
    given = answers.get("project.templates")
    templates = None if given is None else base / str(given)
    if templates:
        with answers.collecting():
            names_in(templates)
    return Project(
        profile=answers.get("project.profile"),
        ci=answers.get("project.ci"),
        copy_data=answers.get("project.copy_data"),
        templates=relative(templates, home) if templates else "",
        templates_at=templates,
    )


def _name_of(answers: Answers, place: Path) -> str:
    """The name: given, or the data's own (`csv:data/houses.csv` makes `houses`); notes a problem."""
    name: str | None = answers.get("name")
    if answers.wrong_in("name"):
        return "project"
    if name is None:
        stem = place.stem or place.resolve().stem if place != Path() else ""
        name = suggest_name(stem) if stem else None
    if name is None:
        answers.missing("name", "it names the project's folder", "Give NAME: torchgen new NAME.")
        return "project"
    problem = project_name_problem(name)
    if problem:
        answers.problems.append(problem)
        return "project"
    return name
