"""A foreign network's layers, one after another -> steps of known shape, with catalogue words and arguments.

    recorder = Recorder((3, 32, 32), findings)
    stem = recorder.add("conv", {"out_channels": 16, "kernel_size": 3}, [0], span)    # value 1, of shape (16, 30, 30)

Value 0 is the network's input, value n what the n-th step gives. Shapes come from the catalogue's own rules, so that an
importer can ask for them, and a layer that does not fit is reported where the foreign file has it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from specforge.catalog.definition import Layer, Merge
from specforge.catalog.discovery import definition
from specforge.diagnostics import Findings, Span, one_line
from specforge.importing.network import Operation
from specforge.importing.rules import BAD_SETTING, FOREIGN_MISFIT
from specforge.shapes import Misfit, Shape


@dataclass(frozen=True, slots=True)
class Step:
    """One layer: its word, what differs from its defaults, the values that it reads, and what it gives.

    `name` is what the foreign file calls it, `shared` the name of weights that it shares.
    """

    word: str
    arguments: Mapping[str, Any]
    reads: tuple[int, ...]
    shape: Shape
    span: Span
    name: str = ""
    shared: str | None = None


@dataclass(slots=True)
class Recorder:
    """Collects the steps. After an error, what is added later is still checked, with the shape that arrived."""

    input: Shape
    findings: Findings
    steps: list[Step] = field(default_factory=list)

    def shape(self, value: int) -> Shape:
        """The shape of a value, without the batch."""
        return self.input if value == 0 else self.steps[value - 1].shape

    def add(
        self,
        word: str,
        arguments: Mapping[str, Any],
        reads: Sequence[int],
        span: Span,
        *,
        name: str = "",
        shared: str | None = None,
    ) -> int:
        """Record a layer that reads these values; gives its own value's number."""
        shape = self._shape_of(word, arguments, reads, span)
        self.steps.append(Step(word, dict(arguments), tuple(reads), shape, span, name, shared))
        return len(self.steps)

    def chain(self, read: int, layers: Sequence[tuple[str, Mapping[str, Any]]], span: Span) -> int:
        """Record layers one after another; gives the last value, which is what arrived where there are none."""
        for word, arguments in layers:
            read = self.add(word, arguments, [read], span)
        return read

    def _shape_of(self, word: str, arguments: Mapping[str, Any], reads: Sequence[int], span: Span) -> Shape:
        arrived = tuple(self.shape(read) for read in reads)
        try:
            layer = layer_of(word, arguments)
            if isinstance(layer, Merge):
                return layer.merged_shape(arrived)
            shape = layer.output_shape(arrived[0])
        except Misfit as misfit:
            self.findings.add(FOREIGN_MISFIT, span, misfit.message, misfit.hint)
        except ValidationError as error:
            first = error.errors()[0]
            argument = f"`{'.'.join(map(str, first['loc']))}` of " if first["loc"] else ""
            why = first["msg"].removeprefix("Value error, ")
            self.findings.add(BAD_SETTING, span, f"{argument}`{word}`: {why}")
        else:
            if all(size >= 1 for size in shape):
                return shape
            self.findings.add(FOREIGN_MISFIT, span, f"`{word}` leaves nothing of {list(arrived[0])}")
        return arrived[0]


def layer_of(word: str, arguments: Mapping[str, Any]) -> Layer:
    """The catalogue's layer with these arguments; raises pydantic's ValidationError for what it can't take."""
    kind = definition("layers", word)
    assert kind is not None, f"the catalogue has no layer {word}"
    layer = kind.model_validate({key: _frozen(value) for key, value in arguments.items()})
    assert isinstance(layer, Layer)
    return layer


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def operations(input: Shape, steps: Sequence[Step]) -> tuple[Operation, ...]:
    """The steps as `Network` has them, their tensors named by what the foreign file calls the layer."""
    shapes = [input, *(step.shape for step in steps)]
    return tuple(
        Operation(
            step.word,
            step.arguments,
            step.reads,
            step.name,
            tuple(f"{step.shared or f'{step.name}#{number}'}.{name}" for name in _tensors(step, shapes[step.reads[0]])),
            step.shape,
            step.shared,
        )
        for number, step in enumerate(steps, 1)
    )


def _tensors(step: Step, arrived: Shape) -> list[str]:
    layer = layer_of(step.word, step.arguments)
    return [] if isinstance(layer, Merge) else [parameter.name for parameter in layer.parameters(arrived)]


def spec_name(stem: str) -> str:
    """A file's or network's name as that of a spec, which names its runs' folder: `vgg-16`, `my_net`."""
    name = re.sub(r"[^\w .+-]", "_", stem)[:60].strip(" .-+")
    return name if re.match(r"\w", name) else "imported"


def plain_text(text: str) -> str:
    """A text of the foreign file as a spec may hold it: a dollar would begin an expression."""
    return one_line(text).replace("$", "$$")
