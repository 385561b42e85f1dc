"""A spec's text -> the same text in canonical layout: white space changes, every word and every comment stays.

    model:                            model:
        layers:                         layers:
        - conv: {out_channels : 8}#c ->   - conv: {out_channels: 8}  # c
        -   relu                          - relu

- Two spaces a level; the dashes of a list stand two spaces behind its key.
- Line breaks stay where they are, as LF; one blank line at most in a row, none at the start and the end.
- `{a: 1, b: [1, 2]}`: one space after `:` and `,`, none inside brackets. A flow collection over several lines is
  aligned behind its bracket, or one level deeper when the line ends with the bracket.
- A comment on a line of its own takes the indentation of what it stands beside. One behind a value has at least two
  spaces before it, and those that stood in one column of the file still do.
- Texts over several lines (`|`, `>`, quoted or not) move with their key.

Left alone, because it is meaning or the author's choice: quotes, the order of keys, where lines break, the inside of a
text. Keys are not sorted: a comment above a key may be about that key or about all that follows.
"""

from typing import Any

import yaml

from specforge.diagnostics import Findings
from specforge.formatting.layout import LOADER, lay_out
from specforge.source import parse

__all__ = ["format_text"]


def format_text(text: str, name: str, findings: Findings) -> str | None:
    """The text in canonical layout; None, with findings, when it does not parse."""
    known = len(findings)
    if parse(text, name, findings) is None or len(findings) > known:
        return None
    formatted = lay_out(text)
    if formatted != text and _events(formatted) != _events(text):
        raise AssertionError(f"the layout of {name} would change what it says")  # not `assert`: -O must not allow it
    return formatted


def _events(text: str) -> list[tuple[Any, ...]] | None:
    """What the parser reads, without places; None when it can't."""
    parts = ("anchor", "tag", "value", "style", "implicit", "flow_style", "version", "explicit")
    try:
        events = list(yaml.parse(text, Loader=LOADER))
    except yaml.YAMLError:
        return None
    return [(type(event), *(getattr(event, part, None) for part in parts)) for event in events]
