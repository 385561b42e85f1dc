"""MATLAB files: arrays of bytes are read, everything else is refused with its reason."""

import io
import random
from contextlib import suppress

import numpy as np
import pytest

from specforge.catalog.datasets import matlab
from specforge.catalog.datasets.definition import DataError
from specforge.catalog.datasets.matlab import read_mat
from tests.catalog.datasets.matlab_files import DOUBLE, HEADER, array, compressed, element

SMALL = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([[1], [10], [3]], dtype=np.uint8)
WHOLE = HEADER + compressed(array("X", SMALL)) + array("labels", LABELS, of_class=DOUBLE)


@pytest.mark.parametrize("pack", [bytes, compressed])
@pytest.mark.parametrize("numbers", [SMALL, LABELS, np.zeros((1, 1), np.uint8), np.zeros((0, 5), np.uint8)])
def test_reads_arrays_of_bytes(pack: type[bytes], numbers: np.ndarray) -> None:
    found = read_mat(HEADER + pack(array("X", numbers)) + pack(array("second", numbers)))
    assert list(found) == ["X", "second"]
    assert all(np.array_equal(values, numbers) and values.dtype == np.uint8 for values in found.values())


def test_numbers_of_another_class_may_be_stored_as_bytes() -> None:
    assert np.array_equal(read_mat(WHOLE)["labels"], LABELS)


@pytest.mark.parametrize("do_compression", [False, True])
def test_reads_what_scipy_writes(do_compression: bool) -> None:
    io_of_scipy = pytest.importorskip("scipy.io")
    file = io.BytesIO()
    images = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 7), dtype=np.uint8)
    io_of_scipy.savemat(file, {"X": images, "y": LABELS}, do_compression=do_compression)
    found = read_mat(file.getvalue())
    assert np.array_equal(found["X"], images)
    assert np.array_equal(found["y"], LABELS)


REFUSED = {
    "not a MATLAB file": (b"\x89PNG", "not a little-endian MATLAB file"),
    "big-endian": (HEADER[:124] + b"\x01\x00MI", "not a little-endian MATLAB file"),
    "doubles": (HEADER + array("X", SMALL, of_class=DOUBLE, stored=9), "`X` does not hold real numbers"),
    "complex": (HEADER + array("X", SMALL, flags=0x08), "`X` does not hold real numbers"),
    "text": (HEADER + array("X", SMALL, of_class=4), "`X` does not hold real numbers"),
    "a structure": (HEADER + array("X", SMALL, of_class=2), "`X` does not hold real numbers"),
    "not an array": (HEADER + element(2, b"12345678"), "type 2, which is not an array"),
    "compressed twice": (HEADER + compressed(compressed(array("X", SMALL))), "type 15, which is not an array"),
    "no zlib stream": (HEADER + element(15, b"12345678"), "cannot be unpacked"),
    "an array of other parts": (HEADER + element(14, element(1, b"12345678") * 4), "does not begin with its class"),
    "too few numbers": (HEADER + array("X", SMALL).replace(b"\x03\0\0\0\x04", b"\x03\0\0\0\x05"), r"axes \[2, 3, 5\]"),
    "a negative axis": (HEADER + array("X", SMALL).replace(b"\x03\0\0\0\x04", b"\xfd\xff\xff\xff\x04"), "axes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_everything_else_is_refused(name: str) -> None:
    content, message = REFUSED[name]
    with pytest.raises(DataError, match=message):
        read_mat(content)


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matlab, "MAX_BYTES", 10_000)
    with pytest.raises(DataError, match="larger than 10,000 bytes"):
        read_mat(HEADER + compressed(array("X", np.zeros((100, 1000), np.uint8))))


@pytest.mark.parametrize("length", range(129, len(WHOLE), 3))
def test_a_cut_file_is_refused_or_lacks_the_array_that_was_cut(length: int) -> None:
    try:
        found = read_mat(WHOLE[:length])
    except DataError:
        return
    assert list(found) == ["X"], "cut between the arrays"


def test_damage_is_a_data_error_and_nothing_else() -> None:
    draw = random.Random(0)
    for _ in range(2_000):
        content = bytearray(WHOLE)
        for _ in range(draw.randint(1, 4)):
            content[draw.randrange(len(content))] = draw.randrange(256)
        with suppress(DataError):
            read_mat(bytes(content))
