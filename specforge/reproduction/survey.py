"""A folder of specs -> what the page says of each, without torch.

In: the folder and what was measured. Out: a `Row` for every spec that describes an experiment, a `Known` for every
network of `zoo`. Bases and libraries of blocks are no experiments and left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from specforge.analysis import analyse
from specforge.catalog.discovery import word_for
from specforge.diagnostics import SpecError
from specforge.graph import Graph
from specforge.reproduction.finished import meaning
from specforge.reproduction.results import Measurement, Results
from specforge.spec import Reported, Source, Spec
from specforge.summary import Totals, totals

BASES, ZOO = "bases", "zoo"


@dataclass(frozen=True, slots=True)
class Measured:
    """The runs of one meaning together: the mean test accuracy, and how it varies with the seed."""

    accuracy: float
    deviation: float | None
    epochs: tuple[int, int]
    seeds: int
    settings: tuple[str, ...] = ()
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One experiment. `trains` says whether it has a recipe; `measured` is None where no run of it was recorded."""

    name: str
    path: str
    description: str
    source: Source
    dataset: str | None
    trains: bool
    parameters: Totals
    macs: int
    reported: tuple[Reported, ...]
    measured: Measured | None
    varied: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """One network of the zoo."""

    name: str
    path: str
    source: Source
    parameters: Totals
    macs: int


def survey(folder: Path, results: Results) -> tuple[list[Row], list[Known]]:
    """All specs below a folder, by their names; raises SpecError for one that is not right."""
    rows: list[Row] = []
    zoo: list[Known] = []
    for file in sorted(folder.rglob("*.yaml")):
        path = file.relative_to(folder)
        if BASES in path.parts[:-1]:
            continue
        found = analyse(file)
        if found.is_partial and not found.findings.has_errors:
            continue
        spec, graph = found.require()
        if ZOO in path.parts[:-1]:
            zoo.append(Known(spec.name, path.as_posix(), spec.source or Source(), totals(graph), graph.macs))
        else:
            rows.append(_row(file, path.as_posix(), spec, graph, results))
    return sorted(rows, key=lambda row: row.name), sorted(zoo, key=lambda network: network.name)


def _row(file: Path, path: str, spec: Spec, graph: Graph, results: Results) -> Row:
    trains = spec.data is not None and spec.train is not None
    own, varied = _measured(file, results.of(spec.name)) if trains else (None, ())
    return Row(
        name=spec.name,
        path=path,
        description=" ".join((spec.description or "").split()),
        source=spec.source or Source(),
        dataset=word_for(spec.data.dataset) if spec.data else None,
        trains=trains,
        parameters=totals(graph),
        macs=graph.macs,
        reported=spec.reported,
        measured=own,
        varied=varied,
    )


def _measured(file: Path, runs: Sequence[Measurement]) -> tuple[Measured | None, tuple[Measured, ...]]:
    """What the spec measured as it is now, else as it was before; and what was measured with settings."""
    if not runs:
        return None, ()
    current = meaning(file).spec_hash
    own = [run for run in runs if run.spec_hash == current]
    before = [run for run in runs if not run.settings and run.spec_hash != current]
    if own:
        result: Measured | None = _together(own)
    else:
        newest = max(before, key=lambda run: run.date, default=None)
        alike = [run for run in before if newest is not None and run.spec_hash == newest.spec_hash]
        result = _together(alike, stale=True) if alike else None
    return result, tuple(_varied(file, [run for run in runs if run.settings and run.spec_hash != current]))


def _varied(file: Path, runs: Sequence[Measurement]) -> Iterator[Measured]:
    for spec_hash in dict.fromkeys(run.spec_hash for run in runs):
        alike = [run for run in runs if run.spec_hash == spec_hash]
        yield _together(alike, stale=not _still_means(file, alike[0]))


def _still_means(file: Path, run: Measurement) -> bool:
    try:
        return meaning(file, run.settings).spec_hash == run.spec_hash
    except SpecError:  # the settings name what the spec no longer has
        return False


def _together(runs: Sequence[Measurement], *, stale: bool = False) -> Measured:
    accuracies, epochs = [run.test_accuracy for run in runs], [run.epochs for run in runs]
    deviation = stdev(accuracies) if len(accuracies) > 1 else None
    settings = runs[0].settings if all(run.settings for run in runs) else ()
    return Measured(mean(accuracies), deviation, (min(epochs), max(epochs)), len(runs), settings, stale)
