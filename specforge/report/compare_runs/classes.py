"""Two results -> which classes of the test set gained and which lost most between them."""

from dataclasses import dataclass

from specforge.report.run import Result


@dataclass(frozen=True, slots=True)
class ClassChange:
    """A class's accuracy in the baseline and in another run."""

    index: int
    name: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        return self.after - self.before


def class_changes(before: Result | None, after: Result | None) -> tuple[ClassChange, ...]:
    """All classes that both tested, the largest gain first; none when the classes are not the same ones."""
    if before is None or after is None or _names(before) != _names(after):
        return ()
    old = {entry.index: entry.accuracy for entry in before.per_class}
    changes = []
    for entry in after.per_class:
        known = old[entry.index]
        if known is not None and entry.accuracy is not None:
            changes.append(ClassChange(entry.index, entry.name, known, entry.accuracy))
    return tuple(sorted(changes, key=lambda change: (-change.difference, change.index)))


def extremes(changes: tuple[ClassChange, ...], most: int) -> tuple[tuple[ClassChange, ...], tuple[ClassChange, ...]]:
    """The largest gains and the largest losses, each with the largest first."""
    gained = tuple(change for change in changes if change.difference > 0)[:most]
    lost = tuple(change for change in reversed(changes) if change.difference < 0)[:most]
    return gained, lost


def _names(result: Result) -> list[tuple[int, str]]:
    return sorted((entry.index, entry.name) for entry in result.per_class)
