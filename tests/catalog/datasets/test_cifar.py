"""CIFAR from disk and from a server, with small files in the real layout, and once with the real ones."""

import os
import pickle
import shutil
import sys
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specforge.catalog.datasets.cifar import Cifar10, Cifar100, Layout
from specforge.catalog.datasets.definition import DataError
from specforge.catalog.datasets.published_files import md5_of

KINDS = [Cifar10, Cifar100]
Cifar = type[Cifar10] | type[Cifar100]
PER_BATCH = 3


def write_small(kind: Cifar, folder: Path) -> Layout:
    """Three images in each file; the layout with the checksums of these files."""
    layout = kind.layout
    random = np.random.default_rng(0)
    folder.mkdir(parents=True)
    sums = {}
    for name in layout.files:
        content: dict[bytes, object] = {layout.names_key: [b"apple", b"bear"]}
        if name not in layout.meta:
            data = random.integers(0, 256, (PER_BATCH, 3072), dtype=np.uint8)
            content = {b"data": data, layout.labels_key: [0, 1, 1], b"filenames": [b"a.png"] * PER_BATCH}
        written = pickle.dumps(content, protocol=4)
        (folder / name).write_bytes(written)
        sums[name] = md5_of(written)
    parts: Any = {part: {name: sums[name] for name in getattr(layout, part)} for part in ("train", "test", "meta")}
    return replace(layout, **parts)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> Cifar:
    chosen: Cifar = request.param
    return chosen


@pytest.fixture
def small(kind: Cifar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of data sets with a small CIFAR whose checksums count as published."""
    monkeypatch.setattr(kind, "layout", write_small(kind, tmp_path / kind.layout.folder))
    return tmp_path


def test_reads_every_file_in_order(kind: Cifar, small: Path) -> None:
    arrays = kind().load(small)
    layout = kind.layout
    expected = [
        pickle.loads((small / layout.folder / name).read_bytes())[b"data"] for name in layout.train | layout.test
    ]
    assert np.array_equal(arrays.images, np.concatenate(expected).reshape(-1, 3, 32, 32))
    assert arrays.images.dtype == np.uint8
    assert arrays.labels.tolist() == [0, 1, 1] * len(expected)
    assert arrays.labels.dtype == np.int64
    assert arrays.train == PER_BATCH * len(layout.train)
    assert arrays.class_names == ("apple", "bear")


def test_does_not_import_torchvision_to_read(kind: Cifar, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    assert kind().load(small).train > 0
    assert kind().load(small, download=True).train > 0, "all files are there: nothing to download"


def test_a_missing_folder_is_named_with_what_helps(kind: Cifar, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        kind().load(tmp_path)
    assert str(tmp_path / kind.layout.folder) in caught.value.message
    for help_ in ("--download", "--data-dir", "SPECFORGE_DATA"):
        assert help_ in (caught.value.hint or "")


def test_a_missing_file_is_named(kind: Cifar, small: Path) -> None:
    (name,) = kind.layout.test
    (small / kind.layout.folder / name).unlink()
    with pytest.raises(DataError, match=f"missing: {name}$"):
        kind().load(small)


def test_a_truncated_file_is_named_with_its_checksums(kind: Cifar, small: Path) -> None:
    name, published = next(iter(kind.layout.train.items()))
    file = small / kind.layout.folder / name
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DataError) as caught:
        kind().load(small)
    for part in (str(file), published, md5_of(file.read_bytes())):
        assert part in caught.value.message


def test_a_hostile_file_is_not_decoded(kind: Cifar, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = next(iter(kind.layout.train))
    (small / kind.layout.folder / name).write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    monkeypatch.setattr(
        "specforge.catalog.datasets.array_pickle.read_pickle", lambda content: pytest.fail("was decoded")
    )
    with pytest.raises(DataError, match="damaged"):
        kind().load(small)


@pytest.fixture
def published(kind: Cifar, small: Path, server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small files as an archive on the server; the folder of data sets does not have them. Gives the archive."""
    datasets = pytest.importorskip("torchvision.datasets")
    address, folder = server
    source = getattr(datasets, kind.layout.source)
    archive: Path = folder / source.filename
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(small / kind.layout.folder, arcname=kind.layout.folder)
    shutil.rmtree(small / kind.layout.folder)
    monkeypatch.setattr(source, "url", f"{address}/{source.filename}")
    monkeypatch.setattr(source, "tgz_md5", md5_of(archive.read_bytes()))
    return archive


def test_downloads_on_request(kind: Cifar, small: Path, published: Path) -> None:
    with pytest.raises(DataError, match="the folder is not there"):
        kind().load(small)
    assert kind().load(small, download=True).class_names == ("apple", "bear")
    published.unlink()
    assert kind().load(small).train == PER_BATCH * len(kind.layout.train), "is read from disk from now on"


def test_downloads_again_what_is_damaged(kind: Cifar, small: Path, published: Path) -> None:
    kind().load(small, download=True)
    file = small / kind.layout.folder / next(iter(kind.layout.train))
    file.write_bytes(b"")
    assert kind().load(small, download=True).train > 0


def test_a_damaged_archive_is_not_unpacked(kind: Cifar, small: Path, published: Path) -> None:
    published.write_bytes(published.read_bytes()[:-10])
    with pytest.raises(DataError, match="could not be downloaded"):
        kind().load(small, download=True)
    assert not (small / kind.layout.folder).exists()


def test_without_a_network_says_where_the_files_go(kind: Cifar, small: Path, published: Path) -> None:
    published.unlink()
    with pytest.raises(DataError) as caught:
        kind().load(small, download=True)
    assert "http://127.0.0.1" in caught.value.message
    assert f"tar -xzf {published.name}" in (caught.value.hint or "")
    assert str(small / kind.layout.folder) in (caught.value.hint or "")


def test_checksums_are_those_that_torchvision_publishes(kind: Cifar) -> None:
    source = getattr(pytest.importorskip("torchvision.datasets"), kind.layout.source)
    assert list(kind.layout.train.items()) == [tuple(entry) for entry in source.train_list]
    assert list(kind.layout.test.items()) == [tuple(entry) for entry in source.test_list]
    assert kind.layout.meta == {source.meta["filename"]: source.meta["md5"]}
    assert kind.layout.names_key.decode() == source.meta["key"]
    assert kind.layout.folder == source.base_folder


def test_facts_are_known_without_reading() -> None:
    assert (Cifar10().facts().classes, Cifar100().facts().classes) == (10, 100)
    assert Cifar10().facts() == replace(Cifar100().facts(), classes=10)


def test_reads_the_real_cifar100_as_torchvision_does() -> None:
    folder = os.environ.get("SPECFORGE_DATA")
    if folder is None or not (Path(folder) / "cifar-100-python").is_dir():
        pytest.skip("SPECFORGE_DATA does not hold cifar-100-python")
    arrays = Cifar100().load(Path(folder))
    facts = Cifar100().facts()
    assert arrays.images.shape == (60_000, 3, 32, 32)
    assert (arrays.train, len(arrays.class_names)) == (facts.train, facts.classes)
    assert np.bincount(arrays.labels[:50_000]).tolist() == [500] * 100
    oracle = pytest.importorskip("torchvision.datasets").CIFAR100(folder, train=False)
    assert np.array_equal(arrays.images[50_000:], oracle.data.transpose(0, 3, 1, 2))
    assert arrays.labels[50_000:].tolist() == oracle.targets
    assert list(arrays.class_names) == oracle.classes
