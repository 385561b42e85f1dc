"""A data set of image files, in one folder for each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from specforge.catalog.datasets.definition import Arrays, Dataset, Facts, located
from specforge.catalog.datasets.image_cache import decoded
from specforge.catalog.datasets.image_decoding import Form
from specforge.catalog.datasets.image_listing import list_images

if TYPE_CHECKING:
    from pathlib import Path


def _two_sides(value: object) -> object:
    if not isinstance(value, tuple) or len(value) != 2:
        raise ValueError("a list of two whole numbers, [height, width] in pixels")
    return value


_Side = Annotated[int, Field(ge=1, le=16_384)]
_Size = Annotated[tuple[_Side, _Side], BeforeValidator(_two_sides)]


class ImageFolder(Dataset):
    """Images of one size, from a folder that holds a folder for each class.

        data:
          dataset: {image_folder: {path: flowers, size: [64, 64]}}

    Images are (N, `channels`, H, W). `path` is the folder; a relative one starts in the folder of data sets
    (`--data-dir` or SPECFORGE_DATA). Its folders are the classes, in the order of their names, or they are `train` and
    `test` (also `val` or `validation`) with the classes in each; without a test part, `split` must take one. Folders
    inside a class belong to it. Names that begin with a dot are not read, nor are files beside the classes.

    `size` is [height, width] in pixels. `resize` is `crop`, which scales an image until it covers that size and cuts
    off what is over on both sides, or `stretch`, which changes its proportions; both average over what becomes a
    pixel (bilinear). `channels` is 3 for RGB or 1 for grey. JPEG, PNG, BMP, GIF, WebP, TIFF and PPM are read: the first
    picture, upright by its EXIF orientation, without transparency. Decoded images are kept in `.specforge-cache` in
    `path`, or in the folder of data sets where that cannot be written, until a file's name, size or time changes.

    Classes without images, other classes in `test` than in `train`, and files that are no whole image are errors, all
    named at once.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder.html
    """

    main: ClassVar[str | None] = "path"

    path: str = Field(min_length=1)
    size: _Size
    resize: Literal["crop", "stretch"] = "crop"
    channels: Literal[1, 3] = 3

    def facts(self) -> Facts:
        return Facts(image=(self.channels, *self.size))

    def load(self, data_dir: Path, *, download: bool = False) -> Arrays:
        """List the files and decode them, or map what was decoded before; there is nothing to download."""
        import numpy as np

        height, width = self.size
        listing = list_images(located(self.path, data_dir))
        images_nhwc = decoded(listing, Form(height, width, self.channels, self.resize), data_dir)
        return Arrays(
            images=images_nhwc.transpose(0, 3, 1, 2),
            labels=np.array([file.label for file in listing.files], dtype=np.int64),
            train=listing.train,
            class_names=listing.class_names,
        )
