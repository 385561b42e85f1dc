"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Set a value, as in train.epochs=5. Repeatable."),
]
SpecArgument = Annotated[str, typer.Argument(metavar="SPEC", help="A spec file, or - for stdin.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", envvar="SPECFORGE_DATA", help="Folder of data sets.  [default: data]", show_default=False
    ),
]
Download = Annotated[bool, typer.Option("--download", help="Fetch the data set when it is missing.")]
Device = Annotated[str | None, typer.Option("--device", help="cpu, cuda, cuda:1 or mps; the best one by default.")]
