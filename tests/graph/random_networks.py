"""Random networks from the catalogue: layers with the arguments that their own tests try, wired at random.

In: a seed. Out: a bound model that is right, with residuals, branches, repeats, `from`, shared weights, side branches.
"""

from dataclasses import replace
from random import Random

from specforge.binding import Binder
from specforge.catalog.definition import Composite, Item, Layer, Merge
from specforge.catalog.discovery import definition, index
from specforge.catalog.layers.composition import Auxiliary, Branches, Repeat, Residual, Sequential
from specforge.catalog.layers.merging import Add, Concat, Matmul, Multiply
from specforge.diagnostics import Findings, Span
from specforge.graph import Graph, lower
from specforge.shapes import Misfit, Shape, elements
from specforge.source import parse
from specforge.spec import Model
from tests.catalog.layers.cases import all_cases

WHERE = Span("random", 1, 1, 1, 2)
INPUTS: tuple[Shape, ...] = ((3, 8, 8), (3, 9, 8), (4, 6), (6,), (2, 4, 5, 6), (8, 7, 7))
LARGEST = 20_000  # values in one activation


def choices() -> list[Layer]:
    """Every layer that is not made of layers, with every argument that its tests try."""
    found = []
    for word, cases in all_cases().items():
        kind = definition("layers", word)
        assert kind is not None
        if not issubclass(kind, Composite | Merge):
            for arguments in cases:
                layer = _bound(word, arguments)
                assert layer is not None, f"{word}: {arguments}"
                found.append(layer)
    return found


def _bound(word: str, arguments: str) -> Layer | None:
    findings = Findings()
    node = parse(f"{word}: {arguments}", "case", findings)
    layer = None if node is None else Binder(findings).word(node, Layer)
    assert isinstance(layer, Layer), list(findings)
    return layer


CHOICES = choices()


class Network:
    """One random network; `shape` follows what is added, so that nearly all of it fits."""

    def __init__(self, seed: int):
        self.random = Random(seed)
        self.shared = 0

    def model(self) -> tuple[Model, Graph] | None:
        """The model with its graph; None for the few whose parts don't fit together."""
        shape = self.random.choice(INPUTS)
        items, _ = self.items(shape, self.random.randint(1, 8), 0)
        model = Model(input=shape, layers=items)
        graph = lower(model, Findings())
        return None if graph is None else (model, graph)

    def items(self, input: Shape, length: int, depth: int) -> tuple[tuple[Item, ...], Shape]:
        """A list of layers for what arrives, and what leaves."""
        items: list[Item] = []
        seen: list[tuple[str, Shape]] = []
        shape = input
        for _ in range(length):
            made = self.composite(shape, depth) if depth < 3 and len(shape) < 5 and self.random.random() < 0.3 else None
            layer, output = made or self.leaf(shape)
            item = Item(f"{_word(layer)}_{len(items)}", _word(layer), layer, WHERE, {}, {})
            if output == shape and self.random.random() < 0.2 and not isinstance(layer, Auxiliary):
                self.shared += 1
                item = replace(item, shared=f"w{self.shared}")
                items.append(replace(item, id=f"{item.id}_again"))
            items.append(item)
            if isinstance(layer, Auxiliary):
                continue
            shape = output
            seen.append((item.id, shape))
            joined = self.join(shape, seen) if self.random.random() < 0.25 else None
            if joined is not None:
                merge, address, shape = joined
                item = Item(f"join_{len(items)}", _word(merge), merge, WHERE, {}, {}, reads=("previous", address))
                items.append(item)
                seen.append((item.id, shape))
        return tuple(items), shape

    def leaf(self, shape: Shape) -> tuple[Layer, Shape]:
        """A layer that takes what arrives, without growing it too large."""
        while True:
            layer = self.random.choice(CHOICES)
            try:
                output = layer.output_shape(shape)
                size = elements(output) + sum(elements(p.shape) for p in layer.parameters(shape))
            except Misfit:
                continue
            if size <= LARGEST and not (layer.needs_features and len(shape) > 2):
                return layer, output

    def composite(self, shape: Shape, depth: int) -> tuple[Layer, Shape] | None:
        """A layer made of layers; None where what was drawn does not fit."""
        kind = self.random.choice([Sequential, Repeat, Residual, Branches, Auxiliary])
        body, output = self.items(shape, self.random.randint(0, 3), depth + 1)
        layer: Layer
        if kind is Repeat:
            iterations = [body]
            for _ in range(self.random.randint(0, 2)):
                more, output = self.items(output, self.random.randint(0, 2), depth + 1)
                iterations.append(more)
            layer = Repeat(iterations=tuple(iterations))
        elif kind is Residual:
            layer = Residual(layers=body, shortcut=self.random.choice(["identity", "projection", "where_possible"]))
        elif kind is Branches:
            paths = [body] + [self.items(shape, self.random.randint(0, 2), depth + 1)[0] for _ in range(2)]
            layer = Branches(paths=tuple(paths), merge=self.random.choice(["concat", "add", "multiply"]))
        else:
            layer = kind(layers=body)
        item = Item("probe", _word(layer), layer, WHERE, {}, {})
        graph = lower(Model(input=shape, layers=(item,)), Findings())
        if graph is None or elements(graph.output) > LARGEST:
            return None
        return layer, output if isinstance(layer, Auxiliary) else graph.output

    def join(self, shape: Shape, seen: list[tuple[str, Shape]]) -> tuple[Merge, str, Shape] | None:
        """An operation of the running value and an earlier one."""
        address, other = self.random.choice(seen)
        merge = self.random.choice([Concat(), Concat(dim=-1), Add(), Multiply(), Matmul(), Matmul(transpose=True)])
        try:
            return merge, address, merge.merged_shape((shape, other))
        except Misfit:
            return None


def _word(layer: Layer) -> str:
    return next(word for word, (_, name) in index("layers").items() if name == type(layer).__name__)
