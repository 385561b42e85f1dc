"""Orders of an epoch: every row once, or every class equally often; keyed, and as long as the part."""

import pytest
import torch

from specforge.data.randomness import key
from specforge.data.sampling import epoch_order

RARE = torch.tensor([2] * 5 + [0] * 900 + [7] * 95)[torch.randperm(1000, generator=torch.Generator().manual_seed(9))]


def generator(epoch: int = 0, seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(key(seed, "shuffle", epoch))


def test_uniform_is_every_row_once() -> None:
    order = epoch_order(RARE, "uniform", generator())
    assert sorted(order.tolist()) == list(range(1000))
    assert torch.equal(order, torch.randperm(1000, generator=generator()))


def test_uniform_orders_never_change() -> None:
    # written down: another order would be another result for the same spec
    assert epoch_order(torch.zeros(8), "uniform", generator()).tolist() == [6, 3, 1, 5, 0, 2, 7, 4]


def test_balanced_draws_every_class_equally_often() -> None:
    orders = torch.cat([epoch_order(RARE, "balanced", generator(epoch)) for epoch in range(60)])
    counts = torch.bincount(RARE[orders], minlength=8)
    assert counts.nonzero().flatten().tolist() == [0, 2, 7]
    # 60,000 draws of probability 1/3: five standard deviations are 577
    assert (counts[[0, 2, 7]] - 20_000).abs().max() < 577


def test_balanced_draws_the_images_of_a_class_equally_often() -> None:
    orders = torch.cat([epoch_order(RARE, "balanced", generator(epoch)) for epoch in range(60)])
    for label in (0, 2, 7):
        rows = (label == RARE).nonzero().flatten()
        seen = torch.bincount(orders, minlength=1000)[rows].double()
        expected = 20_000 / len(rows)
        assert (seen - expected).pow(2).sum() / expected < len(rows) + 5 * (2 * len(rows)) ** 0.5, "chi-squared"


def test_balanced_has_the_length_of_the_part_and_repeats_rows() -> None:
    order = epoch_order(RARE, "balanced", generator())
    assert (order.shape, order.dtype) == ((1000,), torch.int64)
    assert len(order.unique()) < 700


@pytest.mark.parametrize("sampling", ["uniform", "balanced"])
def test_the_generator_alone_decides(sampling: str) -> None:
    def order(epoch: int, seed: int = 0) -> list[int]:
        return epoch_order(RARE, sampling, generator(epoch, seed)).tolist()  # type: ignore[arg-type]

    first = order(0)
    torch.manual_seed(5)
    assert order(0) == first
    assert first != order(1)
    assert first != order(0, seed=1)


@pytest.mark.parametrize("labels", [[0], [3], [3, 3, 3], [0, 1]])
def test_small_parts(labels: list[int]) -> None:
    order = epoch_order(torch.tensor(labels), "balanced", generator())
    assert len(order) == len(labels)
    assert 0 <= int(order.min()) <= int(order.max()) < len(labels)
