"""A difference of two specs -> what became of the network, in a few lines."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from specforge.diff import Difference, lines
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
    found = list(lines(replace(difference, recipe=(), data=())))[1:]
    # the layers come first, then parameters and MACs as plain lines, then whether weights would load
    totals = next(at for at, (style, _) in enumerate(found) if style == "plain")
    yield from found[: min(totals, MOST_LINES)]
    if totals > MOST_LINES:
        yield "note", f"and {totals - MOST_LINES} lines more: specforge diff {difference.before} {difference.after}"
    yield from found[totals : totals + 2]
