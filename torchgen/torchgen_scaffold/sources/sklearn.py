"""The data sets inside scikit-learn: real data that needs no download.

Their facts are written down here, so that generating a project needs no scikit-learn; a test compares each row with
the installed library.
"""

from __future__ import annotations

from torchgen_scaffold.records import record
from torchgen_scaffold.sources.base import Facts, Request, Source, refuse
from torchgen_scaffold.spelling import nearest


@record
class Set:
    """One set: scikit-learn's loader, its facts, and a sentence for people."""

    loader: str
    says: str
    facts: Facts
    floor: str = ""  # what the usual model reaches on the test split; tests hold it


SETS = {
    "digits": Set(
        "load_digits",
        "1,797 grey images of 8x8 pixels: handwritten digits",
        Facts(
            ((1, 8, 8), (8, 8), (64,)),
            {"multiclass": (10,)},
            1797,
            classes=tuple("0123456789"),
            counts=(178, 182, 177, 183, 181, 182, 181, 179, 174, 180),
        ),
        floor="an accuracy of 0.95",
    ),
    "iris": Set(
        "load_iris",
        "150 flowers, 4 lengths in cm: which of 3 species",
        Facts(
            ((4,),),
            {"multiclass": (3,)},
            150,
            classes=("setosa", "versicolor", "virginica"),
            counts=(50, 50, 50),
        ),
        floor="an accuracy of 0.90",
    ),
    "wine": Set(
        "load_wine",
        "178 wines, 13 chemical measurements: which of 3 growers",
        Facts(
            ((13,),),
            {"multiclass": (3,)},
            178,
            classes=("class_0", "class_1", "class_2"),
            counts=(59, 71, 48),
        ),
        floor="an accuracy of 0.92",
    ),
    "breast_cancer": Set(
        "load_breast_cancer",
        "569 tumours, 30 measurements: malignant or benign",
        Facts(
            ((30,),),
            {"binary": (1,), "multiclass": (2,)},
            569,
            classes=("malignant", "benign"),
            counts=(212, 357),
        ),
        floor="an accuracy of 0.94",
    ),
    "diabetes": Set(
        "load_diabetes",
        "442 patients, 10 measurements: how far the disease went in a year",
        Facts(((10,),), {"regression": (1,)}, 442, targets=("progression",)),
        floor="an R2 of 0.25",
    ),
    "linnerud": Set(
        "load_linnerud",
        "20 men, 3 exercises: weight, waist and pulse (too few to score)",
        Facts(((3,),), {"regression": (3,)}, 20, targets=("Weight", "Waist", "Pulse")),
    ),
}


class Sklearn(Source):
    """`sklearn:digits` and its siblings."""

    name = template = "sklearn"
    form = "sklearn:" + "|".join(SETS)
    is_known = True
    summary = "a real set that comes with scikit-learn: " + ", ".join(SETS)
    samples = "samples of a set from scikit-learn"
    predicts_on = "an .npz file with an array X"
    requires = ("numpy", "scikit-learn")
    imports = ("numpy", "sklearn")

    def facts(self, place: str, request: Request) -> Facts:
        """The facts of the set called `place`."""
        if place in SETS:
            return SETS[place].facts
        near = nearest(place, tuple(SETS))
        raise refuse(
            f"scikit-learn has no set {place!r} that torchgen knows",
            f"it knows {', '.join(SETS)}",
            f"Did you mean sklearn:{near}?" if near else "Type --data sklearn:digits, say.",
        )
