"""`specforge export`: a network in a form that other programs, or people, read."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from specforge.cli.export_models import Wish, export_model
from specforge.cli.export_texts import DIAGRAMS, TEXTS, export_text
from specforge.cli.guard import guarded
from specforge.cli.options import DataDir, Download, Settings


class To(StrEnum):
    python = "python"
    mermaid = "mermaid"
    dot = "dot"
    onnx = "onnx"
    torch_export = "torch_export"
    safetensors = "safetensors"


# how files of a format that is not text usually end
ENDINGS = {To.onnx: ".onnx", To.torch_export: ".pt2", To.safetensors: ".safetensors"}


def export(
    source: Annotated[
        str, typer.Argument(metavar="RUN_OR_SPEC", help="A run directory, a bundle, or a spec file for fresh weights.")
    ],
    to: Annotated[To, typer.Option("--to", help="The format.")],
    output_file: Annotated[
        Path | None,
        typer.Option(
            "--output-file",
            "-o",
            metavar="FILE",
            help="The file to write; python, mermaid and dot go to stdout without it.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is already there.")] = False,
    set_: Settings = None,
    depth: Annotated[
        int | None,
        typer.Option(
            "--depth",
            min=1,
            help="mermaid, dot: how many levels of composites are opened.  [default: all, or all but blocks]",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, max=2**63 - 1, help="Of a spec's fresh weights.")] = None,
    with_preprocessing: Annotated[
        bool,
        typer.Option(
            "--with-preprocessing", help="onnx, torch_export: take pixels as bytes, and normalise them inside."
        ),
    ] = False,
    data_dir: DataDir = None,
    download: Download = False,
) -> None:
    """Write a network in another format: as Python, as a diagram, or with the weights of a run or fresh ones.

    A file with weights says what it is: spec, class names and normalisation are in its metadata.
    """
    if depth is not None and to not in DIAGRAMS:
        raise typer.BadParameter(f"is for {' and '.join(DIAGRAMS)}, not for {to}", param_hint="--depth")
    if to in TEXTS:
        for option, given in (("--seed", seed is not None), ("--with-preprocessing", with_preprocessing)):
            if given:
                raise typer.BadParameter(f"is for formats with weights, which {to} is not", param_hint=option)
        settings = tuple(set_ or ())
        export_text(source, to, output_file=output_file, force=force, settings=settings, depth=depth)
        return
    if output_file is None:
        raise typer.BadParameter(f"name the file, as in `network{ENDINGS[to]}`", param_hint="--output-file")
    wish = Wish(output_file, force, tuple(set_ or ()), seed, with_preprocessing, data_dir, download)
    export_model(source, to, wish)


command = guarded(export)
