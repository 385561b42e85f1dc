"""`specforge data check`: everything that is wrong with a spec's data, in one pass."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from specforge.analysis import analyse
from specforge.cli import console
from specforge.cli.guard import guarded
from specforge.cli.loading import load_torch
from specforge.cli.options import DataDir, Settings, SpecArgument
from specforge.cli.run_errors import reported
from specforge.diagnostics import SpecError

if TYPE_CHECKING:
    from specforge.data.checking import Checked

_STYLES = {"error": "bold red", "warning": "bold yellow"}


class Action(StrEnum):
    check = "check"


class Format(StrEnum):
    text = "text"
    json = "json"


def data(
    action: Annotated[Action, typer.Argument(help="`check` reads all of the data and names what is wrong.")],
    spec: SpecArgument,
    set_: Settings = None,
    data_dir: DataDir = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 for warnings too.")] = False,
    format_: Annotated[Format, typer.Option("--format", help="How the findings are written.")] = Format.text,
) -> None:
    """Read a spec's data set and name every file, key or image that is wrong. Exits 1 if training would refuse it."""
    analysis = analyse(spec, tuple(set_ or ()))
    # a base without layers may have data; an error anywhere else may be what its data is to be checked for
    found = analysis.spec or analysis.require()[0]
    if found.data is None:
        from specforge.experiment import incomplete

        raise SpecError(incomplete(spec), analysis.texts)
    with reported():
        load_torch()
        from specforge.data.checking import check
        from specforge.experiment import DEFAULT_DATA_DIR

        checked = check(found.data, analysis.graph, data_dir=data_dir or DEFAULT_DATA_DIR)
    _show(checked, format_)
    if checked.errors or (strict and checked.findings):
        raise typer.Exit(1)


def _show(checked: "Checked", format_: Format) -> None:
    if format_ is Format.json:
        import json
        from dataclasses import asdict

        print(json.dumps([asdict(finding) for finding in checked.findings], indent=2))
        return
    hints: dict[str, None] = {}
    for finding in checked.findings:
        console.write(
            (finding.path, "bold"), ": ", (finding.severity, _STYLES[finding.severity]), f": {finding.reason}"
        )
        hints |= {finding.hint: None} if finding.hint else {}
    for hint in hints:  # what helps with one file helps with the others
        console.write(("hint", "bold cyan"), f": {hint}")
    warnings = len(checked.findings) - checked.errors
    read = "" if checked.images is None else f" in {checked.images:,} images of {checked.classes:,} classes"
    console.note(f"{_plural(checked.errors, 'error')}, {_plural(warnings, 'warning')}{read}")


def _plural(count: int, word: str) -> str:
    return f"{count:,} {word}{'s' * (count != 1)}"


command = guarded(data)
