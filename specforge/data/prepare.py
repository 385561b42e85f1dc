"""Reads a spec's data set, divides it and puts the parts where training needs them.

In: the `data` section of a spec. Out: `Prepared`: the parts, whose images are on the device, or read while training
where they do not fit there (`residence.py` says when), and what normalises them. What cannot be read or divided is a
`DataError`. Images are never copied as a whole: a data set that is mapped may be larger than memory.

Names of tensors may carry their axes: n images, c channels, h rows, w columns.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from math import prod, sqrt
from pathlib import Path

import numpy as np
import torch

from specforge.catalog.datasets.definition import Arrays, DataError, Facts
from specforge.checks.data_split import check_split
from specforge.data.parts import Part, Resident, Streamed
from specforge.data.residence import Residence, residence
from specforge.data.splits import Parts, Rows, divide
from specforge.spec import Data, Normalize, Split

# images counted or copied at once: few enough to stay in the processor's cache, and bytes where images are large
_COUNTED = 512
_COUNTED_BYTES = 2**24
# classes that an error lists
_NAMED = 10


@dataclass(frozen=True, slots=True)
class Prepared:
    """A spec's data, ready for batches. `mean` and `std` are per channel, of pixels scaled to 0..1.

    `residence` says where the images are, and why; None where somebody put the parts together. `notes` are sentences
    about the reading that the user should see.
    """

    train: Part
    validation: Part | None
    test: Part
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    image: tuple[int, int, int]
    residence: Residence | None = None
    notes: tuple[str, ...] = ()

    @property
    def class_counts(self) -> tuple[int, ...]:
        """How many images of each class the training part has, in the order of `class_names`."""
        return tuple(torch.bincount(self.train.labels, minlength=len(self.class_names)).tolist())


def prepare(
    data: Data, *, data_dir: Path, device: torch.device, download: bool = False, processes: int = 1
) -> Prepared:
    """Read, divide and measure. `data_dir` is the folder of data sets; `download` may fetch what is missing.

    So many `processes` do this on one machine, whose memory they share.
    """
    arrays = load(data, data_dir, download=download)
    parts = divided(data.split, arrays)
    sharing = processes if device.type == "cpu" else 1
    stay = residence(arrays.images.nbytes * sharing, data.memory, device)
    try:
        train, test = (_part(arrays, rows, device, stay) for rows in (parts.train, parts.test))
        validation = None if parts.validation is None else _part(arrays, parts.validation, device, stay)
    except (RuntimeError, MemoryError) as error:
        if not _is_full(error):
            raise
        size = arrays.images.nbytes / 2**30
        raise DataError(
            f"the images ({size:.1f} GiB as bytes) do not fit on {device}",
            hint="with `memory: streamed` in `data` they are read while training",
        ) from error
    mean, std = _normalization(data, train)
    prepared = Prepared(train, validation, test, arrays.class_names, mean, std, train.image, stay, arrays.notes)
    if data.sampling == "balanced":
        _require_every_class(prepared)
    return prepared


def channel_statistics(batches: Iterable[torch.Tensor]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel of batches (N, C, H, W) uint8, on a scale of 0..1.

    Exact to the last bit on every device and however images are divided into batches, because each of the 256 values is
    counted. A channel of one value has no deviation to divide by; its standard deviation is given as 1, so that it
    becomes zero.
    """
    counts: torch.Tensor | None = None
    for images in batches:
        channels = images.shape[1]
        if counts is None:
            counts = torch.zeros(channels, 256, dtype=torch.int64, device=images.device)
        for channel in range(channels):
            counts[channel] += torch.bincount(images[:, channel].reshape(-1), minlength=256)
    assert counts is not None, "parts are never empty"
    moments = [_moments(row) for row in counts.tolist()]
    return tuple(mean for mean, _ in moments), tuple(std for _, std in moments)


def _moments(counts: list[int]) -> tuple[float, float]:
    total = sum(counts)
    first = sum(value * count for value, count in enumerate(counts))
    second = sum(value * value * count for value, count in enumerate(counts))
    # whole numbers up to here: no rounding before the division, whatever the number of images
    variance = total * second - first * first
    return first / (255 * total), sqrt(variance) / (255 * total) if variance else 1.0


def load(data: Data, data_dir: Path, *, download: bool = False) -> Arrays:
    """All images of a data set; whatever keeps them from being read is a `DataError`."""
    try:
        return data.dataset.load(data_dir, download=download)
    except OSError as error:  # such as a folder above it that may not be entered
        raise DataError(f"the data set cannot be read: {error}", hint="is the folder of data sets readable?") from error


def divided(split: Split, arrays: Arrays) -> Parts:
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


def _part(arrays: Arrays, rows: Rows, device: torch.device, stay: Residence) -> Part:
    indices = torch.from_numpy(np.ascontiguousarray(rows))
    labels = torch.from_numpy(arrays.labels).index_select(0, indices).to(device)
    if stay.is_streamed:
        return Streamed(arrays.images, rows, labels, indices.to(device))
    return Resident(_resident(arrays.images, rows, device), labels, indices.to(device))


def _resident(images: np.ndarray, rows: Rows, device: torch.device) -> torch.Tensor:
    """The rows of the images on the device, channels last; chunk by chunk, so that they are never twice in memory."""
    count, images_nhwc = len(rows), images.transpose(0, 2, 3, 1)
    found = torch.empty((count, *images_nhwc.shape[1:]), dtype=torch.uint8, device=device)
    for chunk in _chunks(count, found[0].numel()):
        place = found[chunk]
        copied = torch.empty_like(place, device="cpu")
        copied.numpy()[:] = images_nhwc[rows[chunk]]
        place.copy_(copied)
    # permuting a dense (N, H, W, C) is channels last also for one channel, where torch cannot tell and skips the copy
    return found.permute(0, 3, 1, 2)


def _is_full(error: Exception) -> bool:
    """Whether there was no memory left; torch has no error of its own for that on the CPU."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def _chunks(count: int, image_bytes: int) -> Iterator[slice]:
    at_once = max(1, min(_COUNTED, _COUNTED_BYTES // image_bytes))
    for start in range(0, count, at_once):
        yield slice(start, min(start + at_once, count))


def require_channels(data: Data, channels: int) -> None:
    """Means and deviations that are written out must be as many as the images' channels."""
    if not isinstance(data.normalize, Normalize):
        return
    for name, values in (("mean", data.normalize.mean), ("std", data.normalize.std)):
        if len(values) != channels:
            raise DataError(
                f"data.normalize.{name} has {len(values)} numbers, the images have {channels} channels",
                hint="write one number for each channel, or `normalize: auto`",
            )


def _normalization(data: Data, part: Part) -> tuple[tuple[float, ...], tuple[float, ...]]:
    channels = part.image[0]
    require_channels(data, channels)
    if isinstance(data.normalize, Normalize):
        return data.normalize.mean, data.normalize.std
    if data.normalize == "none":
        return (0.0,) * channels, (1.0,) * channels
    with closing(part.read(None, _chunks(len(part), prod(part.image)))) as batches:
        return channel_statistics(batches)
