"""The cache of decoded images: made once, atomically, found again, and made anew when anything changes."""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from specforge.catalog.datasets import cache_checksum, image_cache
from specforge.catalog.datasets.cache_checksum import SIZE
from specforge.catalog.datasets.definition import DataError
from specforge.catalog.datasets.image_cache import FOLDER, decoded
from specforge.catalog.datasets.image_decoding import Form
from specforge.catalog.datasets.image_listing import list_images
from tests.catalog.datasets.image_files import pixels, write_folder, write_image

FORM = Form(12, 16, 3, "crop")
EXPECTED = np.stack([pixels(seed) for seed in (0, 1, 2, 10, 11, 12)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "images")


def load(folder: Path, form: Form = FORM) -> np.ndarray:
    return decoded(list_images(folder), form, folder.parent / "data")


def caches(folder: Path) -> list[str]:
    return sorted(file.name for file in (folder / FOLDER).rglob("*.*"))


def test_decodes_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert np.array_equal(load(folder), EXPECTED)
    (name,) = caches(folder)
    assert name.startswith("12x16x3-crop-")
    monkeypatch.setitem(sys.modules, "PIL", None)
    again = load(folder)
    assert np.array_equal(again, EXPECTED)
    assert isinstance(again, np.memmap)


def test_the_file_is_a_plain_array_of_numpy(folder: Path) -> None:
    load(folder)
    (name,) = caches(folder)
    assert np.array_equal(np.load(folder / FOLDER / name), EXPECTED)


def test_the_images_cannot_be_written_to(folder: Path) -> None:
    for images in (load(folder), load(folder)):
        with pytest.raises(ValueError, match="read-only"):
            images[:] = 0
    assert np.array_equal(load(folder), EXPECTED)


def test_every_form_has_a_cache_of_its_own(folder: Path) -> None:
    forms = [FORM, replace(FORM, height=6), replace(FORM, channels=1), replace(FORM, resize="stretch")]
    for _ in range(2):
        for form in forms:
            assert load(folder, form).shape == (6, *form.shape)
        assert len(caches(folder)) == len(forms)


def test_the_folder_may_be_moved(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(folder)
    moved = folder.rename(folder.with_name("moved"))
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert np.array_equal(load(moved), EXPECTED)


def added(folder: Path) -> None:
    write_image(folder / "cat" / "9.png", 9)


def removed(folder: Path) -> None:
    (folder / "cat" / "1.png").unlink()


def renamed(folder: Path) -> None:
    (folder / "cat" / "1.png").rename(folder / "cat" / "8.png")


def touched(folder: Path) -> None:
    os.utime(folder / "cat" / "1.png", ns=(1, 1))


def replaced(folder: Path) -> None:
    file = folder / "cat" / "1.png"
    status = file.stat()
    file.write_bytes(write_image(folder.parent / "other.png", 7).read_bytes() + b" ")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("change", [added, removed, renamed, touched, replaced])
def test_a_change_makes_it_anew_and_removes_the_old_one(change: "type[added]", folder: Path) -> None:
    load(folder)
    before = caches(folder)
    change(folder)
    listing = list_images(folder)
    assert len(load(folder)) == len(listing.files)
    after = caches(folder)
    assert len(after) == 1
    assert after != before


def test_another_pillow_decodes_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(folder)
    before = caches(folder)
    monkeypatch.setattr(image_cache, "version", lambda package: "0.1")
    load(folder)
    assert caches(folder) != before


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", None, b"x" * 100_000])
def test_a_damaged_cache_is_made_anew(content: bytes | None, folder: Path) -> None:
    load(folder)
    (name,) = caches(folder)
    file = folder / FOLDER / name
    file.write_bytes(file.read_bytes()[:-1] if content is None else content)
    assert np.array_equal(load(folder), EXPECTED)
    assert np.array_equal(np.load(file), EXPECTED)


@pytest.mark.parametrize("place", ["first pixel", "in the middle", "last pixel", "checksum", "mark"])
def test_one_bit_that_turned_is_found_said_and_mended(place: str, folder: Path) -> None:
    load(folder)
    (name,) = caches(folder)
    file = folder / FOLDER / name
    content = bytearray(file.read_bytes())
    pixels_end = len(content) - SIZE
    places = {
        "first pixel": pixels_end - EXPECTED.nbytes,
        "in the middle": pixels_end - 500,
        "last pixel": pixels_end - 1,
    }
    places |= {"checksum": len(content) - 1, "mark": pixels_end}
    content[places[place]] ^= 1
    file.write_bytes(bytes(content))
    notes: list[str] = []
    listing = list_images(folder)
    assert np.array_equal(decoded(listing, FORM, folder.parent / "data", notes), EXPECTED)
    assert notes == [f"the image cache `{file}` is damaged: the images are decoded anew"]
    notes.clear()
    assert np.array_equal(decoded(listing, FORM, folder.parent / "data", notes), EXPECTED)
    assert notes == [], "it is whole again"


def test_pixels_behind_the_checksum_are_no_cache(folder: Path) -> None:
    load(folder)
    (name,) = caches(folder)
    file = folder / FOLDER / name
    file.write_bytes(file.read_bytes() + b"x")
    notes: list[str] = []
    decoded(list_images(folder), FORM, folder.parent / "data", notes)
    assert len(notes) == 1


@pytest.mark.parametrize("piece", [1, 7, 576, 577, 3_456, 10**6])
def test_the_checksum_does_not_depend_on_how_the_pixels_came(
    piece: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_checksum, "_PIECE", piece)
    digests = set()
    for at_once in (1, 2, 4, 6):
        file = tmp_path / f"{at_once}.npy"
        with file.open("wb") as opened:
            summing = cache_checksum.Summing(opened)
            for start in range(0, 6, at_once):
                summing.write(EXPECTED[start : start + at_once])
            opened.write(summing.digest())
        digests.add(summing.digest())
        assert cache_checksum.is_sound(file, EXPECTED)
        assert not cache_checksum.is_sound(file, EXPECTED[::-1].copy())
    assert len(digests) == 1


def test_nothing_is_said_where_there_was_no_cache(folder: Path) -> None:
    notes: list[str] = []
    for _ in range(2):
        decoded(list_images(folder), FORM, folder.parent / "data", notes)
    assert notes == []


def test_a_cache_of_another_shape_is_not_taken(folder: Path) -> None:
    load(folder)
    (name,) = caches(folder)
    np.save(folder / FOLDER / name, EXPECTED[1:])
    assert np.array_equal(load(folder), EXPECTED)
    np.save(folder / FOLDER / name, EXPECTED.astype(np.float32))
    assert np.array_equal(load(folder), EXPECTED)


def test_all_faults_are_named_and_nothing_is_left(folder: Path) -> None:
    (folder / "cat" / "a.txt").write_text("cat")
    (folder / "dog" / "b.png").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        load(folder)
    assert caught.value.message == (
        f"2 of 8 files in `{folder}` are no readable images: "
        "`cat/a.txt` (not an image (JPEG, PNG, BMP, GIF, WEBP, TIFF, PPM)), `dog/b.png` (0 bytes)"
    )
    assert "begins with a dot" in (caught.value.hint or "")
    assert caches(folder) == []


def test_a_fault_that_came_later_is_named_although_there_is_a_cache(folder: Path) -> None:
    load(folder)
    (folder / "dog" / "b.png").write_bytes(b"")
    with pytest.raises(DataError, match="1 of 7 files"):
        load(folder)


def test_a_class_without_readable_images(folder: Path) -> None:
    for file in (folder / "dog").iterdir():
        file.write_bytes(b"")
    with pytest.raises(DataError, match="3 of 6 files"):
        load(folder)


def test_many_faults_are_counted_and_some_are_listed(folder: Path) -> None:
    for number in range(200):
        (folder / "cat" / f"{number}.txt").write_text("x")
    with pytest.raises(DataError, match=r"200 of 206 files .* and 190 more$") as caught:
        load(folder)
    assert len(caught.value.message) < 1_500


def forbid(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """No folder is made in these. Root may write anywhere, so permissions would not stop every test."""
    make = Path.mkdir

    def mkdir(path: Path, *arguments: int, **keys: bool) -> None:
        if any(path.is_relative_to(folder) for folder in folders):
            raise PermissionError(13, "Permission denied")
        make(path, *arguments, **keys)

    monkeypatch.setattr(Path, "mkdir", mkdir)


def test_images_that_can_only_be_read_are_cached_in_the_folder_of_data_sets(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid(monkeypatch, folder)
    assert np.array_equal(load(folder), EXPECTED)
    assert not (folder / FOLDER).exists()
    assert len(list((folder.parent / "data" / FOLDER).rglob("*.npy"))) == 1
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert np.array_equal(load(folder), EXPECTED)


def test_two_folders_do_not_share_a_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = write_folder(folder.parent / "other", count=2)
    forbid(monkeypatch, folder, other)
    assert (len(load(folder)), len(load(other)), len(load(folder))) == (6, 4, 6)
    assert len(list((folder.parent / "data" / FOLDER).rglob("*.npy"))) == 2


def test_where_nothing_can_be_written_the_images_are_in_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid(monkeypatch, folder.parent)
    images = load(folder)
    assert np.array_equal(images, EXPECTED)
    assert not isinstance(images, np.memmap)
    (folder / "dog" / "b.png").write_bytes(b"x")
    with pytest.raises(DataError, match="1 of 7 files"):
        load(folder)


def test_images_that_fit_neither_on_disk_nor_in_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid(monkeypatch, folder.parent)

    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(np, "empty", full)
    with pytest.raises(DataError, match=r"do not fit in memory, and no cache can be written to `.*` or `.*`") as caught:
        load(folder)
    assert "writable" in (caught.value.hint or "")


def test_a_full_disk_is_explained(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=r"cannot be written to .*: No space left on device") as caught:
        load(folder)
    assert "make room there" in (caught.value.hint or "")
    assert caches(folder) == []


def test_what_a_killed_run_left_is_removed_but_not_what_is_being_written(folder: Path) -> None:
    (folder / FOLDER).mkdir()
    old, young = (folder / FOLDER / f"{name}.part" for name in ("old", "young"))
    for file, age in ((old, 4_000), (young, 60)):
        file.write_bytes(b"")
        os.utime(file, (time.time() - age,) * 2)
    load(folder)
    assert not old.exists()
    assert young.exists()
