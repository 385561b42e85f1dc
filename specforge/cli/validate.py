"""`specforge validate`: prove specs right, without torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from specforge.analysis import STDIN
from specforge.cli import console
from specforge.cli.choosing import Projects
from specforge.cli.formats import Format, show
from specforge.cli.guard import guarded
from specforge.cli.options import Settings
from specforge.cli.validation import FAILS_STRICTLY, Validated, Wanted, count_specs, in_reading_order
from specforge.diagnostics import Diagnostic
from specforge.shapes import spelled

PATHS = "Spec files, folders, globs, or - for stdin; without one, `paths` of specforge.yaml."


def validate(
    paths: Annotated[list[str] | None, typer.Argument(metavar="PATH", help=PATHS, show_default=False)] = None,
    set_: Settings = None,
    format_: Annotated[Format, typer.Option("--format", help="How findings are written.")] = Format.text,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
    output_file: Annotated[Path | None, typer.Option("--output-file", help="Write findings there.")] = None,
    changed_since: Annotated[
        str | None,
        typer.Option("--changed-since", metavar="REV", help="Only specs that changed since the work left REV."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Validate again whenever a file changes.")] = False,
    settings: Annotated[
        Path | None, typer.Option("--settings", metavar="FILE", help="Project settings, instead of specforge.yaml.")
    ] = None,
    no_settings: Annotated[bool, typer.Option("--no-settings", help="Read no project settings.")] = False,
    show_settings: Annotated[
        bool, typer.Option("--show-settings", help="Show the settings that hold for PATH, and validate nothing.")
    ] = False,
) -> None:
    """Prove specs right: shapes, counts, names and recipe. Exits 0 when clean, 1 with findings."""
    wanted = Wanted(list(paths or ()), tuple(set_ or ()), settings, no_settings, changed_since)
    if show_settings:
        _show_settings(wanted, format_)
        return
    from specforge.git import GitError

    try:
        if watch:
            _watch(wanted, format_, strict, output_file)
            return
        found = wanted.projects()
        validated = wanted.validate(found)
    except GitError as error:
        console.error(error.message, error.hint)
        raise typer.Exit(2) from None
    if not _report(validated, found, format_, strict, output_file):
        raise typer.Exit(1)


def _report(
    validated: list[Validated], projects: Projects, format_: Format, strict: bool, output_file: Path | None
) -> bool:
    """Show what was found, and tell whether it is fine."""
    if output_file is None:
        show(validated, format_, strict=strict)
    else:
        _show_in_file(validated, format_, strict, output_file)
    for file in validated:
        graph = None if file.analysis is None else file.analysis.graph
        if graph is not None and graph.axes != graph.input:
            console.note(f"{file.name}: right for every {spelled(graph.axes)} from {spelled(graph.smallest)} on")
    found = in_reading_order(validated)
    _sum_up(found, count_specs(validated), projects, strict=strict)
    return not any(strict or one.severity == "error" for one in found if not one.accepted)


def _sum_up(found: Sequence[Diagnostic], count: int, projects: Projects, *, strict: bool) -> None:
    """The last line: how many findings, and what a reader would not expect of the exit code."""
    errors, warnings = (
        sum(one.severity == severity and not one.accepted for one in found) for severity in ("error", "warning")
    )
    accepted = sum(one.accepted is not None for one in found)
    reasons = f" ({accepted} accepted with reason{'s' * (accepted != 1)})" if accepted else ""
    files = _plural(count, "file")
    if errors or warnings:
        why = f" ({FAILS_STRICTLY})" if strict and not errors else ""
        console.note(f"{files}: {_plural(errors, 'error')}, {_plural(warnings, 'warning')}{why}{reasons}")
    elif not count and projects.exclusions:
        where = ", ".join(dict.fromkeys(f"{span.file}:{span.line}" for span in projects.exclusions))
        console.note(f"{files}: ", (f"nothing to validate, all are excluded by {where}", "yellow"))
    else:
        console.note(f"{files}: ", ("no findings", "green"), reasons)


def _show_in_file(validated: list[Validated], format_: Format, strict: bool, file: Path) -> None:
    from contextlib import redirect_stdout
    from io import StringIO

    text = StringIO()
    with redirect_stdout(text):
        show(validated, format_, strict=strict)
    try:
        file.write_text(text.getvalue(), encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"can't write {file}: {error.strerror}", param_hint="--output-file") from None


def _watch(wanted: Wanted, format_: Format, strict: bool, output_file: Path | None) -> None:
    from specforge.cli.watch import watch

    if STDIN in wanted.paths:
        raise typer.BadParameter("standard input can't be watched", param_hint="--watch")
    if format_ not in (Format.text, Format.concise) and output_file is None:
        raise typer.BadParameter(
            f"`{format_}` is for programs: use text, concise, or an --output-file", param_hint="--watch"
        )
    watch(wanted, lambda validated, found: _report(validated, found, format_, strict, output_file))


def _show_settings(wanted: Wanted, format_: Format) -> None:
    from specforge.cli.show_settings import show_settings

    if format_ not in (Format.text, Format.json):
        raise typer.BadParameter("settings are shown as text or json", param_hint="--format")
    if not show_settings(wanted.paths, wanted.projects(), as_json=format_ is Format.json):
        raise typer.Exit(1)


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


command = guarded(validate)
