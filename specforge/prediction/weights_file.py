"""Trained weights in one file: `.safetensors` that `export` writes, and bundles, which also say what the run reached.

In: a `Trained`. Out: bytes. And back: a file, that may come from anybody, to a `Trained` whose spec was proven, whose
tensors are those of its network, and whose checksum is right.

The tensors of an ensemble have the number of the member, from 0, before their names: `0.conv_1.weight`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from specforge.analysis import analyse
from specforge.diagnostics import one_line
from specforge.graph import Graph
from specforge.prediction.card import Card, damaged, encoded
from specforge.prediction.container import Container, pack
from specforge.prediction.errors import PredictionError
from specforge.prediction.trained import State, Trained, demand_fit
from specforge.report.run import Result as Reached
from specforge.resolved import spec_hash
from specforge.shapes import Shape, spelled
from specforge.source import Files
from specforge.spec import Spec
from specforge.training.parsing import parsed

RESULT, ENVIRONMENT = "result", "environment"
_SPEC = Path("spec.yaml")


def weights_bytes(trained: Trained) -> bytes:
    """The file of weights."""
    return pack(_joined(trained.states), trained.card.to_metadata())


def bundle_bytes(trained: Trained) -> bytes:
    """The same with what the run reached and what it was made with."""
    metadata = trained.card.to_metadata()
    if trained.result is not None:
        metadata[RESULT] = encoded(parsed(trained.result.encode()))
    if trained.environment:
        metadata[ENVIRONMENT] = encoded(trained.environment)
    return pack(_joined(trained.states), metadata)


class WeightsFile:
    """An opened file, of which only the header was read; its spec is proven, and its tensors are those of the spec.

    `result` and `environment` are None where the file does not say. Raises `PredictionError`, and `OSError`.
    """

    def __init__(self, path: Path):
        self.container = Container.open(path)
        self.name = one_line(str(path))
        self.card = Card.from_metadata(self.container.metadata, self.name)
        self.checksum = self.container.verify()
        self.spec, self.graph = _proven(self.card.spec, self.name)
        self._demand_fit()
        self.result = _reached(self.container.metadata, self.name)
        self.environment = _environment(self.container.metadata, self.name)

    @property
    def means_the_same(self) -> bool:
        """Whether the spec means to this version of specforge what it meant to the one that wrote the file."""
        return spec_hash(self.spec) == self.card.spec_hash

    def trained(self) -> Trained:
        """With the weights. A spec that is read in another way than when it was written is told of."""
        states = _divided(self.container.tensors(), self.card.members)
        note = f"{self.name}: this version of specforge reads its spec in another way than the one that wrote it"
        return Trained(self.card, self.spec, self.graph, states, () if self.means_the_same else (note,))

    def demand_finite(self) -> None:
        """Read all weights; raises `PredictionError` where one is no number."""
        for name, tensor in self.container.tensors().items():
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                raise damaged(self.name, f"`{name}` has values that are not finite")

    def _demand_fit(self) -> None:
        wanted = _named(self.graph.state(), self.card.members)
        for name, shape in wanted.items():
            found = self.container.shapes.get(name)
            if found != shape:
                what = "is not in it" if found is None else f"is {spelled(found)}, the network's is {spelled(shape)}"
                raise damaged(self.name, f"`{name}` {what}")
        extra = next((name for name in self.container.shapes if name not in wanted), None)
        if extra is not None:
            raise damaged(self.name, f"the network has no `{extra}`")
        demand_fit(self.card, self.graph, self.name)


def _prefixes(members: int) -> Sequence[str]:
    return [""] if members == 1 else [f"{number}." for number in range(members)]


def _joined(states: Sequence[State]) -> dict[str, Tensor]:
    prefixes = _prefixes(len(states))
    return {
        f"{prefix}{name}": each for prefix, state in zip(prefixes, states, strict=True) for name, each in state.items()
    }


def _divided(tensors: Mapping[str, Tensor], members: int) -> list[State]:
    return [
        {name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)}
        for prefix in _prefixes(members)
    ]


def _named(shapes: Mapping[str, Shape], members: int) -> dict[str, Shape]:
    return {f"{prefix}{name}": shape for prefix in _prefixes(members) for name, shape in shapes.items()}


class _Alone(Files):
    """One text, and no other file: a spec that was resolved needs none."""

    def __init__(self, text: str):
        self._text = text

    def read(self, path: Path) -> bytes:
        if path == _SPEC:
            return self._text.encode(errors="surrogatepass")
        raise FileNotFoundError(path)

    def is_file(self, path: Path) -> bool:
        return path == _SPEC

    def is_folder(self, path: Path) -> bool:
        return False

    def specs_in(self, folder: Path) -> list[str]:
        return []


def _proven(text: str, file: str) -> tuple[Spec, Graph]:
    """The spec of a file, which reads no other file."""
    analysis = analyse(_SPEC, files=_Alone(text))
    errors = [found for found in analysis.findings if found.severity == "error"]
    if errors or analysis.spec is None or analysis.graph is None:
        why = f"line {errors[0].span.line}: {errors[0].message}" if errors else "it has no layers"
        raise PredictionError(
            f"{file} holds a spec that this version of specforge refuses: {one_line(why)}",
            hint="another version may have written it, or somebody who did not mean well",
        )
    return analysis.spec, analysis.graph


def _reached(metadata: Mapping[str, str], file: str) -> Reached | None:
    if RESULT not in metadata:
        return None
    try:
        return Reached.model_validate(parsed(metadata[RESULT]))
    except (ValueError, OverflowError) as error:
        raise damaged(file, f"its result: {str(error).splitlines()[0]}") from None


def _environment(metadata: Mapping[str, str], file: str) -> dict[str, str]:
    """What is text in it, or a number, is shown."""
    if ENVIRONMENT not in metadata:
        return {}
    try:
        record = parsed(metadata[ENVIRONMENT])
    except ValueError as error:
        raise damaged(file, f"its environment: {error}") from None
    if not isinstance(record, dict):
        raise damaged(file, "its environment is no mapping")
    return {name: one_line(str(value)) for name, value in record.items() if isinstance(value, str | int)}
