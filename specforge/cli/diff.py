"""`specforge diff`: two specs compared by meaning."""

import json
from enum import StrEnum
from typing import Annotated, TextIO

import typer

from specforge import diff as room
from specforge.cli import console
from specforge.cli.guard import guarded


class Format(StrEnum):
    text = "text"
    json = "json"
    markdown = "markdown"


STYLES = {"added": "green", "removed": "red", "changed": "yellow", "heading": "bold", "note": "dim", "plain": ""}


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="A spec file, or git:REV:path.")],
    after: Annotated[str, typer.Argument(metavar="B", help="A spec file, or git:REV:path.")],
    format_: Annotated[Format, typer.Option("--format", help="How the difference is written.")] = Format.text,
    all_: Annotated[bool, typer.Option("--all", help="A line for every layer, also for consequences.")] = False,
) -> None:
    """Say what B changes in A: layers, parameters, MACs, recipe, and whether weights still load.

    Exits 0 when they mean the same, 1 when they differ, 2 on an error.
    """
    try:
        found = room.diff(before, after)
    except room.SideError as error:
        console.error(error.message, error.hint)
        raise typer.Exit(2) from None
    if format_ is Format.json:
        print(json.dumps(found.to_dict(), indent=2))
    elif format_ is Format.markdown:
        print(room.to_markdown(found), end="")
    else:
        show(found, unfolded=all_)
    raise typer.Exit(0 if found.same else 1)


def show(found: room.Difference, *, unfolded: bool = False, to: TextIO | None = None) -> None:
    """The difference in styled lines."""
    console.write((found.before, "bold"), " (A) -> ", (found.after, "bold"), " (B)", to=to)
    for line in room.lines(found, unfolded=unfolded):
        console.write((line.text, STYLES[line.style]), (f"  {line.at}" if line.at else "", "dim"), to=to)


command = guarded(diff, invalid=2)
