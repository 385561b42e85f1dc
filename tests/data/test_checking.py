"""`check`: every kind of damage is named, all in one pass, and training refuses what is called an error."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from specforge.analysis import analyse
from specforge.catalog.datasets.cifar import Cifar100
from specforge.catalog.datasets.definition import DataError, DataFinding
from specforge.catalog.datasets.image_cache import FOLDER
from specforge.catalog.datasets.image_folder import ImageFolder
from specforge.catalog.datasets.npz import Npz
from specforge.catalog.datasets.synthetic import Synthetic
from specforge.data.checking import Checked, check
from specforge.data.prepare import prepare
from specforge.spec import Data, Normalize, Split
from tests.catalog.datasets.image_files import Image, pixels, write_folder, write_image
from tests.catalog.datasets.test_cifar import write_small

SIZE = (12, 16)


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    """Good images in two classes and two parts, none of them twice."""
    folder = tmp_path / "flowers"
    for part, first in (("train", 0), ("test", 40)):
        for number, name in enumerate(("cat", "dog")):
            for place in range(3):
                write_image(folder / part / name / f"{place}.png", first + 10 * number + place)
    return folder


def checked(folder: Path, **changes: Any) -> Checked:
    return check(data(folder, **changes), None, data_dir=folder.parent)


def data(folder: Path, **changes: Any) -> Data:
    return Data(dataset=ImageFolder(path=str(folder), size=SIZE), **changes)


def by_name(found: Checked, severity: str = "error") -> dict[str, str]:
    return {Path(each.path).name: each.reason for each in found.findings if each.severity == severity}


def trained_on(section: Data, folder: Path) -> tuple[DataFinding, ...]:
    """What training says of the same data."""
    with pytest.raises(DataError) as caught:
        prepare(section, data_dir=folder, device=torch.device("cpu"))
    return caught.value.findings


def test_good_images_are_clean(flowers: Path) -> None:
    for _ in range(2):  # decoded, and mapped from the cache
        assert checked(flowers) == Checked((), 12, 2)


def save(image: Any, file: Path) -> None:
    image.save(file)


def cut(file: Path, keep: float) -> None:
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * keep)])


DAMAGE: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "truncated": (lambda f: cut(f, 0.7), "error", "damaged"),
    "truncated in the header": (lambda f: cut(f, 0.1), "error", "not an image|damaged"),
    "zero bytes": (lambda f: f.write_bytes(b""), "error", "0 bytes"),
    "a text": (lambda f: f.write_text("cat"), "error", "not an image"),
    "a program": (lambda f: f.write_bytes(b"\x7fELF" + bytes(99)), "error", "not an image"),
    "a link to nothing": (lambda f: (f.unlink(), f.symlink_to("nothing")), "error", "leads nowhere"),
    "alpha": (lambda f: save(Image.fromarray(pixels(77)).convert("RGBA"), f), "warning", "transparency is dropped"),
    "grey with alpha": (
        lambda f: save(Image.fromarray(pixels(77)).convert("LA"), f),
        "warning",
        "transparency is dropped",
    ),
    "a palette": (lambda f: save(Image.fromarray(pixels(77)).convert("P"), f), "warning", "a palette image"),
    "16 bits": (
        lambda f: save(Image.fromarray(np.arange(192, dtype=np.uint16).reshape(12, 16) * 300), f),
        "warning",
        "16 bits a pixel",
    ),
    "CMYK": (lambda f: Image.fromarray(pixels(77)).convert("CMYK").save(f, "TIFF"), "warning", "CMYK pixels"),
    "too small": (lambda f: save(Image.fromarray(pixels(77, (4, 5))), f), "warning", "4×5 pixels, enlarged to 12×16"),
}


@pytest.mark.parametrize("case", DAMAGE)
@pytest.mark.parametrize("part", ["train", "test"])
def test_every_kind_of_damage_is_named(case: str, part: str, flowers: Path) -> None:
    damage, severity, reason = DAMAGE[case]
    damage(flowers / part / "cat" / "1.png")
    (found,) = checked(flowers).findings
    assert (found.path, found.severity) == (str(flowers / part / "cat" / "1.png"), severity)
    assert any(word in found.reason for word in reason.split("|"))
    if severity == "error":
        assert trained_on(data(flowers), flowers.parent) == (found,)
    else:
        assert len(prepare(data(flowers), data_dir=flowers.parent, device=torch.device("cpu")).train) == 6


def test_all_of_them_are_named_in_one_pass(flowers: Path) -> None:
    for number in range(40):
        (flowers / "train" / "cat" / f"bad{number}.png").write_text("x")
    for case, (damage, _, _) in DAMAGE.items():
        damage(write_image(flowers / "train" / "dog" / f"{case}.png", 90))
    (flowers / "train" / "empty").mkdir()
    write_image(flowers / "test" / "extra" / "1.png", 91)
    write_image(flowers / "test" / "lost.png", 92)
    found = checked(flowers)
    named = {Path(each.path).relative_to(flowers).as_posix() for each in found.findings}
    assert named >= {f"train/cat/bad{number}.png" for number in range(40)}
    assert named >= {f"train/dog/{case}.png" for case in DAMAGE}
    assert named >= {"train/empty", "train/extra", "test/empty", "test/lost.png"}
    errors = tuple(each for each in found.findings if each.severity == "error")
    assert errors == trained_on(data(flowers), flowers.parent)
    assert found.findings[: len(errors)] == errors, "errors come first"


def test_a_file_that_changed_behind_the_cache_is_found(flowers: Path) -> None:
    assert checked(flowers).findings == ()
    file = flowers / "train" / "cat" / "1.png"
    status, size = file.stat(), file.stat().st_size
    file.write_bytes(bytes(size))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert by_name(checked(flowers)) == {"1.png": "not an image (JPEG, PNG, BMP, GIF, WEBP, TIFF, PPM)"}


def test_class_lists_that_differ(flowers: Path) -> None:
    (flowers / "test" / "dog").rename(flowers / "test" / "wolf")
    found = checked(flowers)
    assert {Path(each.path).relative_to(flowers).as_posix(): each.reason for each in found.findings} == {
        "train/wolf": "the class is missing, which `test` has",
        "test/dog": "the class is missing, which `train` has",
    }
    assert trained_on(data(flowers), flowers.parent) == found.findings


@pytest.mark.parametrize(
    ("train", "test"), [("Train", "Test"), ("TRAIN", "TEST"), ("train", "Validation"), ("Train", "val")]
)
def test_parts_may_be_written_in_capitals(train: str, test: str, flowers: Path) -> None:
    (flowers / "train").rename(flowers / "x")
    (flowers / "test").rename(flowers / "y")
    (flowers / "x").rename(flowers / train)
    (flowers / "y").rename(flowers / test)
    assert checked(flowers) == Checked((), 12, 2)


def test_an_image_in_two_parts_is_a_warning(flowers: Path) -> None:
    train = flowers / "train"
    Image.open(train / "cat" / "1.png").save(flowers / "test" / "cat" / "again.bmp")
    Image.open(train / "dog" / "0.png").save(flowers / "test" / "cat" / "other.png")
    assert by_name(checked(flowers), "warning") == {
        "again.bmp": f"in the test part, with the same pixels as {train / 'cat' / '1.png'} in the training part",
        "other.png": f"in the test part, with the same pixels as {train / 'dog' / '0.png'} in the training part, "
        "under another class",
    }


def test_a_damaged_cache_is_told(flowers: Path) -> None:
    checked(flowers)
    (cache,) = (flowers / FOLDER).glob("*.npy")
    content = bytearray(cache.read_bytes())
    content[len(content) // 2] ^= 1
    cache.write_bytes(bytes(content))
    (found,) = checked(flowers).findings
    assert found.severity == "warning"
    assert found.reason == f"the image cache `{cache}` is damaged: the images are decoded anew"
    assert checked(flowers).findings == ()


def npz(folder: Path, **arrays: Any) -> Checked:
    draw = np.random.default_rng(0)
    good = {"train_x": draw.integers(0, 256, (6, 4, 4, 3), dtype=np.uint8), "train_y": np.array([0, 1, 2, 0, 1, 2])}
    good |= {"test_x": draw.integers(0, 256, (3, 4, 4, 3), dtype=np.uint8), "test_y": np.array([0, 1, 2])}
    merged = {name: value for name, value in (good | arrays).items() if value is not None}
    np.savez(folder / "set.npz", **merged)
    return check(Data(dataset=Npz(path="set.npz")), None, data_dir=folder)


def test_a_good_npz_is_clean(tmp_path: Path) -> None:
    assert npz(tmp_path) == Checked((), 9, 3)


NPZ: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "NaN in images": (
        {"train_x": np.where(np.arange(288).reshape(6, 4, 4, 3) < 5, np.nan, 0.5)},
        {"train_x": "float64, expected uint8; 5 of 288 values are NaN or infinite"},
    ),
    "infinite labels": (
        {"train_y": np.array([0, 1, np.inf, 0, -np.inf, np.nan])},
        {"train_y": "float64, expected whole numbers (int64); 3 of 6 values are NaN or infinite"},
    ),
    "floats": ({"test_x": np.zeros((3, 4, 4, 3), np.float32)}, {"test_x": "float32, expected uint8"}),
    "16 bits": ({"test_x": np.zeros((3, 4, 4, 3), np.uint16)}, {"test_x": "uint16, expected uint8"}),
    "bools": ({"train_y": np.zeros(6, bool)}, {"train_y": "bool, expected whole numbers (int64)"}),
    "complex": ({"train_y": np.full(6, complex(np.nan, 1))}, {"train_y": "6 of 6 values are NaN"}),
    "labels out of range": (
        {"class_names": np.array(["a", "b", "c"]), "train_y": np.array([0, 1, 2, 3, 9, -1])},
        {"train_y": "labels from -1 to 9, expected 0 to 2; 3 of 6 are outside"},
    ),
    "everything": (
        {"train_x": np.zeros((6, 4, 4, 3)), "train_y": np.zeros(6), "test_x": None, "test_y": np.array([0, 1, -2])}
        | {"class_names": np.array([1])},
        {
            "train_x": "float64",
            "train_y": "float64",
            "test_x": "missing",
            "class_names": "int64",
        },
    ),
}


@pytest.mark.parametrize("case", NPZ)
def test_every_key_of_an_npz_is_named(case: str, tmp_path: Path) -> None:
    arrays, expected = NPZ[case]
    found = npz(tmp_path, **arrays)
    told = {each.path.removeprefix(f"{tmp_path / 'set.npz'}: "): each.reason for each in found.findings}
    assert told.keys() == expected.keys()
    assert all(reason in told[key] for key, reason in expected.items())
    assert trained_on(Data(dataset=Npz(path="set.npz")), tmp_path) == found.findings


def test_a_class_without_training_images_is_a_warning(tmp_path: Path) -> None:
    found = npz(tmp_path, class_names=np.array(["a", "b", "c", "rare"]))
    assert [(each.path, each.severity) for each in found.findings] == [("npz: class rare", "warning")]


def test_it_is_an_error_where_every_class_is_drawn(tmp_path: Path) -> None:
    npz(tmp_path, class_names=np.array(["a", "b", "c", "rare"]))
    section = Data(dataset=Npz(path="set.npz"), sampling="balanced")
    (found,) = check(section, None, data_dir=tmp_path).findings
    assert found.severity == "error"
    assert "no image of 1: `rare`" in trained_on(section, tmp_path)[0].reason


def test_published_files_with_wrong_checksums_are_all_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / Cifar100.layout.folder
    monkeypatch.setattr(Cifar100, "layout", write_small(Cifar100, folder))
    section = Data(dataset=Cifar100())
    assert check(section, None, data_dir=tmp_path).errors == 0
    for name in ("train", "meta"):
        (folder / name).write_bytes(b"damaged")
    found = check(section, None, data_dir=tmp_path)
    assert {Path(each.path).name for each in found.findings} == {"train", "meta"}
    assert all("is damaged: its MD5 is" in each.reason for each in found.findings)
    assert trained_on(section, tmp_path) == found.findings
    (folder / "test").unlink()
    found = check(section, None, data_dir=tmp_path)
    assert {Path(each.path).name: each.reason.split(":")[0] for each in found.findings} == {
        "test": "is missing",
        "train": "is damaged",
        "meta": "is damaged",
    }
    assert trained_on(section, tmp_path) == found.findings


def test_data_that_is_not_there(tmp_path: Path) -> None:
    found = check(Data(dataset=Npz(path="set.npz")), None, data_dir=tmp_path)
    assert [(each.path, each.reason) for each in found.findings] == [(str(tmp_path / "set.npz"), "is not there")]
    found = check(data(tmp_path / "none"), None, data_dir=tmp_path)
    assert [(each.path, each.severity) for each in found.findings] == [(str(tmp_path / "none"), "error")]


SPEC = """
specforge: 1
name: small
model: {input: [3, 12, 16], layers: [flatten, linear: 5]}
data: {dataset: {image_folder: {path: flowers, size: [12, 16]}}}
"""


def test_what_does_not_fit_the_spec(flowers: Path) -> None:
    (flowers.parent / "small.yaml").write_text(SPEC)
    analysis = analyse(flowers.parent / "small.yaml")
    assert analysis.spec is not None
    assert analysis.spec.data is not None
    section = analysis.spec.data.model_copy(update={"normalize": Normalize(mean=(0.5,), std=(0.5,))})
    found = check(section, analysis.graph, data_dir=flowers.parent)
    assert [each.reason for each in found.findings] == [
        "the network gives [5], `image_folder` has 2 classes",
        "data.normalize.mean has 1 numbers, the images have 3 channels",
    ]


def test_a_split_that_cannot_be_made(tmp_path: Path) -> None:
    write_folder(tmp_path / "flowers")
    section = data(tmp_path / "flowers")
    found = check(section, None, data_dir=tmp_path)
    assert found.findings == tuple(
        DataFinding("image_folder", each.reason, hint=each.hint) for each in trained_on(section, tmp_path)
    )


def test_duplicates_are_looked_for_in_the_parts_of_the_spec() -> None:
    same = Synthetic(image=(1, 4, 4), classes=2, train=4, test=2, noise=0.0)
    found = check(Data(dataset=same, split=Split(train=0.5, validation=0.5)), None, data_dir=Path())
    assert {each.reason.split(",")[0] for each in found.findings} == {"in the validation part", "in the test part"}
    assert check(Data(dataset=Synthetic()), None, data_dir=Path()) == Checked((), 640, 10)
