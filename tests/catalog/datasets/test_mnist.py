"""MNIST and Fashion-MNIST from disk and from a server, with small files in the real layout."""

import gzip
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from specforge.catalog.datasets.definition import DataError
from specforge.catalog.datasets.mnist import FashionMnist, Layout, Mnist, Sums
from specforge.catalog.datasets.published_files import md5_of

KINDS = [Mnist, FashionMnist]
Kind = type[Mnist] | type[FashionMnist]
TRAIN, TEST = 5, 3


def idx(numbers: np.ndarray) -> bytes:
    """An array of bytes as an IDX file."""
    header = [0x0800 + numbers.ndim, *numbers.shape]
    return b"".join(value.to_bytes(4, "big") for value in header) + numbers.astype(np.uint8).tobytes()


def contents(*, images: int = TRAIN, side: int = 28, highest: int = 9) -> dict[str, np.ndarray]:
    """What the four files hold, by name."""
    random = np.random.default_rng(0)
    return {
        "train-images-idx3-ubyte": random.integers(0, 256, (images, side, side)),
        "train-labels-idx1-ubyte": np.array([highest, 0, 1, 2, 3]),
        "t10k-images-idx3-ubyte": random.integers(0, 256, (TEST, 28, 28)),
        "t10k-labels-idx1-ubyte": np.array([4, 5, 6]),
    }


def write(kind: Kind, folder: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """The files, packed and unpacked, whose checksums count as published."""
    folder.mkdir(parents=True)
    sums = {}
    for name, content in files.items():
        packed = gzip.compress(content, mtime=0)
        (folder / name).write_bytes(content)
        (folder / f"{name}.gz").write_bytes(packed)
        sums[name] = Sums(md5_of(packed), md5_of(content))
    monkeypatch.setattr(kind, "layout", replace(kind.layout, files=sums))


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    return chosen


@pytest.fixture
def raw(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the small files, below a folder of data sets."""
    folder = tmp_path / kind.layout.folder
    write(kind, folder, {name: idx(numbers) for name, numbers in contents().items()}, monkeypatch)
    return folder


@pytest.mark.parametrize("form", ["both", "packed", "unpacked", "mixed"])
def test_reads_either_form(kind: Kind, raw: Path, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    for number, name in enumerate(kind.layout.files):
        if form == "packed" or (form == "mixed" and number % 2):
            (raw / name).unlink()
        elif form != "both":
            (raw / f"{name}.gz").unlink()
    arrays = kind().load(tmp_path)
    expected = contents()
    images = np.concatenate([expected["train-images-idx3-ubyte"], expected["t10k-images-idx3-ubyte"]])
    assert np.array_equal(arrays.images[:, 0], images)
    assert (arrays.images.shape, arrays.images.dtype) == ((TRAIN + TEST, 1, 28, 28), np.uint8)
    assert (arrays.labels.tolist(), arrays.labels.dtype) == ([9, 0, 1, 2, 3, 4, 5, 6], np.int64)
    assert (arrays.train, len(arrays.class_names)) == (TRAIN, 10)
    assert np.array_equal(kind().load(tmp_path, download=True).images, arrays.images), "nothing to download"


def test_a_damaged_file_does_not_matter_where_the_other_form_is_whole(kind: Kind, raw: Path, tmp_path: Path) -> None:
    first, second, *_ = kind.layout.files
    (raw / first).write_bytes(b"")
    (raw / f"{second}.gz").write_bytes(b"")
    assert kind().load(tmp_path).train == TRAIN


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_damaged_file_is_named_with_its_checksums(kind: Kind, raw: Path, tmp_path: Path, suffix: str) -> None:
    name, sums = next(iter(kind.layout.files.items()))
    (raw / name).unlink()
    (raw / f"{name}.gz").unlink()
    file = raw / f"{name}{suffix}"
    file.write_bytes(idx(np.zeros((TRAIN, 28, 28)))[:-1])
    with pytest.raises(DataError) as caught:
        kind().load(tmp_path)
    for part in (str(file), sums.packed if suffix else sums.unpacked, md5_of(file.read_bytes())):
        assert part in caught.value.message


def test_a_missing_folder_is_named_with_what_helps(kind: Kind, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the folder is not there") as caught:
        kind().load(tmp_path)
    assert str(tmp_path / kind.layout.source / "raw") in caught.value.message
    assert "--download" in (caught.value.hint or "")


def test_missing_files_are_named(kind: Kind, raw: Path, tmp_path: Path) -> None:
    names = list(kind.layout.files)[1:3]
    for name in names:
        (raw / name).unlink()
        (raw / f"{name}.gz").unlink()
    with pytest.raises(DataError, match=f"missing: {', '.join(names)}$"):
        kind().load(tmp_path)


NOT_IDX = [
    b"",
    b"\0\0\x08\x03\0\0",
    idx(np.zeros((TRAIN, 28, 28)))[:-1],
    idx(np.zeros((TRAIN, 28, 28))) + b"\0",
    idx(np.zeros((TRAIN, 28 * 28))),
    b"\0\0\x0d\x03" + idx(np.zeros((TRAIN, 28, 28)))[4:],
    b"\0\0\x08\x03" + b"\xff" * 12,
]


@pytest.mark.parametrize("content", NOT_IDX)
def test_the_structure_is_checked_too(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {name: idx(numbers) for name, numbers in contents().items()} | {"train-images-idx3-ubyte": content}
    write(Mnist, tmp_path / Mnist.layout.folder, files, monkeypatch)
    with pytest.raises(DataError, match="train-images-idx3-ubyte` is not an IDX file of bytes with 3 axes"):
        Mnist().load(tmp_path)


@pytest.mark.parametrize("wrong", [{"images": 4}, {"side": 32}, {"highest": 10}])
def test_images_and_labels_must_fit(wrong: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {name: idx(numbers) for name, numbers in contents(**wrong).items()}
    write(Mnist, tmp_path / Mnist.layout.folder, files, monkeypatch)
    with pytest.raises(DataError, match=r"`train` files in .* do not hold 28x28 images and labels below 10"):
        Mnist().load(tmp_path)


@pytest.fixture
def served(kind: Kind, raw: Path, server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The packed files on a server, which is the second mirror; the folder of data sets has none."""
    source = getattr(pytest.importorskip("torchvision.datasets"), kind.layout.source)
    address, folder = server
    for name in kind.layout.files:
        shutil.move(raw / f"{name}.gz", folder)
    shutil.rmtree(raw.parent)
    monkeypatch.setattr(source, "mirrors", [f"{address}/gone/", f"{address}/"])
    monkeypatch.setattr(source, "resources", [(f"{name}.gz", sums.packed) for name, sums in kind.layout.files.items()])
    return folder


def test_downloads_on_request(kind: Kind, raw: Path, tmp_path: Path, served: Path) -> None:
    with pytest.raises(DataError, match="the folder is not there"):
        kind().load(tmp_path)
    assert kind().load(tmp_path, download=True).train == TRAIN
    assert all((raw / name).is_file() for name in kind.layout.files), "unpacked, as torchvision wants them"
    shutil.rmtree(served)
    assert kind().load(tmp_path, download=True).train == TRAIN, "read from disk from now on"


def test_downloads_only_what_is_not_whole(kind: Kind, raw: Path, tmp_path: Path, served: Path) -> None:
    kind().load(tmp_path, download=True)
    damaged, *others = kind.layout.files
    for name in others:
        (served / f"{name}.gz").unlink()
    (raw / damaged).write_bytes(b"")
    (raw / f"{damaged}.gz").write_bytes(b"")
    assert kind().load(tmp_path, download=True).train == TRAIN


def test_without_a_network_says_where_the_files_go(kind: Kind, raw: Path, tmp_path: Path, served: Path) -> None:
    name = next(iter(kind.layout.files))
    (served / f"{name}.gz").unlink()
    with pytest.raises(DataError, match=f"{kind.layout.source} could not be downloaded from http.*404") as caught:
        kind().load(tmp_path, download=True)
    assert caught.value.hint == f"without a network, copy {name}.gz to `{raw}`"


def test_checksums_and_classes_are_those_that_torchvision_publishes(kind: Kind) -> None:
    source = getattr(pytest.importorskip("torchvision.datasets"), kind.layout.source)
    assert [(f"{name}.gz", sums.packed) for name, sums in kind.layout.files.items()] == source.resources
    assert [name.split(" - ")[0] for name in source.classes] == list(kind.layout.class_names)
    assert kind.layout.folder == f"{source.__name__}/raw"


def test_the_small_files_are_those_that_torchvision_reads(kind: Kind, raw: Path, tmp_path: Path) -> None:
    oracle = getattr(pytest.importorskip("torchvision.datasets"), kind.layout.source)(tmp_path, train=False)
    arrays = kind().load(tmp_path)
    assert np.array_equal(arrays.images[TRAIN:, 0], oracle.data.numpy())
    assert arrays.labels[TRAIN:].tolist() == oracle.targets.tolist()


def test_facts_are_known_without_reading(kind: Kind) -> None:
    facts = kind().facts()
    assert (facts.image, facts.classes, facts.train, facts.test) == ((1, 28, 28), 10, 60_000, 10_000)


def test_a_layout_names_its_folder() -> None:
    assert Layout("KMNIST", {}, ()).folder == "KMNIST/raw"
