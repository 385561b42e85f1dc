"""An architecture's differences -> what is said at once, in the order of execution.

A change in a block that is used eight times is one change of the text: its eight layers make one `Fold`, as do the
layers of a composite that came, went or moved whole, and those of all iterations that a `repeat` makes more or less.
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from specforge.diff.difference import Action, Alteration, Architecture, Repetition


@dataclass(frozen=True, slots=True)
class Fold:
    """Differences that are one for who wrote them. `paths` are the layers, or the composites that `members` fill."""

    action: Action
    members: tuple[Alteration, ...]
    paths: tuple[str, ...]
    repetition: Repetition | None = None

    @property
    def order(self) -> float:
        return min((member.order for member in self.members), default=0.0)

    @property
    def is_whole(self) -> bool:
        """Whether composites came, went or moved, rather than single layers."""
        return len(self.members) > len(self.paths)

    @property
    def first(self) -> tuple[Alteration, ...]:
        """The members at the first of its places."""
        return self.members[: len(self.members) // len(self.paths)]

    @property
    def consequences(self) -> list[Alteration]:
        return [each for member in self.members for each in member.consequences]


def folds(architecture: Architecture) -> list[Fold]:
    """All but what is only renamed."""
    found = list(_repeated(architecture))
    told = {id(member) for fold in found for member in fold.members}
    causes = [each for each in architecture.all if each.action != "renamed" and id(each) not in told]
    return sorted([*found, *_of_places(_of_groups(causes))], key=lambda fold: fold.order)


def _repeated(architecture: Architecture) -> Iterator[Fold]:
    """A repetition inside of iterations that came or went themselves is told with those."""
    alike: dict[Hashable, list[Repetition]] = {}
    for each in architecture.repeated:
        at = each.at and each.at[:3]
        alike.setdefault((at, each.before, each.after, each.added, each.removed), []).append(each)
    for same in alike.values():
        groups = {f"{path}.": action for each in same for path, action in each.groups().items()}
        members = [
            each
            for action in ("added", "removed")
            for each in getattr(architecture, action)
            if any(each.place.path.startswith(group) for group, of in groups.items() if of == action)
        ]
        if members:
            yield Fold("changed", tuple(members), tuple(each.path for each in same), same[0])


def _of_groups(causes: Iterable[Alteration]) -> Iterator[Fold]:
    """Layers of composites that came, went or moved whole together, others alone."""
    for (action, group), run in groupby(causes, key=lambda each: (each.action, each.place.group)):
        members = tuple(run)
        if group is None:
            yield from (Fold(action, (member,), (member.place.path,)) for member in members)
        else:
            yield Fold(action, members, (group,))


def _of_places(found: Iterable[Fold]) -> Iterator[Fold]:
    """Those that were written in the same place as one."""
    alike: dict[Hashable, list[Fold]] = {}
    for fold in found:
        alike.setdefault(_written(fold), []).append(fold)
    for same in alike.values():
        members = tuple(member for fold in same for member in fold.members)
        yield Fold(same[0].action, members, tuple(path for fold in same for path in fold.paths))


def _written(fold: Fold) -> Hashable:
    if fold.action == "moved" or any(member.place.span is None for member in fold.members):
        return fold.paths
    places = ((m.place.span, m.place.kind, *(setting.path for setting in m.arguments)) for m in fold.members)
    return fold.action, tuple((span and span[:3], *rest) for span, *rest in places)
