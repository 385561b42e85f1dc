"""`specforge list`: every name of the language."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from specforge.cli import console
from specforge.cli.guard import guarded
from specforge.reference.topics import GROUPS, Topic, topics

HEADERS = ("name", "family", "what it is")


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
        print(json.dumps([_as_dict(topic) for topic in found], indent=2, ensure_ascii=False))
    elif format_ is Format.markdown:
        from specforge.reference.pages import table

        print(table(HEADERS, [(f"`{name}`", *more) for name, *more in map(_cells, found)]))
    else:
        console.table(HEADERS, map(_cells, found), numbers=frozenset())


def _cells(topic: Topic) -> tuple[str, str, str]:
    """A finding has a code and a name; `accept` and the settings take both."""
    name = f"{topic.name} {topic.place}" if topic.group == "diagnostics" else topic.name
    return name, topic.group, topic.summary


def _as_dict(topic: Topic) -> dict[str, str]:
    rule = {"rule": topic.place} if topic.group == "diagnostics" else {}
    return {"name": topic.name, **rule, "family": topic.group, "summary": topic.summary}


command = guarded(list_words)
