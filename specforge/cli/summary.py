"""`specforge summary`: the layer table of a spec."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from specforge.analysis import analyse
from specforge.cli import console
from specforge.cli.guard import guarded
from specforge.cli.options import Settings, SpecArgument


class Format(StrEnum):
    text = "text"
    json = "json"
    markdown = "markdown"


def summary(
    spec: SpecArgument,
    set_: Settings = None,
    format_: Annotated[Format, typer.Option("--format", help="How the table is written.")] = Format.text,
) -> None:
    """Show every layer with its output shape, parameters and MACs, without torch."""
    from specforge import summary as table

    found, graph = analyse(spec, tuple(set_ or ())).require()
    if format_ is Format.json:
        print(json.dumps(table.to_dict(found, graph), indent=2))
    elif format_ is Format.markdown:
        print(table.to_markdown(found, graph))
    else:
        console.write((found.name, "bold"), f": {found.description.strip()}" if found.description else "")
        console.write()
        console.table(table.HEADERS, table.cells(graph), numbers=frozenset({3, 4}))
        console.write()
        for line in table.closing_lines(graph):
            console.write(line)


command = guarded(summary)
