"""Divides a data set into training, validation and test rows.

In: the `split` of a spec, the sizes of the official parts and the labels. Out: for every part the rows of the data
set that belong to it, ascending. The spec was checked before (`specforge.checks.data_split`).

    divide(Split(train=0.6, validation=0.2, test=0.2), train=50_000, test=10_000, labels=labels)
    # Parts of 36,000, 12,000 and 12,000 rows, drawn from all 60,000
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specforge.checks.data_split import fractions_of, part_sizes, range_rows
from specforge.data.randomness import key
from specforge.spec import Split

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Parts:
    """Rows of the data set, ascending and in no two parts."""

    train: Rows
    validation: Rows | None
    test: Rows


def divide(split: Split, *, train: int, test: int, labels: Rows) -> Parts:
    """The rows of each part. `train` and `test` are the official sizes; their rows come in this order."""
    if isinstance(split.train, tuple):
        assert not isinstance(split.validation, float), "checked before: ranges and fractions do not mix"
        chosen = {"train": _rows_of(split.train, train)}
        if split.validation is not None:
            chosen["validation"] = _rows_of(split.validation, train)
    else:
        pool = train if split.test == "official" else train + test
        shares = fractions_of(split)
        order = _drawn_order(labels[:pool], seed=split.seed, stratified=split.stratified)
        ends = np.cumsum(part_sizes(tuple(shares.values()), pool))
        chosen = {name: np.sort(rows) for name, rows in zip(shares, np.split(order, ends)[: len(shares)], strict=True)}
    official = np.arange(train, train + test, dtype=np.int64)
    return Parts(chosen["train"], chosen.get("validation"), chosen.get("test", official))


def _rows_of(bounds: tuple[tuple[float, float], ...], count: int) -> Rows:
    return np.concatenate([np.asarray(range_rows(bound, count), dtype=np.int64) for bound in bounds])


def _drawn_order(labels: Rows, *, seed: int, stratified: bool) -> Rows:
    """All rows in an order drawn by the seed; cutting it into consecutive parts is the split."""
    drawn = key(seed, "split")
    # RandomState, because numpy promises that its numbers never change; a split must outlive numpy's versions
    random = np.random.RandomState([drawn >> 32, drawn & 0xFFFFFFFF])
    order: Rows = random.permutation(len(labels)).astype(np.int64)
    if not stratified:
        return order
    # every class is spread evenly over 0..1 (its k-th of n images at (k + 1/2) / n), so any cut takes its share
    by_class = np.argsort(labels[order], kind="stable")
    sorted_labels = labels[order][by_class]
    first, after = (np.searchsorted(sorted_labels, sorted_labels, side=side) for side in ("left", "right"))
    place = np.empty(len(labels))
    place[by_class] = (np.arange(len(labels)) - first + 0.5) / (after - first)
    return order[np.argsort(place, kind="stable")]
