"""Splits partition the rows, whatever is asked for."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specforge.data.splits import Parts, divide
from specforge.spec import Split


def parts_of(train: int, test: int, labels: Any = None, /, **keys: Any) -> Parts:
    given_labels = np.arange(train + test) % 10 if labels is None else np.asarray(labels)
    return divide(Split(**keys), train=train, test=test, labels=given_labels.astype(np.int64))


def sizes(parts: Parts) -> tuple[int, ...]:
    return tuple(len(rows) for rows in (parts.train, parts.validation, parts.test) if rows is not None)


def all_rows(parts: Parts) -> np.ndarray:
    return np.concatenate([rows for rows in (parts.train, parts.validation, parts.test) if rows is not None])


def test_a_test_fraction_pools_the_official_parts() -> None:
    parts = parts_of(50_000, 10_000, train=0.6, validation=0.2, test=0.2)
    assert sizes(parts) == (36_000, 12_000, 12_000)
    assert sorted(all_rows(parts)) == list(range(60_000))
    for rows in (parts.train, parts.validation, parts.test):
        assert rows is not None
        assert (rows >= 50_000).mean() == pytest.approx(1 / 6, abs=0.02), "both official parts are everywhere"


def test_by_default_the_official_parts_stay() -> None:
    parts = parts_of(50, 10)
    assert parts.train.tolist() == list(range(50))
    assert parts.validation is None
    assert parts.test.tolist() == list(range(50, 60))


def test_a_validation_fraction_is_of_the_official_training_set() -> None:
    parts = parts_of(50_000, 10_000, train=0.9, validation=0.1)
    assert sizes(parts) == (45_000, 5_000, 10_000)
    assert parts.test.tolist() == list(range(50_000, 60_000))
    assert parts.validation is not None
    assert parts.validation.max() < 50_000


def test_ranges_are_in_the_data_sets_order() -> None:
    parts = parts_of(50_000, 10_000, train=((0, 0.35), (0.45, 1)), validation=((0.35, 0.45),))
    assert parts.train.tolist() == [*range(17_500), *range(22_500, 50_000)]
    assert parts.validation is not None
    assert parts.validation.tolist() == list(range(17_500, 22_500))
    assert parts.test.tolist() == list(range(50_000, 60_000))


def test_the_seed_decides_and_the_draw_never_changes() -> None:
    first, again, other = (parts_of(20, 0, train=0.7, test=0.3, seed=seed) for seed in (1, 1, 2))
    assert first.train.tolist() == again.train.tolist() != other.train.tolist()
    # written down, so that no version of numpy can change what a spec means
    assert first.test.tolist() == [5, 6, 7, 10, 14, 17]


FRACTIONS = st.lists(st.integers(1, 50), min_size=2, max_size=3).map(
    lambda weights: [weight / sum(weights) for weight in weights]
)


@given(
    shares=FRACTIONS,
    train=st.integers(0, 300),
    test=st.integers(0, 100),
    stratified=st.booleans(),
    pooled=st.booleans(),
    seed=st.integers(0, 5),
)
def test_fractions_partition_the_rows(
    shares: list[float], train: int, test: int, stratified: bool, pooled: bool, seed: int
) -> None:
    keys: dict[str, Any] = {"train": shares[0], "seed": seed, "stratified": stratified}
    keys |= {"test": shares[-1]} if pooled else {"validation": shares[-1]}
    complete = len(shares) == 2 or pooled
    if len(shares) == 3 and pooled:
        keys["validation"] = shares[1]
    parts = parts_of(train, test, **keys)
    rows = all_rows(parts).tolist()
    assert len(set(rows)) == len(rows)
    assert set(rows) <= set(range(train + test))
    for part in (parts.train, parts.validation, parts.test):
        assert part is None or (np.diff(part) > 0).all()
    if complete:
        assert len(rows) == train + test


CUTS = st.lists(st.integers(1, 99), min_size=1, max_size=6, unique=True).map(sorted)


@given(cuts=CUTS, train=st.integers(0, 300), test=st.integers(0, 20))
def test_ranges_partition_the_rows(cuts: list[int], train: int, test: int) -> None:
    edges = [0.0, *(cut / 100 for cut in cuts), 1.0]
    ranges = list(pairwise(edges))
    parts = parts_of(train, test, train=tuple(ranges[::2]), validation=tuple(ranges[1::2]))
    assert sorted(all_rows(parts).tolist()) == list(range(train + test))


@given(
    counts=st.lists(st.integers(0, 60), min_size=1, max_size=8),
    weights=st.lists(st.integers(1, 9), min_size=2, max_size=3),
    seed=st.integers(0, 5),
)
def test_stratified_parts_hold_their_share_of_every_class(counts: list[int], weights: list[int], seed: int) -> None:
    labels = np.random.RandomState(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    shares = [weight / sum(weights) for weight in weights]
    keys: dict[str, Any] = {"train": shares[0], "test": shares[-1], "seed": seed}
    if len(shares) == 3:
        keys["validation"] = shares[1]
    plain = parts_of(len(labels), 0, labels, **keys)
    parts = parts_of(len(labels), 0, labels, stratified=True, **keys)
    assert sizes(parts) == sizes(plain), "how many is not changed by which"
    given_parts = [rows for rows in (parts.train, parts.validation, parts.test) if rows is not None]
    for rows, share in zip(given_parts, shares, strict=True):
        found = np.bincount(labels[rows], minlength=len(counts))
        for count, number in zip(counts, found, strict=True):
            # a cut is off by half an image in every class, and one class may have to make up for all the others
            assert abs(number - share * count) <= 2 + len(counts) * count / max(len(labels), 1)


def test_stratified_on_equal_classes_is_exact() -> None:
    labels = np.random.RandomState(0).permutation(np.repeat(np.arange(100), 600))
    parts = parts_of(50_000, 10_000, labels, train=0.6, validation=0.2, test=0.2, stratified=True)
    assert np.bincount(labels[parts.train]).tolist() == [360] * 100
    assert np.bincount(labels[parts.test]).tolist() == [120] * 100


@given(classes=st.integers(1, 12), each=st.integers(1, 40), percent=st.integers(1, 99), seed=st.integers(0, 5))
def test_stratified_on_equal_classes_is_even(classes: int, each: int, percent: int, seed: int) -> None:
    labels = np.random.RandomState(seed).permutation(np.repeat(np.arange(classes), each))
    keys: dict[str, Any] = {"train": percent / 100, "validation": 1 - percent / 100, "seed": seed, "stratified": True}
    parts = parts_of(len(labels), 5, np.concatenate([labels, np.zeros(5, int)]), **keys)
    assert len(parts.train) == len(labels) * percent // 100
    found = np.bincount(labels[parts.train], minlength=classes)
    assert found.max() - found.min() <= 1
    assert parts.test.tolist() == list(range(len(labels), len(labels) + 5)), "the official test set stays as it is"


def test_stratified_validation_part_of_the_official_training_set() -> None:
    labels = np.random.RandomState(0).permutation(np.repeat(np.arange(100), 500))
    parts = parts_of(50_000, 10_000, [*labels, *[0] * 10_000], train=0.9, validation=0.1, stratified=True)
    assert sizes(parts) == (45_000, 5_000, 10_000)
    assert np.bincount(labels[parts.train]).tolist() == [450] * 100


@given(cuts=st.lists(st.integers(0, 10_000), min_size=2, max_size=2, unique=True).map(sorted))
def test_a_range_cut_out_of_the_training_set_has_exactly_its_size(cuts: list[int]) -> None:
    """As [[0.35, 0.45]]: binary rounding of the bounds gains or loses no image."""
    start, end = (cut / 10_000 for cut in cuts)
    train = tuple(bounds for bounds in ((0.0, start), (end, 1.0)) if bounds[0] < bounds[1])
    parts = parts_of(50_000, 10, train=train or ((0.0, 1.0),), validation=((start, end),))
    assert parts.validation is not None
    assert parts.validation.tolist() == list(range(5 * cuts[0], 5 * cuts[1]))
    if train:
        assert len(parts.train) == 50_000 - 5 * (cuts[1] - cuts[0])


def test_stratified_is_still_drawn() -> None:
    first, other = (parts_of(200, 0, train=0.5, test=0.5, stratified=True, seed=seed) for seed in (0, 1))
    assert first.train.tolist() != other.train.tolist()


def test_stratified_does_not_favour_a_part_with_the_rare_classes() -> None:
    labels = np.concatenate([np.zeros(30, dtype=int), np.arange(1, 31)])
    parts = parts_of(60, 0, labels, train=0.5, test=0.5, stratified=True)
    assert (labels[parts.train] == 0).sum() == 15, "of thirty classes with one image, half are in either part"
