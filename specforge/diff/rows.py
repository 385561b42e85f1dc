"""Two networks next to each other: what belongs together stands in one row.

    conv_1   [8, 16, 16]   |  conv_1        [8, 16, 16]
                           |  batch_norm_1  [8, 16, 16]     added
    relu_1   [8, 16, 16]   |  relu_1        [8, 16, 16]

In: two sides and their difference. Out: rows in the second network's order of execution; what is gone stands behind
what was before it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from specforge.diff.difference import Alteration, Difference, Place
from specforge.diff.matching import match
from specforge.diff.sides import Side

Status = Literal["same", "changed", "consequence", "added", "removed", "moved"]


@dataclass(frozen=True, slots=True)
class Row:
    """A layer before, after, or both. A moved one has two rows, each with one side.

    `alteration` says what became of it.
    """

    before: Place | None
    after: Place | None
    status: Status
    alteration: Alteration | None = None


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows in a row that are the same on both sides, which a reader may skip."""

    rows: tuple[Row, ...]


def rows(before: Side, after: Side, difference: Difference) -> list[Row]:
    """All of both networks."""
    found = match((before.model, before.graph), (after.model, after.graph))
    told = _told(difference)
    placed: list[tuple[float, Row]] = []
    for old, new in found.pairs:
        alteration = told.get(new.path)
        status: Status = "same"
        if alteration is not None:
            status = "changed" if alteration.action == "changed" else "consequence"
        before_it, after_it = _spelled_out(old.place(), alteration, 0), _spelled_out(new.place(), alteration, 1)
        placed.append((new.position, Row(before_it, after_it, status, alteration)))
    for old, new in found.moved:
        alteration = told.get(new.path)
        placed.append((found.translated(old.position), Row(old.place(), None, "moved", alteration)))
        placed.append((new.position, Row(None, new.place(), "moved", alteration)))
    placed += [(new.position, Row(None, new.place(), "added", told.get(new.path))) for new in found.added]
    placed += [(found.translated(old.position), Row(old.place(), None, "removed")) for old in found.removed]
    return [row for _, row in sorted(placed, key=lambda each: each[0])]


def _spelled_out(place: Place, alteration: Alteration | None, side: int) -> Place:
    """With the arguments that differ also where they have their default."""
    settings = () if alteration is None else alteration.arguments
    given = {each.path: (each.before, each.after)[side] for each in settings if "." not in each.path}
    unsaid = {name: value for name, value in given.items() if value is not None and name not in place.arguments}
    return replace(place, arguments={**place.arguments, **unsaid}) if unsaid else place


def folded(found: Sequence[Row], context: int = 2) -> Iterator[Row | Fold]:
    """The rows, with those that are the same and more than `context` away from a difference as folds."""
    shown: set[int] = set()
    for place, row in enumerate(found):
        if row.status != "same":
            shown.update(range(place - context, place + context + 1))
    hidden: list[Row] = []
    for place, row in enumerate(found):
        if place in shown:
            yield from _fold(hidden, context)
            hidden = []
            yield row
        else:
            hidden.append(row)
    yield from _fold(hidden, context)


def _fold(hidden: list[Row], context: int) -> Iterator[Row | Fold]:
    """A fold of one or two rows would save nothing."""
    if len(hidden) > max(context, 1):
        yield Fold(tuple(hidden))
    else:
        yield from hidden


def _told(difference: Difference) -> dict[str, Alteration]:
    """What became of the layers of the second network, by their paths."""
    found = {}
    for alteration in difference.architecture.all:
        for each in (*alteration.consequences, alteration):
            if each.after is not None and each.after.kind != "model" and each.action != "renamed":
                found[each.after.path] = each
    return found
