"""Decodes image files with Pillow into bytes of one size.

In: files and a `Form`. Out: their pixels (H, W, C) uint8 in the files' order, and a `Fault` for each file that is no
readable image: all files are tried, so that one pass names every fault. Pillow is imported when the first is decoded.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from os import cpu_count
from typing import TYPE_CHECKING, Literal

from specforge.catalog.datasets.definition import DataError
from specforge.catalog.datasets.image_listing import Fault, ImageFile

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

# closed, because some of Pillow's formats start other programs (EPS)
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
# decoding waits for no lock of Python's, but a dozen large photographs at once are a gigabyte
_THREADS = 8
# what is decoded before it is written, in bytes
_CHUNK = 2**25
# what Pillow raises for damaged files
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    ZeroDivisionError,
    NotImplementedError,
    MemoryError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class Form:
    """What every image becomes; `resize` says whether its sides are stretched, or cropped to keep its proportions."""

    height: int
    width: int
    channels: Literal[1, 3]
    resize: Literal["crop", "stretch"]

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels

    @property
    def nbytes(self) -> int:
        return self.height * self.width * self.channels


def decode_all(files: Sequence[ImageFile], form: Form, write: Callable[[np.ndarray], object]) -> list[Fault]:
    """Decode every file and write the pixels in order, some (N, H, W, C) at a time, until the first fault."""
    import numpy as np

    faults: list[Fault] = []
    for found in attempts(files, form, at_once=max(1, min(256, _CHUNK // form.nbytes))):
        faults += [result for result in found if isinstance(result, Fault)]
        if not faults:
            write(np.stack([pixels for pixels in found if not isinstance(pixels, Fault)]))
    return faults


def attempts(files: Sequence[ImageFile], form: Form, *, at_once: int) -> Iterator[list[np.ndarray | Fault]]:
    """Every file's pixels (H, W, C), or what is wrong with it, in order, so many files `at_once`."""
    _prepare_pillow()
    with ThreadPoolExecutor(min(_THREADS, cpu_count() or 1)) as pool:
        for start in range(0, len(files), at_once):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # odd metadata; what matters is an error, or checked here
                found = list(pool.map(partial(_attempt, form=form), files[start : start + at_once]))
            yield found


def _prepare_pillow() -> None:
    try:
        from PIL import Image
    except ImportError as error:
        raise DataError(
            f"images are decoded with Pillow, which cannot be imported: {error}", hint="pip install pillow"
        ) from error
    Image.init()  # not by several threads at once


def _attempt(file: ImageFile, form: Form) -> np.ndarray | Fault:
    from PIL import Image, UnidentifiedImageError

    try:
        return decode(file, form)
    except Image.DecompressionBombError:
        return Fault(file.path, _too_large())
    except UnidentifiedImageError:
        return Fault(file.path, f"not an image ({', '.join(FORMATS)})")
    except _Refused as error:
        return Fault(file.path, str(error))
    except PermissionError as error:
        return Fault(file.path, str(error.strerror).lower())
    except _DAMAGE as error:
        return Fault(file.path, f"damaged: {str(error) or type(error).__name__}")


class _Refused(Exception):
    """A whole image of a kind that is not read."""


def decode(file: ImageFile, form: Form) -> np.ndarray:
    """(H, W, C) uint8: the first picture of the file, upright as its EXIF data say, in grey or RGB."""
    import numpy as np
    from PIL import Image, ImageOps

    known = [name for name in FORMATS if name in Image.OPEN]  # Pillow may be built without some
    with Image.open(file.path, formats=known) as opened:
        if Image.MAX_IMAGE_PIXELS is not None and opened.width * opened.height > Image.MAX_IMAGE_PIXELS:
            raise _Refused(_too_large())
        upright = ImageOps.exif_transpose(opened)
        image = _coloured(upright, form.channels)
    size = (form.width, form.height)
    if form.resize == "crop":
        image = ImageOps.fit(image, size, Image.Resampling.BILINEAR)
    else:
        image = image.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8).reshape(form.shape)


def _coloured(image: Image, channels: int) -> Image:
    """Grey or RGB: palettes looked up, transparency dropped, 16 bits of grey rounded down to 8."""
    import numpy as np
    from PIL import Image

    if image.mode.startswith("I;16"):  # Pillow's own conversion cuts off what is above 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise _Refused(f"pixels of 32 bits (Pillow's mode {image.mode})")
    return image.convert("L" if channels == 1 else "RGB")


def _too_large() -> str:
    from PIL import Image

    return f"more than {Image.MAX_IMAGE_PIXELS:,} pixels, Pillow's limit against decompression bombs"
