"""`specforge verify`: whether the files of runs are what was written."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from specforge.cli import console
from specforge.cli.guard import guarded

if TYPE_CHECKING:
    from specforge.verification import Verification


class Format(StrEnum):
    text = "text"
    json = "json"


def verify(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run directories.")],
    format_: Annotated[Format, typer.Option("--format", help="How the findings are written.")] = Format.text,
) -> None:
    """Check runs: every file against its checksum, checkpoints, metrics, the spec. Exits 1 if something is damaged.

    Nothing is executed and nothing is changed; a run may be in progress.
    """
    from specforge.verification import NotARun
    from specforge.verification import verify as verified

    found = []
    for run in runs:
        try:
            found.append(verified(run))
        except NotARun as error:
            console.error(error.message, error.hint)
            raise typer.Exit(2) from None
    if format_ is Format.json:
        print(json.dumps([_as_json(checked) for checked in found], indent=2, ensure_ascii=False))
    else:
        for checked in found:
            _show(checked)
    if not all(checked.is_intact for checked in found):
        raise typer.Exit(1)


def _show(run: "Verification") -> None:
    damaged = run.of("damaged")
    style, state = ("bold red", "damaged") if damaged else ("bold green", "intact")
    epochs = f"{run.epochs} epoch{'s' * (run.epochs != 1)}"
    progress = "finished" if run.is_finished else "no result yet"
    intact = len(run.of("intact"))
    console.write(
        f"{run.folder}: ", (state, style), f", {progress}, {epochs}, {intact} file{'s' * (intact != 1)} intact"
    )
    for found in damaged:
        console.write("  ", (found.file, "bold"), f" {found.problem}")
    for found in run.of("note"):
        console.write("  ", (found.file, "bold"), f" {found.problem}")
    unrecorded = [found.file for found in run.of("unrecorded")]
    if unrecorded:
        console.write(f"  no checksum recorded: {', '.join(unrecorded)}")
    if damaged:
        console.error(f"{len(damaged)} of the files of {run.folder} are not what was written", _hint(run))


def _hint(run: "Verification") -> str:
    """What to do about it."""
    first = "remove result.json, then " if run.is_finished else ""
    if any(found.file.startswith("checkpoints/") for found in run.of("damaged")):
        return f"restore them from a copy, or {first}`train … --resume` goes on from the newest whole checkpoint"
    return f"restore them from a copy, or {first}`train … --resume` writes anew what the checkpoints still know"


def _as_json(run: "Verification") -> dict[str, Any]:
    return {
        "run": str(run.folder),
        "intact": run.is_intact,
        "finished": run.is_finished,
        "epochs": run.epochs,
        "files": [{"file": each.file, "state": each.state, "problem": each.problem or None} for each in run.findings],
    }


command = guarded(verify)
