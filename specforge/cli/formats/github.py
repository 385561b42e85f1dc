"""Findings -> annotations of a pull request on GitHub, and a table of all of them in the summary of the job.

    ::error file=specs/lab2.yaml,line=6,col=7,endLine=6,endColumn=11,title=SF304::unknown layer or block `covn`

GitHub shows the first ten errors and ten warnings of a step, and drops the others without a word: the table has them.
Sources: "Workflow commands for GitHub Actions" (docs.github.com) for the commands, the escapes are those of the
runner's own toolkit, and "Problem matchers" (actions/toolkit) for the limits.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from specforge.cli import console
from specforge.cli.findings import concise
from specforge.cli.formats.places import Root, root
from specforge.cli.validation import FAILS_STRICTLY, Validated, count_specs, in_reading_order
from specforge.diagnostics import Diagnostic

MAX_ANNOTATIONS = 10
SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"


def show_github(validated: Sequence[Validated], *, strict: bool = False) -> None:
    """Commands to stdout, the table to the file that GitHub names, and to stderr what is only there."""
    found = [found for found in in_reading_order(validated) if not found.accepted]
    errors = [one for one in found if one.severity == "error"]
    warnings = [one for one in found if one.severity == "warning"]
    place = root()
    for one in (*errors[:MAX_ANNOTATIONS], *warnings[:MAX_ANNOTATIONS]):
        print(command(one, place, strict=strict))
    rest = [*errors[MAX_ANNOTATIONS:], *warnings[MAX_ANNOTATIONS:]]
    summary = os.environ.get(SUMMARY_VARIABLE)
    if summary:
        from specforge.cli.formats.job_summary import append_summary

        complete = append_summary(Path(summary), [*errors, *warnings], place, count_specs(validated), strict=strict)
        if rest and complete:
            limit = f"GitHub shows {MAX_ANNOTATIONS} errors and {MAX_ANNOTATIONS} warnings of a step"
            console.note(f"{limit}; {_more(rest)} in the summary of the job")
            return
    if rest:
        console.note(f"GitHub shows no more as annotations; {_more(rest)} in the lines after them")
    for one in rest:
        print(_harmless(concise(one)))


def _harmless(line: str) -> str:
    """A line of the log that the runner takes for no command, whatever a file is called or a spec says."""
    return f"- {line}".replace("##[", "## [")


def _more(rest: Sequence[Diagnostic]) -> str:
    return f"{len(rest)} more findings are" if len(rest) > 1 else "1 more finding is"


def command(found: Diagnostic, place: Root, *, strict: bool = False) -> str:
    """One line for the runner. A column says nothing to GitHub unless the finding stays in its line."""
    why = f" ({FAILS_STRICTLY})" if strict and found.severity == "warning" else ""
    span, properties = found.span, {"title": f"{found.code}{why}"}
    path = place.path(span.file)
    if path is not None:
        properties = {"file": path, "line": str(span.line), "endLine": str(span.end_line), **properties}
        if span.line == span.end_line:
            columns = {"col": str(span.column), "endColumn": str(span.end_column)}
            properties = {name: (properties | columns)[name] for name in _ORDER}
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    where = "" if path is not None else f"{span}: "
    hint = f"\nhint: {found.hint}" if found.hint else ""
    return f"::{found.severity} {written}::{_data(f'{where}{found.message}{found.context()}{hint}')}"


_ORDER = ("file", "line", "col", "endLine", "endColumn", "title")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
