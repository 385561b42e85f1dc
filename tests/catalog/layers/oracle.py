"""torch as the oracle: whether it takes what a layer takes, and whether a graph says of a module what is true.

A test gives a word, its arguments and an input; what torch makes of the same is the answer.
"""

from typing import Any

import torch
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from specforge.catalog.definition import Item, Layer
from specforge.catalog.discovery import definition
from specforge.diagnostics import Findings, Span
from specforge.graph import Graph, lower
from specforge.shapes import Shape
from specforge.spec import Model
from specforge.torch_backend import build

BATCH = 2
WHERE = Span("example.yaml", 1, 1, 1, 2)


def agrees(graph: Graph, module: nn.Module, device: str) -> None:
    """The graph's shape, state, counts and cost are the module's."""
    x = torch.zeros(BATCH, *graph.input, device=device, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        output = module.train()(x)
    assert tuple(output.shape) == (BATCH, *graph.output)
    assert list(graph.state().items()) == [(name, tuple(value.shape)) for name, value in module.state_dict().items()]
    state = module.state_dict().keys()
    statistics = [
        b for name, b in module.named_buffers() if name in state and b.is_floating_point()
    ]  # ints are counters
    assert graph.trainable_parameters == sum(parameter.numel() for parameter in module.parameters())
    assert graph.non_trainable_parameters == sum(buffer.numel() for buffer in statistics)
    assert graph.macs * 2 * BATCH == counter.get_total_flops()


def as_network(layer: Layer, kind: str, input: Shape) -> Graph | None:
    """The layer as a network of its own; None when it does not fit."""
    item = Item(f"{kind}_1", kind, layer, WHERE, {}, {})
    return lower(Model(input=input, layers=(item,)), Findings())


def runs(module_class: type[nn.Module], arguments: dict[str, Any], input: Shape) -> nn.Module | None:
    """The module if torch builds it and it takes the input; on the CPU, since meta kernels check less."""
    try:
        module = module_class(**arguments)
        module(torch.zeros(BATCH, *input, requires_grad=True))
    except (RuntimeError, ValueError):
        return None
    return module


def accepted_like_torch(kind: str, arguments: dict[str, Any], input: Shape, module: nn.Module | None) -> None:
    """specforge accepts what torch accepts, and then builds the same."""
    found = definition("layers", kind)
    assert found is not None
    try:
        layer = found(**arguments)
    except ValidationError:
        graph = None
    else:
        assert isinstance(layer, Layer)
        graph = as_network(layer, kind, input)
    assert (graph is None) == (module is None), f"{kind} {arguments} on {input}: torch says {module}"
    if graph is not None and module is not None:
        built = build(graph)
        assert repr(built[0]) == repr(module)  # type: ignore[index]  # a Sequential
        agrees(graph, built, "cpu")


@st.composite
def windows(draw: st.DrawFn, *, largest: int) -> tuple[Shape, dict[str, Any]]:
    """Spatial sizes, and the arguments that convolution and pooling share, as one number or one for each axis."""
    axes = draw(st.integers(1, 3))

    def extent(low: int, high: int) -> st.SearchStrategy[Any]:
        number = st.integers(low, high)
        return st.one_of(number, st.tuples(*[number] * axes))

    sizes = draw(st.tuples(*[st.integers(1, largest)] * axes))
    given_arguments = {
        "kernel_size": draw(extent(1, 4)),
        "stride": draw(extent(1, 4)),
        "padding": draw(extent(0, 4)),
        "dilation": draw(extent(1, 3)),
    }
    return sizes, given_arguments
