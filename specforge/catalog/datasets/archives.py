"""Unpacks archives of data sets: plain files into one folder, and nothing else.

In: a `.tar.gz`, `.tgz`, `.tar` or `.gz` file and a folder. Out: its files in that folder, all of them or none. A member
that leads out of the folder (`..`, an absolute path, a link), that is no plain file (a device, a pipe, a sparse file)
or that is named twice is a `DataError`, and so is an archive that unpacks to more than a data set's would. A published
checksum says that an archive is the one that its makers meant, not that it is harmless.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from shutil import rmtree
from tempfile import mkdtemp
from typing import IO, Any

from specforge.catalog.datasets.definition import DataError
from specforge.diagnostics import one_line

MOST_MEMBERS = 100_000
MOST_BYTES = 2**33
# pictures shrink to a half or a tenth; what shrinks to less than this, from this size on, is there to fill a disk
MOST_RATIO, UNSUSPICIOUS = 200, 2**26
_PIECE = 2**20
_LONGEST_NAME = 1_000
# what Python raises for damaged archives
_DAMAGE = (EOFError, OSError, ValueError, zlib.error, tarfile.TarError)


def unpack(archive: Path, folder: Path) -> None:
    """Put the files of an archive into a folder. Where one is refused, or the archive is damaged, none is put there."""
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(mkdtemp(dir=folder, prefix=".unpacking-"))
    try:
        if archive.name.endswith((".tar.gz", ".tgz", ".tar")):
            names = _unpack_tar(archive, scratch)
        elif archive.name.endswith(".gz"):
            names = _unpack_gz(archive, scratch)
        else:
            raise _refused(archive, "is of no kind that is unpacked (.tar.gz, .tgz, .tar, .gz)")
        for name in names:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (scratch / name).replace(target)
    finally:
        rmtree(scratch, ignore_errors=True)


def is_bomb(packed: int, unpacked: int) -> bool:
    """Whether so many bytes that unpack to so many others are there to fill memory or a disk."""
    return unpacked > UNSUSPICIOUS and unpacked > MOST_RATIO * max(packed, 1)


def unpacked_gz(archive: Path, content: bytes, *, limit: int) -> bytes:
    """What the bytes of a `.gz` file unpack to, which must not be more than `limit`; the path is for the message."""
    pieces = zlib.decompressobj(wbits=31)
    try:
        found = pieces.decompress(content, limit + 1)
    except zlib.error as error:
        raise _refused(archive, f"is damaged: {error}") from error
    if len(found) > limit or not pieces.eof:
        why = f"unpacks to more than {limit:,} bytes" if len(found) > limit else "is cut off"
        raise _refused(archive, why)
    return found


def _refused(archive: Path, why: str) -> DataError:
    return DataError(f"`{one_line(str(archive))}` {why}; nothing of it was unpacked")


class _Bounded:
    """A stream to read that ends in a `DataError` beyond a number of bytes, or where one piece is asked for at once
    that is larger than any header of an archive.
    """

    def __init__(self, archive: Path, stream: IO[bytes]):
        self._archive, self._stream = archive, stream
        packed = archive.stat().st_size
        self._limit = min(MOST_BYTES, max(UNSUSPICIOUS, MOST_RATIO * packed))

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _PIECE:
            raise _refused(self._archive, f"has a header of {size:,} bytes")
        piece = self._stream.read(size)
        if self._stream.tell() > self._limit:
            raise _refused(self._archive, f"unpacks to more than {self._limit:,} bytes")
        return piece

    def seek(self, place: int, whence: int = 0) -> int:
        """Forwards by reading, so that what is passed over counts too."""
        assert whence == 0, "tarfile seeks from the start"
        while (missing := place - self._stream.tell()) > 0 and self.read(min(missing, _PIECE)):
            pass
        return self._stream.tell() if missing >= 0 else self._stream.seek(place)

    def tell(self) -> int:
        return self._stream.tell()


@contextmanager
def _opened(archive: Path) -> Iterator[Any]:
    """The unpacked bytes of an archive, bounded; what a damaged one ends in is a `DataError`."""
    try:
        with archive.open("rb") if archive.suffix == ".tar" else gzip.open(archive) as stream:
            yield _Bounded(archive, stream)  # type: ignore[arg-type]  # a gzip file is a stream of bytes
    except _DAMAGE as error:
        raise _refused(archive, f"cannot be unpacked: {one_line(str(error) or type(error).__name__)}") from error


def _unpack_gz(archive: Path, scratch: Path) -> list[str]:
    name = archive.name.removesuffix(".gz")
    with _opened(archive) as stream, (scratch / name).open("xb") as file:
        while piece := stream.read(_PIECE):
            file.write(piece)
    return [name]


def _unpack_tar(archive: Path, scratch: Path) -> list[str]:
    names: list[str] = []
    with _opened(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
        for count, member in enumerate(tar, start=1):
            name = _require_harmless(archive, member)
            if count > MOST_MEMBERS:
                raise _refused(archive, f"has more than {MOST_MEMBERS:,} members")
            target = scratch / name
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                raise _refused(archive, f"names `{name}` twice")
            _copy(tar, member, target)
            names.append(name)
    return names


def _copy(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    """Its bytes alone: no owner, no permissions, no times."""
    source = tar.extractfile(member)
    assert source is not None, "a plain file has content"
    left = member.size
    with source, target.open("xb") as file:
        while left:
            piece = source.read(min(left, _PIECE))
            if not piece:
                raise EOFError("it ends inside a member")
            file.write(piece)
            left -= len(piece)


def _require_harmless(archive: Path, member: tarfile.TarInfo) -> str:
    """The member's name below the folder, if it is a folder or a plain file that stays there."""
    shown = one_line(member.name)
    kinds = {
        "a symbolic link": member.issym(),
        "a hard link": member.islnk(),
        "a device or a pipe": member.isdev(),
        "a sparse file": member.issparse(),
        "no plain file": not (member.isreg() or member.isdir()),
    }
    for kind, is_so in kinds.items():
        if is_so:
            raise _refused(archive, f"holds {kind}, `{shown}`")
    posix, windows = PurePosixPath(member.name), PureWindowsPath(member.name)
    if posix.is_absolute() or windows.drive or windows.root or "\\" in member.name or ".." in posix.parts:
        raise _refused(archive, f"holds `{shown}`, which leads out of the folder")
    if not member.name.isprintable() or len(member.name) > _LONGEST_NAME or ":" in member.name:
        raise _refused(archive, f"holds `{shown}`, which is no name of a data file")
    return str(posix)
