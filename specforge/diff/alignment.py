"""Which positions of two sequences belong together, in order.

common("conv relu pool", "conv norm relu pool")  ->  [(0, 0), (1, 2), (2, 3)]

Positions outside of the pairs form gaps: what was removed on one side and added on the other.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
Pairs = list[tuple[int, int]]

MAX_EDITS = 500
MAX_COMPARISONS = 40_000
FEW_COMPARISONS = 2_500


def common(before: Sequence[Hashable], after: Sequence[Hashable], sizes: Sequence[int] = ()) -> Pairs | None:
    """A longest common subsequence; None after `MAX_EDITS` differences.

    The equal start and end are taken first, so an insertion into equal neighbours is one run. What lies between is the
    pairs with the greatest total of `sizes` (one for each of `before`), where that is little work; else Myers' greedy
    O(ND) algorithm (https://doi.org/10.1007/BF01840446): linear for few differences.
    """
    length = min(len(before), len(after))
    start = next((n for n in range(length) if before[n] != after[n]), length)
    end = next((n for n in range(length - start) if before[-1 - n] != after[-1 - n]), length - start)
    inner, other = before[start : len(before) - end], after[start : len(after) - end]
    if sizes and len(inner) * len(other) <= FEW_COMPARISONS:
        weights = dict(zip(inner, sizes[start:], strict=False))
        middle = similar(inner, other, lambda one, another: weights[one] if one == another else 0)
    else:
        middle = _shortest_edit(inner, other)
    if middle is None:
        return None
    pairs = [(n, n) for n in range(start)]
    pairs += [(start + x, start + y) for x, y in middle]
    return pairs + [(len(before) - end + n, len(after) - end + n) for n in range(end)]


def _shortest_edit(before: Sequence[Hashable], after: Sequence[Hashable]) -> Pairs | None:
    """Myers' forward search: `furthest[k]` is the longest reach in `before` on the diagonal x - y = k."""
    furthest = {1: 0}
    reached: list[dict[int, int]] = []
    for edits in range(len(before) + len(after) + 1):
        if edits > MAX_EDITS:
            return None
        reached.append({k: furthest[k] for k in range(-edits - 1, edits + 2) if k in furthest})
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and furthest[k - 1] < furthest[k + 1])
            x = furthest[k + 1] if down else furthest[k - 1] + 1
            while x < len(before) and 0 <= x - k < len(after) and before[x] == after[x - k]:
                x += 1
            furthest[k] = x
            if x >= len(before) and x - k >= len(after):
                return _traced(reached, len(before), len(after))
    raise AssertionError("an edit of all positions always reaches the end")


def _traced(reached: list[dict[int, int]], x: int, y: int) -> Pairs:
    """The equal positions on the way back from the end."""
    pairs: Pairs = []
    for edits in range(len(reached) - 1, -1, -1):
        furthest, k = reached[edits], x - y
        down = k == -edits or (k != edits and furthest[k - 1] < furthest[k + 1])
        previous = k + 1 if down else k - 1
        start = furthest[previous]
        while x > max(start, 0) and y > max(start - previous, 0):
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = start, start - previous
    return pairs[::-1]


def similar(before: Sequence[T], after: Sequence[T], likeness: Callable[[T, T], float]) -> Pairs | None:
    """The pairs, in order, with the greatest total likeness (0: never a pair); None where there are too many."""
    if len(before) * len(after) > MAX_COMPARISONS:
        return None
    best = [[0.0] * (len(after) + 1) for _ in range(len(before) + 1)]
    found: dict[tuple[int, int], float] = {}
    for x in range(len(before) - 1, -1, -1):
        for y in range(len(after) - 1, -1, -1):
            alike = found[x, y] = likeness(before[x], after[y])
            paired = best[x + 1][y + 1] + alike if alike else 0.0
            best[x][y] = max(paired, best[x + 1][y], best[x][y + 1])
    pairs: Pairs = []
    x = y = 0
    while x < len(before) and y < len(after):
        alike = found[x, y]
        if alike and best[x][y] == best[x + 1][y + 1] + alike:
            pairs.append((x, y))
            x, y = x + 1, y + 1
        elif best[x][y] == best[x + 1][y]:
            x += 1
        else:
            y += 1
    return pairs


def gaps(pairs: Pairs, before: Sequence[T], after: Sequence[T]) -> Iterator[tuple[Sequence[T], Sequence[T]]]:
    """What lies between the pairs, where anything does."""
    x = y = 0
    for next_x, next_y in [*pairs, (len(before), len(after))]:
        if next_x > x or next_y > y:
            yield before[x:next_x], after[y:next_y]
        x, y = next_x + 1, next_y + 1
