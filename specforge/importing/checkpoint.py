"""A file of weights without its spec -> the spec of its network, where the file says which network that is.

    a specforge export              the spec in its metadata, as it is
    runs/lab2/checkpoints/…         the run's spec.yaml
    layer4.1.conv2.weight, fc.…     the zoo's network with those names and shapes, with the file's number of classes:
                                    extends: zoo/resnet18.yaml, edit: [{at: classifier, set: {out_features: 10}}]

Anything else is refused with what can be told of it. Shapes alone make no network: they tell nothing of strides,
activations, poolings, or what is added to what. Safetensors are read without torch, and no tensor is read; torch's own
format is read by torch, which executes nothing of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from specforge.analysis import Analysis, analyse
from specforge.diagnostics import Diagnostic, Rule, Span, SpecError, one_line
from specforge.importing.network import ImportFailure
from specforge.importing.rules import NOT_THIS_FORMAT, UNKNOWN_WEIGHTS
from specforge.importing.zoo_weights import Match, matching
from specforge.resolved import flow
from specforge.shapes import Shape, spelled
from specforge.source import Overlaid
from specforge.training.parsing import parsed
from specforge.verification.tensors import read_shapes

WEIGHTS_ENDINGS = (".safetensors", ".pth", ".pt")
_SHOWN = 4
_SPEC_FILE = "spec.yaml"
_LONGEST_HEADER = 100_000_000  # bytes; the library reads no larger ones
# what a training program puts around the names of a network that it trains on several devices, or compiles
_WRAPPINGS = ("module.", "_orig_mod.", "model.", "network.")


@dataclass(frozen=True, slots=True)
class Found:
    """The text of a spec, and how the file gave it away."""

    text: str
    how: str


def read_checkpoint(path: Path) -> Found:
    """The spec of the network that a file of weights belongs to; raises `SpecError` where it can't be told."""
    shapes, metadata = _safetensors(path) if path.suffix.lower() == ".safetensors" else (_torch_file(path), {})
    if "spec" in metadata:
        return Found(_embedded(metadata["spec"], path), "the file holds its spec")
    spec = _of_run(path, shapes)
    if spec is not None:
        return Found(spec.read_text(encoding="utf-8"), f"the file is a checkpoint of the run in {spec.parent}")
    bare = _unwrapped(shapes)
    matches = matching(bare)
    if len(matches) == 1:
        return Found(_written(matches[0], path), f"names and shapes are those of {matches[0].network}")
    raise _refused(path, UNKNOWN_WEIGHTS, _told(bare, matches), _hint(bare))


def _safetensors(path: Path) -> tuple[dict[str, Shape], Mapping[str, str]]:
    """Names and shapes, and what else the header says; no tensor is read."""
    try:
        shapes = read_shapes(path)
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = parsed(file.read(min(length, _LONGEST_HEADER)))
    except (ValueError, OverflowError) as error:
        raise _refused(path, NOT_THIS_FORMAT, f"this is no safetensors file: {one_line(str(error))}") from None
    metadata = header.get("__metadata__")
    texts = metadata.items() if isinstance(metadata, dict) else ()
    return shapes, {key: value for key, value in texts if isinstance(value, str)}


def _torch_file(path: Path) -> dict[str, Shape]:
    """Names and shapes of a state dict in torch's own format; ImportFailure without torch."""
    from specforge.experiment import MissingExtra, require_training_packages

    try:
        require_training_packages()
    except MissingExtra as missing:
        message = f"`{missing.package}` is not installed, and torch's own format is read by torch"
        raise ImportFailure(message, hint=missing.hint) from None
    from specforge.torch_backend.weights import WeightsError, read_weights

    try:
        return {name: tuple(tensor.shape) for name, tensor in read_weights(path).items()}
    except WeightsError as error:
        raise _refused(path, NOT_THIS_FORMAT, error.message, error.hint) from None


def _embedded(text: str, path: Path) -> str:
    """The spec in the metadata, if it is one: the file may come from anybody."""
    analysis = _analysed(text)
    errors = [found for found in analysis.findings if found.severity == "error"]
    if errors or analysis.graph is None:
        why = f"line {errors[0].span.line}: {errors[0].message}" if errors else "it has no layers"
        raise _refused(path, NOT_THIS_FORMAT, f"the spec in the file's metadata is none: {one_line(why)}")
    return text


def _of_run(path: Path, shapes: Mapping[str, Shape]) -> Path | None:
    """The spec of the run directory that the file lies in, if its network has these tensors."""
    for folder in list(path.resolve().parents)[:3]:
        spec = folder / _SPEC_FILE
        if spec.is_file():
            analysis = analyse(spec)
            if analysis.graph is not None and dict(analysis.graph.state()) == dict(shapes):
                return spec
    return None


def _analysed(text: str) -> Analysis:
    path = Path.cwd() / "imported.yaml"
    return analyse(path, files=Overlaid({path: text}))


def _unwrapped(shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    """The names without what a training program put before all of them."""
    names = dict(shapes)
    for wrapping in _WRAPPINGS:
        if names and all(name.startswith(wrapping) for name in names):
            names = {name.removeprefix(wrapping): shape for name, shape in names.items()}
    return names


def _written(match: Match, path: Path) -> str:
    """A spec that extends the zoo's, with the file's number of classes, and how the file names the tensors."""
    usual = match.classes == match.usual_classes
    lines = [
        f"# The network of the weights in {one_line(path.name)}, found by their names and shapes.",
        "specforge: 1",
        f"name: {match.network if usual else f'{match.network}_{match.classes}_classes'}",
        f"extends: zoo/{match.network}.yaml",
        f"description: The zoo's {match.network} with {match.classes} classes.",
        f"source: {{document: {_quoted(path.name)}}}",
    ]
    if not usual and match.param:
        lines += ["", f"params: {{{match.param}: {match.classes}}}"]
    elif not usual:
        lines += ["", "edit:", f"  - {{at: classifier, set: {{{match.argument}: {match.classes}}}}}"]
    if match.weights:
        lines += ["", f"weights: {flow(dict(match.weights))}     # how {one_line(path.name)} names the tensors"]
    trainable, output = _expected("\n".join(lines))
    lines += ["", f"expect: {{trainable_parameters: {trainable}, output: [{', '.join(map(str, output))}]}}"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return flow(one_line(text).replace("$", "$$"))


def _expected(text: str) -> tuple[int, Shape]:
    _, graph = _analysed(text).require()
    return graph.trainable_parameters, graph.output


def _told(shapes: Mapping[str, Shape], matches: list[Match]) -> str:
    """What can be said of weights whose network is not known."""
    if len(matches) > 1:
        return f"these could be the weights of {' or of '.join(match.network for match in matches)}"
    if not shapes:
        return "the file holds no tensors"
    counted = sum(prod(shape) for name, shape in shapes.items() if not name.endswith("num_batches_tracked"))
    axes = [len(shape) for shape in shapes.values()]
    parts = [f"{axes.count(4)} of convolutions", f"{axes.count(2)} of linear layers"]
    first = ", ".join(f"`{one_line(name)}` {spelled(shape)}" for name, shape in list(shapes.items())[:_SHOWN])
    return (
        f"the file does not say which network its {len(shapes):,} tensors are of: {counted:,} values, "
        f"{' and '.join(parts)}; they begin with {first}"
    )


def _hint(shapes: Mapping[str, Shape]) -> str:
    if any(part.rpartition("_")[2].isdigit() for name in shapes for part in name.split(".")[:1]):
        return "names like these are those of a spec: it lies in the run's folder, as `spec.yaml`"
    return (
        "shapes tell no strides or poolings: import the network itself, as in `specforge import torchvision:resnet34`"
    )


def _refused(path: Path, rule: Rule, message: str, hint: str | None = None) -> SpecError:
    name = one_line(str(path))
    return SpecError([Diagnostic(rule, Span(name, 1, 1, 1, 1), one_line(message), hint)])
