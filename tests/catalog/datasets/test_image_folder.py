"""The data set `image_folder`: from files to arrays, and what its arguments mean."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from specforge.catalog.datasets.definition import DataError
from specforge.catalog.datasets.image_folder import ImageFolder
from specforge.catalog.datasets.npz import Npz
from specforge.data.prepare import prepare
from specforge.spec import Data, Split
from tests.catalog.datasets.image_files import pixels, write_folder

SIZE = (12, 16)


def test_reads_a_training_part_and_a_test_part(tmp_path: Path) -> None:
    write_folder(tmp_path / "flowers" / "train")
    write_folder(tmp_path / "flowers" / "val", count=1)
    arrays = ImageFolder(path="flowers", size=SIZE).load(tmp_path)
    expected = np.stack([pixels(seed) for seed in (0, 1, 2, 10, 11, 12, 0, 10)])
    assert np.array_equal(arrays.images, expected.transpose(0, 3, 1, 2))
    assert (arrays.labels.tolist(), arrays.labels.dtype) == ([0, 0, 0, 1, 1, 1, 0, 1], np.int64)
    assert (arrays.train, arrays.class_names) == (6, ("cat", "dog"))


def test_grey_images_have_one_channel(tmp_path: Path) -> None:
    write_folder(tmp_path)
    arrays = ImageFolder(path=".", size=(5, 4), channels=1, resize="stretch").load(tmp_path)
    assert arrays.images.shape == (6, 1, 5, 4)


def test_a_path_starts_in_the_folder_of_data_sets_or_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path / "home" / "flowers")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    for path in ("~/flowers", str(tmp_path / "home" / "flowers")):
        assert ImageFolder(path=path, size=SIZE).load(tmp_path / "data").train == 6
    with pytest.raises(DataError, match="data/flowers` is not there") as caught:
        ImageFolder(path="flowers", size=SIZE).load(tmp_path / "data")
    assert "--data-dir" in (caught.value.hint or "")


@pytest.mark.parametrize("dataset", [ImageFolder(path="~nobody-here/x", size=SIZE), Npz(path="~nobody-here/x.npz")])
def test_the_home_of_nobody(dataset: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"`~nobody-here/.*` leads nowhere"):
        dataset.load(tmp_path)


def test_only_the_shape_is_known_without_reading() -> None:
    facts = ImageFolder(path="x", size=(24, 32), channels=1).facts()
    assert (facts.image, facts.classes, facts.train, facts.test) == ((1, 24, 32), None, None, None)


@pytest.mark.parametrize(
    "wrong", [{"path": ""}, {"size": (0, 4)}, {"size": (4,)}, {"size": (4, 20_000)}, {"channels": 4}, {"resize": "pad"}]
)
def test_arguments_that_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ImageFolder(**({"path": "x", "size": SIZE} | wrong))


def test_is_prepared_for_training_without_a_test_part_by_a_split(tmp_path: Path) -> None:
    write_folder(tmp_path, count=10)
    dataset = ImageFolder(path=str(tmp_path), size=SIZE)
    with pytest.raises(DataError, match="no official test set"):
        prepare(Data(dataset=dataset), data_dir=tmp_path, device=torch.device("cpu"))
    split = Split(train=0.8, test=0.2, stratified=True)
    for _ in range(2):  # decoded, and mapped from the cache
        prepared = prepare(Data(dataset=dataset, split=split), data_dir=tmp_path, device=torch.device("cpu"))
        assert prepared.class_counts == (8, 8)
        assert prepared.image == (3, *SIZE)
        rows = prepared.test.indices.tolist()
        expected = np.stack([pixels(row % 10 + row // 10 * 10) for row in rows])
        assert np.array_equal(prepared.test.images.numpy(), expected.transpose(0, 3, 1, 2))
