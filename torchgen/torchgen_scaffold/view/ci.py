"""What a CI workflow prints, and where it is."""

from __future__ import annotations

from functools import cached_property

from torchgen_scaffold.escape import Code
from torchgen_scaffold.sources import SOURCES
from torchgen_scaffold.view.basics import Basics

CI_FILES = {"github": ".github/workflows/train.yml", "gitlab": ".gitlab-ci.yml"}


class CiFile(Basics):
    """What `.github/workflows/train.yml` and `.gitlab-ci.yml` print, and what the README says of them."""

    @cached_property
    def ci_file(self) -> Code:
        """The workflow's path; empty where there is none."""
        return Code(CI_FILES.get(self._spec.project.ci, ""))

    @cached_property
    def ci_data(self) -> Code:
        """What the README adds where the workflow does not find the data by itself."""
        return Code(
            "; the data is outside the project, and has to be brought there" if self.data_outside else ""
        )

    @cached_property
    def ruff_range(self) -> Code:
        """The linter's releases: a later one may find fault with what passed."""
        return Code("~=0.17.0")

    @cached_property
    def data_outside(self) -> bool:
        """Whether the data is files that a checkout of the project does not bring."""
        return self._spec.data.is_outside

    @cached_property
    def data_copies(self) -> bool:
        """Whether `--copy-data` could bring it into the project."""
        return not SOURCES[self._spec.data.source].names_files

    @cached_property
    def data_on_hub(self) -> bool:
        """Whether dataset.py downloads the data."""
        return self._spec.data.source == "hf"

    @cached_property
    def run_makes(self) -> list[Code]:
        """What is worth keeping of a run."""
        kept = ["outputs/metrics.json", "outputs/history.csv", "outputs/*.png"]
        return [Code(path) for path in kept] if self.predicts else [Code("checkpoint.pt")]
