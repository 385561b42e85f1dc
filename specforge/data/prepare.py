"""Reads a spec's data set, divides it and puts the parts where training needs them.

In: the `data` section of a spec. Out: `Prepared`, with each part's images as bytes on the device, channels last, and
what normalises them. What cannot be read or divided is a `DataError`.

Names of tensors may carry their axes: n images, c channels, h rows, w columns.
"""

from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np
import torch

from specforge.catalog.datasets.definition import Arrays, DataError, Facts
from specforge.checks.data_split import check_split
from specforge.data.splits import Parts, Rows, divide
from specforge.spec import Data, Normalize, Split

# images counted at once when measuring: small enough to stay in the processor's cache
_COUNTED = 512
# classes that an error lists
_NAMED = 10


@dataclass(frozen=True, slots=True)
class Resident:
    """One part on the device: images (N, C, H, W) uint8 channels last, labels and data set rows (N,) int64."""

    images: torch.Tensor
    labels: torch.Tensor
    indices: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A spec's data, ready for batches. `mean` and `std` are per channel, of pixels scaled to 0..1."""

    train: Resident
    validation: Resident | None
    test: Resident
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    image: tuple[int, int, int]

    @property
    def class_counts(self) -> tuple[int, ...]:
        """How many images of each class the training part has, in the order of `class_names`."""
        return tuple(torch.bincount(self.train.labels, minlength=len(self.class_names)).tolist())


def prepare(data: Data, *, data_dir: Path, device: torch.device, download: bool = False) -> Prepared:
    """Read, divide and measure. `data_dir` is the folder of data sets; `download` may fetch what is missing."""
    arrays = _loaded(data, data_dir, download=download)
    parts = _divided(data.split, arrays)
    try:
        train, test = (_resident(arrays, rows, device) for rows in (parts.train, parts.test))
        validation = None if parts.validation is None else _resident(arrays, parts.validation, device)
    except torch.OutOfMemoryError as error:
        size = arrays.images.nbytes / 2**30
        raise DataError(
            f"the images ({size:.1f} GiB as bytes) do not fit on {device}", hint="train on `cpu`"
        ) from error
    mean, std = _normalization(data, train.images)
    channels, height, width = arrays.images.shape[1:]
    prepared = Prepared(train, validation, test, arrays.class_names, mean, std, (channels, height, width))
    if data.sampling == "balanced":
        _require_every_class(prepared)
    return prepared


def channel_statistics(images: torch.Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel of (N, C, H, W) uint8 images, on a scale of 0..1.

    Exact to the last bit on every device, because each of the 256 values is counted. A channel of one value has no
    deviation to divide by; its standard deviation is given as 1, so that it becomes zero.
    """
    images_nhwc = images.permute(0, 2, 3, 1)
    channels = images.shape[1]
    counts = torch.zeros(channels, 256, dtype=torch.int64, device=images.device)
    for start in range(0, len(images), _COUNTED):
        chunk = images_nhwc[start : start + _COUNTED]
        for channel in range(channels):
            counts[channel] += torch.bincount(chunk[..., channel].reshape(-1), minlength=256)
    moments = [_moments(row) for row in counts.tolist()]
    return tuple(mean for mean, _ in moments), tuple(std for _, std in moments)


def _moments(counts: list[int]) -> tuple[float, float]:
    total = sum(counts)
    first = sum(value * count for value, count in enumerate(counts))
    second = sum(value * value * count for value, count in enumerate(counts))
    # whole numbers up to here: no rounding before the division, whatever the number of images
    variance = total * second - first * first
    return first / (255 * total), sqrt(variance) / (255 * total) if variance else 1.0


def _loaded(data: Data, data_dir: Path, *, download: bool) -> Arrays:
    try:
        return data.dataset.load(data_dir, download=download)
    except OSError as error:  # such as a folder above it that may not be entered
        raise DataError(f"the data set cannot be read: {error}", hint="is the folder of data sets readable?") from error


def _divided(split: Split, arrays: Arrays) -> Parts:
    """The parts, now that the sizes are known; a data set read from a file could not be checked before."""
    count = len(arrays.labels)
    facts = Facts(classes=len(arrays.class_names), train=arrays.train, test=count - arrays.train)
    for problem in check_split(split, facts):
        if problem.kind == "invalid":
            raise DataError(f"data.split.{problem.field}: {problem.message}", hint=problem.hint)
    return divide(split, train=arrays.train, test=count - arrays.train, labels=arrays.labels)


def _require_every_class(prepared: Prepared) -> None:
    """A class without training images cannot be drawn as often as the others."""
    absent = [name for name, count in zip(prepared.class_names, prepared.class_counts, strict=True) if not count]
    if absent:
        named = ", ".join(f"`{name}`" for name in absent[:_NAMED]) + ("" if len(absent) <= _NAMED else ", …")
        raise DataError(
            f"`sampling: balanced` draws every class, but the training part has no image of {len(absent)}: {named}",
            hint="give the training part images of every class (`split: {stratified: true}` with fractions), "
            "or write `sampling: uniform`",
        )


def _resident(arrays: Arrays, rows: Rows, device: torch.device) -> Resident:
    indices = torch.from_numpy(np.ascontiguousarray(rows))
    images_nhwc = torch.from_numpy(arrays.images).permute(0, 2, 3, 1).index_select(0, indices)
    # permuting a dense (N, H, W, C) is channels last also for one channel, where torch cannot tell and skips the copy
    images = images_nhwc.to(device).permute(0, 3, 1, 2)
    labels = torch.from_numpy(arrays.labels).index_select(0, indices)
    return Resident(images, labels.to(device), indices.to(device))


def _normalization(data: Data, images: torch.Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    channels = images.shape[1]
    if isinstance(data.normalize, Normalize):
        for name, values in (("mean", data.normalize.mean), ("std", data.normalize.std)):
            if len(values) != channels:
                raise DataError(
                    f"data.normalize.{name} has {len(values)} numbers, the images have {channels} channels",
                    hint="write one number for each channel, or `normalize: auto`",
                )
        return data.normalize.mean, data.normalize.std
    if data.normalize == "none":
        return (0.0,) * channels, (1.0,) * channels
    return channel_statistics(images)
