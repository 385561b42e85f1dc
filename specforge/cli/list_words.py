"""`specforge list`: the words of the language."""

from typing import Annotated

import typer

from specforge.catalog.discovery import FAMILIES, definition, index
from specforge.cli import console
from specforge.cli.guard import guarded


def list_words(
    family: Annotated[str | None, typer.Argument(help=f"One of {', '.join(FAMILIES)}; all of them by default.")] = None,
) -> None:
    """List layers, optimizers, data sets and all other words, each with what it is."""
    if family is not None and family not in FAMILIES:
        from specforge.diagnostics import did_you_mean

        raise typer.BadParameter(f"`{family}`: {did_you_mean(family, FAMILIES)}", param_hint="FAMILY")
    rows = [
        (word, name, (getattr(definition(name, word), "__doc__", None) or "").strip().partition("\n")[0])
        for name in (FAMILIES if family is None else (family,))
        for word in index(name)
    ]
    console.table(("word", "family", "what it is"), rows, numbers=frozenset())


command = guarded(list_words)
