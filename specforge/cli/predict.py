"""`specforge predict`: what a trained model takes images for."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from specforge.catalog.datasets.image_listing import shown
from specforge.cli import console
from specforge.cli.guard import guarded
from specforge.cli.model_errors import models_reported
from specforge.cli.options import DataDir, Device, Download
from specforge.diagnostics import one_line

if TYPE_CHECKING:
    from specforge.prediction import Model, Prediction


class Format(StrEnum):
    text = "text"
    json = "json"


Images = Annotated[list[Path], typer.Argument(metavar="IMAGE", help="Files of images, and folders of them.")]
Top = Annotated[int, typer.Option("--top", min=1, help="How many classes are named, the likeliest first.")]
Answers = Annotated[Format, typer.Option("--format", help="How answers are written.")]


def predict(
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL", help="A run directory, a bundle, or an exported .safetensors, .onnx or .pt2."),
    ],
    images: Images,
    top: Top = 5,
    format_: Answers = Format.text,
    device: Device = None,
    data_dir: DataDir = None,
    download: Download = False,
) -> None:
    """Classify images by a trained model: the likeliest classes and their probabilities.

    Images are resized, made grey or RGB and normalised as in training. Exits 1 when a file can't be read; the others
    are classified all the same.
    """
    with models_reported():
        from specforge.experiment import DEFAULT_DATA_DIR
        from specforge.prediction import open_model

        opened = open_model(model, device=device, data_dir=data_dir or DEFAULT_DATA_DIR, download=download)
        answer(opened, images, top=top, format_=format_)


def answer(model: "Model", images: list[Path], *, top: int, format_: Format) -> None:
    """Write what a model takes images for; exits 1 when a file can't be read."""
    from specforge.prediction import Prediction
    from specforge.prediction import predict as predicted

    for note in model.notes:
        console.note(("note", "bold"), f": {note}")
    failed, listed = 0, list[dict[str, Any]]()
    for found in predicted(model, images, top=top):
        if isinstance(found, Prediction):
            if format_ is Format.json:
                listed.append(_as_json(found))
            else:
                named = ", ".join(f"{each.name} {each.probability:.1%}" for each in found.top)
                console.write((shown(found.path), "bold"), f": {named}")
        else:
            failed += 1
            listed.append({"image": shown(found.path), "error": found.reason})
            console.error(f"{shown(found.path)}: {one_line(found.reason)}")
    if format_ is Format.json:
        print(json.dumps(listed, indent=2, ensure_ascii=False))
    if failed:
        raise typer.Exit(1)


def _as_json(found: "Prediction") -> dict[str, Any]:
    top = [{"index": each.index, "class": each.name, "probability": each.probability} for each in found.top]
    return {"image": shown(found.path), "top": top}


command = guarded(predict)
