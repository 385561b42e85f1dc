"""Spec -> Graph, first step: items with the shapes that reach them, the tensors they have and the values they read.

Values are numbered in execution order, 0 is the network's input. What a composite makes lies between the number of
what it reads and its own.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from specforge.catalog.definition import Call, Composite, Item, Items, Layer, Layout, Merge, Parameter, Value
from specforge.diagnostics import Findings, Span, define
from specforge.graph.addresses import Addresses
from specforge.graph.initialization import Initialization
from specforge.graph.node import Graph, GraphNode
from specforge.graph.sizes import smallest
from specforge.graph.wiring import wire
from specforge.shapes import Misfit, Shape, elements, spelled
from specforge.spec import Model

SHAPE = define(
    "SF401",
    "shape-mismatch",
    """
A layer can't take the shape that arrives. Shapes are written without the batch: `[3, 32, 32]` is an image of three
channels, `[512]` are features. Layers behind the mistake are not checked yet: what would reach them is unknown.""",
)
SHARED = define(
    "SF404",
    "bad-sharing",
    """
Items with the same `shared` name use the same weights, so they must be the same layer with the same arguments, and what
reaches them must ask for weights of the same shapes. The first of them has the weights; an `init` or `trainable` for
them stands there.""",
)

SEQUENTIAL = Call("torch.nn.Sequential")
LARGEST = 10**13  # values in one tensor: forty terabytes
USUAL = 224  # pixels of height and width that papers state figures for
_WHOLE = Span("", 1, 1, 1, 1)


def lower(
    model: Model, findings: Findings, spans: tuple[Span, ...] = (), *, image: Shape | None = None, at: Span = _WHOLE
) -> Graph | None:
    """The graph of a model; None, with findings, when a layer does not fit.

    `spans` locate the rules of `init`, `at` the input. Named sizes are those of `image`, else what is usual.
    """
    assert model.input is not None
    fixed = tuple(axis for axis in model.input if isinstance(axis, int))
    if len(fixed) == len(model.input):
        return _lowered(model, fixed, fixed, findings, spans)
    least = smallest(model.input, lambda shape, found: _lowered(model, shape, shape, found, spans), findings, at)
    if least is None:
        return None
    usual = tuple(
        max(size, USUAL) if isinstance(axis, str) else size for axis, size in zip(model.input, least, strict=True)
    )
    chosen = image if image is not None and _is_such(image, model.input) else usual
    return _lowered(model, chosen, least, findings, spans)


def _is_such(image: Shape, axes: tuple[int | str, ...]) -> bool:
    """Whether an image has the sizes that are written, and one size for each name."""
    named: dict[str, int] = {}
    return len(image) == len(axes) and all(
        size == (named.setdefault(axis, size) if isinstance(axis, str) else axis)
        for size, axis in zip(image, axes, strict=True)
    )


def _lowered(model: Model, input: Shape, least: Shape, findings: Findings, spans: tuple[Span, ...]) -> Graph | None:
    """The graph for one size of the input."""
    assert model.layers is not None
    assert model.input is not None
    initialization = Initialization(model.init, spans, findings)
    lowering = _Lowering(initialization, findings)
    children: list[GraphNode] = []
    output = lowering.items(model.layers, Value(input, 0), _Place("", True), children)
    if output is None:
        return None
    initialization.report_unmatched()
    root = GraphNode(
        "", "", "sequential", None, SEQUENTIAL, (input,), output.shape, _WHOLE, output.number, (0,),
        children=tuple(children),
    )  # fmt: skip
    return Graph(wire(root) if lowering.is_wired else root, model.input, least)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where items are lowered: the prefix of their paths, and what holds for all of them.

    In a `side` branch nothing counts as cost; `twin_of` is the path of the first item whose weights these share.
    """

    prefix: str
    trainable: bool
    side: bool = False
    twin_of: str | None = None

    def below(self, name: str) -> "_Place":
        twin = None if self.twin_of is None else f"{self.twin_of}{name}."
        return _Place(f"{self.prefix}{name}.", self.trainable, self.side, twin)


class _Operation(NamedTuple):
    """What a layer does to inputs of certain shapes."""

    call: Call
    inputs: tuple[Shape, ...]
    output: Shape
    parameters: tuple[Parameter, ...]
    macs: int


def _operation(layer: Layer, shapes: tuple[Shape, ...]) -> _Operation:
    if isinstance(layer, Merge):
        output = layer.merged_shape(shapes)
        _check_size("gives", output)
        return _Operation(layer.lower(shapes[0]), shapes, output, (), layer.merged_macs(shapes, output))
    output = layer.output_shape(shapes[0])
    _check_size("gives", output)
    parameters = layer.parameters(shapes[0])
    for parameter in parameters:
        _check_size(f"has a `{parameter.name}` of", parameter.shape)
    macs = layer.macs(shapes[0], output)
    return _Operation(layer.lower(shapes[0]), shapes, output, parameters, macs)


def _check_size(does: str, shape: Shape) -> None:
    if elements(shape) > LARGEST:
        message = f"this layer {does} more than {LARGEST:,} values, which no machine holds"
        raise Misfit(message, hint="check its sizes, and how those before it multiply")


class _Lowering:
    def __init__(self, initialization: Initialization, findings: Findings):
        self.initialization, self.findings = initialization, findings
        self.addresses = Addresses(findings)
        self.shared: dict[str, tuple[Item, GraphNode]] = {}
        self.operations: dict[object, _Operation] = {}
        self.last = 0
        self.is_wired = False  # whether an item says what it reads, or is a side branch
        self.layouts: dict[int, Layout] = {0: "positions"}  # of the last axis of values, by number

    def number(self) -> int:
        self.last += 1
        return self.last

    def items(self, items: Items, input: Value, place: _Place, into: list[GraphNode]) -> Value | None:
        """Lower items in order; stops at the first that does not fit, since what follows is unknown."""
        value = input
        self.addresses.enter(place.prefix, items, input)
        for item in items:
            reads: tuple[Value, ...] | None = (value,)
            if item.reads:
                self.is_wired, reads = True, self.addresses.resolve(item, value)
            node = None if reads is None else self.item(item, reads, place)
            if node is None:
                return None
            into.append(node)
            if not node.is_side_branch:
                value = Value(node.output, node.number)
                self.addresses.add(node.path, value)
        self.addresses.leave()
        return value

    def item(self, item: Item, reads: tuple[Value, ...], place: _Place) -> GraphNode | None:
        path = place.prefix + item.id
        first = None if item.shared is None else self.shared.get(item.shared)
        twin = first[1].path if first else None if place.twin_of is None else place.twin_of + item.id
        here = place
        if twin is not None or not item.trainable:
            here = _Place(place.prefix, place.trainable and item.trainable, place.side, twin)
        try:
            if isinstance(item.layer, Composite):
                node = self.composite(item, item.layer, path, _only(reads, item), here)
            else:
                node = self.leaf(item, path, reads, here)
        except Misfit as misfit:
            span = item.argument_spans.get(misfit.argument or "", item.span)
            self.findings.add(SHAPE, span, f"{misfit.message} (at `{path}`)", misfit.hint)
            return None
        if node is not None and item.shared is not None:
            self.share(item, node, first)
        return node

    def leaf(self, item: Item, path: str, reads: tuple[Value, ...], place: _Place) -> GraphNode:
        shapes = tuple([value.shape for value in reads])
        layer = item.layer
        layout = self.layouts[reads[0].number]
        if len(shapes[0]) > 2:
            _check_layout(item, layout, shapes[0])
        if not isinstance(layer, Merge):
            _only(reads, item)
        call, inputs, output, parameters, macs = self.operation(layer, shapes)
        initializers = self.initialization.of(item, path, parameters, reads[0]) if place.twin_of is None else {}
        numbers, number = tuple([value.number for value in reads]), self.number()
        self.layouts[number] = layer.last_axis or layout
        return GraphNode(
            path, item.id, item.kind, layer, call, inputs, output, item.span, number, numbers,
            parameters if place.twin_of is None else (), 0 if place.side else macs, place.trainable, initializers,
            sources=item.reads, shared=item.shared, shares=place.twin_of if parameters else None,
            argument_spans=item.argument_spans,
        )  # fmt: skip

    def operation(self, layer: Layer, shapes: tuple[Shape, ...]) -> _Operation:
        """What a layer does to these shapes, worked out once for all layers with the same arguments."""
        key = (type(layer), shapes, *layer.__dict__.values())
        known = self.operations.get(key)
        if known is None:
            known = self.operations[key] = _operation(layer, shapes)
        return known

    def composite(self, item: Item, layer: Composite, path: str, input: Value, place: _Place) -> GraphNode | None:
        children: list[GraphNode] = []
        twin = None if place.twin_of is None else f"{place.twin_of}."
        inside = _Place(f"{path}.", place.trainable, place.side or layer.is_side_branch, twin)

        def lower_region(name: str, items: Items, value: Value, *, made_for: str | None = None) -> Value | None:
            span = item.span
            if made_for is not None:
                span = item.argument_spans.get(made_for, span)
                items = tuple(replace(made, span=span) for made in items)
            if not name:
                return self.items(items, value, inside, children)
            return self.region(name, items, value, inside, span, children)

        self.initialization.of(item, path, ())
        before = self.last
        output = layer.lower_regions(input, lower_region)
        if output is None:
            return None
        if layer.is_side_branch and output.number <= before:
            raise Misfit(f"`{item.kind}` has no layer that computes", hint="end it in logits, as the network does")
        number = self.number() if output.joins else output.number
        joins = tuple(value.number for value in output.joins)
        if joins:
            self.layouts[number] = self.layouts[joins[0]]
        if layer.is_side_branch:
            self.is_wired = True
            self.addresses.forget(f"{path}.")
        return GraphNode(
            path, item.id, item.kind, layer, layer.assemble(input.shape, output.shape), (input.shape,), output.shape,
            item.span, number, (input.number,), trainable=place.trainable, children=tuple(children), joins=joins,
            sources=item.reads, shared=item.shared, shares=place.twin_of, argument_spans=item.argument_spans,
        )  # fmt: skip

    def region(
        self, name: str, items: Items, value: Value, place: _Place, span: Span, into: list[GraphNode]
    ) -> Value | None:
        """Items under a name of their own inside a composite: an iteration, a path, a shortcut."""
        inside: list[GraphNode] = []
        below = place.below(name)
        output = self.items(items, value, below, inside)
        if output is None:
            return None
        path = below.prefix.removesuffix(".")
        twin = None if below.twin_of is None else below.twin_of.removesuffix(".")
        node = GraphNode(
            path, name, "sequential", None, SEQUENTIAL, (value.shape,), output.shape, span, output.number,
            (value.number,), trainable=place.trainable, children=tuple(inside), shares=twin,
        )  # fmt: skip
        into.append(node)
        self.addresses.add(path, output)
        return output

    def share(self, item: Item, node: GraphNode, first: tuple[Item, GraphNode] | None) -> None:
        """Remember who has the weights of a `shared` name, or see that this item can use them."""
        assert item.shared is not None
        if first is None:
            self.shared[item.shared] = (item, node)
            return
        span = item.argument_spans.get("shared", item.span)
        owner = first[1]
        if item.layer != first[0].layer:
            message = f"`{item.shared}` is shared with `{owner.path}`, which is not the same layer with these arguments"
            self.findings.add(SHARED, span, message, "write the same layer, or give this one another name")
        elif node.inputs != owner.inputs and _weights(node) != _weights(owner):
            message = f"{spelled(node.input)} arrives, at `{owner.path}`, which has the weights, {spelled(owner.input)}"
            self.findings.add(SHARED, span, message, "shared weights need inputs of one shape")
        frozen_here = owner.trainable and not node.trainable
        for key in (*(["init"] if item.initializers else []), *(["trainable"] if frozen_here else [])):
            message = f"`{key}` of weights that `{owner.path}` has"
            self.findings.add(SHARED, span, message, f"write it there, on line {owner.span.line}")


def _check_layout(item: Item, layout: Layout, shape: Shape) -> None:
    """Misfit for a layer of features on an image, and for one of images on a grid whose channels are last."""
    if layout == "positions" and item.layer.needs_features:
        message = f"`{item.kind}` works on the last axis, an image {spelled(shape)} arrives"
        hint = f"put `flatten` ({elements(shape)} features) or `global_avg_pool` ({shape[0]} features) before it"
        raise Misfit(message, hint=item.layer.image_hint or hint)
    if layout == "features" and item.layer.needs_positions:
        message = f"`{item.kind}` takes channels first, in {spelled(shape)} they are last"
        raise Misfit(message, hint="`permute: [3, 1, 2]` puts them first; `mean: [1, 2]` takes the mean of a grid")


def _only(reads: tuple[Value, ...], item: Item) -> Value:
    if len(reads) > 1:
        message = f"`{item.kind}` reads one value, `from` names {len(reads)}"
        raise Misfit(message, hint="join them first, with `concat`, `add` or `multiply`", argument="from")
    return reads[0]


def _weights(node: GraphNode) -> list[object]:
    """The modules with weights in a layer, and the shapes of these."""
    leaves = [(leaf.call, leaf.layer.parameters(leaf.input)) for leaf in node.leaves() if leaf.layer is not None]
    return [leaf for leaf in leaves if leaf[1]]
