"""Whether a split can be made, and the exact arithmetic of how many images each part gets.

In: the `split` of a spec and what is known of its data set. Out: the problems found, in reading order of the keys,
without reading any image. Counting is exact: 0.6 means six tenths, not the nearest binary number, so that 0.6 of
60,000 images is 36,000.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import Literal, NamedTuple

from specforge.catalog.datasets.definition import Facts
from specforge.spec import Split

Ranges = tuple[tuple[float, float], ...]


class SplitProblem(NamedTuple):
    """One problem: the key of `split` it is about, what is wrong, and what to write instead.

    `invalid` cannot be made; `left_out` can, but some images are in no part; `no_effect` is a key that changes nothing.
    """

    kind: Literal["invalid", "left_out", "no_effect"]
    field: str
    message: str
    hint: str


def exact(share: float) -> Fraction:
    """The fraction that was meant: `0.6` is 3/5 and `0.3333333333333333` is 1/3."""
    return Fraction(share).limit_denominator(10**9)


def part_sizes(shares: Sequence[float], count: int) -> tuple[int, ...]:
    """How many of `count` images each share is, rounded down; the last one takes the remainder of the rounding."""
    fractions = [exact(share) for share in shares]
    first = [floor(fraction * count) for fraction in fractions[:-1]]
    return (*first, floor(sum(fractions, start=Fraction(0)) * count) - sum(first))


def range_rows(bounds: tuple[float, float], count: int) -> range:
    """The rows of a half-open range of `count` images: `(0.35, 0.45)` of 50,000 is 17,500 up to 22,500."""
    start, end = (floor(exact(bound) * count) for bound in bounds)
    return range(start, end)


def check_split(split: Split, facts: Facts) -> list[SplitProblem]:
    """All problems of a split. Counts that the data set's facts do not give are not checked."""
    ranges = isinstance(split.train, tuple) or isinstance(split.validation, tuple)
    problems = list(_range_problems(split, facts) if ranges else _fraction_problems(split, facts))
    if split.test == "official" and facts.test == 0:
        hint = "give `test` a fraction, such as `{train: 0.8, test: 0.2}`"
        problems.append(SplitProblem("invalid", "test", "the data set has no official test set", hint))
    return problems


def fractions_of(split: Split) -> dict[str, float]:
    """The parts that are given as fractions, in order: `{"train": 0.6, "validation": 0.2, "test": 0.2}`."""
    given = {"train": split.train, "validation": split.validation, "test": split.test}
    return {name: share for name, share in given.items() if isinstance(share, float)}


def _fraction_problems(split: Split, facts: Facts) -> Iterator[SplitProblem]:
    shares = fractions_of(split)
    outside = {name: share for name, share in shares.items() if not 0 < share <= 1}
    for name, share in outside.items():
        hint = f"write {share:g} percent as {share / 100:g}" if 1 < share <= 100 else "write a share above 0, up to 1"
        yield SplitProblem("invalid", name, f"{share:g} is not a fraction of the images", hint)
    if outside:
        return
    if all(share == 1 for share in shares.values()) and len(shares) == 1:
        yield from _without_effect(split, "nothing is divided at random")
    count = _count(split, facts)
    total = sum(map(exact, shares.values()), start=Fraction(0))
    if total > 1:
        yield _too_much(split, shares, total)
    elif count is not None:
        for name, size in zip(shares, part_sizes(tuple(shares.values()), count), strict=True):
            if size == 0:
                yield _empty(name, f"{shares[name]:g} of {count:,} images")
    if total < 1:
        of = "the images"
        if count is not None:
            of = f"the {count:,} images, {count - floor(total * count):,},"
        hint = f"raise `train` to {float(exact(shares['train']) + 1 - total):g}"
        yield SplitProblem("left_out", "train", f"{float(1 - total):g} of {of} belong to no part", hint)


def _count(split: Split, facts: Facts) -> int | None:
    """How many images the fractions are of: a test fraction pools the official parts first."""
    if split.test == "official" or facts.train is None:
        return facts.train
    return None if facts.test is None else facts.train + facts.test


def _too_much(split: Split, shares: dict[str, float], total: Fraction) -> SplitProblem:
    others = total - exact(shares["train"])
    written = " + ".join(f"{name} {share:g}" for name, share in shares.items())
    message = f"the parts add up to {float(total):g} of the images ({written})"
    if others >= 1:
        return SplitProblem("invalid", list(shares)[-1], message, "the fractions may add up to 1 at most")
    unwritten = "`train` is everything unless it is given: " if "train" not in split.model_fields_set else ""
    return SplitProblem("invalid", list(shares)[-1], message, f"{unwritten}write `train: {float(1 - others):g}`")


def _empty(name: str, what: str) -> SplitProblem:
    return SplitProblem("invalid", name, f"{what} is not one image", "give it a larger share")


def _without_effect(split: Split, why: str) -> Iterator[SplitProblem]:
    if split.stratified:
        yield SplitProblem("no_effect", "stratified", f"`stratified` has no effect: {why}", "remove it")
    if "seed" in split.model_fields_set:
        yield SplitProblem("no_effect", "seed", f"`seed` has no effect: {why}", "remove it")


def _range_problems(split: Split, facts: Facts) -> Iterator[SplitProblem]:
    parts = {"train": split.train, "validation": split.validation}
    ranges: dict[str, Ranges] = {name: part for name, part in parts.items() if isinstance(part, tuple)}
    sound = True
    for name, bounds in ranges.items():
        for problem in _unsound(name, bounds):
            sound = False
            yield problem
    yield from _mixtures(split, ranges, sound=sound)
    yield from _without_effect(split, "ranges are taken in the data set's own order")
    if not sound or not isinstance(split.train, tuple):
        return
    overlaps = list(_overlaps(ranges, facts))
    yield from overlaps
    if facts.train is not None:
        for name, bounds in ranges.items():
            if not any(range_rows(bound, facts.train) for bound in bounds):
                yield _empty(name, f"{_spelled(bounds)} of {facts.train:,} images")
    gaps = _gaps([bound for part in ranges.values() for bound in part])
    if gaps and not overlaps:
        yield SplitProblem(
            "left_out",
            "train",
            f"the training images in {_spelled(gaps)} belong to no part{_counted(gaps, facts)}",
            "add the range to `train`",
        )


def _unsound(name: str, bounds: Ranges) -> Iterator[SplitProblem]:
    """What is wrong with one part's ranges on their own."""
    if not bounds:
        yield SplitProblem("invalid", name, "the list of ranges is empty", "write ranges such as [[0, 0.8]]")
    for start, end in bounds:
        if not 0 <= start < end <= 1:
            message = f"[{start:g}, {end:g}] is not a range of the images"
            yield SplitProblem("invalid", name, message, "write [start, end] with 0 <= start < end <= 1")
    for before, after in pairwise(bounds):
        if before[0] <= after[0] < before[1]:
            message = f"the ranges {_spelled((before, after))} overlap"
            yield SplitProblem("invalid", name, message, f"start the second one at {before[1]:g}")
        elif after[0] < before[0]:
            message = f"the ranges {_spelled((before, after))} are out of order"
            yield SplitProblem("invalid", name, message, "write them in ascending order")


def _mixtures(split: Split, ranges: dict[str, Ranges], *, sound: bool) -> Iterator[SplitProblem]:
    """Fractions are drawn and ranges are not, so one split has one kind only."""
    if not isinstance(split.train, tuple):
        rest = _gaps(list(ranges["validation"])) if sound else ()
        hint = f"write `train: {_spelled(rest)}`" if rest else "write `train` as ranges too"
        yield SplitProblem("invalid", "train", "`validation` is given as ranges, but `train` is a fraction", hint)
    if isinstance(split.validation, float):
        message = "`train` is given as ranges, but `validation` is a fraction"
        yield SplitProblem("invalid", "validation", message, "write ranges, such as [[0.8, 1.0]]")
    if split.test != "official":
        message = "ranges are of the official training set, but a test fraction mixes the official parts"
        yield SplitProblem("invalid", "test", message, "write `test: official`, or every part as a fraction")


def _counted(bounds: Ranges, facts: Facts) -> str:
    """`: 5,000 of 50,000`, where the data set's size is known."""
    if facts.train is None:
        return ""
    return f": {sum(len(range_rows(bound, facts.train)) for bound in bounds):,} of {facts.train:,}"


def _overlaps(ranges: dict[str, Ranges], facts: Facts) -> Iterator[SplitProblem]:
    """Images that would be in both parts."""
    for train in ranges["train"]:
        for validation in ranges.get("validation", ()):
            start, end = max(train[0], validation[0]), min(train[1], validation[1])
            if start < end:
                count = _counted(((start, end),), facts)
                message = f"the images in [{start:g}, {end:g}] are in `train` too{count}"
                yield SplitProblem("invalid", "validation", message, "give every image to one part")


def _gaps(bounds: Sequence[tuple[float, float]]) -> Ranges:
    """What the ranges leave of 0 to 1: `[(0.35, 0.45)] -> ((0, 0.35), (0.45, 1))`."""
    gaps, reached = [], 0.0
    for start, end in sorted(bounds):
        if start > reached:
            gaps.append((reached, start))
        reached = max(reached, end)
    return tuple(gaps) + (((reached, 1.0),) if reached < 1 else ())


def _spelled(bounds: Ranges) -> str:
    """As users write ranges: `[[0, 0.35], [0.45, 1]]`."""
    return "[" + ", ".join(f"[{start:g}, {end:g}]" for start, end in bounds) + "]"
