"""A foreign network in our words: what every reader (torchvision, Darknet, Keras) gives and what `spec_of` folds.

    features.0 = Conv2d(3, 16, 3)        Operation("conv", {"out_channels": 16, "kernel_size": 3}, (0,), "features.0",
    features.1 = ReLU()              ->            ("features.0.weight", "features.0.bias"), (16, 30, 30))
                                         Operation("relu", {}, (1,), "features.1", (), (16, 30, 30))

Values are numbered: 0 is what enters the network, n what operation n makes, counted from 1. Operations stand in the
order in which they are computed, so each reads smaller numbers than its own. Nothing here needs torch.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from specforge.shapes import Shape

MERGES = ("add", "concat", "multiply", "matmul")


class ImportFailure(Exception):
    """A network that can't be written as a spec: what was found where, and what helps (`hint`)."""

    def __init__(self, message: str, *, hint: str | None = None):
        super().__init__(message)
        self.message, self.hint = message, hint


@dataclass(frozen=True, slots=True)
class Operation:
    """One layer of the network: a word of the language and its arguments, as plain data without defaults.

    `inputs` are the numbers of the values that it reads. `place` is the path of the foreign module that computes it,
    for messages and for finding blocks; readers whose source has no modules give its name there, without dots.
    `weights` are the foreign names of its tensors, in the order in which our layer lists its own. `shape` is that of
    what it makes, without the batch. Operations with the same name in `shared` use the same weights.
    """

    word: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[int, ...] = (0,)
    place: str = ""
    weights: tuple[str, ...] = ()
    shape: Shape = ()
    shared: str | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """Operations from an input to an output.

    `modules` gives the class of each foreign module that holds others, by path: `{"layer1.0": "Bottleneck"}`; a class
    in `CONTAINERS` only lists its parts. `tensors` are the foreign names and shapes of the whole state, in its order.
    `side_outputs` are values that get a loss of their own in training, with its weight. `keys` are further top-level
    keys of the spec as plain data, such as `source`, `description`, `weights`.
    """

    name: str
    input: Shape
    operations: tuple[Operation, ...]
    output: int
    modules: Mapping[str, str] = field(default_factory=dict)
    tensors: Mapping[str, Shape] = field(default_factory=dict)
    side_outputs: Mapping[int, float] = field(default_factory=dict)
    keys: Mapping[str, Any] = field(default_factory=dict)

    def made_by(self, value: int) -> Operation:
        """The operation that makes a value other than the input."""
        return self.operations[value - 1]

    def shape_of(self, value: int) -> Shape:
        return self.made_by(value).shape if value else self.input

    def uses(self) -> Counter[int]:
        """How often each value is read; being an output counts."""
        read = Counter(number for operation in self.operations for number in operation.inputs)
        read.update([self.output, *self.side_outputs])
        return read


CONTAINERS = frozenset({"Sequential", "ModuleList", "ModuleDict"})
