"""A data set of image files, in one folder for each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from specforge.catalog.datasets.definition import Arrays, DataFinding, Dataset, Facts, located
from specforge.catalog.datasets.image_cache import decoded, error_of
from specforge.catalog.datasets.image_decoding import Form, decode_all
from specforge.catalog.datasets.image_listing import shown, survey
from specforge.catalog.datasets.image_remarks import remarks

if TYPE_CHECKING:
    from collections.abc import Sequence
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
    `test` (also `val` or `validation`, in capitals or not) with the classes in each; without a test part, `split` must
    take one. Folders inside a class belong to it. Names that begin with a dot are not read, nor are files beside the
    classes.

    `size` is [height, width] in pixels. `resize` is `crop`, which scales an image until it covers that size and cuts
    off what is over on both sides, or `stretch`, which changes its proportions; both average over what becomes a
    pixel (bilinear). `channels` is 3 for RGB or 1 for grey. JPEG, PNG, BMP, GIF, WebP, TIFF and PPM are read: the first
    picture, upright by its EXIF orientation, without transparency. Decoded images are kept in `.specforge-cache` in
    `path`, or in the folder of data sets where that cannot be written, until a file's name, size or time changes; a
    cache whose checksum is wrong is made anew.

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

        notes: list[str] = []
        listing = survey(located(self.path, data_dir))
        if listing.problems:
            raise error_of(listing, decode_all(listing.files, self._form, lambda _: None))
        images_nhwc = decoded(listing, self._form, data_dir, notes)
        return Arrays(
            images=images_nhwc.transpose(0, 3, 1, 2),
            labels=np.array([file.label for file in listing.files], dtype=np.int64),
            train=listing.train,
            class_names=listing.class_names,
            notes=tuple(notes),
        )

    def inspect(self, data_dir: Path) -> list[DataFinding]:
        """Open every file anew, whatever the cache holds, and say of readable ones what is odd."""
        listing = survey(located(self.path, data_dir))
        faults = decode_all(listing.files, self._form, lambda _: None)
        unreadable = {fault.path for fault in faults}
        odd = remarks([file for file in listing.files if file.path not in unreadable], self._form)
        wrong = bool(listing.problems or listing.faults or faults)
        return [*(error_of(listing, faults).findings if wrong else ()), *odd]

    def row_names(self, rows: Sequence[int], data_dir: Path) -> list[str]:
        """The images' files."""
        files = survey(located(self.path, data_dir)).files
        return [shown(files[row].path) for row in rows]

    @property
    def _form(self) -> Form:
        height, width = self.size
        return Form(height, width, self.channels, self.resize)
