"""`specforge run`: what a bundle is, and what it takes images for."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from specforge.cli import console
from specforge.cli.guard import guarded
from specforge.cli.model_errors import models_reported
from specforge.cli.options import Device
from specforge.cli.predict import Answers, Format, Top, answer
from specforge.diagnostics import printable

if TYPE_CHECKING:
    from specforge.prediction import WeightsFile

# classes that are named, and letters of a checksum that tell it from others
_NAMED, _SHORT = 10, 12


def run(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A file that `specforge bundle` wrote.")],
    images: Annotated[
        list[Path] | None,
        typer.Argument(metavar="IMAGE", help="Files of images, and folders of them; none to see what is in it."),
    ] = None,
    top: Top = 5,
    format_: Answers = Format.text,
    device: Device = None,
    check: Annotated[bool, typer.Option("--check", help="Only check it: checksum, spec, every tensor.")] = False,
    spec: Annotated[bool, typer.Option("--spec", help="Only print its spec.")] = False,
) -> None:
    """Classify images with a bundle; without images, say what is in it. It needs neither the run nor its data."""
    if (check or spec) and (images or check == spec):
        raise typer.BadParameter("give one of --check, --spec and images")
    with models_reported():
        from specforge.prediction import opened_bundle

        found = opened_bundle(bundle)
        if images:
            from specforge.prediction import networks_of

            answer(networks_of(found, device=device), images, top=top, format_=format_)
        elif check:
            found.demand_finite()
            _tell_checked(found)
        elif spec:
            print(printable(found.card.spec), end="")
        elif format_ is Format.json:
            print(json.dumps(_as_json(found), indent=2, ensure_ascii=False))
        else:
            _show(found)


def _tell_checked(found: "WeightsFile") -> None:
    console.write(f"{found.name}: ", ("intact", "bold green"), f", {len(found.container.shapes)} tensors")
    if not found.means_the_same:
        told = "this version of specforge reads its spec in another way than the one that wrote it"
        console.note(("note", "bold"), f": {told}")


def _show(found: "WeightsFile") -> None:
    spec, card, graph = found.spec, found.card, found.graph
    described = f": {' '.join(spec.description.split())}" if spec.description else ""
    console.write((card.name, "bold"), described)
    normalization = card.normalization
    rows = {
        "source": ""
        if spec.source is None
        else ", ".join(map(str, spec.source.model_dump(exclude_none=True).values())),
        "result": _result(found),
        "tested": card.tested or "",
        "classes": _classes(card.class_names),
        "input": " × ".join(map(str, card.image)),
        "normalised": ""
        if normalization is None
        else f"mean {_numbers(normalization.mean)}, deviation {_numbers(normalization.std)}",
        "parameters": f"{graph.trainable_parameters + graph.non_trainable_parameters:,}",
        "trained": _trained(found.environment),
        "spec": card.spec_hash[:_SHORT],
        "checksum": found.checksum[:_SHORT],
    }
    width = max(map(len, rows))
    for name, text in rows.items():
        if text:
            console.write(f"  {name:{width}}  {text}")


def _result(found: "WeightsFile") -> str:
    result = found.result
    if result is None or result.test_accuracy is None:
        return ""
    more = "" if result.test_loss is None else f", test loss {result.test_loss:.4f}"
    return f"test accuracy {result.test_accuracy:.2%}{more}"


def _classes(names: tuple[str, ...]) -> str:
    if not names:
        return ""
    more = ", …" if len(names) > _NAMED else ""
    return f"{len(names)}: {', '.join(names[:_NAMED])}{more}"


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:.4f}" for value in values)


def _trained(environment: dict[str, str]) -> str:
    known = [environment.get("started", ""), environment.get("device_name", "")]
    versions = [f"{name} {environment[name]}" for name in ("specforge", "torch") if name in environment]
    return ", ".join(text for text in (*known, *versions) if text)


def _as_json(found: "WeightsFile") -> dict[str, Any]:
    card = found.card.model_dump(mode="json", exclude={"spec"})
    return {
        **card,
        "parameters": found.graph.trainable_parameters + found.graph.non_trainable_parameters,
        "result": None if found.result is None else found.result.model_dump(mode="json", exclude_unset=True),
        "environment": found.environment,
        "sha256": found.checksum,
    }


command = guarded(run)
