"""`specforge import`: a network of another tool as a spec."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from specforge.cli import console
from specforge.cli.files import demand_free, write_whole
from specforge.cli.guard import guarded

if TYPE_CHECKING:
    from specforge.diagnostics import Findings


def import_(
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="`torchvision:NAME`, or a file: Darknet's .cfg, Keras's .json, weights."),
    ],
    output_file: Annotated[
        Path | None, typer.Option("--output-file", "-o", help="Write the spec to a file instead of stdout.")
    ] = None,
    weights: Annotated[
        bool,
        typer.Option("--weights", help="Also fetch the published weights, into a .safetensors file beside the spec."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is already there.")] = False,
) -> None:
    """Write a network of torchvision, Darknet or Keras as a spec, with blocks and repeats."""
    from specforge.importing.network import ImportFailure

    if weights:
        _demand_published(source, output_file)
    if output_file is not None:
        for file in (output_file, *([_weights_file(output_file)] if weights else ())):
            demand_free(file, force=force)
    try:
        text = _text_of(source)
        if output_file is None:
            print(text, end="")
            return
        write_whole(output_file, text)
        console.note(f"wrote {output_file}")
        if weights:
            _write_weights(output_file)
    except ImportFailure as failure:
        console.error(failure.message, failure.hint)
        raise typer.Exit(1) from None


def _demand_published(source: str, output_file: Path | None) -> None:
    """Before anything is read or written: `--weights` fits the source, and has a place."""
    without = {".cfg": "a Darknet .cfg", ".json": "a Keras .json"}
    kind = without.get(Path(source).suffix.lower())
    if kind is not None:
        console.error(f"--weights is for torchvision: {kind} has no published weights", "leave out `--weights`")
        raise typer.Exit(2)
    if output_file is None:
        raise typer.BadParameter("the weights lie beside the spec: give `--output-file` too", param_hint="--weights")


def _weights_file(spec: Path) -> Path:
    return spec.with_suffix(".safetensors")


def _text_of(source: str) -> str:
    """The spec of a source; what its reader leaves out goes to stderr."""
    from specforge.importing.checkpoint import WEIGHTS_ENDINGS, read_checkpoint
    from specforge.importing.sources import read_source
    from specforge.importing.specs import spec_of

    if Path(source).suffix.lower() in WEIGHTS_ENDINGS:
        found = read_checkpoint(Path(source))
        console.note(found.how)
        return found.text
    network, findings = read_source(source)
    text = spec_of(network, comment=_comment(source)).text
    _tell(findings)
    return text


def _comment(source: str) -> str:
    from specforge.diagnostics import one_line

    return f"Made by `specforge import {one_line(source)}`."


def _tell(findings: "Findings") -> None:
    """What the reader leaves out."""
    from specforge.cli.findings import write_text

    for found in findings:
        write_text(found, {}, to=sys.stderr)


def _write_weights(spec: Path) -> None:
    from specforge.importing.published import fetch_weights

    file = _weights_file(spec)
    fetch_weights(spec, file)
    console.note(f"wrote {file}, the published weights under the names of the spec")


command = guarded(import_)
