"""What prepare puts on the device: the right rows, their memory format, and exact statistics."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from specforge.catalog.datasets.cifar import Cifar100
from specforge.catalog.datasets.definition import DataError
from specforge.catalog.datasets.digits import Digits
from specforge.catalog.datasets.npz import Npz
from specforge.catalog.datasets.synthetic import Synthetic
from specforge.data.parts import Resident, Streamed
from specforge.data.prepare import Prepared, channel_statistics, prepare
from specforge.spec import Data, Normalize, Split

CPU = torch.device("cpu")
SMALL = Synthetic(image=(3, 6, 5), classes=4, train=50, test=10)


def prepared(dataset: Any = SMALL, *, folder: Path = Path(), **keys: Any) -> Prepared:
    return prepare(Data(dataset=dataset, **keys), data_dir=folder, device=CPU)


@pytest.mark.parametrize("image", [(1, 8, 8), (3, 32, 32), (3, 224, 224), (2, 1, 7), (1, 1, 1)])
def test_parts_are_rows_of_the_data_set_channels_last(image: tuple[int, int, int]) -> None:
    dataset = Synthetic(image=image, classes=3, train=12, test=4)
    arrays = dataset.load(Path())
    result = prepared(dataset, split=Split(train=0.5, validation=0.25, test=0.25))
    assert result.image == image
    assert result.class_names == arrays.class_names
    assert result.validation is not None
    rows = []
    for part in (result.train, result.validation, result.test):
        indices = part.indices.numpy()
        rows += indices.tolist()
        assert np.array_equal(part.images.numpy(), arrays.images[indices])
        assert np.array_equal(part.labels.numpy(), arrays.labels[indices])
        assert (part.images.dtype, part.labels.dtype, part.indices.dtype) == (torch.uint8, torch.int64, torch.int64)
        channels, height, width = image
        assert part.images.stride() == (channels * height * width, 1, width * channels, channels)
        assert len(part) == len(indices)
    assert sorted(rows) == list(range(16))


def test_without_a_validation_part_there_is_none() -> None:
    result = prepared()
    assert result.validation is None
    assert (len(result.train), len(result.test)) == (50, 10)


def test_auto_measures_the_training_part_alone(tmp_path: Path) -> None:
    images = np.zeros((8, 2, 2, 1), dtype=np.uint8)
    images[6:] = 255
    np.savez(tmp_path / "set.npz", train_x=images, train_y=np.arange(8) % 2, test_x=images, test_y=np.arange(8) % 2)
    split = Split(train=((0, 0.75),), validation=((0.75, 1),))
    result = prepared(Npz(path="set.npz"), folder=tmp_path, split=split)
    assert (result.mean, result.std) == ((0.0,), (1.0,)), "black; nothing deviates, so nothing is divided by"


def test_statistics_are_exact() -> None:
    images = torch.randint(256, (1100, 3, 7, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images[:, 2] = 77
    mean, std = channel_statistics(images.split(512))
    pixels = images.to(torch.float64) / 255
    assert mean == pytest.approx(pixels.mean((0, 2, 3)).tolist(), rel=1e-13)
    assert std[:2] == pytest.approx(pixels.std((0, 2, 3), correction=0).tolist()[:2], rel=1e-13)
    assert std[2] == 1.0


def test_normalization_as_written() -> None:
    given = Normalize(mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6))
    result = prepared(normalize=given)
    assert (result.mean, result.std) == (given.mean, given.std)
    none = prepared(normalize="none")
    assert (none.mean, none.std) == ((0.0,) * 3, (1.0,) * 3)


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [((0.5,), (0.5,) * 3, "mean has 1 numbers, the images have 3"), ((0.5,) * 3, (0.5,) * 4, "std has 4 numbers")],
)
def test_normalization_of_another_number_of_channels(
    mean: tuple[float, ...], std: tuple[float, ...], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        prepared(normalize=Normalize(mean=mean, std=std))


def test_a_data_set_without_a_test_part_is_found_out_when_it_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", train_x=np.ones((5, 2, 2), np.uint8), train_y=np.arange(5))
    with pytest.raises(DataError, match="no official test set") as caught:
        prepared(Npz(path="set.npz"), folder=tmp_path)
    assert "test: 0.2" in (caught.value.hint or "")
    parts = prepared(Npz(path="set.npz"), folder=tmp_path, split=Split(train=0.6, test=0.4))
    assert (len(parts.train), len(parts.test)) == (3, 2)


def test_an_empty_part_is_found_out_when_the_sizes_are_known(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", train_x=np.ones((5, 2, 2), np.uint8), train_y=np.arange(5))
    with pytest.raises(DataError, match=r"data\.split\.train: 0\.1 of 5 images is not one image"):
        prepared(Npz(path="set.npz"), folder=tmp_path, split=Split(train=0.1, test=0.9))


def test_what_the_data_set_says_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the folder is not there") as caught:
        prepared(Cifar100(), folder=tmp_path)
    assert "--download" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_images_that_do_not_fit_are_an_error_of_the_user(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise error

    monkeypatch.setattr("specforge.data.prepare._resident", full)
    with pytest.raises(DataError, match="do not fit on cpu") as caught:
        prepared()
    assert "memory: streamed" in (caught.value.hint or "")


def test_other_errors_stay_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("specforge.data.prepare._resident", broken)
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        prepared()


@pytest.mark.parametrize("image", [(3, 6, 5), (1, 8, 8), (3, 300, 300)])
def test_streamed_parts_have_the_same_rows_labels_and_statistics(image: tuple[int, int, int]) -> None:
    dataset = Synthetic(image=image, classes=4, train=70, test=10)
    split = Split(train=0.5, validation=0.25, test=0.25)
    resident, streamed = (prepared(dataset, split=split, memory=memory) for memory in ("resident", "streamed"))
    assert (streamed.mean, streamed.std) == (resident.mean, resident.std), "to the last bit"
    assert (streamed.class_counts, streamed.image) == (resident.class_counts, resident.image)
    for name in ("train", "validation", "test"):
        one, other = getattr(resident, name), getattr(streamed, name)
        assert isinstance(one, Resident)
        assert isinstance(other, Streamed)
        assert torch.equal(one.labels, other.labels)
        assert torch.equal(one.indices, other.indices)
        assert all(torch.equal(one.images[place], other.pixels(place)) for place in range(len(one)))


def test_what_does_not_fit_is_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = 60 * 3 * 6 * 5
    for free, kind in ((2 * needed, Resident), (2 * needed - 1, Streamed)):
        monkeypatch.setattr("specforge.data.residence.free_memory", lambda device, free=free: free)
        result = prepared()
        assert isinstance(result.train, kind)
        assert result.residence is not None
        assert result.residence.is_streamed == (kind is Streamed)


def test_streaming_copies_no_images() -> None:
    result = prepared(memory="streamed")
    assert isinstance(result.train, Streamed)
    assert isinstance(result.test, Streamed)
    assert result.train.images is result.test.images


def test_the_shipped_digits() -> None:
    result = prepared(Digits(), split=Split(train=0.8, validation=0.2))
    assert (len(result.train), len(result.validation or ()), len(result.test)) == (1132, 283, 382)
    assert result.mean[0] == pytest.approx(0.287, abs=0.005)


def test_the_real_cifar100_in_three_parts() -> None:
    folder = os.environ.get("SPECFORGE_DATA")
    if folder is None or not (Path(folder) / "cifar-100-python").is_dir():
        pytest.skip("SPECFORGE_DATA does not hold cifar-100-python")
    result = prepared(Cifar100(), folder=Path(folder), split=Split(train=0.6, validation=0.2, test=0.2))
    assert (len(result.train), len(result.validation or ()), len(result.test)) == (36_000, 12_000, 12_000)
    # the figures that are commonly published for the official training set
    assert result.mean == pytest.approx((0.5071, 0.4865, 0.4409), abs=0.003)
    assert result.std == pytest.approx((0.2673, 0.2564, 0.2762), abs=0.003)


def test_classes_of_the_training_part_are_counted(tmp_path: Path) -> None:
    labels = np.array([0, 0, 0, 2, 2, 0, 1, 1])
    names = np.array(["a", "b", "c", "d"])
    images = np.ones((8, 2, 2), np.uint8)
    arrays = {"train_x": images, "train_y": labels, "test_x": images, "test_y": labels, "class_names": names}
    np.savez(tmp_path / "set.npz", **arrays)
    split = Split(train=((0, 0.75),), validation=((0.75, 1),))
    assert prepared(Npz(path="set.npz"), folder=tmp_path, split=split).class_counts == (4, 0, 2, 0)
    with pytest.raises(DataError, match=r"the training part has no image of 2: `b`, `d`$") as caught:
        prepared(Npz(path="set.npz"), folder=tmp_path, split=split, sampling="balanced")
    assert "sampling: uniform" in (caught.value.hint or "")


def test_balanced_sampling_needs_every_class_in_the_training_part_only() -> None:
    assert prepared(SMALL, sampling="balanced").class_counts == (13, 13, 12, 12)


def test_the_real_cifar100_in_ranges_of_the_training_set() -> None:
    folder = os.environ.get("SPECFORGE_DATA")
    if folder is None or not (Path(folder) / "cifar-100-python").is_dir():
        pytest.skip("SPECFORGE_DATA does not hold cifar-100-python")
    split = Split(train=((0, 0.35), (0.45, 1.0)), validation=((0.35, 0.45),))
    result = prepared(Cifar100(), folder=Path(folder), split=split)
    assert (len(result.train), len(result.validation or ()), len(result.test)) == (45_000, 5_000, 10_000)
    assert sum(result.class_counts) == 45_000


def test_a_folder_that_may_not_be_entered_is_an_error_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(Path, "is_file", refuse)
    with pytest.raises(DataError, match=f"cannot be read: .*Permission denied: '{tmp_path}'"):
        prepared(Npz(path="set.npz"), folder=tmp_path)
