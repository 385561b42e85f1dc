"""Reads arrays of bytes from a MATLAB file of version 5 or 7 (level 5 of the format), and nothing else.

In: the bytes of a `.mat` file. Out: its uint8 arrays by name, in MATLAB's axes, or a `DataError` that says what does
not fit. Only what SVHN's files hold is understood: little-endian, real numeric arrays whose numbers are stored as
bytes, compressed or not. Strings, cells, structures and sparse arrays are refused.

Source: MathWorks, MAT-File Format, level 5.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING

from specforge.catalog.datasets.definition import DataError

if TYPE_CHECKING:
    import numpy as np

_HEADER = 128
_INT8, _UINT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 2, 5, 6, 14, 15
# the classes of arrays whose numbers may be stored as bytes: double (6), single (7) and the integers (8 to 15)
_NUMERIC = range(6, 16)
_IS_COMPLEX = 0x0800
# SVHN's largest file unpacks to 225 MB; one whose compressed elements grow beyond this is not one of a data set's
MAX_BYTES = 2**30


def read_mat(content: bytes) -> dict[str, np.ndarray]:
    """Every array of the file: its name and its bytes, shaped as in MATLAB (the first axis varies fastest)."""
    if len(content) < _HEADER or content[124:128] != b"\x00\x01IM":
        raise DataError("it is not a little-endian MATLAB file of level 5")
    return dict(_array(body) for body in _matrices(memoryview(content)[_HEADER:]))


def _matrices(rest: memoryview) -> Iterator[memoryview]:
    """The body of each array, unpacked."""
    left = MAX_BYTES
    while rest:
        # a compressed element is followed by the next one at once, everything else is padded to eight bytes
        kind, body, rest = _element(rest)
        if kind == _COMPRESSED:
            unpacked = _unpacked(body, left)
            left -= len(unpacked)
            kind, body, _ = _element(memoryview(unpacked))
        if kind != _MATRIX:
            raise DataError(f"it holds an element of type {kind}, which is not an array")
        yield body


def _element(data: memoryview) -> tuple[int, memoryview, memoryview]:
    """The first element: its type, its body, and what comes after it."""
    if len(data) < 8:
        raise DataError("it ends inside an element")
    kind, size = (int.from_bytes(data[start : start + 4], "little") for start in (0, 4))
    if kind >> 16:  # up to four bytes lie in the tag itself
        size, kind = kind >> 16, kind & 0xFFFF
        start, end, after = 4, 4 + size, 8
    else:
        start, end = 8, 8 + size
        after = end if kind == _COMPRESSED else end + -end % 8
    if end > len(data) or after < end:
        raise DataError("it ends inside an element")
    return kind, data[start:end], data[after:]


def _unpacked(body: memoryview, limit: int) -> bytes:
    decoder = zlib.decompressobj()
    try:
        unpacked = decoder.decompress(body, limit + 1)
    except zlib.error as error:
        raise DataError(f"a compressed array cannot be unpacked: {error}") from error
    if len(unpacked) > limit or not decoder.eof:
        raise DataError(f"a compressed array is cut off, or the arrays are larger than {MAX_BYTES:,} bytes")
    return unpacked


def _array(body: memoryview) -> tuple[str, np.ndarray]:
    """The four parts of an array: flags, lengths of the axes, name, numbers."""
    import numpy as np

    parts = []
    for _ in range(4):
        kind, part, body = _element(body)
        parts.append((kind, part))
    (flags_kind, flags), (axes_kind, axes), (name_kind, name), (kind, numbers) = parts
    if (flags_kind, axes_kind, name_kind) != (_UINT32, _INT32, _INT8) or len(flags) != 8 or len(axes) % 4:
        raise DataError("an array does not begin with its class, its axes and its name")
    label = bytes(name).decode("ascii", "backslashreplace")
    if flags[0] not in _NUMERIC or int.from_bytes(flags[:4], "little") & _IS_COMPLEX or kind != _UINT8:
        raise DataError(f"the array `{label}` does not hold real numbers stored as bytes")
    shape = [int(size) for size in np.frombuffer(axes, "<i4")]
    if min(shape, default=-1) < 0 or prod(shape) != len(numbers):
        raise DataError(f"the array `{label}` has axes {shape}, but {len(numbers):,} numbers")
    return label, np.frombuffer(numbers, np.uint8).reshape(shape, order="F")
