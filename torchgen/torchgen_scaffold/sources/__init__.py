"""Where the data comes from. Adding a source is adding one file, one template and one line here."""

from torchgen_scaffold.plugins import Rows
from torchgen_scaffold.sources.base import Facts, Request, Source
from torchgen_scaffold.sources.huggingface import HuggingFace, HuggingFaceFolder
from torchgen_scaffold.sources.imagelist import ImageList
from torchgen_scaffold.sources.images import Images
from torchgen_scaffold.sources.npz import Npy, Npz
from torchgen_scaffold.sources.sklearn import Sklearn
from torchgen_scaffold.sources.synthetic import Synthetic
from torchgen_scaffold.sources.tables import Csv, Excel, JsonLines, Parquet

SOURCES: Rows[Source] = Rows(
    "sources",
    Source,
    # A path alone is the first source's that recognises it: a table of image files is no table of other things,
    # and a folder with a dataset in it is no folder of images.
    (
        Synthetic(),
        Sklearn(),
        ImageList(),
        Csv(),
        Parquet(),
        Excel(),
        JsonLines(),
        Npz(),
        Npy(),
        HuggingFace(),
        HuggingFaceFolder(),
        Images(),
    ),
)

__all__ = ["SOURCES", "Facts", "Request", "Source"]
