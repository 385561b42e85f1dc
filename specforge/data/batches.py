"""Batches from a resident part: shuffled and augmented for training, in order for evaluation.

In: a `Resident` part (bytes on the device). Out: `Batch`es of normalised float32 images (N, C, H, W), channels last.
Nothing here keeps state between batches: the order follows from (seed, epoch) and the augmentation's draws from
(seed, epoch, step), so an epoch that is taken up at a later step gives the same batches bit for bit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import torch

from specforge.catalog.augmentations.definition import Augmentation
from specforge.data.prepare import Resident
from specforge.data.randomness import key

# Steps whose draws travel to the device together: one small copy for each step would cost more than the batch.
_DRAWN_AHEAD = 64

Draws = Mapping[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Batch:
    """Images (N, C, H, W) float32 channels last, labels (N,) int64, and the rows of the data set they come from."""

    images: torch.Tensor
    labels: torch.Tensor
    indices: torch.Tensor


class Normalizer:
    """(N, C, H, W) uint8 -> float32 channels last: (pixel / 255 - mean) / std, as one multiply-add on the device."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], *, device: torch.device):
        means, stds = (torch.tensor(values, dtype=torch.float64) for values in (mean, std))
        self._scale = (1 / (255 * stds)).to(torch.float32).to(device)
        self._offset = (-means / stds).to(torch.float32).to(device)
        self._rows: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        count, channels, height, width = images.shape
        images_nhwc = images.permute(0, 2, 3, 1)
        scale, offset = self._row(height * width)
        values = images_nhwc.reshape(count, -1).to(torch.float32)
        torch.addcmul(offset, values, scale, out=values)
        return values.view(count, height, width, channels).permute(0, 3, 1, 2)

    def _row(self, pixels: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Scale and offset of every value of an image: a loop over three channels at a time would be far slower."""
        if pixels not in self._rows:
            self._rows[pixels] = (self._scale.repeat(pixels), self._offset.repeat(pixels))
        return self._rows[pixels]


class TrainBatches:
    """An epoch's batches in shuffled order, each image augmented on its own.

    The last batch may be smaller. If it would hold a single image it is left out, because batch normalisation
    cannot be trained on one; the order differs by epoch, so it is another image every time.
    """

    def __init__(
        self,
        part: Resident,
        *,
        batch_size: int,
        augment: Sequence[Augmentation] = (),
        mean: Sequence[float],
        std: Sequence[float],
        seed: int,
    ):
        assert batch_size >= 1, batch_size
        self._part, self._batch_size, self._augment, self._seed = part, batch_size, tuple(augment), seed
        self._device = part.images.device
        self._normalize = Normalizer(mean, std, device=self._device)
        _, self._channels, self._height, self._width = part.images.shape
        # a view, because residents are channels last; whole rows are what a gather copies fastest
        self._rows = part.images.permute(0, 2, 3, 1).flatten(1)

    @property
    def steps_per_epoch(self) -> int:
        full, rest = divmod(len(self._part), self._batch_size)
        return full + (rest > 1 or full == 0)

    def epoch(self, epoch: int, start_step: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from a step on."""
        order = self._order(epoch)
        labels, indices = (values.index_select(0, order) for values in (self._part.labels, self._part.indices))
        for first in range(start_step, self.steps_per_epoch, _DRAWN_AHEAD):
            steps = range(first, min(first + _DRAWN_AHEAD, self.steps_per_epoch))
            draws = self._draws(epoch, steps)
            for step in steps:
                rows = self._positions(step)
                drawn_from = rows.start - self._positions(first).start
                images = self._images(order[rows], draws, drawn_from)
                yield Batch(self._normalize(images), labels[rows], indices[rows])

    def _order(self, epoch: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(key(self._seed, "shuffle", epoch))
        return self._moved(torch.randperm(len(self._part), generator=generator))

    def _positions(self, step: int) -> slice:
        start = step * self._batch_size
        return slice(start, min(start + self._batch_size, len(self._part)))

    def _draws(self, epoch: int, steps: range) -> list[Draws]:
        """For each augmentation its draws for several steps, one after the other, on the device."""
        generator, size = torch.Generator(), (self._height, self._width)
        drawn: list[Draws] = []
        for place, augmentation in enumerate(self._augment):
            by_step = []
            for step in steps:
                rows = self._positions(step)
                generator.manual_seed(key(self._seed, "augment", epoch, step, place))
                by_step.append(augmentation.draw(rows.stop - rows.start, size, generator))
            drawn.append({name: self._moved(torch.cat([draw[name] for draw in by_step])) for name in by_step[0]})
        return drawn

    def _images(self, order: torch.Tensor, draws: list[Draws], drawn_from: int) -> torch.Tensor:
        """Augmented bytes: (N, C, H, W) channels last."""
        count = len(order)
        images_nhwc = self._rows.index_select(0, order).view(count, self._height, self._width, self._channels)
        images = images_nhwc.permute(0, 3, 1, 2)
        for augmentation, drawn in zip(self._augment, draws, strict=True):
            images = augmentation.apply(
                images, {name: values[drawn_from : drawn_from + count] for name, values in drawn.items()}
            )
        return images

    def _moved(self, values: torch.Tensor) -> torch.Tensor:
        """To the device; from pinned memory, so that the copy does not wait for the work queued before it."""
        return (values.pin_memory() if self._device.type == "cuda" else values).to(self._device, non_blocking=True)


class EvaluationBatches:
    """A part's batches in its own order, without augmentation; the last one may be smaller."""

    def __init__(self, part: Resident, *, batch_size: int, mean: Sequence[float], std: Sequence[float]):
        assert batch_size >= 1, batch_size
        self._part, self._batch_size = part, batch_size
        self._normalize = Normalizer(mean, std, device=part.images.device)

    def __len__(self) -> int:
        return ceil(len(self._part) / self._batch_size)

    def __iter__(self) -> Iterator[Batch]:
        part = self._part
        for start in range(0, len(part), self._batch_size):
            rows = slice(start, start + self._batch_size)
            yield Batch(self._normalize(part.images[rows]), part.labels[rows], part.indices[rows])
