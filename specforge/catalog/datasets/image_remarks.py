"""What is odd about images that can be read: kinds of pixels that are converted, and images that are enlarged.

In: files that were decoded without a fault, and the `Form` they become. Out: a warning for each thing that is changed
on the way and that whoever made the folder may not know. Only the files' headers are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from specforge.catalog.datasets.definition import DataFinding
from specforge.catalog.datasets.image_decoding import FORMATS, Form
from specforge.catalog.datasets.image_listing import ImageFile, shown

if TYPE_CHECKING:
    from PIL.Image import Image


def remarks(files: Sequence[ImageFile], form: Form) -> list[DataFinding]:
    """In the files' order."""
    import warnings

    from PIL import Image

    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd metadata
        for file in files:
            with Image.open(file.path, formats=[name for name in FORMATS if name in Image.OPEN]) as image:
                reasons = list(_oddities(image, form))
            found += [DataFinding(shown(file.path), reason, "warning") for reason in reasons]
    return found


def _oddities(image: Image, form: Form) -> Iterator[str]:
    target = "grey" if form.channels == 1 else "RGB"
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        yield f"{image.mode} pixels: they are converted to {target}, which may shift colours"
    if image.mode == "P":
        yield f"a palette image: its colours are looked up and become {target}"
    if image.mode.startswith("I;16"):
        yield "16 bits a pixel: the lower 8 are dropped"
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        yield "transparent pixels: transparency is dropped, and the colour behind it shows"
    width, height = image.size
    if width < form.width or height < form.height:
        yield f"{height}×{width} pixels, enlarged to {form.height}×{form.width}"
