"""A run directory and what its spec says -> `report.html`, one file that needs nothing else and runs nothing."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from specforge.graph.node import Graph
from specforge.report import figures
from specforge.report.changes import KEY, changes
from specforge.report.chart import build_chart
from specforge.report.comparison import compare
from specforge.report.confusion import build_matrix, confused_pairs, read_confusion
from specforge.report.diagram import build_diagram
from specforge.report.mistakes import pictures, read_mistakes
from specforge.report.panels import PARTS, build_panels
from specforge.report.run import RunRecord, finite, read_run
from specforge.report.writing import shown
from specforge.spec import Reported
from specforge.training import checksums

_FILTERS = (
    figures.compact, figures.whole, figures.percent, figures.number, figures.duration, figures.shape,
)  # fmt: skip


def write_report(
    run_dir: Path,
    *,
    name: str,
    description: str | None,
    source: str | None,
    layers: Sequence[Mapping[str, Any]],
    totals: Mapping[str, int | None],
    reported: Sequence[Reported | Mapping[str, Any]],
    graph: Graph | None = None,
) -> Path:
    """Write the page into the run directory. Raises `RunError` for a folder that is not a run.

    `layers` are rows `{path, kind, output, parameters, macs}` as `summary --format json` has them; `totals` may
    hold `trainable`, `non_trainable`, `total` and `macs`; `graph` is drawn. A run without a test result yet gets a page
    that says so.
    """
    run, confusion, mistakes = read_run(run_dir), read_confusion(run_dir), read_mistakes(run_dir)
    claims = [Reported.model_validate(claim) for claim in reported]
    page = _environment().get_template("report.html.j2").render(
        run=run,
        name=name,
        description=description,
        source=source,
        layers=layers,
        totals=totals,
        comparisons=compare(run, claims),
        charts=[build_chart(panel) for panel in build_panels(run, reported=claims)],
        columns=_columns(run),
        diagram=build_diagram(graph) if graph is not None else None,
        matrix=build_matrix(confusion) if confusion else None,
        pairs=confused_pairs(confusion, mistakes) if confusion else (),
        mistakes=pictures(mistakes.mistakes, mistakes.classes) if mistakes else (),
        changes=changes(run.environment),
        environment=_flat({key: value for key, value in run.environment.items() if key != KEY}),
        seconds=_seconds(run),
        images_per_second=_speed(run),
    )  # fmt: skip
    # a lone surrogate (a name read from a broken file) can't be encoded, and is no reason to lose the report
    return checksums.write(run_dir, "report.html", page.encode("utf-8", "replace"))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        # always: jinja's own rule goes by the file's ending, and `.j2` is not one it escapes
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({function.__name__: function for function in _FILTERS})
    return environment


def _columns(run: RunRecord) -> list[str]:
    """The metrics that have at least one value; a column of dashes says nothing."""
    metrics = [f"{part}_{quantity}" for part in PARTS for quantity in ("loss", "accuracy")]
    return [metric for metric in metrics if run.records(metric)]


def _seconds(run: RunRecord) -> float | None:
    if run.result is not None and run.result.seconds is not None:
        return run.result.seconds
    spent = [record.seconds for record in run.epochs if record.seconds is not None]
    return sum(spent) if spent else None


def _speed(run: RunRecord) -> float | None:
    """The median epoch: the first one also compiles, and a mean would blame all of them for it."""
    speeds = sorted(speed for record in run.epochs if (speed := record.images_per_second) is not None and finite(speed))
    return speeds[len(speeds) // 2] if speeds else None


def _flat(content: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """`{"torch": {"version": "2.6"}} -> [("torch.version", "2.6")]`."""
    rows: list[tuple[str, str]] = []
    for key, value in content.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            rows.append((f"{prefix}{key}", ", ".join(str(item) for item in value)))
        else:
            rows.append((f"{prefix}{key}", figures.ABSENT if value is None else str(value)))
    return rows
