"""Batches: every image once, replayed bit for bit from any step, normalised and augmented as asked."""

from itertools import pairwise
from typing import Any

import pytest
import torch

from specforge.catalog.augmentations.angles import Rotation
from specforge.catalog.augmentations.colour import ColourJitter
from specforge.catalog.augmentations.crop import Crop
from specforge.catalog.augmentations.definition import Augmentation
from specforge.catalog.augmentations.flip import HorizontalFlip
from specforge.catalog.augmentations.policies import RandAugment
from specforge.catalog.mixes.cutmix import Cutmix
from specforge.catalog.mixes.mixup import Mixup
from specforge.data.augmenting import Augmenter
from specforge.data.batches import Batch, EvaluationBatches, Normalizer, TrainBatches, View
from specforge.data.moving import moved
from specforge.data.parts import Resident

CPU = torch.device("cpu")
BOTH = (HorizontalFlip(), Crop(padding=2, fill="reflect"))


def resident(count: int, image: tuple[int, int, int] = (3, 8, 6)) -> Resident:
    channels, height, width = image
    random = torch.Generator().manual_seed(count)
    images_nhwc = torch.randint(256, (count, height, width, channels), dtype=torch.uint8, generator=random)
    indices = torch.arange(count) * 2 + 100
    return Resident(images_nhwc.permute(0, 3, 1, 2), torch.arange(count) % 7, indices)


def train_batches(part: Resident, **keys: Any) -> TrainBatches:
    channels = part.images.shape[1]
    arguments: dict[str, Any] = {
        "batch_size": 8,
        "augment": (),
        "mean": (0.0,) * channels,
        "std": (1.0,) * channels,
        "seed": 0,
    }
    return TrainBatches(part, **(arguments | keys))


def rows_of(part: Resident, batch: Batch) -> torch.Tensor:
    """Where the batch's images lie in the part."""
    return (batch.indices - 100) // 2


def same(one: Batch, other: Batch) -> bool:
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in ("images", "labels", "indices"))


@pytest.mark.parametrize("image", [(1, 8, 8), (3, 32, 32), (3, 224, 224), (1, 1, 1), (4, 3, 2)])
def test_normalises_into_channels_last(image: tuple[int, int, int]) -> None:
    part = resident(5, image)
    channels, height, width = image
    mean, std = [0.1 * (place + 1) for place in range(channels)], [0.2 + place for place in range(channels)]
    result = Normalizer(mean, std, device=CPU)(part.images)
    columns = (torch.tensor(values, dtype=torch.float64).view(1, -1, 1, 1) for values in (mean, std))
    means, stds = columns
    torch.testing.assert_close(
        result, ((part.images.to(torch.float64) / 255 - means) / stds).to(torch.float32), rtol=1e-6, atol=1e-6
    )
    assert result.dtype == torch.float32
    assert result.stride() == (channels * height * width, 1, width * channels, channels)


def test_one_channel_stays_channels_last_through_a_network() -> None:
    """torch cannot tell the two formats apart by size alone here; the strides have to say it."""
    batch = next(train_batches(resident(8, (1, 8, 8)), augment=BOTH).epoch(0))
    after = torch.nn.Conv2d(1, 4, 3).to(memory_format=torch.channels_last)(batch.images)
    assert after.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("count", "batch_size", "sizes"),
    [
        (24, 8, [8, 8, 8]),
        (26, 8, [8, 8, 8, 2]),
        (25, 8, [8, 8, 8]),  # a batch of one cannot train batch normalisation
        (1, 8, [1]),  # but there is nothing else
        (5, 8, [5]),
        (3, 1, [1, 1, 1]),
    ],
)
def test_sizes_of_an_epoch(count: int, batch_size: int, sizes: list[int]) -> None:
    batches = train_batches(resident(count), batch_size=batch_size)
    found = [len(batch.labels) for batch in batches.epoch(0)]
    assert found == sizes
    assert batches.steps_per_epoch == len(sizes)


def test_every_image_comes_once_with_its_label() -> None:
    part = resident(26)
    for epoch in range(2):
        batches = list(train_batches(part).epoch(epoch))
        rows = torch.cat([rows_of(part, batch) for batch in batches])
        assert sorted(rows.tolist()) == list(range(26))
        assert torch.equal(torch.cat([batch.labels for batch in batches]), part.labels[rows])
        images = torch.cat([batch.images for batch in batches])
        assert torch.equal((images * 255).round().to(torch.uint8), part.images[rows])


def test_the_image_left_out_is_another_one_each_epoch() -> None:
    part = resident(25)
    seen = [torch.cat([batch.indices for batch in train_batches(part).epoch(epoch)]).tolist() for epoch in range(6)]
    missing = [set(part.indices.tolist()) - set(epoch) for epoch in seen]
    assert [len(images) for images in missing] == [1] * 6
    assert len(set.union(*missing)) > 1


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return torch.cat([batch.indices for batch in train_batches(resident(40), seed=seed).epoch(epoch)]).tolist()

    torch.manual_seed(1)
    first = order(0, 0)
    torch.manual_seed(2)
    assert order(0, 0) == first
    assert first != order(0, 1)
    assert first != order(1, 0)
    assert first != sorted(first)


@pytest.mark.parametrize("start_step", [0, 1, 63, 64, 65, 129, 130])
def test_an_epoch_taken_up_later_gives_the_same_batches(start_step: int) -> None:
    part = resident(260, (3, 5, 5))
    whole = list(train_batches(part, batch_size=2, augment=BOTH, seed=5).epoch(3))
    rest = list(train_batches(part, batch_size=2, augment=BOTH, seed=5).epoch(3, start_step))
    assert len(rest) == 130 - start_step
    assert all(same(one, other) for one, other in zip(whole[start_step:], rest, strict=True))


def test_augmentations_apply_in_order_with_draws_of_their_own_step() -> None:
    part = resident(40)
    plain, augmented = (list(train_batches(part, augment=augment).epoch(0)) for augment in ((), BOTH))
    for before, after in zip(plain, augmented, strict=True):
        assert torch.equal(before.indices, after.indices), "augmentation does not change the order"
        assert not torch.equal(before.images, after.images)
    backwards = next(train_batches(part, augment=BOTH[::-1]).epoch(0))
    assert not torch.equal(backwards.images, augmented[0].images)


class _Recorder(Augmentation):
    """Gives each image the number that was drawn for it as its value."""

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        return {"value": torch.randint(256, (count,), generator=generator, dtype=torch.uint8)}

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.zeros_like(images) + draws["value"].view(-1, 1, 1, 1)


def test_draws_differ_by_image_step_epoch_place_and_seed() -> None:
    part = resident(64)

    def drawn(seed: int, epoch: int, augment: tuple[Augmentation, ...] = (_Recorder(),)) -> list[list[float]]:
        batches = train_batches(part, augment=augment, seed=seed).epoch(epoch)
        return [batch.images[:, 0, 0, 0].tolist() for batch in batches]

    first = drawn(0, 0)
    assert all(len(set(values)) > 1 for values in first)
    assert all(one != other for one, other in pairwise(first))
    assert first != drawn(0, 1)
    assert first != drawn(1, 0)
    assert first != drawn(0, 0, (HorizontalFlip(), _Recorder()))


def test_one_augmentations_draws_do_not_depend_on_what_another_consumes() -> None:
    part = resident(16)
    before = [Crop(padding=2), HorizontalFlip()]
    one, other = (next(train_batches(part, augment=(first, _Recorder())).epoch(0)).images for first in before)
    assert torch.equal(one, other)


def test_the_resident_images_are_not_changed() -> None:
    part = resident(16)
    before = part.images.clone()
    for _ in train_batches(part, augment=BOTH).epoch(0):
        pass
    list(EvaluationBatches(part, batch_size=5, mean=(0.5,) * 3, std=(0.5,) * 3))
    assert torch.equal(part.images, before)


def test_earlier_batches_stay_as_they_were() -> None:
    batches = train_batches(resident(32), augment=BOTH).epoch(0)
    first = next(batches)
    kept = first.images.clone()
    list(batches)
    assert torch.equal(first.images, kept), "no buffer is used twice"


def on_meta(part: Resident) -> Resident:
    """The part on a device of which no value can be read; one that is asked for, as `.item()` does, is an error."""
    return Resident(part.images.to("meta"), part.labels.to("meta"), part.indices.to("meta"))


def unread(part: Resident, patch: pytest.MonkeyPatch, **keys: Any) -> TrainBatches:
    """Batches of a part on `meta`. Labels and rows come to the host once, when they are made; here they are made up."""
    with patch.context() as once:
        once.setattr(torch.Tensor, "cpu", lambda values: torch.arange(len(values)) % 4)
        return train_batches(on_meta(part), **keys)


@pytest.mark.parametrize("sampling", ["uniform", "balanced"])
def test_no_step_waits_for_the_device(sampling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keys: dict[str, Any] = {
        "batch_size": 2,  # so that draws are made ahead several times
        "augment": (*BOTH, Rotation(degrees=9, fill="nearest"), ColourJitter(brightness=0.2, hue=0.1), RandAugment()),
        "mix": (Mixup(alpha=0.3), Cutmix(alpha=1.0)),
    }
    batches = unread(resident(140), monkeypatch, sampling=sampling, **keys)
    seen = [batch for epoch in range(2) for batch in batches.epoch(epoch)]
    assert len(seen) == 140
    assert {batch.images.device.type for batch in seen} == {"meta"}
    view = View(Augmenter(BOTH, seed=0, device=torch.device("meta"), stream="test"), 0)
    part = on_meta(resident(9))
    plain = EvaluationBatches(part, batch_size=4, mean=(0.5,) * 3, std=(0.5,) * 3)
    assert len(list(plain)) == 3
    monkeypatch.setattr(torch.Tensor, "cpu", lambda values: torch.arange(len(values)))  # once for each view
    assert len(list(EvaluationBatches(part, batch_size=4, mean=(0.5,) * 3, std=(0.5,) * 3, view=view))) == 3


class _Asking(HorizontalFlip):
    """Picks rows by a mask, as careless augmentations do: how many there are is known to the device alone."""

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        images[draws["flip"]] = images[draws["flip"]].flip(-1)
        return images


def test_a_step_that_waits_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    batches = unread(resident(16), monkeypatch, augment=(_Asking(),))
    with pytest.raises(NotImplementedError, match="meta"):
        next(batches.epoch(0))


def test_what_goes_to_a_gpu_goes_from_pinned_memory_without_waiting() -> None:
    calls = []

    class Values:
        def pin_memory(self) -> "Values":
            calls.append("pinned")
            return self

        def to(self, device: torch.device, *, non_blocking: bool) -> str:
            calls.append(f"to {device.type}, {non_blocking=}")
            return "there"

    values: Any = Values()
    assert moved(values, torch.device("cuda")) == "there"
    assert calls == ["pinned", "to cuda, non_blocking=True"]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_what_is_normalised_stays_as_it_is(dtype: torch.dtype) -> None:
    given = resident(5).images.to(dtype)
    before = given.clone()
    result = Normalizer((0.5,) * 3, (0.5,) * 3, device=CPU)(given)
    assert torch.equal(given, before)
    assert torch.equal(result, Normalizer((0.5,) * 3, (0.5,) * 3, device=CPU)(given.contiguous().to(torch.uint8)))


@pytest.mark.parametrize(("count", "sizes"), [(10, [4, 4, 2]), (9, [4, 4, 1]), (4, [4])])
def test_evaluation_is_in_order_and_complete(count: int, sizes: list[int]) -> None:
    part = resident(count)
    batches = EvaluationBatches(part, batch_size=4, mean=(0.5,) * 3, std=(0.25,) * 3)
    found = list(batches)
    assert len(batches) == len(found)
    assert [len(batch.labels) for batch in found] == sizes
    assert torch.equal(torch.cat([batch.indices for batch in found]), part.indices)
    assert torch.equal(torch.cat([batch.labels for batch in found]), part.labels)
    expected = (part.images.float() / 255 - 0.5) / 0.25
    torch.testing.assert_close(torch.cat([batch.images for batch in found]), expected, rtol=1e-6, atol=1e-6)
    assert found[0].images.is_contiguous(memory_format=torch.channels_last)


def test_balanced_batches_are_replayed_from_any_step() -> None:
    part = resident(260, (3, 5, 5))
    labels = (torch.arange(260) < 20).long()
    part = Resident(part.images, labels, part.indices)
    whole = list(train_batches(part, batch_size=8, augment=BOTH, sampling="balanced").epoch(1))
    assert torch.cat([batch.labels for batch in whole]).double().mean() == pytest.approx(0.5, abs=0.15)
    rest = list(train_batches(part, batch_size=8, augment=BOTH, sampling="balanced").epoch(1, 20))
    assert all(same(one, other) for one, other in zip(whole[20:], rest, strict=True))
    for batch in whole:
        rows = rows_of(part, batch)
        assert torch.equal(batch.labels, labels[rows]), "images keep their labels"
