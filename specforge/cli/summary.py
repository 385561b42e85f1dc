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
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1, help="Estimate the memory of training at this size.  [default: the spec's]", show_default=False
        ),
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="How the table is written.")] = Format.text,
) -> None:
    """Show every layer with its output shape, parameters, MACs, receptive field and memory, without torch."""
    from specforge import summary as table

    found, graph = analyse(spec, tuple(set_ or ())).require()
    if format_ is Format.json:
        print(json.dumps(table.to_dict(found, graph, batch_size), indent=2))
    elif format_ is Format.markdown:
        print(table.to_markdown(found, graph, batch_size))
    else:
        console.write((found.name, "bold"), f": {found.description.strip()}" if found.description else "")
        console.write()
        headers, rows = table.cells(graph)
        console.table(headers, rows, numbers=table.NUMBERS)
        console.write()
        for line in table.closing_lines(found, graph, batch_size):
            console.write(line)


command = guarded(summary)
