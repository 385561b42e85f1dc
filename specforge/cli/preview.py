"""`specforge preview`: a picture of what training shows the network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from specforge.analysis import analyse
from specforge.cli import console
from specforge.cli.guard import guarded
from specforge.cli.loading import load_torch
from specforge.cli.options import DataDir, Download, Settings, SpecArgument
from specforge.cli.run_errors import reported
from specforge.diagnostics import SpecError

if TYPE_CHECKING:
    from specforge.experiment import Preview
    from specforge.spec import Spec


def preview(
    spec: SpecArgument,
    set_: Settings = None,
    out: Annotated[Path, typer.Option("--out", help="The picture, a PNG; a file of that name is replaced.")] = Path(
        "preview.png"
    ),
    images: Annotated[int, typer.Option("--images", min=1, max=64, help="How many training images.")] = 8,
    epoch: Annotated[int, typer.Option("--epoch", min=1, help="The first epoch that is shown.")] = 1,
    epochs: Annotated[int, typer.Option("--epochs", min=1, max=32, help="How many epochs, a column each.")] = 6,
    data_dir: DataDir = None,
    download: Download = False,
) -> None:
    """Draw training images as they are, beside what the epochs show the network: augmented, and mixed.

    The pictures are those of a training run, number for number: the same order, crops and partners.
    """
    _check(out)
    analysis = analyse(spec, tuple(set_ or ()))
    loaded, _ = analysis.require()
    if loaded.data is None or loaded.train is None:
        from specforge.experiment import incomplete

        raise SpecError(incomplete(spec), analysis.texts)
    if epoch > (total := loaded.train.total_epochs):
        raise typer.BadParameter(f"the recipe has {total} epochs, found {epoch}", param_hint="--epoch")
    with reported():
        load_torch()
        from specforge import experiment

        done = experiment.preview(
            loaded, out, images=images, epoch=epoch, epochs=epochs, data_dir=data_dir, download=download
        )
    _show(done, loaded)


def _check(out: Path) -> None:
    """Before the data is read, which may take long."""
    if out.suffix.lower() != ".png":
        found = f"`{out.name}`" if out.name else "no name"
        raise typer.BadParameter(f"the picture is a PNG, found {found}: write `preview.png`", param_hint="--out")
    if out.is_dir():
        raise typer.BadParameter(f"{out} is a folder: give the name of a file", param_hint="--out")


def _show(done: "Preview", spec: "Spec") -> None:
    from specforge.catalog.discovery import word_for

    assert spec.data is not None
    several = done.images > 1
    counted = f"{done.images} training images as they are" if several else "a training image as it is"
    if not done.epochs:
        console.write(f"{counted}: the spec has no `augment` and no `mix`, so training changes nothing")
    else:
        first, last = done.epochs[0], done.epochs[-1]
        when = f"epoch {first} shows" if first == last else f"epochs {first} to {last} show"
        words = ", ".join(word_for(entry) for entry in (*spec.data.augment, *spec.data.mixes))
        console.write(f"{counted} and as {when} {'them' if several else 'it'}: {words}")
    console.write(f"preview {done.path}")


command = guarded(preview)
