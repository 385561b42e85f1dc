"""`specforge doctor`: what this machine has, what is broken of it, and which command mends it."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from specforge.cli import console
from specforge.cli.guard import guarded
from specforge.doctor import examine

_STYLES = {"fine": "green", "absent": "yellow", "broken": "bold red"}


class Format(StrEnum):
    text = "text"
    json = "json"


def doctor(
    format_: Annotated[Format, typer.Option("--format", help="How the findings are written.")] = Format.text,
) -> None:
    """Examine the installation: packages, device, memory. Exits 1 if a part is broken."""
    found = examine()
    if format_ is Format.json:
        print(json.dumps([finding._asdict() for finding in found], indent=2, ensure_ascii=False))
    else:
        width = max(len(finding.part) for finding in found)
        for finding in found:
            state = finding.state.ljust(len("broken"))
            console.write(f"{finding.part.ljust(width)}  ", (state, _STYLES[finding.state]), f"  {finding.says}")
            if finding.mend:
                console.write(" " * (width + len("broken") + 4), ("mend", "bold cyan"), f": {finding.mend}")
    if any(finding.state == "broken" for finding in found):
        raise typer.Exit(1)


command = guarded(doctor)
