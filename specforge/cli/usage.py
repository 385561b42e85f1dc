"""A word that is none of an option's choices -> a sentence with the nearest one, for every command.

Value error, 'jsn' is not one of 'text', 'json'.    ->    `jsn` is not one of text, json; did you mean `json`?
"""

import re
from typing import Any

import typer
from typer.core import TyperCommand

from specforge.diagnostics import nearest

_NO_CHOICE = re.compile(r"(?:Value error, )?'(?P<word>.*)' is not one of (?P<choices>'.*')\.?", re.DOTALL)


class Command(TyperCommand):
    """A command that words typer's complaint about a choice; versions of typer word it in several ways."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            error.message = plain(error.message)
            raise


def plain(message: str) -> str:
    """Any other message stays as it is."""
    found = _NO_CHOICE.fullmatch(message)
    if found is None:
        return message
    choices = re.findall("'([^']*)'", found["choices"])
    close = nearest(found["word"], choices)
    hint = f"; did you mean `{close}`?" if close else ""
    return f"`{found['word']}` is not one of {', '.join(choices)}{hint}"
