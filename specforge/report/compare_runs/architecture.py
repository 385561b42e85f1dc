"""A difference of two specs -> what became of the network, in a few lines."""

from collections.abc import Iterator
from dataclasses import dataclass

from specforge.diff import Difference
from specforge.diff.wording import network_lines, totals_lines
from specforge.report.compare_runs.compared import RunsComparison

MOST_LINES = 12


@dataclass(frozen=True, slots=True)
class NetworkChange:
    """How a run's network differs from the baseline's: a headline, and `(style, text)` lines as `diff` has them."""

    run: int
    headline: str
    lines: tuple[tuple[str, str], ...]


def network_changes(comparison: RunsComparison) -> tuple[NetworkChange, ...]:
    """One for each run with another network than the baseline."""
    return tuple(
        NetworkChange(at, _headline(found), tuple(_lines(found)))
        for at, found in enumerate(comparison.differences)
        if found is not None and found.architecture.all
    )


def _headline(difference: Difference) -> str:
    """`5 layers removed, 1 added`."""
    counts = {name: len(getattr(difference.architecture, name)) for name in ("removed", "added", "changed", "moved")}
    first, *others = [f"{count} {name}" for name, count in counts.items() if count]
    count, name = first.split()
    return ", ".join([f"{count} {'layer' if count == '1' else 'layers'} {name}", *others])


def _lines(difference: Difference) -> Iterator[tuple[str, str]]:
    found = list(network_lines(difference))
    yield from ((line.style, line.text) for line in found[:MOST_LINES])
    if len(found) > MOST_LINES:
        more = len(found) - MOST_LINES
        yield "note", f"and {more} lines more: specforge diff {difference.before} {difference.after}"
    yield from ((line.style, line.text) for line in totals_lines(difference))
