"""Mixes against torchvision's transforms of the same draws, and against the distributions of their papers."""

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from specforge.catalog.mixes.cutmix import Cutmix
from specforge.catalog.mixes.definition import Draw, Mix
from specforge.catalog.mixes.mixup import Mixup

SHAPES = [(16, 3, 32, 32), (5, 1, 8, 8), (2, 3, 6, 9), (1, 3, 4, 4), (3, 2, 7, 1)]
SHARES = [0.0, 1e-4, 0.3, 0.5, 0.97, 1.0]


def images(shape: tuple[int, int, int, int]) -> torch.Tensor:
    """Normalised, as training has them: channels last also where there is one channel."""
    count, channels, height, width = shape
    random = torch.randn((count, height, width, channels), generator=torch.Generator().manual_seed(0))
    return random.permute(0, 3, 1, 2)


def rolled(count: int) -> torch.Tensor:
    """torchvision's partner of an image is the one before it."""
    return torch.arange(count).roll(1)


def draws(mix: Mix, count: int, *, images: int = 4) -> list[Draw | None]:
    random = np.random.RandomState(3)
    return [mix.draw(images, random) for _ in range(count)]


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("shape", SHAPES)
def test_mixup_equals_torchvision(shape: tuple[int, int, int, int], share: float) -> None:
    v2 = pytest.importorskip("torchvision.transforms.v2")
    given = images(shape)
    expected = v2.MixUp(num_classes=2).transform(
        given, {"lam": share, "labels": torch.zeros(len(given)), "batch_size": len(given)}
    )
    before = given.clone()
    result, kept = Mixup().apply(given, Draw(share, rolled(len(given)), (0.5, 0.5)))
    torch.testing.assert_close(result, expected)
    assert kept == share
    assert result.stride() == given.stride()
    assert torch.equal(given, before), "the images that came in are not changed"


@pytest.mark.parametrize("middle", [(0, 0), (3, 0), (1, 5), (31, 31)])
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("shape", SHAPES)
def test_cutmix_equals_torchvision(
    shape: tuple[int, int, int, int], share: float, middle: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    v2 = pytest.importorskip("torchvision.transforms.v2")
    given, (height, width) = images(shape), shape[2:]
    row, column = middle[0] % height, middle[1] % width
    theirs = v2.CutMix(num_classes=2)
    monkeypatch.setattr(theirs, "_dist", _Always(share))
    numbers = iter([column, row])
    monkeypatch.setattr(torch, "randint", lambda *_, **__: torch.tensor([next(numbers)]))
    parameters = theirs.make_params([given])
    expected = theirs.transform(given, {**parameters, "labels": torch.zeros(len(given)), "batch_size": len(given)})
    before = given.clone()
    place = ((row + 0.5) / height, (column + 0.5) / width)
    result, kept = Cutmix().apply(given, Draw(share, rolled(len(given)), place))
    assert torch.equal(result, expected)
    assert kept == pytest.approx(parameters["lam_adjusted"], abs=1e-12)
    assert result.stride() == given.stride()
    assert torch.equal(given, before), "the images that came in are not changed"


class _Always:
    def __init__(self, share: float):
        self._share = share

    def sample(self, shape: Any) -> torch.Tensor:
        return torch.tensor([self._share], dtype=torch.float64)


def test_cutmix_says_what_share_of_pixels_is_left() -> None:
    given = torch.arange(6.0)[:, None, None, None].expand(6, 3, 13, 20).contiguous()
    for draw in draws(Cutmix(), 200, images=6):
        assert draw is not None
        result, kept = Cutmix().apply(given, draw)
        strangers = draw.partners != torch.arange(6)
        left = (result == given).float().mean((1, 2, 3))
        torch.testing.assert_close(left[strangers], torch.full_like(left[strangers], kept))


@pytest.mark.parametrize("kind", [Mixup, Cutmix])
@pytest.mark.parametrize("alpha", [0.001, 0.2, 1.0, 4.0, 1000.0])
def test_shares_are_beta_distributed(kind: type[Mix], alpha: float) -> None:
    shares = torch.tensor([draw.share for draw in draws(kind(alpha=alpha), 20_000) if draw], dtype=torch.float64)
    assert shares.min() >= 0
    assert shares.max() <= 1
    variance = 1 / (4 * (2 * alpha + 1))
    # five standard deviations of a mean of 20,000; the variance's is smaller relative to what it measures
    assert shares.mean().item() == pytest.approx(0.5, abs=5 * (variance / 20_000) ** 0.5)
    assert shares.var().item() == pytest.approx(variance, rel=0.05)


def test_a_uniform_share_gives_boxes_with_their_middle_anywhere() -> None:
    """With alpha 1 the box's area before cutting off is uniform; a quarter is cut off when it covers half the sides."""
    places = torch.tensor([draw.place for draw in draws(Cutmix(), 20_000) if draw], dtype=torch.float64)
    assert places.mean(0).tolist() == pytest.approx([0.5, 0.5], abs=0.011)
    assert places.var(0).tolist() == pytest.approx([1 / 12, 1 / 12], rel=0.03)
    assert abs(torch.corrcoef(places.T)[0, 1].item()) < 0.036
    given = torch.zeros(1, 1, 64, 64)
    kept = [Cutmix().apply(given, draw)[1] for draw in draws(Cutmix(), 4_000, images=1) if draw]
    # the share of a side that is covered is s - s²/4 for a box of side s, and s² is uniform: E[(s - s²/4)²] = 17/96
    expected = 1 - sum((s - s * s / 4) ** 2 for s in (((k + 0.5) / 1000) ** 0.5 for k in range(1000))) / 1000
    assert np.mean(kept) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("kind", [Mixup, Cutmix])
def test_every_order_of_partners_is_as_likely(kind: type[Mix]) -> None:
    found = [tuple(draw.partners.tolist()) for draw in draws(kind(), 6_000, images=3) if draw]
    counts = [found.count(order) for order in sorted(set(found))]
    assert len(counts) == 6
    assert min(counts) > 850
    assert max(counts) < 1_150


@pytest.mark.parametrize("kind", [Mixup, Cutmix])
@pytest.mark.parametrize("probability", [0.0, 0.25, 1.0])
def test_mixes_as_many_batches_as_asked(kind: type[Mix], probability: float) -> None:
    mixed = sum(draw is not None for draw in draws(kind(probability=probability), 10_000))
    # five standard deviations of a coin thrown 10,000 times are 0.025
    assert mixed / 10_000 == pytest.approx(probability, abs=0.025 if 0 < probability < 1 else 0)


@pytest.mark.parametrize("kind", [Mixup, Cutmix])
@pytest.mark.parametrize("count", [1, 2])
def test_small_batches(kind: type[Mix], count: int) -> None:
    given = images((count, 3, 8, 8))
    for draw in draws(kind(), 20, images=count):
        assert draw is not None
        result, kept = kind().apply(given, draw)
        assert 0 <= kept <= 1
        if draw.partners.tolist() == list(range(count)):
            torch.testing.assert_close(result, given)


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"alpha": -1.0}, {"alpha": 1001.0}, {"probability": 1.1}])
def test_refuses_numbers_out_of_range(wrong: dict[str, float]) -> None:
    for kind in (Mixup, Cutmix):
        with pytest.raises(ValidationError):
            kind(**wrong)
