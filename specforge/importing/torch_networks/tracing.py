"""A torch module -> `Network`: its layers as they run, on the `meta` device, where nothing is computed.

In: a module on `meta` and the shape of one image. Out: an operation for every module of `modules.py` that ran, and for
every function of `functions.py` that was called between them. A function that is in neither ends the import, named.

Shapes are numbers here, so what a module does with them (sizes of a reshape, a branch that depends on one) is done by
Python itself and leaves no trace. The module runs in training mode with two images: side branches show themselves, and
a batch norm wants two.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from specforge.importing.network import ImportFailure, Network, Operation
from specforge.shapes import Shape

if TYPE_CHECKING:
    import torch
    from torch import nn

IMAGES = 2  # in the batch that is followed


@dataclass(frozen=True, slots=True)
class Parameter:
    """A tensor of the module's state that a function was given."""

    name: str
    shape: Shape


@dataclass
class Recorder:
    """What was found until now: operations, which tensor is which value, and the modules that are running."""

    module: "nn.Module"
    operations: list[Operation] = field(default_factory=list)
    numbers: dict[int, int | Parameter] = field(default_factory=dict)
    alive: list[Any] = field(default_factory=list)  # an `id` names a tensor only while the tensor lives
    running: list[str] = field(default_factory=list)
    inside: int = 0  # how many of the running modules are layers as a whole
    calls: dict[str, int] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return self.running[-1] if self.running else ""

    def know(self, tensor: "torch.Tensor", value: int | Parameter) -> None:
        self.numbers[id(tensor)] = value
        self.alive.append(tensor)

    def value(self, tensor: Any) -> int:
        """The number of a tensor that flows through the network."""
        found = self.numbers.get(id(tensor))
        if isinstance(found, int):
            return found
        what = f"the weights `{found.name}`" if found is not None else "a tensor that does not come from the input"
        raise ImportFailure(f"{self.named()} reads {what} in a way that no layer of the language does")

    def parameter(self, tensor: Any) -> Parameter | None:
        found = self.numbers.get(id(tensor))
        return found if isinstance(found, Parameter) else None

    def record(
        self,
        word: str,
        arguments: Mapping[str, Any],
        inputs: tuple[int, ...],
        output: "torch.Tensor",
        weights: tuple[str, ...] = (),
    ) -> None:
        """One more operation, which made `output`."""
        shape = tuple(output.shape)
        if not shape or shape[0] != IMAGES:
            raise ImportFailure(f"{self.named()} mixes the images of a batch, which no layer of the language does")
        shared = None
        if weights:
            self.calls[weights[0]] = self.calls.get(weights[0], 0) + 1
            shared = self.place
        self.operations.append(Operation(word, dict(arguments), inputs, self.place, weights, shape[1:], shared))
        self.know(output, len(self.operations))

    def named(self) -> str:
        """Where we are, for messages: "`layer1.0` (Bottleneck)"."""
        kind = type(self.module.get_submodule(self.place)).__name__
        return f"`{self.place}` ({kind})" if self.place else f"the network ({kind})"


def trace(module: "nn.Module", input: Shape, *, name: str) -> Network:
    """What a module on the `meta` device computes from an image; ImportFailure names what no layer can say."""
    import torch

    from specforge.importing.torch_networks.functions import FunctionFollower
    from specforge.importing.torch_networks.modules import layer_of

    recorder = Recorder(module)
    for key, tensor in module.state_dict(keep_vars=True).items():
        recorder.know(tensor, Parameter(key, tuple(tensor.shape)))
    handles = [
        handle for path, part in module.named_modules() for handle in _watched(part, path, recorder, layer_of(part))
    ]
    images = torch.empty(IMAGES, *input, device="meta")
    recorder.know(images, 0)
    try:
        with FunctionFollower(recorder):
            output = module.train()(images)
    finally:
        for handle in handles:
            handle.remove()
    return _network(recorder, output, input, name)


def _watched(part: "nn.Module", path: str, recorder: Recorder, layer: Any) -> tuple[Any, Any]:
    """Follow one module: when it starts and ends, and what it is as a layer, if it is one."""

    def before(module: "nn.Module", args: Any, kwargs: Any) -> None:
        recorder.running.append(path)
        recorder.inside += layer is not None

    def after(module: "nn.Module", args: Any, kwargs: Any, output: Any) -> None:
        recorder.inside -= layer is not None
        if layer is not None and not recorder.inside:
            layer.record(recorder, path, args, output)
        recorder.running.pop()

    return part.register_forward_pre_hook(before, with_kwargs=True), part.register_forward_hook(after, with_kwargs=True)


def _network(recorder: Recorder, output: Any, input: Shape, name: str) -> Network:
    """The network, of which the first output is the main one and others are side branches."""
    outputs = [each for each in (output if isinstance(output, tuple) else (output,)) if each is not None]
    main, *others = (recorder.value(each) for each in outputs)
    operations = [
        operation if recorder.calls.get(next(iter(operation.weights), ""), 0) > 1 else _alone(operation)
        for operation in recorder.operations
    ]
    modules = {path: type(part).__name__ for path, part in recorder.module.named_modules() if any(part.children())}
    tensors = {key: tuple(tensor.shape) for key, tensor in recorder.module.state_dict().items()}
    return Network(name, input, tuple(operations), main, modules, tensors, dict.fromkeys(others, 1.0))


def _alone(operation: Operation) -> Operation:
    return replace(operation, shared=None)
