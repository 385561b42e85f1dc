"""Writes small MATLAB files, element by element, for the tests that read them."""

import zlib
from pathlib import Path

import numpy as np

HEADER = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
DOUBLE, UINT8 = 6, 9


def element(kind: int, body: bytes) -> bytes:
    """Tag and body, padded to eight bytes; short bodies lie in the tag, as MATLAB writes them."""
    if 0 < len(body) <= 4:
        return kind.to_bytes(2, "little") + len(body).to_bytes(2, "little") + body.ljust(4, b"\0")
    return kind.to_bytes(4, "little") + len(body).to_bytes(4, "little") + body + b"\0" * (-len(body) % 8)


def array(name: str, numbers: np.ndarray, *, of_class: int = UINT8, stored: int = 2, flags: int = 0) -> bytes:
    """An array of bytes, as MATLAB lays it out: the first axis varies fastest."""
    parts = [
        element(6, bytes([of_class, flags, 0, 0, 0, 0, 0, 0])),
        element(5, np.array(numbers.shape, "<i4").tobytes()),
        element(1, name.encode()),
        element(stored, numbers.tobytes(order="F")),
    ]
    return element(14, b"".join(parts))


def compressed(content: bytes) -> bytes:
    """Packed; unlike other elements it is not padded."""
    packed = zlib.compress(content)
    return (15).to_bytes(4, "little") + len(packed).to_bytes(4, "little") + packed


def write_svhn(file: Path, images_hwcn: np.ndarray, labels: np.ndarray) -> bytes:
    """A file as SVHN's: images (H, W, C, N) and labels (N, 1). Gives its bytes."""
    content = HEADER + compressed(array("X", images_hwcn)) + compressed(array("y", labels, of_class=DOUBLE))
    file.write_bytes(content)
    return content
