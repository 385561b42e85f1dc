"""A data set in one numpy archive, checked key by key.

In: an .npz file. Out: its images as (N, C, H, W), or a `DataError` that names the file, the key and what was found.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from specforge.catalog.datasets.definition import Arrays, DataError, Dataset, located

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

_KEYS = "train_x, train_y and, where there is a test set, test_x and test_y"
_KNOWN = ("train_x", "train_y", "test_x", "test_y", "class_names")
# what numpy and zipfile raise for a damaged archive, a foreign one, or one with pickled objects
_UNREADABLE = (OSError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error)
# a label beyond this is a mistake (an id, a hash), not the number of a class
_MOST_CLASSES = 65_536


class Npz(Dataset):
    """Images and labels in a numpy archive (`numpy.savez`).

        data:
          dataset: {npz: {path: flowers.npz}}

    `train_x` is uint8, [N, H, W, C] or [N, H, W] for grey images; `train_y` is (N,) of whole numbers from 0.
    `test_x` and `test_y` are the official test set, if there is one; `class_names` is a list of strings, in the
    order of the labels. Other keys are not read. A relative path starts in the folder of data sets (`--data-dir` or
    SPECFORGE_DATA). A key that is missing, or of another type or shape, is an error; so are pickled objects.

    Source: numpy's documentation of `numpy.lib.format`.
    """

    main: ClassVar[str | None] = "path"

    path: str = Field(min_length=1)

    def load(self, data_dir: Path, *, download: bool = False) -> Arrays:
        """Read and check the archive; there is nothing to download."""
        import numpy as np

        file = located(self.path, data_dir)
        found = _read(file)
        parts = [_part(file, found, "train")]
        if "test_x" in found or "test_y" in found:
            parts.append(_part(file, found, "test"))
        sizes = [images.shape[1:] for images, _ in parts]
        if sizes[0] != sizes[-1]:
            raise _wrong(
                file, "test_x", f"images of {_spelled(sizes[-1])}, those of `train_x` are {_spelled(sizes[0])}"
            )
        labels = np.concatenate([part[1] for part in parts])
        return Arrays(
            # rows stay [H, W, C] in memory, which is the order that training wants (channels last)
            images=np.concatenate([part[0] for part in parts]).transpose(0, 3, 1, 2),
            labels=labels.astype(np.int64),
            train=len(parts[0][0]),
            class_names=_class_names(file, found, parts),
        )


def _wrong(file: Path, key: str, found: str, *, hint: str | None = None) -> DataError:
    return DataError(f"`{file}`, key `{key}`: {found}", hint=hint)


def _spelled(shape: tuple[int, ...]) -> str:
    return "[" + ", ".join(map(str, shape)) + "]"


def _read(file: Path) -> Mapping[str, np.ndarray]:
    """The arrays of an archive that this data set knows; the others are not even decoded."""
    import numpy as np

    if not file.is_file():
        hint = "a relative path starts in the folder of data sets, `--data-dir` or SPECFORGE_DATA"
        raise DataError(f"`{file}` is not there" if not file.exists() else f"`{file}` is not a file", hint=hint)
    if not zipfile.is_zipfile(file):
        raise DataError(
            f"`{file}` is not a whole .npz archive (numpy.savez writes one)",
            hint="if it was copied or downloaded, the end may be missing",
        )
    try:
        archive = np.load(file, allow_pickle=False)
    except _UNREADABLE as error:
        raise DataError(f"`{file}` cannot be read: {error}") from error
    with archive:
        return {key: _member(file, archive, key) for key in _KNOWN if key in archive.files}


def _member(file: Path, archive: Mapping[str, np.ndarray], key: str) -> np.ndarray:
    import numpy as np

    try:
        found = archive[key]
    except _UNREADABLE as error:
        hint = "objects are not read: save arrays of numbers or strings" if isinstance(error, ValueError) else None
        raise _wrong(file, key, f"cannot be read: {error}", hint=hint) from error
    if not isinstance(found, np.ndarray):
        raise _wrong(file, key, "is not a numpy array")
    return found


def _part(file: Path, found: Mapping[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray]:
    """One part's images as (N, H, W, C) uint8 and its labels, checked on their own and against each other."""
    for key in (f"{name}_x", f"{name}_y"):
        if key not in found:
            raise _wrong(file, key, f"missing; found {', '.join(found) or 'nothing'}", hint=f"expected {_KEYS}")
    images = _images(file, f"{name}_x", found[f"{name}_x"])
    labels = _labels(file, f"{name}_y", found[f"{name}_y"])
    if len(images) != len(labels):
        raise _wrong(file, f"{name}_y", f"{len(labels):,} labels for the {len(images):,} images of `{name}_x`")
    return images, labels


def _images(file: Path, key: str, images: np.ndarray) -> np.ndarray:
    if images.dtype != "uint8":
        raise _wrong(file, key, f"{images.dtype}, expected uint8", hint="pixels are bytes from 0 to 255")
    if images.ndim not in (3, 4):
        raise _wrong(file, key, f"shape {_spelled(images.shape)}, expected [N, H, W, C] or [N, H, W]")
    if images.size == 0:
        raise _wrong(file, key, f"shape {_spelled(images.shape)} holds nothing")
    if images.ndim == 4 and images.shape[1] == 3 and images.shape[3] > 4:
        hint = f"the colour channels go last: `{key}.transpose(0, 2, 3, 1)`"
        raise _wrong(file, key, f"shape {_spelled(images.shape)}, expected [N, H, W, C]", hint=hint)
    return images if images.ndim == 4 else images[..., None]


def _labels(file: Path, key: str, labels: np.ndarray) -> np.ndarray:
    if labels.dtype.kind not in "iu":
        raise _wrong(file, key, f"{labels.dtype}, expected whole numbers (int64)")
    if labels.ndim != 1:
        hint = f"one number for each image: `{key}.ravel()`" if labels.shape[1:] == (1,) else None
        raise _wrong(file, key, f"shape {_spelled(labels.shape)}, expected [N]", hint=hint)
    return labels


def _class_names(
    file: Path, found: Mapping[str, np.ndarray], parts: list[tuple[np.ndarray, np.ndarray]]
) -> tuple[str, ...]:
    """The names given, else the numbers of the classes; no label may lie outside them."""
    given = found.get("class_names")
    if given is not None and (given.dtype.kind != "U" or given.ndim != 1):
        raise _wrong(file, "class_names", f"{given.dtype} of shape {_spelled(given.shape)}, expected a list of strings")
    allowed = _MOST_CLASSES if given is None else len(given)
    for key, (_, labels) in zip(("train_y", "test_y"), parts, strict=False):
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= allowed:
            why = "classes are counted from 0" if given is None else f"`class_names` holds {allowed} names"
            raise _wrong(file, key, f"labels from {low} to {high}, expected 0 to {allowed - 1}", hint=why)
    if given is not None:
        return tuple(str(name) for name in given)
    return tuple(str(number) for number in range(max(int(labels.max()) for _, labels in parts) + 1))
