"""Where the arguments of layers were written.

In: a spec's layers, as bound. Out: for each layer the spans of the arguments that its item gives; those that come from
a default or from `model.defaults` have none.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from specforge.catalog.definition import Item, Layer
from specforge.diagnostics import Span
from specforge.graph import GraphNode
from specforge.spec import Spec


class Arguments:
    """The arguments of one spec's layers."""

    def __init__(self, spec: Spec):
        items = _items(spec.model.layers) if spec.model is not None else ()
        # by identity: equal layers are written in different places
        self._spans: dict[int, Mapping[str, Span]] = {id(item.layer): item.argument_spans for item in items}

    def span(self, node: GraphNode, name: str) -> Span | None:
        """Where an argument of a layer was written; None where nobody wrote it."""
        return self._spans.get(id(node.layer), {}).get(name)

    def nearest(self, node: GraphNode, name: str) -> Span:
        """Where an argument of a layer was written, else the layer."""
        return self.span(node, name) or node.span


def _items(value: Any) -> Iterator[Item]:
    """Every item in a list of layers, and in what its layers hold."""
    stack = [value]
    while stack:
        found = stack.pop()
        if isinstance(found, Item):
            yield found
            stack += _held(found.layer)
        elif isinstance(found, tuple):
            stack += found


def _held(layer: Layer) -> list[Any]:
    return [getattr(layer, name) for name in type(layer).model_fields]
