"""`specforge diff`: two specs compared by meaning, or every spec with what it was at a revision."""

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Annotated, TextIO

import typer

from specforge import diff as room
from specforge.cli import console
from specforge.cli.files import write_whole
from specforge.cli.guard import guarded


class Format(StrEnum):
    text = "text"
    json = "json"
    markdown = "markdown"
    html = "html"


WIDE = 150  # columns
STYLES = {"added": "green", "removed": "red", "changed": "yellow", "heading": "bold", "note": "dim", "plain": ""}
SIDES = (
    "A and B: spec files, git:REV:path, run directories, networks of the zoo, or -. With --git: the specs to compare."
)


def diff(
    sides: Annotated[list[str] | None, typer.Argument(metavar="A B", help=SIDES, show_default=False)] = None,
    git: Annotated[
        str | None,
        typer.Option("--git", metavar="REV", help="Compare all specs with those where the work left REV."),
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="How the difference is written.")] = Format.text,
    output_file: Annotated[Path | None, typer.Option("--output-file", help="Write it there.")] = None,
    as_: Annotated[
        Path | None,
        typer.Option("--as", metavar="PATH", help="Both files stand for PATH: what they extend lies beside it."),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="A line for every layer, also for consequences.")] = False,
) -> None:
    """Say what B changes in A: layers, parameters, MACs, recipe, and whether weights still load.

    Exits 0 when they mean the same, 1 when they differ, 2 on an error.
    """
    _check_options(git, as_, format_, unfolded=all_)
    try:
        with writing(output_file) as to:
            if git is not None:
                code = _against(git, sides or [], format_, to, unfolded=all_)
            else:
                code = _between(_two(sides), as_, format_, to, unfolded=all_)
    except (room.SideError, room.GitError) as error:
        console.error(error.message, error.hint)
        code = 2
    raise typer.Exit(code)


def _check_options(git: str | None, as_: Path | None, format_: Format, *, unfolded: bool) -> None:
    """Refuse what would be ignored otherwise."""
    if git is not None and as_ is not None:
        raise typer.BadParameter("is for two files, not for --git", param_hint="--as")
    if git is not None and format_ is Format.html:
        raise typer.BadParameter("a page is for two specs; use text, markdown or json", param_hint="--format")
    if as_ is not None and (as_.is_dir() or not as_.name):
        raise typer.BadParameter(f"names a file, found the folder {as_}", param_hint="--as")
    if unfolded and format_ in (Format.markdown, Format.html):
        raise typer.BadParameter("is for text; json has every layer", param_hint="--all")


def _two(sides: list[str] | None) -> tuple[str, str]:
    if sides is None or len(sides) != 2:
        found = "nothing" if not sides else ", ".join(f"`{side}`" for side in sides)
        raise typer.BadParameter(f"give the two sides, or --git REV; found {found}", param_hint="A B")
    return sides[0], sides[1]


def _between(sides: tuple[str, str], as_: Path | None, format_: Format, to: TextIO, *, unfolded: bool) -> int:
    if as_ is None:
        before, after = room.read_sides(*sides)
    else:
        before, after = (room.read_as(side, as_) for side in sides)
        before, after = replace(before, name=f"{as_}, before"), replace(after, name=str(as_))
    found = room.diff(before, after)
    if format_ is Format.json:
        print(json.dumps(found.to_dict(), indent=2), file=to)
    elif format_ is Format.markdown:
        print(room.to_markdown(found), end="", file=to)
    elif format_ is Format.html:
        from specforge.report.compare_specs import to_html

        print(to_html(before, after, found), file=to)
    else:
        show(found, unfolded=unfolded, to=to)
        if _is_wide(to):
            from specforge.cli.beside import show_beside

            show_beside(before, after, found)
    return 0 if found.same else 1


def _is_wide(to: TextIO) -> bool:
    """Whether it goes to a terminal in which both networks fit beside each other."""
    return to is sys.stdout and to.isatty() and shutil.get_terminal_size().columns >= WIDE


def _against(revision: str, paths: list[str], format_: Format, to: TextIO, *, unfolded: bool) -> int:
    """Every spec, or those among the paths, with what it was at a revision."""
    from specforge.cli.choosing import chosen_files, project_files, projects

    known = projects(None, no_settings=False)
    files = chosen_files(paths, known) if paths else project_files(known.here, searched=True)
    roots = [Path(path).resolve() for path in paths] or known.here.roots()

    def meant(path: Path) -> bool:
        return known.here.excluded_by(path) is None and any(path.is_relative_to(root) for root in roots)

    found = room.changes(revision, [Path(file) for file in files], meant)
    total = len({*map(str, files), *(change.file for change in found)})
    if format_ is Format.json:
        print(json.dumps({"revision": revision, "specs": [change.to_dict() for change in found]}, indent=2), file=to)
    elif format_ is Format.markdown:
        print(room.changes_to_markdown(found, revision, total), end="", file=to)
    else:
        _show_changes(found, to, unfolded=unfolded)
    differing = sum(change.means_else for change in found)
    console.note(f"{differing} of {total} specs differ from {revision}")
    if any(change.status == "broken" for change in found):
        return 2
    return 1 if differing else 0


def _show_changes(found: Sequence[room.Change], to: TextIO, *, unfolded: bool) -> None:
    from specforge.cli.findings import write_text

    for number, change in enumerate(found):
        if number:
            console.write(to=to)
        if change.difference is not None and change.status == "changed":
            show(change.difference, unfolded=unfolded, to=to)
        else:
            console.write((change.file, "bold"), f": {change.told()}", to=to)
            for each in change.findings:
                write_text(each, change.analysis.texts if change.analysis else {}, to=to)


def show(found: room.Difference, *, unfolded: bool = False, to: TextIO | None = None) -> None:
    """The difference in styled lines."""
    console.write((found.before, "bold"), " (A) -> ", (found.after, "bold"), " (B)", to=to)
    for line in room.lines(found, unfolded=unfolded):
        console.write((line.text, STYLES[line.style]), (f"  {line.at}" if line.at else "", "dim"), to=to)


@contextmanager
def writing(file: Path | None) -> Iterator[TextIO]:
    """Where to write to: standard output, or a file that is written whole at the end."""
    if file is None:
        yield sys.stdout
        return
    text = StringIO()
    yield text
    try:
        write_whole(file, text.getvalue())
    except OSError as error:
        raise typer.BadParameter(f"can't write {file}: {error.strerror}", param_hint="--output-file") from None


command = guarded(diff, invalid=2)
