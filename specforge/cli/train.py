"""`specforge train`: train a spec and write a run directory."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from specforge.analysis import analyse
from specforge.cli import console
from specforge.cli.guard import guarded
from specforge.cli.loading import load_torch
from specforge.cli.options import DataDir, Device, Download, Settings, SpecArgument
from specforge.cli.run_errors import reported
from specforge.cli.voices import in_unison, launcher
from specforge.diagnostics import SpecError

if TYPE_CHECKING:
    from specforge.experiment import Run


def train(
    spec: SpecArgument,
    set_: Settings = None,
    out: Annotated[
        str | None, typer.Option("--out", help="Run directory.  [default: runs/NAME]", show_default=False)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue what the run directory holds, or start it.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="With --resume: continue although the spec has changed, if the changes are safe."),
    ] = False,
    device: Device = None,
    data_dir: DataDir = None,
    download: Download = False,
    track: Annotated[
        list[str] | None,
        typer.Option("--track", metavar="TOOL[:PLACE]", help="tensorboard[:FOLDER] or mlflow[:URI]. Repeatable."),
    ] = None,
) -> None:
    """Train a spec: progress to stderr, the result and the report's path to stdout."""
    from specforge.cli.findings import concise

    if out == "":
        raise typer.BadParameter("the name of the folder is empty", param_hint="--out")
    if force and not resume:
        raise typer.BadParameter(
            "it is for a run that goes on: add --resume; no run is overwritten", param_hint="--force"
        )
    if track:
        _demand_tools(track)
    settings = tuple(set_ or ())
    analysis = analyse(spec, settings)
    for found in analysis.findings:
        if found.severity == "warning" and not found.accepted:
            console.note(concise(found))
    loaded, graph = analysis.require()
    if loaded.data is None or loaded.train is None:
        from specforge.experiment import incomplete

        raise SpecError(incomplete(spec), analysis.texts)
    console.note((loaded.name, "bold"), f": {graph.trainable_parameters:,} trainable parameters, {graph.macs:,} MACs")
    if loaded.search is not None:
        console.note("`search` is not for `train`: this run trains the spec's own values")
    with reported(resume=_resume_command), _difference_shown():
        load_torch()
        from specforge import experiment
        from specforge.cli.progress import progress

        with progress() as listener:
            run = experiment.train(
                loaded, out=out, resume=resume, force=force, device=device, data_dir=data_dir, download=download,
                listener=listener, track=tuple(track or ()),
            )  # fmt: skip
    _show(run)


def _demand_tools(track: list[str]) -> None:
    """Before anything is read: what is to be tracked, can be."""
    from specforge.tracking.tracker import target_of
    from specforge.training.errors import TrainingError

    for text in track:
        try:
            target_of(text)
        except TrainingError as error:
            raise typer.BadParameter(f"{error.message}: {error.hint}", param_hint="--track") from None


@contextmanager
def _difference_shown() -> Iterator[None]:
    """Show, before it is refused, how the spec of a run has changed, as `specforge diff` does."""
    from specforge.training.errors import SpecChanged

    try:
        yield
    except SpecChanged as refused:
        if refused.difference is not None:
            from specforge.cli.diff import show

            show(refused.difference, to=sys.stderr)
        raise


def _resume_command(run: Path | None) -> str:
    """What was typed, with `--resume` and the run's folder: without it, the newest of this name would go on."""
    words = [*launcher(), *sys.argv[1:]]
    if run is not None and not any(word == "--out" or word.startswith("--out=") for word in words):
        words += ["--out", str(run)]
    return shlex.join(words if "--resume" in words else [*words, "--resume"])


def _show(run: "Run") -> None:
    result = run.result
    at = f" ({result.tested})"
    console.write(
        "test accuracy ", (f"{result.test_accuracy:.2%}", "bold green"), f", test loss {result.test_loss:.4f}{at}"
    )
    if result.best_class and result.worst_class:
        best, worst = result.best_class, result.worst_class
        console.write(f"best class {best.name} {best.accuracy:.1%}, worst class {worst.name} {worst.accuracy:.1%}")
    console.write(f"run    {run.path}")
    console.write(f"report {run.report}")


command = in_unison(guarded(train))
