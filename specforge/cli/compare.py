"""`specforge compare`: several runs side by side."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from specforge.cli import console
from specforge.cli.guard import guarded

if TYPE_CHECKING:
    from specforge.report.compare_runs import RunsComparison


class Format(StrEnum):
    text = "text"
    markdown = "markdown"
    json = "json"
    html = "html"


_ENDINGS = {".html": Format.html, ".htm": Format.html, ".md": Format.markdown, ".json": Format.json}


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run directories, two or more.")],
    epochs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Compare what epoch N of every run reached, too.")
    ] = None,
    reach: Annotated[
        list[str] | None,
        typer.Option(metavar="ACCURACY", help="Say when validation reached it: 0.4 or 40%. Repeatable."),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="RUN", help="What others are compared with.  [default: the first]")
    ] = None,
    format_: Annotated[
        Format | None, typer.Option("--format", help="How it is written.  [default: by --out's ending, or text]")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a file: .html, .md or .json; stdout has the text.")
    ] = None,
) -> None:
    """Set runs side by side: results, curves, what differs in their specs, and what makes them hard to compare."""
    from specforge.cli.side_by_side import show
    from specforge.report import compare_runs as room

    chosen = _format(format_, out)
    accuracies = tuple(_accuracy(text) for text in reach or ())
    try:
        found = room.compare_runs(runs, baseline=baseline, epoch=epochs, accuracies=accuracies)
        content = _written(found, chosen)
    except room.ChoiceError as error:
        console.error(error.message, error.hint)
        raise typer.Exit(2) from None
    except room.UnreadableRuns as error:
        for message in error.messages:
            console.error(message)
        raise typer.Exit(1) from None
    if out is not None:
        _write(out, content)
    if out is None and chosen is not Format.text:
        print(content, end="")
    else:
        show(found)
    if out is not None:
        console.write(f"comparison {out}")


def _format(asked: Format | None, out: Path | None) -> Format:
    if out is None:
        return asked or Format.text
    if str(out) == "-":
        raise typer.BadParameter("without --out, what --format names goes to stdout", param_hint="--out")
    found = asked or _ENDINGS.get(out.suffix.lower())
    if found is None or found is Format.text:
        raise typer.BadParameter(
            f"`{out}` does not say what to write: end it in .html, .md or .json, or give one of these as --format",
            param_hint="--out",
        )
    return found


def _accuracy(text: str) -> float:
    """`0.4` or `40%` as a share of one."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise typer.BadParameter(f"`{text}` is no accuracy: write 0.4 or 40%", param_hint="--reach")
    return share


def _written(found: "RunsComparison", chosen: Format) -> str:
    from specforge.report import compare_runs as room

    match chosen:
        case Format.html:
            return room.to_html(found)
        case Format.markdown:
            return room.to_markdown(found)
        case Format.json:
            return json.dumps(room.to_dict(found), indent=2, ensure_ascii=False) + "\n"
        case Format.text:
            return ""


def _write(out: Path, content: str) -> None:
    from specforge.report.writing import replace_file

    problem, hint = None, "choose another --out"
    if out.is_dir():
        problem, hint = "is a folder", f"name a file in it: --out {out / 'compare.html'}"
    elif not out.parent.is_dir():
        problem, hint = f"can't be written: there is no folder {out.parent}", "make it first, or choose another --out"
    else:
        try:
            # a lone surrogate (a name read from a broken file) can't be encoded, and is no reason to lose the page
            replace_file(out, content.encode("utf-8", "replace"))
        except OSError as error:
            # its own text names the temporary file beside the target
            problem = f"can't be written: {error.strerror or error}"
    if problem is not None:
        console.error(f"{out} {problem}", hint)
        raise typer.Exit(1)


command = guarded(compare)
