"""`specforge bundle`: a finished run as one file."""

from pathlib import Path
from typing import Annotated

import typer

from specforge.cli import console
from specforge.cli.files import demand_free, write_whole
from specforge.cli.guard import guarded
from specforge.cli.model_errors import models_reported
from specforge.cli.options import DataDir, Download

SUFFIX = ".specforge"


def bundle(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    output_file: Annotated[
        Path | None,
        typer.Option(
            "--output-file", metavar="FILE", help="The bundle.  [default: NAME.specforge]", show_default=False
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is already there.")] = False,
    data_dir: DataDir = None,
    download: Download = False,
) -> None:
    """Put a run into one file: its spec, tested weights, class names, normalisation, result and environment.

    `specforge run FILE IMAGE...` classifies images with it, on machines that have neither the run nor its data.
    """
    if output_file is not None:
        demand_free(output_file, force=force)
    with models_reported():
        from specforge.experiment import DEFAULT_DATA_DIR
        from specforge.prediction import bundled

        trained, content = bundled(run, data_dir=data_dir or DEFAULT_DATA_DIR, download=download)
    file = output_file or Path(f"{trained.card.name}{SUFFIX}")
    demand_free(file, force=force)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, content)
    for note in trained.notes:
        console.note(("note", "bold"), f": {note}")
    console.note(f"wrote {file}: {trained.card.tested}, {len(content):,} bytes")
    console.note(f"  specforge run {file}             says what is in it")
    console.note(f"  specforge run {file} IMAGE...    classifies images")


command = guarded(bundle)
