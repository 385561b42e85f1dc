"""The page: verdict, sizes, what differs in words, and the layers of both networks in aligned rows."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from specforge.diff import Difference, Side, lines
from specforge.diff.difference import Place
from specforge.diff.phrases import word
from specforge.diff.rows import Fold, Row, folded, rows
from specforge.diff.wording import headline
from specforge.report.writing import shown
from specforge.shapes import spelled

WEIGHTS = {"all": "all load", "renamed": "under other names", "some": "some load", "none": "none load"}


def to_html(before: Side, after: Side, difference: Difference) -> str:
    """The whole page."""
    found = list(lines(difference))[1:]
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            before=before,
            after=after,
            headline=headline(difference),
            sizes=_sizes(difference),
            weights=WEIGHTS[difference.checkpoints.verdict],
            lines=[line for line in found if not line.text.startswith(("parameters:", "MACs:"))],
            rows=list(folded(rows(before, after, difference))),
        )
    )


def _sizes(difference: Difference) -> list[tuple[str, int, int]]:
    before, after = (totals.total for totals in difference.parameters)
    return [("parameters", before, after), ("MACs for one image", *difference.macs)]


def is_fold(row: Row | Fold) -> bool:
    """Whether a reader may skip it."""
    return isinstance(row, Fold)


def changed(row: Row) -> list[str]:
    """The names of a layer's facts that differ: `output`, `parameters`, and its word where arguments do."""
    if row.before is None or row.after is None:
        return []
    facts = [name for name in ("output", "parameters") if getattr(row.before, name) != getattr(row.after, name)]
    return [*facts, *(["word"] if word(row.before) != word(row.after) else [])]


def steps(place: Place) -> tuple[str, str]:
    """A path without its last step, and that step."""
    above, dot, last = place.path.rpartition(".")
    return above + dot, last


def size(place: Place) -> str:
    """The shape that leaves a layer."""
    return "" if place.output is None else spelled(place.output)


@cache
def _environment() -> Environment:
    here = Path(__file__).parent
    found = Environment(
        # the room's style sheet is shared
        loader=FileSystemLoader([here, here.parent]),
        # always: jinja's own rule goes by the file's ending, and `.j2` is not one it escapes
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"changed": changed, "size": size, "steps": steps, "word": word}
    found.tests["fold"] = is_fold
    return found
