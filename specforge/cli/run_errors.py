"""What `train` and `evaluate` say when a run can't start or go on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from specforge.cli import console


@contextmanager
def reported(*, resume: Callable[[Path | None], str] | None = None) -> Iterator[None]:
    """Turn failures of data, runs and packages into one message; `resume` is the command that goes on with a folder."""
    from specforge.experiment import MissingExtra

    try:
        yield
    except MissingExtra as error:
        console.error(error.message, error.hint)
        raise typer.Exit(1) from None
    except Exception as error:
        _report(error, resume)
        raise


def _report(error: Exception, resume: Callable[[Path | None], str] | None) -> None:
    """Say what failed and leave, when it is one of the failures that are expected."""
    from specforge.catalog.datasets.definition import DataError
    from specforge.report import RunError
    from specforge.torch_backend import WeightsError
    from specforge.training.errors import Gone, Hushed, Interrupted, TrainingError, told_by_this_one

    if isinstance(error, Hushed):
        raise typer.Exit(error.exit_code) from None
    if told_by_this_one():
        console.mute(False)
    if isinstance(error, Interrupted):
        going_on = "" if resume is None else f"; go on with: {resume(error.run)}"
        console.note(("interrupted", "bold yellow"), f": the run is saved{going_on}")
        raise typer.Exit(error.exit_code) from None
    if isinstance(error, Gone) and resume is not None:
        console.error(error.message, f"go on with: {resume(None)}")
        raise typer.Exit(1) from None
    if isinstance(error, DataError | TrainingError | WeightsError):
        console.error(error.message, error.hint)
        raise typer.Exit(1) from None
    if isinstance(error, RunError):
        console.error(str(error))
        raise typer.Exit(1) from None
