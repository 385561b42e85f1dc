"""`specforge diff`: two specs compared by meaning."""

import json
from enum import StrEnum
from typing import Annotated

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
        for style, line in room.lines(found):
            console.write((line, STYLES[style]))
    raise typer.Exit(0 if found.same else 1)


command = guarded(diff, invalid=2)
