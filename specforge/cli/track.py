"""`specforge track`: send runs to TensorBoard or MLflow."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from specforge.cli import console
from specforge.cli.guard import guarded

if TYPE_CHECKING:
    from specforge.tracking.tracker import Target


def track(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run directories, finished or in progress.")],
    to: Annotated[
        list[str],
        typer.Option("--to", metavar="TOOL[:PLACE]", help="tensorboard[:FOLDER] or mlflow[:URI]. Repeatable."),
    ],
) -> None:
    """Send the epochs of runs, and their final tests, to where they are missing.

    Exits 1 when a run can't be sent; the others are sent all the same.
    """
    from specforge.tracking.tracker import target_of
    from specforge.training.errors import TrainingError

    try:
        targets = [target_of(text) for text in to]
    except TrainingError as error:
        console.error(error.message, error.hint)
        raise typer.Exit(2) from None
    sent = [_sent(run, targets) for run in runs]
    if not all(sent):
        raise typer.Exit(1)


def _sent(run: Path, targets: "list[Target]") -> bool:
    """Whether every target has taken what the run has."""
    if not (run / "metrics.jsonl").is_file():
        console.error(f"{run} is not a run: it has no metrics.jsonl", "give the folder that `--out` named")
        return False
    taken = [_taken(run, target) for target in targets]
    return all(taken)


def _taken(run: Path, target: "Target") -> bool:
    from specforge.tracking.tracker import opened, reason_of

    try:
        tracked = opened(target, run)
        sent = tracked.catch_up()
        tracked.close()
    except Exception as error:  # noqa: BLE001  the client of another program may raise anything
        is_server = target.tool == "mlflow"
        hint = "is it running, and does its address begin right?" if is_server else "check the folder, and free space"
        console.error(f"{target} has not taken {run}: {reason_of(error)}", hint)
        return False
    console.write((str(run), "bold"), f": {sent} epoch{'' if sent == 1 else 's'} sent to {target}")
    return True


command = guarded(track)
