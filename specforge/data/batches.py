"""Batches from a part: shuffled, augmented and mixed for training, in order for evaluation.

In: a `Part`, which gives bytes on the device. Out: `Batch`es of normalised float32 images (N, C, H, W), channels last.
Nothing here keeps state between batches: the order follows from (seed, epoch) and the augmentation's draws from
(seed, epoch, step), so an epoch that is taken up at a later step gives the same batches bit for bit. Of several
processes, each gets its `Shard` of the batches that one process would get: order and draws are those of all images.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import ceil

import torch

from specforge.catalog.augmentations.definition import Augmentation
from specforge.catalog.mixes.definition import Mix
from specforge.data.augmenting import Augmenter, Draws
from specforge.data.mixing import Mixed, Mixer, Mixing, mixed
from specforge.data.moving import moved
from specforge.data.parts import Part
from specforge.data.prepare import Prepared
from specforge.data.randomness import key
from specforge.data.sampling import Sampling, epoch_order
from specforge.data.sharding import WHOLE, Shard, Whole, mixed_share, rows_of, with_partners
from specforge.spec import Data

# Steps whose draws travel to the device together: one small copy for each step would cost more than the batch.
_DRAWN_AHEAD = 64


@dataclass(frozen=True, slots=True)
class Batch:
    """Images (N, C, H, W) float32 channels last, labels (N,) int64, and the rows of the data set they come from.

    Where images are `mixed`, the labels count only for a share. Of several processes, `whole` is what all of them have.
    """

    images: torch.Tensor
    labels: torch.Tensor
    indices: torch.Tensor
    mixed: Mixed | None = None
    whole: Whole | None = None

    @property
    def counts(self) -> bool:
        """Whether what is said of its images is counted: not where another process says the same."""
        return self.whole is None or self.whole.counts

    @property
    def share(self) -> float:
        """What its mean counts for in the mean over the images of all processes."""
        return 1.0 if self.whole is None else len(self.labels) / len(self.whole.labels) / self.whole.copies


class Normalizer:
    """(N, C, H, W) from 0 to 255 -> float32 channels last: (pixel / 255 - mean) / std, as one multiply-add.

    Pixels are bytes, or what `Augmenter.levels` gives; they stay as they are.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], *, device: torch.device):
        means, stds = (torch.tensor(values, dtype=torch.float64) for values in (mean, std))
        self._scale = (1 / (255 * stds)).to(torch.float32).to(device)
        self._offset = (-means / stds).to(torch.float32).to(device)
        self._rows: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        images_nhwc = images.permute(0, 2, 3, 1)
        count, height, width, _ = images_nhwc.shape
        scale, offset = self._row(height * width)
        values_nhwc = torch.empty(images_nhwc.shape, dtype=torch.float32, device=images.device).copy_(images_nhwc)
        values = values_nhwc.view(count, -1)
        torch.addcmul(offset, values, scale, out=values)
        return values_nhwc.permute(0, 3, 1, 2)

    def _row(self, pixels: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Scale and offset of every value of an image: a loop over three channels at a time would be far slower."""
        if pixels not in self._rows:
            self._rows[pixels] = (self._scale.repeat(pixels), self._offset.repeat(pixels))
        return self._rows[pixels]


def steps_of(images: int, batch_size: int) -> int:
    """How many batches an epoch has: the last may be smaller, but no single image is left over."""
    full, rest = divmod(images, batch_size)
    return full + (rest > 1 or full == 0)


class TrainBatches:
    """An epoch's batches in the order that `sampling` draws, each image augmented on its own.

    The last batch may be smaller. If it would hold a single image it is left out, because batch normalisation
    cannot be trained on one; the order differs by epoch, so it is another image every time.
    """

    def __init__(
        self,
        part: Part,
        *,
        batch_size: int,
        augment: Sequence[Augmentation] = (),
        mix: Sequence[Mix] = (),
        mean: Sequence[float],
        std: Sequence[float],
        seed: int,
        sampling: Sampling = "uniform",
        shard: Shard = WHOLE,
    ):
        assert batch_size >= 1, batch_size
        self._part, self._batch_size, self._seed, self._sampling = part, batch_size, seed, sampling
        self._shard = shard
        self._device = part.device
        self._augmenter = Augmenter(augment, seed=seed, device=self._device)
        self._mixer = Mixer(mix, seed=seed, device=self._device)
        self._normalize = Normalizer(mean, std, device=self._device)
        # on the CPU, where orders are drawn, and draws that follow from the image
        self._labels, self._rows = part.labels.cpu(), part.indices.cpu()

    @property
    def steps_per_epoch(self) -> int:
        return steps_of(len(self._part), self._batch_size)

    def indices(self, epoch: int) -> torch.Tensor:
        """The rows of the data set that an epoch is made of, in its order (N,); the last may be left out."""
        return self._rows.index_select(0, self._order(epoch))

    def epoch(self, epoch: int, start_step: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from a step on."""
        order = self._order(epoch)
        rows, on_device = self._rows.index_select(0, order), moved(order, self._device)
        labels, indices = (values.index_select(0, on_device) for values in (self._part.labels, self._part.indices))
        steps, size = range(start_step, self.steps_per_epoch), self._part.image[1:]
        with closing(self._part.read(order, (self._read_at(epoch, step) for step in steps))) as reading:
            for first in range(0, len(steps), _DRAWN_AHEAD):
                ahead = {step: self._positions(step) for step in steps[first : first + _DRAWN_AHEAD]}
                draws = self._augmenter.draw(epoch, {step: rows[at] for step, at in ahead.items()}, size)
                mixings = self._mixer.draw(epoch, {step: at.stop - at.start for step, at in ahead.items()})
                drawn = 0
                for step, at in ahead.items():
                    make = self._batch if self._shard.count == 1 else self._share
                    yield make(next(reading), labels[at], indices[at], draws, drawn, mixings.get(step))
                    drawn += at.stop - at.start

    def _batch(
        self, read: torch.Tensor, labels: torch.Tensor, indices: torch.Tensor, draws: list[Draws], drawn: int,
        mixing: Mixing | None,
    ) -> Batch:  # fmt: skip
        """A batch of which this process has all images; its draws begin at the row `drawn`."""
        values = self._normalize(self._augmenter.levels(read, draws, drawn))
        values, how = mixed(values, labels, mixing)
        return Batch(values, labels, indices, how)

    def _share(
        self, read: torch.Tensor, labels: torch.Tensor, indices: torch.Tensor, draws: list[Draws], drawn: int,
        mixing: Mixing | None,
    ) -> Batch:  # fmt: skip
        """This process's share of a batch with these labels and indices."""
        at, shard = slice(0, len(labels)), self._shard
        own, copies = shard.training(at), shard.copies(len(labels))
        how = of_whole = None
        if mixing is None:
            values = self._normalize(self._augmenter.levels(read, draws, drawn + own.start))
        else:
            rows = with_partners(own, at, mixing)
            assert isinstance(rows, torch.Tensor)
            values = self._normalize(self._augmenter.levels(read, rows_of(draws, drawn + rows)))
            values, how, of_whole = mixed_share(values, labels, own, mixing)
        whole = Whole(labels, of_whole, copies, counts=copies == 1 or shard.number == 0)
        return Batch(values, labels[own], indices[own], how, whole)

    def _read_at(self, epoch: int, step: int) -> slice | torch.Tensor:
        """Where the images that this process needs for a step lie in the epoch's order."""
        at = self._positions(step)
        if self._shard.count == 1:
            return at
        mixing = self._mixer.drawn(epoch, {step: at.stop - at.start}).get(step)
        return with_partners(self._shard.training(at), at, mixing)

    def _order(self, epoch: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(key(self._seed, "shuffle", epoch))
        return epoch_order(self._labels, self._sampling, generator)

    def _positions(self, step: int) -> slice:
        start = step * self._batch_size
        return slice(start, min(start + self._batch_size, len(self._part)))


def train_batches(data: Data, prepared: Prepared, *, batch_size: int, seed: int, shard: Shard = WHOLE) -> TrainBatches:
    """The training part as a spec's data section asks for it: for training, and for looking at what training sees."""
    return TrainBatches(
        prepared.train,
        batch_size=batch_size,
        augment=data.augment,
        mix=data.mixes,
        mean=prepared.mean,
        std=prepared.std,
        seed=seed,
        sampling=data.sampling,
        shard=shard,
    )


@dataclass(frozen=True, slots=True)
class View:
    """One of several augmented views of a part's images."""

    augmenter: Augmenter
    number: int


class EvaluationBatches:
    """A part's batches in its own order, as they are or in an augmented `view`; the last one may be smaller.

    Of several processes, each has its share of every batch, which may be empty.
    """

    def __init__(
        self,
        part: Part,
        *,
        batch_size: int,
        mean: Sequence[float],
        std: Sequence[float],
        view: View | None = None,
        shard: Shard = WHOLE,
    ):
        assert batch_size >= 1, batch_size
        self._part, self._batch_size, self._view, self._shard = part, batch_size, view, shard
        self._normalize = Normalizer(mean, std, device=part.device)

    def __len__(self) -> int:
        return ceil(len(self._part) / self._batch_size)

    @property
    def images(self) -> int:
        """How many the part has."""
        return len(self._part)

    @property
    def places(self) -> torch.Tensor:
        """Which images of the part this process has, (N,) int64."""
        return torch.cat([torch.arange(own.start, own.stop) for _, own in self._shares()])

    def __iter__(self) -> Iterator[Batch]:
        part, view = self._part, self._view
        shares = self._shares()
        rows = None if view is None else part.indices.cpu()
        with closing(part.read(None, [own for _, own in shares])) as reading:
            for step, ((at, own), images) in enumerate(zip(shares, reading, strict=True)):
                if view is not None and rows is not None:
                    draws = view.augmenter.draw(view.number, {step: rows[at]}, part.image[1:])
                    images = view.augmenter.apply(images, draws, own.start - at.start)
                values = self._normalize(images) if len(images) else images.float()
                yield Batch(values, part.labels[own], part.indices[own])

    def _shares(self) -> list[tuple[slice, slice]]:
        """Where every batch lies, and where this process's share of it does."""
        total, size = len(self._part), self._batch_size
        batches = [slice(start, min(start + size, total)) for start in range(0, total, size)]
        return [(at, self._shard.testing(at)) for at in batches]
