"""The whole pipeline on one screen: spec -> plan -> rendered -> formatted. Touches no disk."""

from __future__ import annotations

from torchgen_scaffold.plan import Plan, plan
from torchgen_scaffold.spec import Spec


def generate(spec: Spec) -> dict[str, str]:
    """{path in the project: text}, complete and formatted, in the order a reader would open the files."""
    return texts_of(plan(spec))


def texts_of(planned: Plan, gaps: frozenset[str] = frozenset()) -> dict[str, str]:
    """The same of a plan that is there already; with these gaps of a teaching kit open."""
    from torchgen_scaffold.formatting import formatted
    from torchgen_scaffold.plugins import template_folders
    from torchgen_scaffold.render import broken, render

    foreign = planned.spec.project.templates_at is not None or bool(template_folders())
    files = {}
    for path, text in render(planned, gaps).items():
        try:
            files[path] = formatted(path, text, foreign=foreign)
        except SyntaxError as error:
            raise broken(planned, path, error) from error
    return files
