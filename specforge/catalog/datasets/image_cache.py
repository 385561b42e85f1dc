"""Keeps decoded images in a file, so that a folder is decoded once and never held in memory twice.

In: a `Listing` and a `Form`. Out: pixels (N, H, W, C) uint8, mapped from the cache: the operating system reads them on
demand. The cache lies in `.specforge-cache` beside the classes or, where that cannot be written, in the folder of data
sets; where neither can, the images are decoded into memory every time. A file's name holds the digest of all that its
pixels follow from; names, sizes and times of change stand for the images' contents. A file ends with the checksum of
its pixels, which is looked at each time: one that is damaged is made anew, and said.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from secrets import token_hex
from typing import IO, TYPE_CHECKING

from specforge.catalog.datasets.cache_checksum import Summing, is_sound
from specforge.catalog.datasets.definition import DataError, DataFinding, together
from specforge.catalog.datasets.image_decoding import Form, decode_all
from specforge.catalog.datasets.image_listing import Fault, Listing, listed, shown

if TYPE_CHECKING:
    import numpy as np

FOLDER = ".specforge-cache"
# counted up when images are decoded or kept in another way
_VERSION = 2
# a temporary file that nobody has written to for so many seconds was left by a run that was killed
_ABANDONED = 3600


def decoded(listing: Listing, form: Form, data_dir: Path, notes: list[str] | None = None) -> np.ndarray:
    """The pixels of a listing, from the cache or decoded now. Raises a `DataError` that names unreadable files.

    A sentence about a cache that was damaged is appended to `notes`.
    """
    shape = (len(listing.files), *form.shape)
    stem = f"{form.height}x{form.width}x{form.channels}-{form.resize}"
    name = f"{stem}-{_digest(listing, form)}.npy"
    places = _places(listing.folder, data_dir)
    if not listing.faults:
        for place in places:
            known = _mapped(place / name, shape)
            if known is not None:
                return known
            if notes is not None and (place / name).exists():
                notes.append(f"the image cache `{shown(place / name)}` is damaged: the images are decoded anew")
    for place in places:
        with suppress(_NotWritable):
            return _filled(place, name, listing, form)
    try:
        return _in_memory(listing, form)
    except MemoryError as error:
        size = len(listing.files) * form.nbytes / 2**30
        raise DataError(
            f"the decoded images ({size:.1f} GiB) do not fit in memory, and no cache can be written to "
            + " or ".join(f"`{shown(place)}`" for place in places),
            hint="make one of them writable, or choose a smaller `size`",
        ) from error


class _NotWritable(Exception):
    """The cache can't be made in this place."""


def _places(folder: Path, data_dir: Path) -> tuple[Path, Path]:
    """Where a cache may lie. In the shared folder it is known by where the images are."""
    where = blake2b(os.fsencode(folder.resolve()), digest_size=8).hexdigest()
    return folder / FOLDER, data_dir / FOLDER / where


def _digest(listing: Listing, form: Form) -> str:
    try:
        pillow = version("pillow")
    except PackageNotFoundError:
        pillow = ""
    digest = blake2b(repr((_VERSION, pillow, form)).encode(), digest_size=16)
    for file in listing.files:
        path = os.fsencode(file.path.relative_to(listing.folder).as_posix())
        digest.update(repr((path, file.size, file.changed)).encode())
    return digest.hexdigest()


def _mapped(file: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """The file's pixels, unless it is not there, not whole or not as it was written; read-only.

    A private copy on write would count as memory that may be needed, and Linux refuses more of it than there is.
    """
    from tokenize import TokenError

    import numpy as np

    try:
        found: np.ndarray = np.lib.format.open_memmap(file, mode="r")
    except (OSError, ValueError, EOFError, TokenError, SyntaxError, TypeError):  # what a damaged header ends in
        return None
    if found.shape != shape or found.dtype != np.uint8 or not found.flags.c_contiguous:
        return None
    return found if is_sound(file, found) else None


def _filled(place: Path, name: str, listing: Listing, form: Form) -> np.ndarray:
    """Decode into a new cache file, and map it."""
    import numpy as np

    shape = (len(listing.files), *form.shape)
    try:
        with _replacing(place, name) as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)  # type: ignore[no-untyped-call, unused-ignore]
            summing = Summing(file)
            _decode(listing, form, summing.write)
            file.write(summing.digest())
    except OSError as error:
        size = len(listing.files) * form.nbytes / 2**30
        raise DataError(
            f"the decoded images ({size:.1f} GiB) cannot be written to `{shown(place)}`: {error.strerror}",
            hint="make room there, or choose a smaller `size`",
        ) from error
    _remove_superseded(place, name)
    found = _mapped(place / name, shape)
    if found is None:
        raise DataError(f"`{shown(place / name)}` was written, but cannot be read back")
    return found


@contextmanager
def _replacing(place: Path, name: str) -> Iterator[IO[bytes]]:
    """A temporary file that takes its name when it is whole and on the disk, and vanishes otherwise."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        temporary = place / f"{name}.{token_hex(4)}.part"
        file = temporary.open("xb")
    except OSError as error:
        raise _NotWritable from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(place / name)
    finally:
        temporary.unlink(missing_ok=True)


def _remove_superseded(place: Path, name: str) -> None:
    """Older states of the same images in the same form, and what killed runs left behind."""
    stem = name.rpartition("-")[0]
    old = [file for file in place.glob(f"{stem}-*.npy") if file.name != name]
    for file in [*old, *(file for file in place.glob("*.part") if _is_abandoned(file))]:
        with suppress(OSError):
            file.unlink()


def _is_abandoned(file: Path) -> bool:
    try:
        return time.time() - file.stat().st_mtime > _ABANDONED
    except OSError:
        return False


def _in_memory(listing: Listing, form: Form) -> np.ndarray:
    import numpy as np

    images = np.empty((len(listing.files), *form.shape), np.uint8)
    done = 0

    def write(pixels: np.ndarray) -> None:
        nonlocal done
        images[done : done + len(pixels)] = pixels
        done += len(pixels)

    _decode(listing, form, write)
    return images


def _decode(listing: Listing, form: Form, write: Callable[[np.ndarray], object]) -> None:
    faults = decode_all(listing.files, form, write)
    if faults or listing.faults:
        raise error_of(listing, faults)


def error_of(listing: Listing, faults: Sequence[Fault]) -> DataError:
    """All that is wrong with a folder of images: its structure, and `faults` beside those that the listing has."""
    errors = [listing.structural_error()] if listing.problems else []
    every = sorted([*listing.faults, *faults], key=lambda fault: fault.path)
    if every:
        count = len(listing.files) + len(listing.faults)
        message = f"{len(every):,} of {count:,} files in `{shown(listing.folder)}` are no readable images: " + listed(
            [_spelled(fault, listing.folder) for fault in every]
        )
        hint = "repair or remove them, or give them a name that begins with a dot: those are not read"
        findings = [DataFinding(shown(fault.path), shown(fault.reason), hint=hint) for fault in every]
        errors.append(DataError(message, hint=hint, findings=findings))
    return together(errors)


def _spelled(fault: Fault, folder: Path) -> str:
    return f"`{shown(fault.path.relative_to(folder))}` ({shown(fault.reason)})"
