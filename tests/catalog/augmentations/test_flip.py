"""Flips against torchvision's functions for single images, with the same draws."""

import pytest
import torch

from specforge.catalog.augmentations import flip as flip_module
from specforge.catalog.augmentations.definition import Moment
from specforge.catalog.augmentations.flip import HorizontalFlip, VerticalFlip
from specforge.catalog.augmentations.resampling import Resampling

FLIPS = {"horizontal_flip": HorizontalFlip, "vertical_flip": VerticalFlip}
MEMORY = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def images(shape: tuple[int, int, int, int], memory: str) -> torch.Tensor:
    random = torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return random.contiguous(memory_format=MEMORY[memory])


@pytest.mark.parametrize("word", FLIPS)
@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("shape", [(16, 3, 32, 32), (5, 1, 8, 8), (1, 3, 6, 9), (3, 2, 4, 1)])
def test_equals_torchvision_image_by_image(shape: tuple[int, int, int, int], memory: str, word: str) -> None:
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    flip, given = FLIPS[word](), images(shape, memory)
    draws = flip.draw(len(given), shape[2:], torch.Generator().manual_seed(3))
    expected = [
        getattr(functional, word)(image) if drawn else image
        for image, drawn in zip(given, draws["flip"].tolist(), strict=True)
    ]
    before = given.clone()
    result = flip.apply(given, draws)
    assert result.dtype == torch.uint8
    assert torch.equal(result, torch.stack(expected))
    assert torch.equal(given, before), "the images that came in are not changed"


@pytest.mark.parametrize("word", FLIPS)
@pytest.mark.parametrize("shape", [(16, 3, 32, 32), (5, 1, 7, 8), (1, 3, 6, 9)])
def test_its_map_is_the_same_flip(shape: tuple[int, int, int, int], word: str) -> None:
    flip, given = FLIPS[word](), images(shape, "channels_last")
    draws = flip.draw(len(given), shape[2:], torch.Generator().manual_seed(3))
    assert torch.equal(Resampling()(given, flip.maps(draws)), flip.apply(given, draws))
    assert flip.resampling is None, "alone, it reads nothing between pixels"


@pytest.mark.parametrize("word", FLIPS)
@pytest.mark.parametrize("memory", MEMORY)
def test_keeps_the_memory_format(memory: str, word: str) -> None:
    given = images((8, 3, 12, 10), memory)
    result = FLIPS[word]().apply(given, {"flip": torch.arange(8) % 2 == 0})
    assert result.stride() == given.stride()


@pytest.mark.parametrize("word", FLIPS)
@pytest.mark.parametrize("probability", [0.0, 0.25, 0.5, 1.0])
def test_draws_as_often_as_asked(probability: float, word: str) -> None:
    draws = FLIPS[word](probability=probability).draw(40_000, (32, 32), torch.Generator().manual_seed(0))
    assert draws["flip"].shape == (40_000,)
    # five standard deviations of a coin thrown 40,000 times are 0.0125
    assert draws["flip"].float().mean().item() == pytest.approx(probability, abs=0.0125)


def test_draws_follow_the_generator_alone() -> None:
    flip = HorizontalFlip()
    first, again = (flip.draw(64, (8, 8), torch.Generator().manual_seed(7))["flip"] for _ in range(2))
    torch.manual_seed(0)
    assert torch.equal(first, again)
    assert not torch.equal(first, flip.draw(64, (8, 8), torch.Generator().manual_seed(8))["flip"])


def moment(rows: torch.Tensor, epoch: int, key: int = 2**62 + 5) -> Moment:
    return Moment(rows, epoch, key)


def flips(flip: HorizontalFlip | VerticalFlip, at: Moment) -> torch.Tensor:
    return flip.draw_at(at, (8, 8), torch.Generator().manual_seed(at.epoch))["flip"]


@pytest.mark.parametrize("word", FLIPS)
def test_alternating_flips_show_both_ways_in_turn(word: str) -> None:
    flip, rows = FLIPS[word](alternate=True), torch.randperm(1000, generator=torch.Generator().manual_seed(0))
    first, *others = (flips(flip, moment(rows, epoch)) for epoch in range(4))
    assert torch.equal(others[0], ~first)
    assert torch.equal(others[1], first)
    assert torch.equal(others[2], ~first)


def test_an_alternating_flip_belongs_to_the_image() -> None:
    """In another order and company, as every epoch shuffles."""
    flip, rows = HorizontalFlip(alternate=True), torch.arange(50_000)
    whole = flips(flip, moment(rows, 0))
    some = torch.tensor([49_999, 3, 17, 0])
    assert torch.equal(flips(flip, moment(some, 2)), whole[some])
    other = flips(flip, moment(rows, 0, key=7))
    # five standard deviations of 50,000 coins are 0.0112
    assert (other == whole).double().mean().item() == pytest.approx(0.5, abs=0.0112)
    assert (whole[1:] == whole[:-1]).double().mean().item() == pytest.approx(0.5, abs=0.0112)


@pytest.mark.parametrize("probability", [0.0, 0.25, 0.5, 1.0])
def test_alternating_flips_begin_as_often_as_asked(probability: float) -> None:
    flip = HorizontalFlip(probability=probability, alternate=True)
    first = flips(flip, moment(torch.arange(40_000), 0))
    assert first.float().mean().item() == pytest.approx(probability, abs=0.0125)


def test_rows_are_mixed_as_by_splitmix64() -> None:
    """Its first outputs from the state 1234567, as its author publishes them."""
    first = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    found = flip_module._drawn_for(torch.tensor([1, 2, 3]), 1234567)
    assert found.tolist() == [(value >> 11) / 2**53 for value in first]


def test_others_are_drawn_by_the_generator() -> None:
    flip, rows = HorizontalFlip(), torch.arange(100)
    drawn = flip.draw(100, (8, 8), torch.Generator().manual_seed(1))["flip"]
    assert torch.equal(flips(flip, moment(rows, 1)), drawn)
