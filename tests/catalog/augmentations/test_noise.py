"""Noise that follows from a seed for each image."""

import pytest
import torch

from specforge.catalog.augmentations.noise import Noise, normal, random_bits, seeds
from tests.catalog.augmentations.pictures import generator


def test_every_bit_is_set_half_the_time_and_flips_half_of_the_others() -> None:
    """Neighbours in an image, neighbours in a batch and seeds that differ in one bit have nothing alike."""
    seed = seeds(64, generator())
    bits = random_bits(seed, 4096)
    assert bits.min() >= 0
    assert bits.max() < 2**32
    for other in (bits.roll(1, 0), bits.roll(1, 1), random_bits(seed ^ 1, 4096), random_bits(seed + 2**20, 4096), 0):
        flipped = bits ^ other
        for bit in range(32):
            # 262,144 coins: five standard deviations are 0.0049
            assert ((flipped >> bit) & 1).double().mean().item() == pytest.approx(0.5, abs=0.0049)


def test_seeds_that_overlap_give_no_shifted_copy() -> None:
    """Counting from a seed alone would repeat an image's noise, moved by the difference of two seeds."""
    first, shifted = random_bits(torch.tensor([[10, 1], [11, 2]]), 1000)
    assert not torch.isin(first, shifted).any()


def test_the_numbers_are_fixed() -> None:
    """They are part of what a run means, so they may not change. The first value is worked out in plain integers."""

    def mixed(value: int) -> int:
        value ^= value >> 16
        value = value * 0x21F0AAAD % 2**32
        value ^= value >> 15
        value = value * 0xD35A2D97 % 2**32
        return value ^ value >> 15

    seed = torch.tensor([[4_000_000_000, 77], [0, 2**32 - 1]])
    expected = [[mixed(mixed((one + place) % 2**32) ^ two) for place in range(5)] for one, two in seed.tolist()]
    assert random_bits(seed, 5).tolist() == expected


def test_values_are_normally_distributed() -> None:
    values = normal(seeds(1000, generator()), 999).double()
    assert values.shape == (1000, 999)
    count = values.numel()
    # five standard deviations of each mean over 999,000 values
    assert values.mean().item() == pytest.approx(0, abs=5 * (1 / count) ** 0.5)
    assert values.square().mean().item() == pytest.approx(1, abs=5 * (2 / count) ** 0.5)
    assert values.pow(4).mean().item() == pytest.approx(3, abs=5 * (96 / count) ** 0.5)
    for other in (values.roll(1, 0), values.roll(1, 1), values.roll(500, 1)):
        assert (values * other).mean().item() == pytest.approx(0, abs=5 * (1 / count) ** 0.5)
    below = (values < torch.tensor([-3.0, -1.0, 0.0, 2.0])[:, None, None]).double().mean((1, 2))
    exact = torch.special.ndtr(torch.tensor([-3.0, -1.0, 0.0, 2.0], dtype=torch.float64))
    assert ((below - exact).abs() < 5 * (exact * (1 - exact) / count).sqrt()).all()


@pytest.mark.parametrize("std", [0.01, 0.05, 0.2])
def test_noise_on_grey_has_the_deviation_asked_for(std: float) -> None:
    grey = torch.full((200, 3, 16, 16), 128, dtype=torch.uint8)
    noise = Noise(std=std)
    change = noise.apply(grey, noise.draw(200, (16, 16), generator())).double() - 128
    # rounding to whole levels adds a variance of 1/12; 153,600 values leave the deviation 0.9% at five of its own
    expected = ((255 * std) ** 2 + 1 / 12) ** 0.5
    assert change.std().item() == pytest.approx(expected, rel=0.01)
    assert change.mean().item() == pytest.approx(0, abs=5 * expected / 153_600**0.5)


def test_noise_stops_at_black_and_white() -> None:
    ends = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 3, 32, 32)
    noise = Noise(std=1.0)
    black, white = noise.apply(ends, noise.draw(2, (32, 32), generator()))
    # half of the noise goes beyond the end; 3,072 values: five standard deviations are 0.045
    assert (black == 0).float().mean().item() == pytest.approx(0.5, abs=0.045)
    assert (white == 255).float().mean().item() == pytest.approx(0.5, abs=0.045)


def test_the_noise_of_a_pixel_does_not_depend_on_the_rest() -> None:
    seed = seeds(8, generator())
    assert torch.equal(random_bits(seed, 100)[2:3], random_bits(seed[2:3], 300)[:, :100])
