"""`specforge list`: every name of the language."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from specforge.cli import console
from specforge.cli.guard import guarded
from specforge.reference.topics import GROUPS, topics


class Format(StrEnum):
    text = "text"
    json = "json"
    markdown = "markdown"


def list_words(
    family: Annotated[str | None, typer.Argument(help=f"One of {', '.join(GROUPS)}; all of them by default.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="How the list is written.")] = Format.text,
) -> None:
    """List layers, optimizers, data sets and all other words, keys and diagnostics, each with what it is."""
    if family is not None and family not in GROUPS:
        from specforge.diagnostics import did_you_mean

        raise typer.BadParameter(f"`{family}`: {did_you_mean(family, GROUPS)}", param_hint="FAMILY")
    found = [topic for topic in topics() if family in (None, topic.group)]
    if format_ is Format.json:
        rows = [{"name": topic.name, "family": topic.group, "summary": topic.summary} for topic in found]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    elif format_ is Format.markdown:
        from specforge.reference.pages import table

        print(table(("name", "family", "what it is"), [(f"`{t.name}`", t.group, t.summary) for t in found]))
    else:
        cells = [(topic.name, topic.group, topic.summary) for topic in found]
        console.table(("name", "family", "what it is"), cells, numbers=frozenset())


command = guarded(list_words)
