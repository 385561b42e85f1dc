"""`specforge track`: send runs to TensorBoard or MLflow."""

from pathlib import Path
from typing import Annotated

import typer

from specforge.cli import console
from specforge.cli.guard import guarded


def track(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run directories, finished or in progress.")],
    to: Annotated[
        list[str],
        typer.Option("--to", metavar="TOOL[:PLACE]", help="tensorboard[:FOLDER] or mlflow[:URI]. Repeatable."),
    ],
) -> None:
    """Send the epochs of runs, and their final tests, to where they are missing."""
    from specforge.tracking.tracker import opened, target_of
    from specforge.training.errors import TrainingError

    try:
        targets = [target_of(text) for text in to]
    except TrainingError as error:
        console.error(error.message, error.hint)
        raise typer.Exit(2) from None
    for run in runs:
        if not (run / "metrics.jsonl").is_file():
            console.error(f"{run} is not a run: it has no metrics.jsonl", "give the folder that `--out` named")
            raise typer.Exit(1)
        for target in targets:
            try:
                tracked = opened(target, run)
                sent = tracked.catch_up()
                tracked.close()
            except OSError:
                raise
            except Exception as error:  # noqa: BLE001  the client of another program may raise anything
                why = (str(error).splitlines() or [""])[0][:300] or type(error).__name__
                console.error(
                    f"{target} has not taken {run}: {why}", "is it running, and does its address begin right?"
                )
                raise typer.Exit(1) from None
            console.write((str(run), "bold"), f": {sent} epoch{'' if sent == 1 else 's'} sent to {target}")


command = guarded(track)
