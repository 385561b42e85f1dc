"""The checksum that a cache of pixels ends with: it tells a damaged file from a whole one.

In: pixels as they are written, or the file that holds them. Out: 32 bytes to append, or whether the file's own agree.
Pieces are summed apart, with CRC-32, which reads as fast as memory gives, and their sums together, so that several
threads can check a file. It finds damage; whoever may write into the cache may also write its checksum.
"""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from os import cpu_count
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

_MARK = b"specforge pixels"
_PIECE = 2**24
SIZE = len(_MARK) + 16
_THREADS = 8


def _sum(piece: memoryview) -> bytes:
    return _bytes(zlib.crc32(piece))


def _bytes(crc: int) -> bytes:
    return crc.to_bytes(4, "little")


class Summing:
    """Writes pixels to a file, and sums them on the way."""

    def __init__(self, file: IO[bytes]):
        self._file, self._sums = file, blake2b(digest_size=16)
        self._piece, self._left = 0, _PIECE

    def write(self, pixels: np.ndarray) -> None:
        rest = pixels.data.cast("B")
        self._file.write(rest)
        while len(rest):
            part, rest = rest[: self._left], rest[self._left :]
            self._piece = zlib.crc32(part, self._piece)
            self._left -= len(part)
            if not self._left:
                self._sums.update(_bytes(self._piece))
                self._piece, self._left = 0, _PIECE

    def digest(self) -> bytes:
        """What the file ends with."""
        sums = self._sums.copy()
        if self._left < _PIECE:
            sums.update(_bytes(self._piece))
        return _MARK + sums.digest()


def is_sound(file: Path, pixels: np.ndarray) -> bool:
    """Whether a file that was mapped as these pixels ends with their checksum."""
    with file.open("rb") as opened:
        size = opened.seek(0, 2)
        if size < pixels.nbytes + SIZE:
            return False
        opened.seek(size - SIZE)
        found = opened.read()
    flat = pixels.reshape(-1).data
    pieces = (flat[start : start + _PIECE] for start in range(0, len(flat), _PIECE))
    with ThreadPoolExecutor(min(_THREADS, cpu_count() or 1)) as pool:
        sums = blake2b(b"".join(pool.map(_sum, pieces)), digest_size=16)
    return found == _MARK + sums.digest()
