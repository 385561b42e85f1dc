"""`specforge explain`: the documentation of one name of the language."""

import json
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from specforge.cli import console
from specforge.cli.guard import guarded
from specforge.reference.topics import Argument, Topic


class Format(StrEnum):
    text = "text"
    json = "json"
    markdown = "markdown"


def explain(
    name: Annotated[
        str,
        typer.Argument(help="A word (conv, adam), a key (train.batch_size, when), or a code (SF304, unknown-word)."),
    ],
    format_: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.text,
) -> None:
    """Explain a layer, an optimizer, a data set or any other word, a key of a spec, or a diagnostic."""
    from specforge.reference.finding import find, meant
    from specforge.reference.pages import section

    found = find(name)
    if not found:
        raise typer.BadParameter(f"`{name}`: {meant(name)}", param_hint="NAME")
    if format_ is Format.json:
        print(json.dumps([_as_dict(topic) for topic in found], indent=2, ensure_ascii=False))
    elif format_ is Format.markdown:
        print("\n\n".join(section(topic, "#") for topic in found))
    else:
        for topic in found:
            _show(topic, last=topic is found[-1])


def _as_dict(topic: Topic) -> dict[str, object]:
    arguments = [{**asdict(known), "required": known.default is None} for known in topic.arguments]
    found = {"name": topic.name, "family": topic.group, "summary": topic.summary, "text": topic.text}
    if topic.type:
        found |= {"type": topic.type, "default": topic.default or "required"}
    return {**found, "arguments": arguments}


def _show(topic: Topic, *, last: bool) -> None:
    from specforge.reference.pages import presence

    label = topic.label if topic.group == "diagnostics" else f"({topic.label})"
    console.write((topic.name, "bold"), f" {label}")
    console.write()
    console.write(topic.text)
    if topic.type:
        console.write()
        console.write(f"{topic.type}, {presence(topic.default)}")
    if topic.arguments:
        console.write()
        _show_arguments(topic)
    if not last:
        console.write()


def _show_arguments(topic: Topic) -> None:
    """A table; what the text above says already is not repeated in it."""
    above = " ".join(topic.text.split())
    headers = ("key" if topic.group == "keys" else "argument", "type", "default", "meaning")
    rows = [
        (
            _name(known),
            known.type,
            "required" if known.default is None else known.default,
            "" if (known.text or "")[:-1] in above else known.text,
        )
        for known in topic.arguments
    ]
    columns = 4 if any(row[3] for row in rows) else 3
    console.table(headers[:columns], [[cell or "" for cell in row[:columns]] for row in rows], numbers=frozenset())


def _name(argument: Argument) -> str:
    return f"{argument.name} (main)" if argument.main else argument.name


command = guarded(explain)
