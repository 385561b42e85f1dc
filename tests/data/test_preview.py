"""Pictures of a preview are those of the batches that training makes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from specforge.catalog.augmentations.crop import Crop
from specforge.catalog.augmentations.flip import HorizontalFlip
from specforge.catalog.datasets.synthetic import Synthetic
from specforge.catalog.losses.cross_entropy import CrossEntropy
from specforge.catalog.mixes.cutmix import Cutmix
from specforge.catalog.mixes.mixup import Mixup
from specforge.catalog.optimizers.adam import Adam
from specforge.data.batches import Batch, train_batches
from specforge.data.prepare import Prepared, prepare
from specforge.data.preview import Picture, strips
from specforge.recipe import Stage, Train
from specforge.spec import Data, Spec, Split

DATASET = Synthetic(image=(3, 8, 6), classes=4, train=50, test=8)
AUGMENT = (HorizontalFlip(), Crop(padding=2))


def spec_of(data: dict[str, Any] | None = None, **recipe: Any) -> Spec:
    given: dict[str, Any] = {"dataset": DATASET, "split": Split(train=0.8, validation=0.2), "augment": AUGMENT}
    settings: dict[str, Any] = {"epochs": 4, "batch_size": 16, "optimizer": Adam(lr=1e-3), "loss": CrossEntropy()}
    return Spec(specforge=1, name="example", data=Data(**(given | (data or {}))), train=Train(**(settings | recipe)))


def prepared_for(spec: Spec) -> Prepared:
    assert spec.data is not None
    return prepare(spec.data, data_dir=Path(), device=torch.device("cpu"))


def trained_on(spec: Spec, prepared: Prepared, epoch: int, *, batch_size: int = 16) -> dict[int, tuple[Batch, int]]:
    """Where training sees each row of the data set first in an epoch."""
    assert spec.data is not None
    found: dict[int, tuple[Batch, int]] = {}
    for batch in train_batches(spec.data, prepared, batch_size=batch_size, seed=0).epoch(epoch):
        for at, row in enumerate(batch.indices.tolist()):
            found.setdefault(row, (batch, at))
    return found


def pixels(prepared: Prepared, image: torch.Tensor) -> np.ndarray:
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (prepared.mean, prepared.std))
    return np.asarray(((image * std + mean) * 255).round().clamp(0, 255).permute(1, 2, 0), np.uint8)


def matching(prepared: Prepared, seen: dict[int, tuple[Batch, int]], picture: Picture) -> Iterator[tuple[Batch, int]]:
    for batch, at in seen.values():
        if np.array_equal(pixels(prepared, batch.images[at]), picture.pixels):
            yield batch, at


@pytest.mark.parametrize("mix", [None, Mixup(), Cutmix(), (Mixup(), Cutmix(probability=0.5))])
def test_pictures_are_those_of_training(mix: Any) -> None:
    spec = spec_of({"mix": mix})
    prepared = prepared_for(spec)
    found = strips(spec, prepared, images=6, epochs=[1, 2, 3])
    assert len(found) == 6
    rows = {prepared.train.images[at].permute(1, 2, 0).numpy().tobytes(): at for at in range(len(prepared.train))}
    for strip in found:
        place = rows[strip.original.pixels.tobytes()]
        row, label = int(prepared.train.indices[place]), int(prepared.train.labels[place])
        assert strip.original.classes == ((f"class {label}", 1.0),)
        for epoch, picture in zip([1, 2, 3], strip.shown, strict=True):
            batch, at = trained_on(spec, prepared, epoch)[row]
            assert picture is not None
            assert np.array_equal(picture.pixels, pixels(prepared, batch.images[at]))
            shares = dict(picture.classes)
            assert sum(shares.values()) == pytest.approx(1)
            if batch.mixed is None:
                assert shares == {f"class {label}": 1.0}
            elif int(batch.mixed.labels[at]) != label and batch.mixed.share > 0:
                assert shares[f"class {label}"] == pytest.approx(float(batch.mixed.share))


def test_images_come_from_different_batches() -> None:
    spec = spec_of(batch_size=8)
    prepared = prepared_for(spec)
    seen = trained_on(spec, prepared, 0, batch_size=8)
    shown = [strip.shown[0] for strip in strips(spec, prepared, images=5, epochs=[0])]
    batches = [id(batch) for picture in shown if picture for batch, _ in matching(prepared, seen, picture)]
    assert len(batches) == len(set(batches)) == 5


def test_unaugmented_images_stand_alone() -> None:
    spec = spec_of({"augment": ()})
    found = strips(spec, prepared_for(spec), images=5, epochs=[0, 1])
    assert [strip.shown for strip in found] == [()] * 5


def test_no_more_images_than_there_are() -> None:
    spec = spec_of()
    assert len(strips(spec, prepared_for(spec), images=64, epochs=[0])) == 40


def test_an_epoch_may_leave_images_out() -> None:
    """Drawn with replacement, about a third of the images is in no given epoch."""
    spec = spec_of({"sampling": "balanced"})
    prepared = prepared_for(spec)
    found = strips(spec, prepared, images=40, epochs=[0, 1])
    assert len({strip.original.pixels.tobytes() for strip in found}) == len(found)
    assert all(strip.shown[0] is not None for strip in found)
    assert any(strip.shown[1] is None for strip in found)
    assert any(strip.shown[1] is not None for strip in found)


def test_a_single_image_that_is_left_over_is_not_shown() -> None:
    """40 images in batches of 13 leave one, another one in every epoch."""
    spec = spec_of(batch_size=13)
    found = strips(spec, prepared_for(spec), images=40, epochs=[0, 1, 2])
    assert len(found) == 39
    assert [sum(strip.shown[at] is None for strip in found) for at in range(3)] == [0, 1, 1]


def test_stages_have_batches_of_their_own() -> None:
    stages = [{"epochs": 2, "batch_size": 16}, {"epochs": 2, "batch_size": 5}]
    base = spec_of({"mix": Mixup()}).train
    assert base is not None
    recipe = {name: getattr(base, name) for name in ("optimizer", "loss")}
    spec = spec_of({"mix": Mixup()}, epochs=None, stages=tuple(Stage(**(recipe | stage)) for stage in stages))
    prepared = prepared_for(spec)
    for epoch, size in ((1, 16), (2, 5)):
        seen = trained_on(spec, prepared, epoch, batch_size=size)
        (strip,) = strips(spec, prepared, images=1, epochs=[epoch])
        assert strip.shown[0] is not None
        assert list(matching(prepared, seen, strip.shown[0]))
