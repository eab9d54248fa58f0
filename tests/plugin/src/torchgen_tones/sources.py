"""One data source: tones whose frequency is to be found."""

from __future__ import annotations

from torchgen_scaffold.sources.base import Facts, Request, Source, refuse

NOISE = {"clear": 0.1, "noisy": 0.5}


class Tones(Source):
    """`tones:clear` and `tones:noisy`: 600 tones of 64 values each."""

    name = template = "tones"
    form = "tones:" + "|".join(NOISE)
    summary = "tones whose frequency is to be found, with little noise or much"
    samples = "tones whose frequency is to be found"
    predicts_on = "an .npz file with an array X"
    requires = ("numpy",)
    imports = ("numpy",)
    is_known = True

    def facts(self, place: str, request: Request) -> Facts:
        """64 steps of one value, and one number to find. Raises SpecError for another place."""
        if place not in NOISE:
            raise refuse(
                f"there are no tones {place!r}", f"there are {', '.join(NOISE)}", "Give tones:clear."
            )
        return Facts(((64, 1), (64,)), {"regression": (1,)}, 600, targets=("frequency",))


TONES = Tones()
