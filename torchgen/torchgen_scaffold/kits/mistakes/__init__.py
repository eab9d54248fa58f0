"""What learners get wrong, a row each: a change of the solution that fails one check, and no other.

The rows prove the grader (each must fail its own check with that check's sentence), fill instructor.md, and are the pitfalls that
the lesson on debugging plants. Adding one is adding a row in the module of its file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from torchgen_scaffold.kits.mistakes import dataset, evaluating, model, train
from torchgen_scaffold.kits.mistakes.row import Mistake
from torchgen_scaffold.view.kit import source_of

_ROWS = (*dataset.ROWS, *model.ROWS, *train.ROWS, *evaluating.ROWS)
MISTAKES: dict[str, Mistake] = {row.name: row for row in _ROWS}
assert len(MISTAKES) == len(_ROWS), "two mistakes have one name, and one of them would be lost"

Places = Mapping[str, Sequence[tuple[str, str]]]  # {gap: (file, dotted function) of each of its functions}


def planted(files: Mapping[str, str], places: Places, mistake: Mistake) -> dict[str, str] | None:
    """{name: text} of a solution with one mistake in it; None where the project has nothing of that kind to get wrong.

    Every change of the mistake is made in the functions of its gap, where its pattern is found first.
    """
    functions = {(file, name): source_of(files[file], name) for file, name in places.get(mistake.gap, ())}
    before = dict(functions)
    for pattern, new in mistake.changes:
        for place, code in functions.items():
            changed, count = re.subn(pattern, new, code, count=1, flags=re.MULTILINE)
            if count:
                functions[place] = changed
                break
        else:
            return None
    planted_in = dict(files)
    for (file, name), code in functions.items():
        planted_in[file] = planted_in[file].replace(before[file, name], code)
    return planted_in
