"""`specforge lr-find`: a learning rate for a spec, and the curve that it was read from."""

import json
import shlex
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from specforge.analysis import analyse
from specforge.cli import console
from specforge.cli.guard import guarded
from specforge.cli.loading import load_torch
from specforge.cli.options import DataDir, Device, Download, Settings, SpecArgument
from specforge.cli.run_errors import reported
from specforge.diagnostics import SpecError

if TYPE_CHECKING:
    from specforge.experiment import FoundRate


_RISE = 0.02  # by which share the loss must rise to mean something


class Format(StrEnum):
    text = "text"
    json = "json"


def lr_find(
    spec: SpecArgument,
    set_: Settings = None,
    low: Annotated[float, typer.Option("--low", help="The first rate.")] = 1e-7,
    high: Annotated[float, typer.Option("--high", help="The last rate.")] = 10.0,
    steps: Annotated[int, typer.Option("--steps", min=10, max=10_000, help="How many rates, a step each.")] = 100,
    out: Annotated[Path, typer.Option("--out", help="The picture, a PNG; a file of that name is replaced.")] = Path(
        "lr_find.png"
    ),
    device: Device = None,
    data_dir: DataDir = None,
    download: Download = False,
    format_: Annotated[Format, typer.Option("--format", help="How the result is written.")] = Format.text,
) -> None:
    """Find a learning rate: raise it step by step, and take the one at which the loss falls fastest.

    It is what `lr: find` chooses at the start of a run. Nothing is trained: weights are left as they were.
    """
    _check(low, high, out)
    analysis = analyse(spec, tuple(set_ or ()))
    loaded, _ = analysis.require()
    if loaded.data is None or loaded.train is None:
        from specforge.experiment import incomplete

        raise SpecError(incomplete(spec), analysis.texts)
    console.note((loaded.name, "bold"), f": {steps} steps at rates from {low:g} to {high:g}")
    with reported():
        load_torch()
        from specforge import experiment

        found = experiment.find_rate(
            loaded, out, low=low, high=high, steps=steps, device=device, data_dir=data_dir, download=download
        )
    if format_ is Format.json:
        print(json.dumps(_as_json(found)))
    else:
        _show(found, spec, set_ or [])
    if found.chosen is None:
        _report_none(found, low, high, steps)
        raise typer.Exit(1)


def _check(low: float, high: float, out: Path) -> None:
    """Before the data is read, which may take long."""
    if not 0 < low < float("inf"):
        raise typer.BadParameter(f"a rate is greater than 0, found {low:g}", param_hint="--low")
    if not low < high < float("inf"):
        raise typer.BadParameter(f"the last rate is above the first, {low:g}, found {high:g}", param_hint="--high")
    if out.suffix.lower() != ".png":
        found = f"`{out.name}`" if out.name else "no name"
        raise typer.BadParameter(f"the picture is a PNG, found {found}: write `lr_find.png`", param_hint="--out")
    if out.is_dir():
        raise typer.BadParameter(f"{out} is a folder: give the name of a file", param_hint="--out")


def _as_json(found: "FoundRate") -> dict[str, object]:
    curve = found.curve
    return {
        "stage": curve.stage + 1,
        "chosen": found.chosen,
        "how": found.how,
        "path": found.path,
        "start": curve.start,
        "rates": curve.rates,
        "losses": curve.losses,
        "smoothed": curve.smoothed,
        "picture": str(found.picture),
    }


def _show(found: "FoundRate", spec: str, settings: list[str]) -> None:
    if found.chosen is not None:
        console.write("learning rate ", (f"{found.chosen:g}", "bold green"), f" ({found.how} of the loss)")
        words = [word for setting in (*settings, f"{found.path}={found.chosen:g}") for word in ("--set", setting)]
        console.write(f"use it  {shlex.join(['specforge', 'train', spec, *words])}")
    console.write(f"curve   {found.picture}")


def _report_none(found: "FoundRate", low: float, high: float, steps: int) -> None:
    start = found.curve.start
    # a sweep ends before its last step when the loss has diverged
    rises = len(found.curve.rates) < steps or max(found.curve.losses) > (1 + _RISE) * start
    what = "rises at once" if rises else "does not move"
    advice = "start lower with `--low`" if rises else "end higher with `--high`"
    console.error(f"no rate from {low:g} to {high:g} helps: the loss {what}", f"{advice}; {found.picture} shows it")


command = guarded(lr_find)
