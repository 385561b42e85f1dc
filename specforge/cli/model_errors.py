"""What `predict`, `run`, `bundle` and `export` say when a model can't be read, asked or written."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from specforge.cli import console
from specforge.cli.loading import load_torch
from specforge.cli.run_errors import reported


@contextmanager
def models_reported() -> Iterator[None]:
    """Load torch; turn failures of models, and of all that `train` reports, into one message."""
    from specforge.exporting import ExportError
    from specforge.prediction import PredictionError

    with reported():
        load_torch()
        try:
            yield
        except (ExportError, PredictionError) as error:
            console.error(error.message, error.hint)
            raise typer.Exit(2 if error.is_usage else 1) from None
