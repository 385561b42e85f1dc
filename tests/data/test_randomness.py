"""Keys: fixed for ever, and different for everything that is different."""

from specforge.data.randomness import key


def test_keys_never_change() -> None:
    # a saved run is resumed with these numbers; another formula would continue with another order
    assert key(0, "shuffle", 0) == 3089410719962975365
    assert key(7, "augment", 3, 120) == 8575926025089893922


def test_every_part_of_the_position_counts() -> None:
    positions = [
        (seed, stream, epoch, step) for seed in range(5) for stream in "ab" for epoch in range(9) for step in range(9)
    ]
    keys = {key(*position) for position in positions}
    assert len(keys) == len(positions)
    assert key(0, "a", 11) != key(0, "a", 1, 1)
    assert key(0, "a", 1) != key(0, "a1") != key(0, "a, 1")


def test_keys_seed_a_generator() -> None:
    keys = [key(0, "stream", step) for step in range(1000)]
    assert min(keys) >= 0
    assert 2**62 < max(keys) < 2**63
