"""Npz: the archives that are read, and one message for each thing that can be wrong with one."""

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specforge.catalog.datasets.definition import Arrays, DataError
from specforge.catalog.datasets.npz import Npz

COLOUR = np.arange(6 * 4 * 5 * 3, dtype=np.uint8).reshape(6, 4, 5, 3)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def load(folder: Path, **arrays: Any) -> Arrays:
    np.savez(folder / "set.npz", **arrays)
    return Npz(path="set.npz").load(folder)


def test_reads_both_parts_and_the_names(tmp_path: Path) -> None:
    names = np.array(["oak", "elm", "ash"])
    arrays = load(tmp_path, train_x=COLOUR, train_y=LABELS, test_x=COLOUR[:2], test_y=LABELS[:2], class_names=names)
    assert arrays.train == 6
    assert np.array_equal(arrays.images, np.concatenate([COLOUR, COLOUR[:2]]).transpose(0, 3, 1, 2))
    assert arrays.images.transpose(0, 2, 3, 1).flags.c_contiguous, "channels last in memory"
    assert arrays.labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1]
    assert arrays.labels.dtype == np.int64
    assert arrays.class_names == ("oak", "elm", "ash")
    assert {type(name) for name in arrays.class_names} == {str}


def test_names_are_made_printable(tmp_path: Path) -> None:
    names = np.array(["\x1b[31moak", "\u202eelm\n", "\ud800"])
    assert load(tmp_path, train_x=COLOUR, train_y=LABELS, class_names=names).class_names == (
        r"\x1b[31moak",
        r"\u202eelm\n",
        r"\ud800",
    )


def test_reads_grey_images_without_a_test_part(tmp_path: Path) -> None:
    arrays = load(tmp_path, train_x=COLOUR[..., 0], train_y=LABELS.astype(np.uint8))
    assert arrays.images.shape == (6, 1, 4, 5)
    assert np.array_equal(arrays.images[:, 0], COLOUR[..., 0])
    assert (arrays.train, arrays.class_names) == (6, ("0", "1", "2"))


def test_compressed_archives_and_absolute_paths(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "set.npz", train_x=COLOUR, train_y=LABELS)
    assert Npz(path=str(tmp_path / "set.npz")).load(Path("/nowhere")).train == 6


def test_other_keys_are_not_even_decoded(tmp_path: Path) -> None:
    assert load(tmp_path, train_x=COLOUR, train_y=LABELS, notes=np.array([{"any": "object"}])).train == 6


GOOD = {"train_x": COLOUR, "train_y": LABELS, "test_x": COLOUR, "test_y": LABELS}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_x": None}, "`train_x`: missing; found train_y, test_x, test_y"),
        ({"train_y": None}, "`train_y`: missing"),
        ({"test_x": None}, "`test_x`: missing"),
        ({"test_y": None}, "`test_y`: missing"),
        ({"train_x": COLOUR.astype(np.float32)}, "`train_x`: float32, expected uint8"),
        ({"train_x": COLOUR[0, 0]}, r"`train_x`: shape \[5, 3\], expected \[N, H, W, C\]"),
        ({"train_x": COLOUR[:0], "train_y": LABELS[:0]}, r"`train_x`: shape \[0, 4, 5, 3\] holds nothing"),
        ({"train_x": COLOUR[:, :0]}, r"`train_x`: shape \[6, 0, 5, 3\] holds nothing"),
        ({"train_x": np.zeros((6, 3, 8, 8), np.uint8)}, r"`train_x`: shape \[6, 3, 8, 8\], expected \[N, H, W, C\]"),
        ({"test_x": COLOUR[:, 1:]}, r"`test_x`: images of \[3, 5, 3\], those of `train_x` are \[4, 5, 3\]"),
        ({"train_y": LABELS[:5]}, "`train_y`: 5 labels for the 6 images of `train_x`"),
        ({"train_y": LABELS.astype(float)}, "`train_y`: float64, expected whole numbers"),
        ({"train_y": LABELS[:, None]}, r"`train_y`: shape \[6, 1\], expected \[N\]"),
        ({"train_y": LABELS - 1}, "`train_y`: labels from -1 to 1, expected 0 to"),
        ({"test_y": LABELS + 10**9}, "`test_y`: labels from 1000000000 to 1000000002"),
        ({"class_names": np.array(["a", "b"])}, "`train_y`: labels from 0 to 2, expected 0 to 1"),
        ({"class_names": np.array([1, 2, 3])}, r"`class_names`: int64 of shape \[3\], expected a list of strings"),
        ({"class_names": np.array("abc")}, r"`class_names`: <U3 of shape \[\]"),
        ({"class_names": np.array(["a", "b", {}], dtype=object)}, "`class_names`: cannot be read: Object arrays"),
    ],
)
def test_names_the_file_the_key_and_what_was_found(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    arrays = {name: value for name, value in (GOOD | change).items() if value is not None}
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path, **arrays)
    assert str(tmp_path / "set.npz") in caught.value.message


def test_a_missing_file_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not there") as caught:
        Npz(path="missing.npz").load(tmp_path)
    assert str(tmp_path / "missing.npz") in caught.value.message
    assert "--data-dir" in (caught.value.hint or "")
    with pytest.raises(DataError, match="is not a file"):
        Npz(path=".").load(tmp_path)


def test_a_truncated_archive(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", train_x=COLOUR, train_y=LABELS)
    whole = (tmp_path / "set.npz").read_bytes()
    (tmp_path / "set.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"not a whole \.npz archive"):
        Npz(path="set.npz").load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x04N.", b"PK\x05\x06" + b"\0" * 18])
def test_not_an_archive(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "set.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"set\.npz"):
        Npz(path="set.npz").load(tmp_path)


def test_a_damaged_member(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", train_x=COLOUR, train_y=LABELS)
    content = bytearray((tmp_path / "set.npz").read_bytes())
    content[content.index(COLOUR.tobytes()) + 50] ^= 1
    (tmp_path / "set.npz").write_bytes(bytes(content))
    with pytest.raises(DataError, match="`train_x`: cannot be read: Bad CRC"):
        Npz(path="set.npz").load(tmp_path)


def test_a_member_that_is_no_array(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("train_x.npy", b"no array")
    with pytest.raises(DataError, match="`train_x`"):
        Npz(path="set.npz").load(tmp_path)


def test_reads_a_real_archive() -> None:
    folder = os.environ.get("SPECFORGE_DATA")
    if folder is None or not (Path(folder) / "cifar10.npz").is_file():
        pytest.skip("SPECFORGE_DATA does not hold cifar10.npz")
    arrays = Npz(path="cifar10.npz").load(Path(folder))
    assert arrays.images.shape == (60_000, 3, 32, 32)
    assert arrays.train == 50_000
    assert arrays.class_names[:2] == ("airplane", "automobile")
    assert np.bincount(arrays.labels).tolist() == [6000] * 10
