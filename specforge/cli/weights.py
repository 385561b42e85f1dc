"""`specforge weights map`: how published weights fill a spec's network."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from specforge.analysis import analyse
from specforge.cli import console
from specforge.cli.guard import guarded
from specforge.cli.options import Settings


class Action(StrEnum):
    map = "map"


class Format(StrEnum):
    text = "text"
    json = "json"


def weights(
    action: Annotated[Action, typer.Argument(help="`map` shows which of their tensors fills which of ours.")],
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="A spec file.")],
    from_: Annotated[
        Path | None,
        typer.Option("--from", help="A file of weights; by default torchvision's network of the spec's name."),
    ] = None,
    network: Annotated[
        str | None, typer.Option("--network", help="torchvision's name of the network, if not the spec's.")
    ] = None,
    set_: Settings = None,
    format_: Annotated[Format, typer.Option("--format", help="How the map is written.")] = Format.text,
) -> None:
    """Show how weights of torchvision, or of a file, fill a spec's network: our name, theirs, and the shape."""
    analysis = analyse(spec, tuple(set_ or ()))
    # a network whose claims fail can still be compared: that may be how its mistake is found
    found, graph = analysis.spec, analysis.graph
    if found is None or graph is None:
        found, graph = analysis.require()
    from specforge.torch_backend.weights import WeightsError, file_shapes, is_ordered, key_map, torchvision_shapes

    ours = graph.state()
    try:
        theirs = torchvision_shapes(network or found.name) if from_ is None else file_shapes(from_)
        names = key_map(ours, theirs, found.weights, ordered=from_ is None or is_ordered(from_))
    except WeightsError as error:
        console.error(error.message, error.hint)
        raise typer.Exit(1) from None
    _show(names, ours, format_)


def _show(names: dict[str, str], ours: dict[str, tuple[int, ...]], format_: Format) -> None:
    from specforge.shapes import spelled

    if format_ is Format.json:
        import json

        print(json.dumps(names, indent=2))
        return
    widths = [max((len(name) for name in column), default=0) for column in (names, names.values())]
    for name, other in names.items():
        print(f"{name:{widths[0]}}  {other:{widths[1]}}  {spelled(ours[name])}")
    console.note(f"all {len(names)} tensors of the network are filled")


command = guarded(weights)
