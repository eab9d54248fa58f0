"""What dataset.py prints for images: where they are, which splits they bring, and how training varies them."""

from __future__ import annotations

from functools import cached_property

from torchgen_scaffold.escape import Code, python_value
from torchgen_scaffold.sources.table.table import Reading
from torchgen_scaffold.view.basics import Basics

SHIFTED = 16  # an image is moved by up to one part in so many of its shorter side


class ImageFolder(Basics):
    """The facts of images that their files print."""

    @cached_property
    def lists_images(self) -> bool:
        """Whether a table names the images, rather than their folders."""
        return self._spec.data.source == "imagelist"

    @cached_property
    def file_column(self) -> Code:
        """The column of file names, as a Python string."""
        return python_value(self._spec.data.columns[0])

    @cached_property
    def open_arguments(self) -> Code:
        """How the table is opened as text."""
        encoding = self._spec.data.reading.encoding
        encoding = "utf-8-sig" if encoding == Reading().encoding else encoding
        return Code(f'newline="", encoding={python_value(encoding)}')

    @cached_property
    def delimiter_argument(self) -> Code:
        """What separates its cells, where that is no comma."""
        mark = self._spec.data.reading.separator
        return Code("" if mark == Reading().separator else f", delimiter={python_value(mark)}")

    @cached_property
    def shifts(self) -> bool:
        """Whether training varies the images."""
        return self._spec.data.augment in ("shift", "flip")

    @cached_property
    def flips(self) -> bool:
        """Whether it mirrors them too."""
        return self._spec.data.augment == "flip"

    @cached_property
    def shift(self) -> int:
        """The most pixels that an image is moved by."""
        return max(1, min(self._spec.input_shape[1:]) // SHIFTED)

    @cached_property
    def part_names(self) -> Code:
        """The folders of train, val and test as a Python tuple."""
        return python_value(self._spec.data.parts)

    @cached_property
    def has_parts(self) -> bool:
        """Whether the data has splits, be it train alone."""
        return bool(self._spec.data.parts)

    @cached_property
    def train_part(self) -> Code:
        """What the data calls the rows for training, as a Python string."""
        return python_value((*self._spec.data.parts, "train")[0])

    @cached_property
    def is_hub_folder(self) -> bool:
        """Whether a Hugging Face dataset lies in a folder of one's own."""
        return self._spec.data.source == "hfdir"

    @cached_property
    def hub_arguments(self) -> Code:
        """The arguments of load_dataset: the name, and the configuration where one was named."""
        config = self._spec.data.place.partition(":")[2]
        return Code(f"NAME, {python_value(config)}" if config else "NAME")

    @cached_property
    def hub_name(self) -> Code:
        """The name on the hub, as a Python string."""
        return python_value(self._spec.data.place.partition(":")[0])

    @cached_property
    def dataset_class(self) -> Code:
        """The class of dataset.py that decodes images."""
        return Code("ImageFiles" if self.reads_files else "Images")

    @cached_property
    def reads_files(self) -> bool:
        """Whether each image is a file."""
        return self._spec.data.source in ("images", "imagelist")

    @cached_property
    def own_part(self) -> Code:
        """The folder of the one split that the data brings besides train, as a Python string."""
        return python_value(self._spec.data.parts[1])

    @cached_property
    def train_folder(self) -> Code:
        """Where the images to cut are; nothing where a table names them."""
        parts = self._spec.data.parts
        return Code("" if self.lists_images else f"DATA / {python_value(parts[0])}" if parts else "DATA")

    @cached_property
    def cut_variables(self) -> Code:
        """The splits that cut() makes, as names."""
        return Code(", ".join(self._cut_splits))
