"""A `RunsComparison` -> one HTML page that needs nothing else and runs nothing."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from specforge.report.compare_runs.architecture import network_changes
from specforge.report.compare_runs.compared import RunsComparison
from specforge.report.compare_runs.drawing import MOST_RUNS, build_overlays
from specforge.report.compare_runs.runs import ChoiceError
from specforge.report.compare_runs.tables import build_tables, every_class
from specforge.report.writing import shown


def to_html(comparison: RunsComparison) -> str:
    """The page; raises `ChoiceError` for more runs than colours can be told apart."""
    if len(comparison.runs) > MOST_RUNS:
        raise ChoiceError(
            f"{len(comparison.runs)} runs: the curves of no more than {MOST_RUNS} can be told apart on a page",
            hint="leave some out, or choose another `--format`: the tables have no limit",
        )
    tables = {table.key: table for table in build_tables(comparison)}
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            comparison=comparison,
            tables=tables,
            class_tables=[table for table in build_tables(comparison) if table.key == "class"],
            every_class=every_class(comparison),
            overlays=build_overlays(comparison),
            changes=network_changes(comparison),
        )
    )


@cache
def _environment() -> Environment:
    here = Path(__file__).parent
    return Environment(
        # the room's style sheet is shared
        loader=FileSystemLoader([here, here.parent]),
        # always: jinja's own rule goes by the file's ending, and `.j2` is not one it escapes
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
