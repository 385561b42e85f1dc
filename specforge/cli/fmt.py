"""`specforge fmt`: the canonical layout of spec files."""

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import typer

from specforge.analysis import STDIN
from specforge.cli import console
from specforge.cli.choosing import Projects, chosen_files
from specforge.cli.files import write_whole
from specforge.cli.guard import guarded
from specforge.diagnostics import Findings
from specforge.formatting import format_text
from specforge.source import DISK, decode, read

Outcome = Literal["formatted", "fine", "broken"]


def fmt(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Spec files, folders, globs, or - for stdin.")],
    check: Annotated[bool, typer.Option("--check", help="Change nothing; name the files that would change.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Change nothing; show what would change.")] = False,
) -> None:
    """Lay specs out the way all specs are: white space changes, every word and comment stays.

    Exits 1 when a file does not parse, which is then left alone; with --check and --diff also when one would change.
    """
    projects = Projects()
    files = chosen_files(paths, projects)
    _stop_at_broken_settings(projects)
    outcomes = Counter(_format(path, check=check, diff=diff) for path in files)
    if paths != [STDIN]:
        _summarise(outcomes, dry=check or diff)
    if outcomes["broken"] or (outcomes["formatted"] and (check or diff)):
        raise typer.Exit(1)


def _stop_at_broken_settings(projects: Projects) -> None:
    """Who wrote `exclude` does not want these files changed."""
    broken = [project for project in projects.known if project.findings.has_errors]
    for project in broken:
        _show(project.findings, project.texts)
    if broken:
        raise typer.Exit(1)


def _format(path: str, *, check: bool, diff: bool) -> Outcome:
    """Format one file, or tell what formatting it would change."""
    findings = Findings()
    text = decode(sys.stdin.buffer.read(), path, findings) if path == STDIN else read(Path(path), findings, files=DISK)
    formatted = None if text is None else format_text(text, path, findings)
    if text is None or formatted is None:
        _show(findings, {path: text or ""})
        return "broken"
    changed = formatted != text
    if diff:
        _show_difference(path, text, formatted)
    elif check:
        print(path + "\n" if changed else "", end="")
    elif path == STDIN:
        sys.stdout.buffer.write(formatted.encode())
    elif changed:
        write_whole(Path(path), formatted)
    return "formatted" if changed else "fine"


def _show(findings: Findings, texts: dict[str, str]) -> None:
    from specforge.cli.findings import write_text

    for found in findings:
        write_text(found, texts, to=sys.stderr)


def _show_difference(path: str, before: str, after: str) -> None:
    from difflib import unified_diff

    styles = {"+": "green", "-": "red", "@": "cyan"}
    for line in unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), path, path):
        console.write((line.removesuffix("\n"), styles.get(line[0], "")))
        if not line.endswith("\n"):
            console.write("\\ No newline at end of file")


def _summarise(outcomes: Counter[Outcome], *, dry: bool) -> None:
    """`3 files: 1 formatted, 2 already canonical`."""
    words: tuple[tuple[Outcome, str], ...] = (
        ("formatted", "would be formatted" if dry else "formatted"),
        ("fine", "already canonical"),
        ("broken", "with errors, left alone"),
    )
    parts = [f"{outcomes[outcome]} {said}" for outcome, said in words if outcomes[outcome]]
    total = outcomes.total()
    console.note(f"{total} file{'s' * (total != 1)}: {', '.join(parts)}")


command = guarded(fmt)
