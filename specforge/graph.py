"""Spec -> Graph: every layer with its path, shapes, tensors and cost, without torch.

model: {input: [3, 32, 32], layers: [{conv: {out_channels: 8, kernel_size: 3}}, flatten]}

conv_1     [3, 32, 32] -> [8, 30, 30]   weight [8, 3, 3, 3], bias [8]   194,400 MACs
flatten_1  [8, 30, 30] -> [7200]
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from specforge.catalog.definition import Call, Composite, Initializer, Item, Items, Layer, Parameter
from specforge.catalog.discovery import word_for
from specforge.diagnostics import Findings, Span, define, nearest
from specforge.shapes import Misfit, Shape, elements
from specforge.spec import Model, Selector

SHAPE = define(
    "SF401",
    "shape-mismatch",
    """
A layer can't take the shape that arrives. Shapes are written without the batch: `[3, 32, 32]` is an image of three
channels, `[512]` are features. Layers behind the mistake are not checked yet: what would reach them is unknown.""",
)
INIT = define(
    "SF402",
    "bad-init",
    """
An `init` names a parameter that the layer does not have, or a rule of `model.init` matches nothing. A convolution has
`weight` and `bias`; so have linear layers and batch norm.""",
)


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One layer in place. `parameters`, `macs` and `initializers` are its own; a composite's are its children's."""

    path: str
    name: str
    kind: str
    layer: Layer | None
    call: Call
    input: Shape
    output: Shape
    span: Span
    parameters: tuple[Parameter, ...] = ()
    macs: int = 0
    trainable: bool = True
    initializers: Mapping[str, Initializer] = field(default_factory=dict)
    children: "tuple[GraphNode, ...]" = ()

    @property
    def is_composite(self) -> bool:
        """Made of layers: the whole network, a region, or a layer such as `residual`."""
        return self.layer is None or isinstance(self.layer, Composite)

    def leaves(self) -> "Iterator[GraphNode]":
        """The layers that compute, in execution order."""
        stack = [self]
        while stack:
            node = stack.pop()
            if node.is_composite:
                stack.extend(reversed(node.children))
            else:
                yield node

    def count(self, *, trainable: bool) -> int:
        """Values of this layer's own tensors that are trained, or that are state: frozen and running statistics."""
        own = (p for p in self.parameters if p.role != "counter")
        return sum(elements(p.shape) for p in own if (p.role == "parameter" and self.trainable) == trainable)


@dataclass(frozen=True, slots=True)
class Graph:
    """A network. `root` is nameless; its children are the spec's layers."""

    root: GraphNode

    @property
    def input(self) -> Shape:
        return self.root.input

    @property
    def output(self) -> Shape:
        return self.root.output

    def leaves(self) -> Iterator[GraphNode]:
        return self.root.leaves()

    @property
    def trainable_parameters(self) -> int:
        return sum(node.count(trainable=True) for node in self.leaves())

    @property
    def non_trainable_parameters(self) -> int:
        return sum(node.count(trainable=False) for node in self.leaves())

    @property
    def total_parameters(self) -> int:
        return self.trainable_parameters + self.non_trainable_parameters

    @property
    def macs(self) -> int:
        return sum(node.macs for node in self.leaves())

    def state(self) -> dict[str, Shape]:
        """The state_dict's keys and shapes, in its order."""
        return {f"{node.path}.{p.name}": p.shape for node in self.leaves() for p in node.parameters}


def lower(model: Model, findings: Findings, spans: tuple[Span, ...] = ()) -> Graph | None:
    """The graph of a model; None, with findings, when a layer does not fit. `spans` locate the rules of `init`."""
    lowering = _Lowering(model, findings, spans)
    assert model.layers is not None
    assert model.input is not None
    children: list[GraphNode] = []
    output = lowering.items(model.layers, model.input, "", True, children)
    for number, rule in enumerate(model.init):
        if output is not None and number not in lowering.matched:
            span = spans[number] if number < len(spans) else _WHOLE
            message = f"this rule of `init` matches no parameter: {_spelled(rule.select)}"
            findings.add(INIT, span, message, "check `kind` and `parameter`, or remove the rule")
    if output is None:
        return None
    root = GraphNode(
        "", "", "sequential", None, Call("torch.nn.Sequential"), model.input, output, _WHOLE, children=tuple(children)
    )
    return Graph(root)


_WHOLE = Span("", 1, 1, 1, 1)


def _spelled(selector: Selector) -> str:
    return ", ".join(f"{key} {value}" for key, value in selector.model_dump(exclude_none=True).items())


class _Lowering:
    def __init__(self, model: Model, findings: Findings, spans: tuple[Span, ...]):
        self.rules, self.findings, self.spans = model.init, findings, spans
        self.matched: set[int] = set()

    def items(self, items: Items, input: Shape, prefix: str, trainable: bool, into: list[GraphNode]) -> Shape | None:
        """Lower items in order; stops at the first that does not fit, since what follows is unknown."""
        shape: Shape | None = input
        for item in items:
            if shape is None:
                return None
            shape = self.item(item, shape, prefix, trainable, into)
        return shape

    def item(self, item: Item, input: Shape, prefix: str, trainable: bool, into: list[GraphNode]) -> Shape | None:
        path = prefix + item.id
        trainable = trainable and item.trainable
        try:
            if isinstance(item.layer, Composite):
                node = self.composite(item, item.layer, path, input, trainable)
            else:
                node = self.leaf(item, path, input, trainable)
        except Misfit as misfit:
            span = item.argument_spans.get(misfit.argument or "", item.span)
            self.findings.add(SHAPE, span, f"{misfit.message} (at `{path}`)", misfit.hint)
            return None
        if node is None:
            return None
        into.append(node)
        return node.output

    def leaf(self, item: Item, path: str, input: Shape, trainable: bool) -> GraphNode:
        output = item.layer.output_shape(input)
        parameters = item.layer.parameters(input)
        return GraphNode(
            path, item.id, item.kind, item.layer, item.layer.lower(input), input, output, item.span, parameters,
            item.layer.macs(input, output), trainable, self.initializers(item, parameters),
        )  # fmt: skip

    def composite(self, item: Item, layer: Composite, path: str, input: Shape, trainable: bool) -> GraphNode | None:
        children: list[GraphNode] = []

        def lower_region(name: str, items: Items, shape: Shape) -> Shape | None:
            if not name:
                return self.items(items, shape, f"{path}.", trainable, children)
            inside: list[GraphNode] = []
            output = self.items(items, shape, f"{path}.{name}.", trainable, inside)
            if output is not None:
                call = Call("torch.nn.Sequential")
                region = GraphNode(
                    f"{path}.{name}", name, "sequential", None, call, shape, output, item.span, children=tuple(inside)
                )
                children.append(region)
            return output

        self.initializers(item, ())
        output = layer.lower_regions(input, lower_region)
        if output is None:
            return None
        return GraphNode(
            path, item.id, item.kind, layer, layer.assemble(input, output), input, output, item.span,
            trainable=trainable, children=tuple(children),
        )  # fmt: skip

    def initializers(self, item: Item, parameters: tuple[Parameter, ...]) -> dict[str, Initializer]:
        """By parameter, in state_dict order: the layer's own `init` over the last matching rule of the model."""
        shapes = {p.name: p.shape for p in parameters if p.role == "parameter"}
        for name in item.initializers.keys() - shapes.keys():
            span = item.argument_spans.get(f"init.{name}", item.span)
            known, close = ", ".join(f"`{n}`" for n in shapes), nearest(name, shapes)
            hint = f"its parameters: {known}" if known else "give `init` to the layer that has it"
            hint = f"did you mean `{close}`?" if close else hint
            self.findings.add(INIT, span, f"`{item.kind}` has no parameter `{name}`", hint)
        chosen: dict[str, Initializer] = {}
        for name, shape in shapes.items():
            initializer, span = self.initializer(item, name)
            if initializer is not None:
                self.check_axes(item, name, shape, initializer, span)
                chosen[name] = initializer
        return chosen

    def initializer(self, item: Item, name: str) -> tuple[Initializer | None, Span]:
        """What fills a parameter, and where that was written."""
        chosen, span = None, item.span
        for number, rule in enumerate(self.rules):
            if _matches(rule.select.kind, item.kind) and _matches(rule.select.parameter, name):
                self.matched.add(number)
                chosen, span = rule.initializer, self.spans[number] if number < len(self.spans) else item.span
        if name in item.initializers:
            return item.initializers[name], item.argument_spans.get(f"init.{name}", item.span)
        return chosen, span

    def check_axes(self, item: Item, name: str, shape: Shape, initializer: Initializer, span: Span) -> None:
        if len(shape) < initializer.fewest_axes:
            message = f"`{word_for(initializer)}` needs inputs and outputs to count: `{name}` of `{item.kind}` has none"
            hint = "select the weights alone, as with `parameter: weight` and `kind: [conv, linear]`"
            self.findings.add(INIT, span, message, hint)


def _matches(wanted: str | tuple[str, ...] | None, found: str) -> bool:
    return wanted is None or found == wanted or (isinstance(wanted, tuple) and found in wanted)
