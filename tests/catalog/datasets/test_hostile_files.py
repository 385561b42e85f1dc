"""Data files made to do harm: nothing in them runs, nothing fills the memory, and each ends in a `DataError`."""

import io
import pickle
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specforge.catalog.datasets import matlab
from specforge.catalog.datasets.array_pickle import read_pickle
from specforge.catalog.datasets.cifar import Cifar10
from specforge.catalog.datasets.definition import DataError
from specforge.catalog.datasets.image_decoding import Form, decode_all
from specforge.catalog.datasets.image_listing import ImageFile
from specforge.catalog.datasets.matlab import read_mat
from specforge.catalog.datasets.mnist import Mnist, Sums
from specforge.catalog.datasets.npz import Npz
from specforge.catalog.datasets.published_files import md5_of
from tests.catalog.datasets.hostile import GADGETS, Bait, bomb, malformed_pickles, payloads
from tests.catalog.datasets.image_files import Image, pixels

MOST = 2**31  # bytes that reading a hostile file may add to what the process has


@contextmanager
def little_memory() -> Iterator[None]:
    """Whoever makes room for what a header claims gets a MemoryError, which is then the test's failure."""
    if not Path("/proc/self/statm").exists():  # the limit is Linux's
        yield
        return
    import resource

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + MOST, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.fixture
def bait(tmp_path: Path) -> Bait:
    return Bait(tmp_path)


@pytest.mark.parametrize("gadget", GADGETS)
def test_no_pickle_in_a_data_batch_runs_anything(gadget: str, bait: Bait) -> None:
    for opcode, payload in payloads(gadget, bait.command):
        with pytest.raises(DataError):
            read_pickle(payload)
        assert not bait.was_taken, opcode


def test_a_malformed_pickle_is_one_error() -> None:
    good = 0
    for content in malformed_pickles():
        try:
            read_pickle(content)
            good += 1
        except DataError:
            pass
    assert good <= 2, "deep lists and the like are plain values"


def test_a_batch_with_the_published_checksum_still_runs_nothing(
    bait: Bait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Cifar10.layout
    (tmp_path / layout.folder).mkdir()
    hostile = next(payload for _, payload in payloads("os.system", bait.command))
    for name in layout.files:
        (tmp_path / layout.folder / name).write_bytes(hostile)
    sums: Any = {part: dict.fromkeys(getattr(layout, part), md5_of(hostile)) for part in ("train", "test", "meta")}
    monkeypatch.setattr(Cifar10, "layout", replace(layout, **sums))
    with pytest.raises(DataError, match=r"asks for `os\.system`.* refused") as caught:
        Cifar10().load(tmp_path)
    assert str(tmp_path / layout.folder / "data_batch_1") in caught.value.message
    assert not bait.was_taken


class _Calls:
    def __init__(self, command: str):
        self.command = command

    def __reduce__(self) -> Any:
        import os

        return os.system, (self.command,)


@pytest.mark.parametrize("key", ["train_x", "train_y", "test_x", "test_y", "class_names"])
def test_objects_in_an_npz_are_not_unpickled(key: str, bait: Bait, tmp_path: Path) -> None:
    good = {"train_x": np.zeros((2, 4, 4, 3), np.uint8), "train_y": np.array([0, 1])}
    np.savez(tmp_path / "set.npz", **good | {key: np.array([_Calls(bait.command), 1], dtype=object)})
    with pytest.raises(DataError, match=f"`{key}`: cannot be read: Object arrays") as caught:
        Npz(path="set.npz").load(tmp_path)
    assert not bait.was_taken
    assert any(finding.hint and "objects are not read" in finding.hint for finding in caught.value.findings)


def test_a_pickle_in_the_place_of_an_array_is_not_unpickled(bait: Bait, tmp_path: Path) -> None:
    for name in ("train_x.npy", "train_x"):
        with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
            archive.writestr(name, pickle.dumps(_Calls(bait.command)))
        with pytest.raises(DataError, match="`train_x`"):
            Npz(path="set.npz").load(tmp_path)
        (tmp_path / "set.npz").write_bytes(pickle.dumps(_Calls(bait.command)))
        with pytest.raises(DataError, match=r"not a whole \.npz"):
            Npz(path="set.npz").load(tmp_path)
    assert not bait.was_taken


def header(text: str, content: bytes = b"", *, version: bytes = b"\x01\x00") -> bytes:
    length = struct.pack("<H" if version[0] == 1 else "<I", len(text))
    return b"\x93NUMPY" + version + length + text.encode() + content


CLAIMS = {
    "terabytes": header("{'descr': '|u1', 'fortran_order': False, 'shape': (10000000, 1000, 100), }", b"x"),
    "more than any machine has": header(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({2**62},), }}", b"x"),
    "more than numpy can count": header(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({10**30},), }}", b"x"),
    "a negative size": header("{'descr': '|u1', 'fortran_order': False, 'shape': (-1,), }", b"x"),
    "a letter of a gigabyte": header("{'descr': '<U1000000000', 'fortran_order': False, 'shape': (1,), }", b"x"),
    "a header without end": header("{" * 9_000),
    "a header of 2 GiB": b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b"{",
    "a long header": header("{'descr': '|u1', 'shape': (1,), 'fortran_order': False" + " " * 20_000 + "}", b"x"),
    "code": header("__import__('os').system('echo x > executed')"),
    "a call in the shape": header("{'descr': '|u1', 'fortran_order': False, 'shape': (open('executed', 'w'),), }"),
    "nothing": header(""),
    "no dictionary": header("[1, 2]"),
    "an unknown version": header("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", version=b"\x09\x00"),
    "too few bytes": header("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2), }", b"x" * 7),
    "too many bytes": header("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2), }", b"x" * 9),
    "an odd type": header("{'descr': [('a', '|u1'), ('b', '|O')], 'fortran_order': False, 'shape': (1,), }", b"x" * 9),
}


@pytest.mark.parametrize("case", CLAIMS)
def test_a_header_that_claims_what_is_not_there(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(tmp_path / "set.npz", "w", packing) as archive:
            archive.writestr("train_x.npy", CLAIMS[case])
        with little_memory(), pytest.raises(DataError, match="`train_x`"):
            Npz(path="set.npz").load(tmp_path)
    assert not (tmp_path / "executed").exists()


def test_an_npz_that_unpacks_to_what_no_images_do(tmp_path: Path) -> None:
    size = 2**27
    head = header(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({size}, 1, 1), }}")
    with (
        zipfile.ZipFile(tmp_path / "set.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("train_x.npy", "w") as entry,
    ):
        entry.write(head)
        for _ in range(size // 2**20):
            entry.write(bytes(2**20))
    assert (tmp_path / "set.npz").stat().st_size < 2**20
    with pytest.raises(DataError, match=r"`train_x`: [\d,]+ bytes that unpack to [\d,]+, which no images do") as caught:
        Npz(path="set.npz").load(tmp_path)
    assert "numpy.savez" in (caught.value.hint or "")


def test_a_damaged_npz_is_one_error(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.savez_compressed(stream, train_x=np.arange(96, dtype=np.uint8).reshape(2, 4, 4, 3), train_y=np.array([0, 1]))
    whole, draw, good = stream.getvalue(), random.Random(0), 0
    for _ in range(200):
        content = bytearray(whole)
        for _ in range(draw.choice([1, 1, 4, 30])):
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        (tmp_path / "set.npz").write_bytes(bytes(content))
        with suppress(DataError):
            Npz(path="set.npz").load(tmp_path)
            good += 1
    assert good < 60, "most changes are found by the checksums of the archive"


def element(kind: int, body: bytes) -> bytes:
    return struct.pack("<II", kind, len(body)) + body + b"\0" * (-len(body) % 8)


def mat(*elements: bytes) -> bytes:
    return b"MATLAB 5.0".ljust(124) + b"\x00\x01IM" + b"".join(elements)


def test_a_mat_file_that_unpacks_to_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matlab, "MAX_BYTES", 2**24)
    packed = bomb(2**25)
    with pytest.raises(DataError, match="larger than 16,777,216 bytes"):
        read_mat(mat(struct.pack("<II", 15, len(packed)) + packed))


def test_many_packed_arrays_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = bytes(2**20)
    array = element(6, struct.pack("<II", 9, 0)) + element(5, struct.pack("<ii", 1, len(numbers)))
    array += element(1, b"X") + element(2, numbers)
    packed = zlib.compress(element(14, array))
    one = struct.pack("<II", 15, len(packed)) + packed
    assert read_mat(mat(*[one] * 3))["X"].shape == (1, 2**20)
    monkeypatch.setattr(matlab, "MAX_BYTES", 2**22)
    with pytest.raises(DataError, match="larger than"):
        read_mat(mat(*[one] * 5))


MATS = [
    b"",
    mat(b"\x0e\0\0\0\xff\xff\xff\xff"),
    mat(struct.pack("<II", 14, 2**31)),
    mat(element(14, b"")),
    mat(
        element(
            14,
            element(6, b"\x09" + b"\0" * 7)
            + element(5, struct.pack("<ii", -1, -1))
            + element(1, b"X")
            + element(2, b"x"),
        )
    ),
    mat(
        element(
            14,
            element(6, b"\x09" + b"\0" * 7)
            + element(5, struct.pack("<" + "i" * 8, *[2**31 - 1] * 8))
            + element(1, b"X")
            + element(2, b"x"),
        )
    ),
    mat(element(14, element(14, element(14, b"")))),
    mat(element(0, b"") * 1_000),
    mat(struct.pack("<II", 15, 4) + b"none"),
]


@pytest.mark.parametrize("number", range(len(MATS)))
def test_absurd_mat_files(number: int) -> None:
    with little_memory(), pytest.raises(DataError):
        read_mat(MATS[number])


def idx(shape: tuple[int, ...], content: bytes = b"") -> bytes:
    return b"".join(value.to_bytes(4, "big") for value in (0x0800 + len(shape), *shape)) + content


@pytest.mark.parametrize(
    "content",
    [
        idx((2**32 - 1,) * 3),
        idx((2**32 - 1, 28, 28), b"x" * 784),
        idx((0, 0, 0)),
        idx((1, 28, 28)),
        b"\0\0\x08\xff" + b"\xff" * 400,
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_idx_files_of_absurd_sizes(
    content: bytes, packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gzip

    written = gzip.compress(content, mtime=0) if packed else content
    folder, sums = tmp_path / Mnist.layout.folder, Sums(md5_of(written), md5_of(written))
    folder.mkdir(parents=True)
    for name in Mnist.layout.files:
        (folder / (f"{name}.gz" if packed else name)).write_bytes(written)
    monkeypatch.setattr(Mnist, "layout", replace(Mnist.layout, files=dict.fromkeys(Mnist.layout.files, sums)))
    with little_memory(), pytest.raises(DataError, match=r"not an IDX file|do not hold"):
        Mnist().load(tmp_path)


def test_an_idx_file_that_unpacks_to_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = bomb(2**27, gz=True)
    folder, sums = tmp_path / Mnist.layout.folder, Sums(md5_of(written), "")
    folder.mkdir(parents=True)
    for name in Mnist.layout.files:
        (folder / f"{name}.gz").write_bytes(written)
    monkeypatch.setattr(Mnist, "layout", replace(Mnist.layout, files=dict.fromkeys(Mnist.layout.files, sums)))
    with pytest.raises(DataError, match=r"unpacks to more than 67,108,864 bytes"):
        Mnist().load(tmp_path)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(10_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunks) + data + chunk(b"IEND", b"")


def jpeg(width: int, height: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels(0)).save(stream, "JPEG")
    content = bytearray(stream.getvalue())
    place = content.index(b"\xff\xc0") + 5
    content[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(content)


def bmp(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IHHIIiiHHIIIIII", 54, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


IMAGES: dict[str, bytes] = {
    "a square of 60,000 pixels": png(60_000, 60_000),
    "one line of two thousand million": png(2**31 - 1, 1),
    "as large as a PNG can say": png(2**32 - 1, 2**32 - 1),
    "no pixels": png(0, 0),
    "negative BMP": bmp(-5, -5),
    "huge BMP": bmp(2**31 - 1, 2**31 - 1),
    "huge JPEG": jpeg(65_500, 65_500),
    "huge GIF": b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + b",\0\0\0\0\xff\xff\xff\xff\0\2\1\0\0;",
    "huge PPM": b"P6 99999999 99999999 255\n" + b"x" * 99,
    "a PPM of many digits": b"P6 " + b"9" * 5_000 + b" 1 255\n",
    "huge TIFF": b"II*\0\x08\0\0\0\x02\0"
    + b"".join(struct.pack("<HHII", tag, 4, 1, 2**31 - 1) for tag in (256, 257))
    + bytes(4),
    "a TIFF that leads to itself": b"II*\0\x08\0\0\0\x00\0\x08\0\0\0",
    "a text that unpacks to gigabytes": png(12, 16, chunk(b"zTXt", b"k\0\0" + bomb(2**27))),
    "a colour profile that unpacks to gigabytes": png(60_000, 60_000, chunk(b"iCCP", b"k\0\0" + bomb(2**27))),
    "a script": b"<svg onload='alert(1)' xmlns='http://www.w3.org/2000/svg'/>",
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(executed) (w) file closefile\n",
    "a web page": b"<script>alert(1)</script>",
    "a program": b"\x7fELF\x02\x01\x01" + bytes(100),
    "an archive": b"PK\x05\x06" + bytes(18),
    "a pickle": pickle.dumps([1, 2]),
    "nothing but zeros": bytes(1_000),
}


@pytest.mark.parametrize("case", IMAGES)
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_images_made_to_do_harm(case: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / f"1.{suffix}"
    file.write_bytes(IMAGES[case])
    with little_memory():
        (fault,) = decode_all([ImageFile(file, 0, 1, 0)], Form(12, 16, 3, "crop"), lambda _: None)
    assert (fault.path, bool(fault.reason)) == (file, True)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize("suffix", ["png", "bmp", "ppm", "tif", "webp", "gif", "jpg"])
def test_damaged_images_are_faults_or_pictures(suffix: str, tmp_path: Path) -> None:
    whole_file = tmp_path / f"whole.{suffix}"
    Image.fromarray(pixels(1)).save(whole_file)
    whole, draw, files = whole_file.read_bytes(), random.Random(suffix), []
    for number in range(60):
        content = bytearray(whole)
        if number % 3 == 0:
            del content[draw.randrange(len(content)) :]
        for _ in range(draw.choice([1, 3, 20]) if content else 0):
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        file = tmp_path / f"{number}.{suffix}"
        file.write_bytes(bytes(content))
        files.append(ImageFile(file, 0, len(content), 0))
    faults = decode_all(files, Form(12, 16, 3, "crop"), lambda _: None)
    assert all(fault.reason for fault in faults)
    assert len(faults) >= 5
