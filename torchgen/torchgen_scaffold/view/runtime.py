"""What runtime.py prints: how a split becomes batches."""

from __future__ import annotations

from torchgen_scaffold.escape import Code
from torchgen_scaffold.view.images import ImageFolder


class RuntimeFile(ImageFolder):
    """What runtime.py prints."""

    @property
    def dataset_class(self) -> Code:
        """The class of dataset.py whose samples are not tensors yet; empty where they are."""
        if self.streams:
            return Code("Rows")
        if self.reads_images:
            return Code("ImageFiles" if self.reads_files else "Images")
        return Code("")

    @property
    def loader_part(self) -> Code:
        """How a split becomes batches: by what its samples are."""
        kind = "stream" if self.streams else "files" if self.reads_images else "tensors"
        return Code(f"parts/loader_{kind}.py.jinja")

    @property
    def loader_imports(self) -> Code:
        """What that takes from torch.utils.data."""
        if self.streams:
            return Code("DataLoader, IterableDataset")
        return Code(f"DataLoader, {'Dataset, ' if self.reads_images else ''}Sampler, TensorDataset")
