"""What training shows a network of a few images, beside the images as they are.

In: a spec with data and a recipe, its prepared data on the CPU, and which epochs. Out: a `Strip` for each image. The
pictures are those of the batches that training makes: same order, same draws, with the normalisation undone.

Epochs count from 0 here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from specforge.data.batches import Batch, train_batches
from specforge.data.prepare import Prepared
from specforge.recipe import Train
from specforge.spec import Spec


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels (H, W, C) uint8, and the names of its classes with their shares of the label, the largest first."""

    pixels: np.ndarray
    classes: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Strip:
    """An image as it is, and as the epochs show it: None where one leaves it out."""

    original: Picture
    shown: tuple[Picture | None, ...]


def strips(spec: Spec, prepared: Prepared, *, images: int, epochs: Sequence[int]) -> list[Strip]:
    """So many images, spread over the batches of the first of the epochs; fewer where there are fewer.

    Where nothing changes them, the originals stand alone.
    """
    assert spec.train is not None, "checked before"
    assert spec.data is not None
    views = [_Epoch(spec, prepared, epoch) for epoch in epochs]
    rows = views[0].spread(images)
    place = {row: number for number, row in enumerate(prepared.train.indices.tolist())}
    originals = [_original(prepared, place[row]) for row in rows]
    if not spec.data.augment and not spec.data.mixes:
        return [Strip(original, ()) for original in originals]
    by_epoch = [view.pictures(rows) for view in views]
    return [
        Strip(original, tuple(pictures.get(row) for pictures in by_epoch))
        for row, original in zip(rows, originals, strict=True)
    ]


class _Epoch:
    """The batches of an epoch, of which only those are made that are asked for."""

    def __init__(self, spec: Spec, prepared: Prepared, epoch: int):
        assert spec.train is not None
        assert spec.data is not None
        self._prepared, self._epoch, self._size = prepared, epoch, _batch_size(spec.train, epoch)
        self._batches = train_batches(spec.data, prepared, batch_size=self._size, seed=spec.train.seed)
        order = self._batches.indices(epoch).tolist()
        shown = min(len(order), self._batches.steps_per_epoch * self._size)
        # of an image that comes several times, the first time
        self._places = {row: place for place, row in reversed(list(enumerate(order[:shown])))}

    def spread(self, images: int) -> list[int]:
        """So many rows of the data set at even distances: what a batch shares, as its mix, is then seen of several."""
        rows = sorted(self._places, key=self._places.__getitem__)
        count = min(images, len(rows))
        return [rows[number * len(rows) // count] for number in range(count)]

    def pictures(self, rows: Sequence[int]) -> dict[int, Picture]:
        """How it shows these rows of the data set; those that it leaves out are absent."""
        wanted: dict[int, list[int]] = {}
        for row in rows:
            if row in self._places:
                wanted.setdefault(self._places[row] // self._size, []).append(row)
        found = {}
        for step, shown in wanted.items():
            batch = next(self._batches.epoch(self._epoch, step))
            for row in shown:
                found[row] = self._picture(batch, self._places[row] % self._size)
        return found

    def _picture(self, batch: Batch, at: int) -> Picture:
        names = self._prepared.class_names
        mean, std = (torch.tensor(values)[:, None, None] for values in (self._prepared.mean, self._prepared.std))
        pixels = ((batch.images[at] * std + mean) * 255).round().clamp(0, 255).to(torch.uint8)
        shares = {int(batch.labels[at]): 1.0}
        if batch.mixed is not None:
            share, partner = float(batch.mixed.share), int(batch.mixed.labels[at])
            shares = {int(batch.labels[at]): share}
            shares[partner] = shares.get(partner, 0.0) + 1 - share
        ordered = sorted(shares.items(), key=lambda entry: -entry[1])
        return Picture(_hwc(pixels), tuple((names[label], share) for label, share in ordered if share > 0))


def _batch_size(train: Train, epoch: int) -> int:
    """That of the stage that the epoch belongs to."""
    for stage in train.all_stages:
        if epoch < stage.epochs:
            return stage.batch_size
        epoch -= stage.epochs
    raise AssertionError("the recipe has fewer epochs")


def _original(prepared: Prepared, place: int) -> Picture:
    part = prepared.train
    name = prepared.class_names[int(part.labels[place])]
    return Picture(_hwc(part.pixels(place)), ((name, 1.0),))


def _hwc(image: torch.Tensor) -> np.ndarray:
    pixels: np.ndarray = image.permute(1, 2, 0).contiguous().numpy()
    return pixels
