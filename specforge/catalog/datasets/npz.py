"""A data set in one numpy archive, checked key by key.

In: an .npz file. Out: its images as (N, C, H, W), or a `DataError` that names the file and, for every key that is
wrong, what was found. Objects are never unpickled, and what an array claims to hold is compared with the file before
room is made for it.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from contextlib import contextmanager
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from specforge.catalog.datasets.definition import Arrays, DataError, DataFinding, Dataset, located, together
from specforge.diagnostics import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

_KEYS = "train_x, train_y and, where there is a test set, test_x and test_y"
_KNOWN = ("train_x", "train_y", "test_x", "test_y", "class_names")
# what numpy and zipfile raise for a damaged archive, a foreign one, or one with pickled objects
_UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    MemoryError,
    RuntimeError,  # also for a member that is encrypted, or packed in an unknown way
    SyntaxError,
    TypeError,
    TokenError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
# a label beyond this is a mistake (an id, a hash), not the number of a class
_MOST_CLASSES = 65_536


class Npz(Dataset):
    """Images and labels in a numpy archive (`numpy.savez`).

        data:
          dataset: {npz: {path: flowers.npz}}

    `train_x` is uint8, [N, H, W, C] or [N, H, W] for grey images; `train_y` is (N,) of whole numbers from 0.
    `test_x` and `test_y` are the official test set, if there is one; `class_names` is a list of strings, in the
    order of the labels. Other keys are not read. A relative path starts in the folder of data sets (`--data-dir` or
    SPECFORGE_DATA). A key that is missing, or of another type or shape, is an error; so are pickled objects, and arrays
    that are packed beyond what images can be. All are named at once.

    Source: numpy's documentation of `numpy.lib.format`.
    """

    main: ClassVar[str | None] = "path"

    path: str = Field(min_length=1)

    def load(self, data_dir: Path, *, download: bool = False) -> Arrays:
        """Read and check the archive; there is nothing to download."""
        import numpy as np

        file = located(self.path, data_dir)
        errors: list[DataError] = []
        found = _read(file, errors)
        names = ["train", *(["test"] if any(f"test_{axis}" in found.keys() | _named(errors) for axis in "xy") else [])]
        parts = {}
        for name in names:
            images, labels = _part(file, found, name, errors)
            if images is not None and labels is not None:
                parts[name] = images, labels
        if len(parts) == 2:
            with _noting(errors):
                _require_one_size(file, parts["train"][0], parts["test"][0])
        class_names = _class_names(file, found, {name: labels for name, (_, labels) in parts.items()}, errors)
        if errors:
            raise together(errors)
        labels = np.concatenate([labels for _, labels in parts.values()])
        return Arrays(
            # rows stay [H, W, C] in memory, which is the order that training wants (channels last)
            images=np.concatenate([images for images, _ in parts.values()]).transpose(0, 3, 1, 2),
            labels=labels.astype(np.int64),
            train=len(parts["train"][0]),
            class_names=class_names,
        )


@contextmanager
def _noting(errors: list[DataError]) -> Iterator[None]:
    """Put what goes wrong inside beside what went wrong before."""
    try:
        yield
    except DataError as error:
        errors.append(error)


def _named(errors: list[DataError]) -> set[str]:
    """The keys of which something is wrong."""
    return {finding.path.rpartition(": ")[2] for error in errors for finding in error.findings}


def _require_one_size(file: Path, train: np.ndarray, test: np.ndarray) -> None:
    size, other = train.shape[1:], test.shape[1:]
    if size != other:
        raise _wrong(file, "test_x", f"images of {_spelled(other)}, those of `train_x` are {_spelled(size)}")


def _wrong(file: Path, key: str, found: str, *, hint: str | None = None) -> DataError:
    return DataError(
        f"`{file}`, key `{key}`: {found}", hint=hint, findings=[DataFinding(f"{file}: {key}", found, hint=hint)]
    )


def _spelled(shape: tuple[int, ...]) -> str:
    return "[" + ", ".join(map(str, shape)) + "]"


def _read(file: Path, errors: list[DataError]) -> Mapping[str, np.ndarray]:
    """The arrays of an archive that this data set knows; the others are not even decoded."""
    import numpy as np

    if not file.is_file():
        hint = "a relative path starts in the folder of data sets, `--data-dir` or SPECFORGE_DATA"
        raise _unreadable(file, "is not there" if not file.exists() else "is not a file", hint)
    if not zipfile.is_zipfile(file):
        hint = "if it was copied or downloaded, the end may be missing"
        raise _unreadable(file, "is not a whole .npz archive (numpy.savez writes one)", hint)
    found: dict[str, np.ndarray] = {}
    with file.open("rb") as opened:  # numpy leaves a file open that it cannot read
        try:
            archive = np.load(opened, allow_pickle=False)
        except _UNREADABLE as error:
            raise _unreadable(file, f"cannot be read: {error}") from error
        with archive:
            for key in _KNOWN:
                if key in archive.files:
                    with _noting(errors):
                        found[key] = _member(file, archive, key)
    return found


def _unreadable(file: Path, reason: str, hint: str | None = None) -> DataError:
    return DataError(f"`{file}` {reason}", hint=hint, findings=[DataFinding(str(file), reason, hint=hint)])


def _member(file: Path, archive: Mapping[str, np.ndarray], key: str) -> np.ndarray:
    import numpy as np

    try:
        _require_honest(file, key)
        found = archive[key]
    except _UNREADABLE as error:
        hint = "objects are not read: save arrays of numbers or strings" if isinstance(error, ValueError) else None
        raise _wrong(file, key, f"cannot be read: {error}", hint=hint) from error
    if not isinstance(found, np.ndarray):
        raise _wrong(file, key, "is not a numpy array")
    return found


def _require_honest(file: Path, key: str) -> None:
    """The array's header must tell the size that the archive has room for: numpy makes room for what it says."""
    import numpy as np

    from specforge.catalog.datasets.archives import is_bomb

    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if info.filename.removesuffix(".npy") != key:
                continue
            if is_bomb(info.compress_size, info.file_size):
                found = f"{info.compress_size:,} bytes that unpack to {info.file_size:,}, which no images do"
                raise _wrong(file, key, found, hint="save it with `numpy.savez`, which does not pack")
            with archive.open(info) as member:
                version = np.lib.format.read_magic(member)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, _, dtype = read(member)
                size = prod(shape) * dtype.itemsize
                if not dtype.hasobject and size != info.file_size - member.tell():
                    claimed = f"{_spelled(shape)} of {dtype}, {size:,} bytes"
                    raise _wrong(file, key, f"claims to be {claimed}, but holds {info.file_size - member.tell():,}")


def _part(
    file: Path, found: Mapping[str, np.ndarray], name: str, errors: list[DataError]
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """One part's images as (N, H, W, C) uint8 and its labels, checked on their own and against each other."""
    for key in (f"{name}_x", f"{name}_y"):
        if key not in found and key not in _named(errors):
            listed = ", ".join(found) or "nothing"
            errors.append(_wrong(file, key, f"missing; found {listed}", hint=f"expected {_KEYS}"))
    images = labels = None
    if f"{name}_x" in found:
        with _noting(errors):
            images = _images(file, f"{name}_x", found[f"{name}_x"])
    if f"{name}_y" in found:
        with _noting(errors):
            labels = _labels(file, f"{name}_y", found[f"{name}_y"])
    if images is not None and labels is not None and len(images) != len(labels):
        counts = f"{len(labels):,} labels for the {len(images):,} images of `{name}_x`"
        errors.append(_wrong(file, f"{name}_y", counts))
    return images, labels


def _images(file: Path, key: str, images: np.ndarray) -> np.ndarray:
    if images.dtype != "uint8":
        found = f"{images.dtype}, expected uint8{_not_finite(images)}"
        raise _wrong(file, key, found, hint="pixels are bytes from 0 to 255")
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
        raise _wrong(file, key, f"{labels.dtype}, expected whole numbers (int64){_not_finite(labels)}")
    if labels.ndim != 1:
        hint = f"one number for each image: `{key}.ravel()`" if labels.shape[1:] == (1,) else None
        raise _wrong(file, key, f"shape {_spelled(labels.shape)}, expected [N]", hint=hint)
    return labels


def _not_finite(numbers: np.ndarray) -> str:
    """How many NaN and infinite values floats have; nothing for none."""
    import numpy as np

    count = int((~np.isfinite(numbers)).sum()) if numbers.dtype.kind in "fc" else 0
    return f"; {count:,} of {numbers.size:,} values are NaN or infinite" if count else ""


def _class_names(
    file: Path, found: Mapping[str, np.ndarray], parts: Mapping[str, np.ndarray], errors: list[DataError]
) -> tuple[str, ...]:
    """The names given, else the numbers of the classes; no label may lie outside them."""
    given = found.get("class_names")
    if given is not None and (given.dtype.kind != "U" or given.ndim != 1):
        shape = _spelled(given.shape)
        errors.append(_wrong(file, "class_names", f"{given.dtype} of shape {shape}, expected a list of strings"))
        given = None
    allowed = _MOST_CLASSES if given is None else len(given)
    most = 0
    for name, labels in parts.items():
        low, high = (int(labels.min()), int(labels.max())) if len(labels) else (0, 0)
        most = max(most, high)
        if low < 0 or high >= allowed:
            outside = int(((labels < 0) | (labels >= allowed)).sum())
            counted = f"; {outside:,} of {len(labels):,} are outside"
            why = "classes are counted from 0" if given is None else f"`class_names` holds {allowed} names"
            message = f"labels from {low} to {high}, expected 0 to {allowed - 1}{counted}"
            errors.append(_wrong(file, f"{name}_y", message, hint=why))
    if given is not None:
        return tuple(one_line(str(name)) for name in given)
    return tuple(str(number) for number in range(min(most, _MOST_CLASSES) + 1))
