"""Mixing of batches: replayed from any step, told to the loss, and the same loss as with soft targets."""

from itertools import pairwise

import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot

from specforge.catalog.augmentations.crop import Crop
from specforge.catalog.augmentations.flip import HorizontalFlip
from specforge.catalog.mixes.cutmix import Cutmix
from specforge.catalog.mixes.definition import Mix
from specforge.catalog.mixes.mixup import Mixup
from specforge.data.batches import Batch, TrainBatches
from specforge.data.mixing import Mixed
from specforge.data.parts import Resident

MIXES: list[tuple[Mix, ...]] = [(Mixup(),), (Cutmix(),), (Mixup(alpha=0.2, probability=0.5), Cutmix())]
CLASSES = 7


def resident(count: int, channels: int = 3) -> Resident:
    random = torch.Generator().manual_seed(count)
    images_nhwc = torch.randint(256, (count, 8, 6, channels), dtype=torch.uint8, generator=random)
    return Resident(images_nhwc.permute(0, 3, 1, 2), torch.arange(count) % CLASSES, torch.arange(count))


def batches(
    mix: tuple[Mix, ...], *, part: Resident | None = None, seed: int = 0, batch_size: int = 8, augmented: bool = False
) -> TrainBatches:
    part = part or resident(24)
    channels = part.images.shape[1]
    return TrainBatches(
        part,
        batch_size=batch_size,
        augment=(HorizontalFlip(), Crop(padding=2)) if augmented else (),
        mix=mix,
        mean=(0.5,) * channels,
        std=(0.25,) * channels,
        seed=seed,
    )


def same(one: Batch, other: Batch) -> bool:
    if (one.mixed is None) != (other.mixed is None):
        return False
    pairs = [(one.images, other.images), (one.labels, other.labels), (one.indices, other.indices)]
    if one.mixed and other.mixed:
        pairs += [(one.mixed.labels, other.mixed.labels), (one.mixed.share, other.mixed.share)]
    return all(torch.equal(first, second) for first, second in pairs)


def test_without_a_mix_nothing_is_mixed() -> None:
    assert all(batch.mixed is None for batch in batches(()).epoch(0))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_mixed_batch_is_made_of_the_batch_as_it_would_be(channels: int) -> None:
    part = resident(24, channels)
    plain, mixed = (list(batches(mix, part=part, augmented=True).epoch(0)) for mix in ((), (Mixup(),)))
    for before, after in zip(plain, mixed, strict=True):
        assert torch.equal(before.labels, after.labels)
        assert torch.equal(before.indices, after.indices)
        assert after.mixed is not None
        assert after.images.stride() == before.images.stride()
        share = after.mixed.share.item()
        assert 0 < share < 1
        partners = ((after.images - share * before.images) / (1 - share))[:, None]
        nearest = (partners - before.images[None]).abs().flatten(2).amax(2).argmin(1)
        assert sorted(nearest.tolist()) == list(range(8))
        assert torch.equal(before.labels[nearest], after.mixed.labels)


def test_cutmix_puts_pieces_of_images_of_the_partners_label() -> None:
    part = resident(24)
    for before, after in zip(batches((), part=part).epoch(1), batches((Cutmix(),), part=part).epoch(1), strict=True):
        assert after.mixed is not None
        own = (after.images == before.images).all(1)
        torch.testing.assert_close(own.float().mean((1, 2)).min(), after.mixed.share, atol=0.07, rtol=0)


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("start_step", [0, 1, 63, 64, 65, 129])
def test_an_epoch_taken_up_later_gives_the_same_mixes(mix: tuple[Mix, ...], start_step: int) -> None:
    part = resident(260)
    whole = list(batches(mix, part=part, batch_size=2, seed=5, augmented=True).epoch(3))
    rest = list(batches(mix, part=part, batch_size=2, seed=5, augmented=True).epoch(3, start_step))
    assert all(same(one, other) for one, other in zip(whole[start_step:], rest, strict=True))


def test_shares_differ_by_step_epoch_and_seed() -> None:
    def shares(seed: int, epoch: int) -> list[float]:
        return [batch.mixed.share.item() for batch in batches((Mixup(),), seed=seed).epoch(epoch) if batch.mixed]

    torch.manual_seed(1)
    first = shares(0, 0)
    torch.manual_seed(2)
    assert shares(0, 0) == first, "nothing but the position counts"
    assert len(first) == 3
    assert all(one != other for one, other in pairwise(first))
    assert first != shares(0, 1)
    assert first != shares(1, 0)


def test_the_numbers_stay_the_same_in_every_version() -> None:
    """A run's results hang on them: another stream would give other results for the same spec."""
    batch = next(iter(batches((Mixup(alpha=0.4),), seed=7).epoch(2)))
    assert batch.mixed is not None
    assert batch.mixed.share.item() == pytest.approx(0.8903901, abs=1e-6)
    assert batch.mixed.labels.tolist() == [3, 1, 2, 6, 1, 5, 6, 5]


def test_a_list_gives_each_batch_one_of_them() -> None:
    part = resident(600)
    plain = list(batches((), part=part, batch_size=2).epoch(0))
    found = {"none": 0, "mixup": 0, "cutmix": 0}
    for before, after in zip(
        plain, batches((Mixup(probability=0.5), Cutmix()), part=part, batch_size=2).epoch(0), strict=True
    ):
        if after.mixed is None:
            found["none"] += 1
            assert torch.equal(before.images, after.images)
        elif not torch.equal(before.images, after.images):
            pasted = torch.isin(after.images, before.images).all()
            found["cutmix" if pasted else "mixup"] += 1
    # of 300 batches of two, a half has each mix, a quarter stays, and half of those mixed meet themselves
    assert found["none"] == pytest.approx(75, abs=38)
    assert found["mixup"] == pytest.approx(37, abs=28)
    assert found["cutmix"] == pytest.approx(75, abs=38)


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("count", [1, 2, 10])
def test_batches_of_one_and_two(mix: tuple[Mix, ...], count: int) -> None:
    """10 images in batches of 8 leave two."""
    part = resident(count)
    for epoch in range(6):
        pairs = zip(batches((), part=part).epoch(epoch), batches(mix, part=part).epoch(epoch), strict=True)
        for before, after in pairs:
            assert after.images.isfinite().all()
            if len(before.labels) == 1:
                torch.testing.assert_close(after.images, before.images)
                assert after.mixed is None or torch.equal(after.mixed.labels, after.labels)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_loss_between_is_that_of_soft_targets(share: float, label_smoothing: float) -> None:
    logits = torch.randn(16, CLASSES, dtype=torch.float64, requires_grad=True)
    own, partner = torch.randint(CLASSES, (2, 16))
    mixed = Mixed(partner, torch.tensor(share, dtype=torch.float64))
    ours = mixed.between(*(cross_entropy(logits, labels, label_smoothing=label_smoothing) for labels in (own, partner)))
    targets = share * one_hot(own, CLASSES) + (1 - share) * one_hot(partner, CLASSES)
    expected = cross_entropy(logits, targets, label_smoothing=label_smoothing)
    torch.testing.assert_close(ours, expected)
    torch.testing.assert_close(*(torch.autograd.grad(loss, logits)[0] for loss in (ours, expected)))


def test_class_weights_count_by_the_classes_that_are_there() -> None:
    """With probabilities as targets, torch divides by the images, not by their weights; the loss between does not."""
    logits, weight = torch.randn(16, CLASSES, dtype=torch.float64), torch.rand(CLASSES, dtype=torch.float64)
    own = torch.randint(CLASSES, (16,))
    partner = own[torch.randperm(16)]
    mixed = Mixed(partner, torch.tensor(0.3, dtype=torch.float64))
    ours = mixed.between(*(cross_entropy(logits, labels, weight=weight) for labels in (own, partner)))
    each = [cross_entropy(logits, labels, weight=weight, reduction="none") for labels in (own, partner)]
    torch.testing.assert_close(ours, (0.3 * each[0] + 0.7 * each[1]).sum() / weight[own].sum())


def test_right_answers_count_by_their_share() -> None:
    mixed = Mixed(torch.tensor([1, 1, 2, 0]), torch.tensor(0.75))
    own, predicted = torch.tensor([0, 1, 2, 3]), torch.tensor([0, 1, 0, 0])
    right = mixed.between((predicted == own).sum(), (predicted == mixed.labels).sum())
    assert right.item() == pytest.approx(0.75 + 1.0 + 0.0 + 0.25)
