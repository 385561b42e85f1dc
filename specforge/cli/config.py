"""`specforge config`: the resolved spec."""

from enum import StrEnum
from typing import Annotated

import typer

from specforge.analysis import analyse
from specforge.cli import console
from specforge.cli.guard import guarded
from specforge.cli.options import Settings, SpecArgument


class Format(StrEnum):
    yaml = "yaml"
    json = "json"


def config(
    spec: SpecArgument,
    set_: Settings = None,
    format_: Annotated[Format, typer.Option("--format", help="How the spec is written.")] = Format.yaml,
    hash_: Annotated[bool, typer.Option("--hash", help="Print only the hash of what the spec means.")] = False,
) -> None:
    """Print the spec with extends, params, blocks and repeats applied, and defaults left out."""
    from specforge.resolved import keeps_search, spec_hash, to_json, to_yaml

    found, _ = analyse(spec, tuple(set_ or ())).require()
    if hash_:
        print(spec_hash(found))
    else:
        if not keeps_search(found):
            told = "`search` is left out: it varies params, blocks or layers, which a resolved spec no longer has"
            console.note(("note", "bold"), f": {told}")
        print(to_yaml(found) if format_ is Format.yaml else to_json(found), end="")


command = guarded(config)
