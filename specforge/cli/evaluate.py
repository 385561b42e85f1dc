"""`specforge evaluate`: test the weights of a run again."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from specforge.cli import console
from specforge.cli.guard import guarded
from specforge.cli.loading import load_torch
from specforge.cli.options import DataDir, Device, Download
from specforge.cli.run_errors import reported


class Format(StrEnum):
    text = "text"
    json = "json"


def evaluate(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run directories.")],
    device: Device = None,
    data_dir: DataDir = None,
    download: Download = False,
    format_: Annotated[Format, typer.Option("--format", help="How results are written.")] = Format.text,
) -> None:
    """Test the weights of finished runs again: accuracy, top-5 accuracy, best and worst class."""
    results = {}
    with reported():
        load_torch()
        from specforge import experiment

        for run in runs:
            results[str(run)] = experiment.evaluate(run, device=device, data_dir=data_dir, download=download)
    if format_ is Format.json:
        print(json.dumps({run: json.loads(result.encode()) for run, result in results.items()}, indent=2))
        return
    for name, result in results.items():
        figures = f"test accuracy {result.test_accuracy:.2%}, top-5 {result.test_top5_accuracy:.2%}"
        console.write((name, "bold"), f": {result.tested}")
        console.write(f"  {figures}, loss {result.test_loss:.4f}")
        ordered = sorted(result.per_class, key=lambda entry: entry.accuracy or 0.0, reverse=True)
        for label, entries in (("best ", ordered[:3]), ("worst", ordered[:-4:-1])):
            shown = ", ".join(f"{entry.name} {entry.accuracy or 0.0:.1%}" for entry in entries)
            console.write(f"  {label} {shown}")


command = guarded(evaluate)
