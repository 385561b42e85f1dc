"""SVHN from disk and from a server, with small files in the real layout."""

import sys
from pathlib import Path

import numpy as np
import pytest

from specforge.catalog.datasets.definition import DataError
from specforge.catalog.datasets.published_files import md5_of
from specforge.catalog.datasets.svhn import Svhn
from tests.catalog.datasets.matlab_files import HEADER, array, write_svhn

TRAIN_LABELS, TEST_LABELS = [1, 10, 9, 2], [10, 3]


def images_of(count: int) -> np.ndarray:
    """Images as SVHN's files have them: (H, W, C, N)."""
    return np.random.default_rng(count).integers(0, 256, (32, 32, 3, count), dtype=np.uint8)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of data sets with a small SVHN whose checksums count as published."""
    sums = {}
    for name, labels in zip(Svhn.files, (TRAIN_LABELS, TEST_LABELS), strict=True):
        content = write_svhn(tmp_path / name, images_of(len(labels)), np.array(labels, np.uint8)[:, None])
        sums[name] = md5_of(content)
    monkeypatch.setattr(Svhn, "files", sums)
    return tmp_path


def test_reads_both_files_in_order(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    monkeypatch.setitem(sys.modules, "scipy", None)
    arrays = Svhn().load(small)
    expected = np.concatenate([images_of(count).transpose(3, 2, 0, 1) for count in (4, 2)])
    assert np.array_equal(arrays.images, expected)
    assert (arrays.images.shape, arrays.images.dtype) == ((6, 3, 32, 32), np.uint8)
    assert (arrays.labels.tolist(), arrays.labels.dtype) == ([1, 0, 9, 2, 0, 3], np.int64), "10 is the digit 0"
    assert (arrays.train, arrays.class_names[0], len(arrays.class_names)) == (4, "0", 10)
    assert Svhn().load(small, download=True).train == 4, "nothing to download"


def test_the_small_files_are_those_that_torchvision_reads(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("scipy")
    source = pytest.importorskip("torchvision.datasets").SVHN
    listed = {"test": ["", "test_32x32.mat", Svhn.files["test_32x32.mat"]]}
    monkeypatch.setattr(source, "split_list", listed)
    oracle = source(small, split="test")
    arrays = Svhn().load(small)
    assert np.array_equal(arrays.images[4:], oracle.data)
    assert arrays.labels[4:].tolist() == oracle.labels.tolist()


def test_a_missing_file_is_named_with_what_helps(small: Path) -> None:
    (small / "test_32x32.mat").unlink()
    with pytest.raises(DataError, match=r"missing: test_32x32\.mat$") as caught:
        Svhn().load(small)
    assert "--download" in (caught.value.hint or "")
    with pytest.raises(DataError, match="the folder is not there"):
        Svhn().load(small / "elsewhere")


def test_a_damaged_file_is_not_decoded(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = small / "train_32x32.mat"
    file.write_bytes(file.read_bytes()[:-1])
    monkeypatch.setattr("specforge.catalog.datasets.svhn.read_mat", lambda content: pytest.fail("was decoded"))
    with pytest.raises(DataError) as caught:
        Svhn().load(small)
    for part in (str(file), Svhn.files["train_32x32.mat"], md5_of(file.read_bytes())):
        assert part in caught.value.message


ONE = np.ones((2, 1), np.uint8)
WRONG = {
    "not MATLAB": (b"abc", "cannot be read: it is not a little-endian MATLAB file"),
    "no labels": (HEADER + array("X", images_of(2)), "no `y`"),
    "no images": (HEADER + array("y", ONE), "no `X`"),
    "empty": (HEADER + array("X", images_of(0)) + array("y", np.ones((0, 1), np.uint8)), "expected `X` of"),
    "other counts": (HEADER + array("X", images_of(3)) + array("y", ONE), r"`X` of \(32, 32, 3, 3\)"),
    "other axes": (HEADER + array("X", images_of(2).transpose(3, 2, 0, 1)) + array("y", ONE), "expected `X` of"),
    "label 0": (HEADER + array("X", images_of(2)) + array("y", ONE - 1), "labels from 0 to 0, expected 1 to 10"),
    "label 11": (HEADER + array("X", images_of(2)) + array("y", ONE * 11), "labels from 11 to 11"),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_structure_is_checked_too(name: str, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content, message = WRONG[name]
    (small / "test_32x32.mat").write_bytes(content)
    monkeypatch.setattr(Svhn, "files", Svhn.files | {"test_32x32.mat": md5_of(content)})  # type: ignore[operator]
    with pytest.raises(DataError, match=message) as caught:
        Svhn().load(small)
    assert "test_32x32.mat" in caught.value.message


def test_downloads_what_is_not_whole(small: Path, server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    source = pytest.importorskip("torchvision.datasets").SVHN
    address, folder = server
    listed = {"extra": [f"{address}/extra_32x32.mat", "extra_32x32.mat", "0"]}
    for name, md5 in Svhn.files.items():
        (folder / name).write_bytes((small / name).read_bytes())
        listed[name.partition("_")[0]] = [f"{address}/{name}", name, md5]
    monkeypatch.setattr(source, "split_list", listed)
    (small / "train_32x32.mat").write_bytes(b"")
    (small / "test_32x32.mat").unlink()
    assert Svhn().load(small, download=True).train == 4
    (folder / "test_32x32.mat").unlink()
    assert Svhn().load(small, download=True).train == 4, "read from disk from now on"
    (small / "test_32x32.mat").unlink()
    with pytest.raises(DataError, match=f"SVHN could not be downloaded from {address}") as caught:
        Svhn().load(small, download=True)
    assert caught.value.hint == f"without a network, copy test_32x32.mat to `{small}`"


def test_files_are_those_that_torchvision_publishes() -> None:
    source = pytest.importorskip("torchvision.datasets").SVHN
    assert list(Svhn.files.items()) == [tuple(source.split_list[part][1:]) for part in ("train", "test")]


def test_facts_are_known_without_reading() -> None:
    facts = Svhn().facts()
    assert (facts.image, facts.classes, facts.train, facts.test) == ((3, 32, 32), 10, 73_257, 26_032)
