"""`specforge validate`: prove specs right, without torch."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from specforge.analysis import STDIN, Analysis, analyse
from specforge.cli import console
from specforge.cli.guard import guarded
from specforge.cli.options import Settings
from specforge.shapes import spelled


class Format(StrEnum):
    text = "text"
    concise = "concise"
    json = "json"


def validate(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Spec files, folders, globs, or - for stdin.")],
    set_: Settings = None,
    format_: Annotated[Format, typer.Option("--format", help="How findings are written.")] = Format.text,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
    output_file: Annotated[Path | None, typer.Option("--output-file", help="Write findings there.")] = None,
) -> None:
    """Prove specs right: shapes, counts, names and recipe. Exits 0 when clean, 1 with findings."""
    analyses = [analyse(path, tuple(set_ or ())) for path in spec_files(paths)]
    if output_file is None:
        _show(analyses, format_)
    else:
        _show_in_file(analyses, format_, output_file)
    errors, warnings = (_count(analyses, severity) for severity in ("error", "warning"))
    for analysis in analyses:
        graph = analysis.graph
        if graph is not None and graph.axes != graph.input:
            console.note(f"{analysis.name}: right for every {spelled(graph.axes)} from {spelled(graph.smallest)} on")
    files = f"{len(analyses)} file{'s' * (len(analyses) != 1)}"
    if errors or warnings:
        console.note(f"{files}: {_plural(errors, 'error')}, {_plural(warnings, 'warning')}")
    else:
        console.note(f"{files}: ", ("no findings", "green"))
    if errors or (strict and warnings):
        raise typer.Exit(1)


def spec_files(paths: list[str]) -> list[str]:
    """Every file that was meant: folders are searched for .yaml and .yml, globs are expanded; usage error if none."""
    found: list[str] = []
    for path in paths:
        if not path:
            raise typer.BadParameter("the path is empty", param_hint="PATH")
        if path == STDIN or Path(path).is_file():
            matches = [path]
        elif Path(path).is_dir():
            matches = sorted(str(file) for file in Path(path).rglob("*.y*ml") if file.suffix in (".yaml", ".yml"))
        else:
            from glob import glob

            matches = sorted(match for match in glob(path, recursive=True) if Path(match).is_file())  # noqa: PTH207
        if not matches:
            reason = "no .yaml files below this folder" if Path(path).is_dir() else "no such file or folder"
            raise typer.BadParameter(f"{path}: {reason}", param_hint="PATH")
        found += matches
    return list(dict.fromkeys(found))


def _show(analyses: list[Analysis], format_: Format) -> None:
    from specforge.cli import findings

    if format_ is Format.json:
        every = [found for analysis in analyses for found in analysis.findings if not found.accepted]
        print(findings.to_json(every))
        return
    for analysis in analyses:
        for found in (found for found in analysis.findings if not found.accepted):
            if format_ is Format.text:
                findings.write_text(found, analysis.texts)
            else:
                print(findings.concise(found))
        if format_ is Format.text:
            findings.write_accepted(analysis.findings, analysis.name)


def _show_in_file(analyses: list[Analysis], format_: Format, file: Path) -> None:
    from contextlib import redirect_stdout
    from io import StringIO

    text = StringIO()
    with redirect_stdout(text):
        _show(analyses, format_)
    try:
        file.write_text(text.getvalue(), encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"can't write {file}: {error.strerror}", param_hint="--output-file") from None


def _count(analyses: list[Analysis], severity: str) -> int:
    return sum(found.severity == severity and not found.accepted for a in analyses for found in a.findings)


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


command = guarded(validate)
