"""Biases that a batch normalisation takes out again."""

from specforge.checks.flow import Flow
from specforge.checks.subject import Subject
from specforge.diagnostics import Span, define
from specforge.graph import GraphNode
from specforge.shapes import elements

LOST_BIAS = define(
    "SF512",
    "bias-before-norm",
    """
A bias adds one number to a whole channel, and batch norm subtracts each channel's mean: with x + b arriving instead
of x, the mean is larger by b and the difference is the same. The bias gets no gradient and its parameters are wasted;
the norm's own bias does what it was for. The same holds with max pooling, global average pooling or `flatten` between,
since max(x + b) = max(x) + b, but not with dropout or an activation. Write `bias: false`. Only a `bias: true` that is
written at the layer is reported, not the default, which keeps the counts of networks that were built with it. A frozen
batch norm, which keeps its means, is no reason either.""",
    severity="warning",
)


def check_lost_biases(subject: Subject) -> None:
    """No `bias: true` was written where the value only reaches a batch norm; one finding for each place in the text."""
    if subject.graph is None:
        return
    lost: dict[tuple[str, int, int], list[tuple[Span, GraphNode, GraphNode]]] = {}
    for node in subject.graph.leaves():
        span = node.argument_spans.get("bias")
        norm = None if span is None else _norm_after(subject.flow, node)
        if span is not None and norm is not None:
            lost.setdefault((span.file, span.line, span.column), []).append((span, node, norm))
    for uses in lost.values():
        span, node, norm = uses[0]
        wasted = sum(elements(p.shape) for _, layer, _ in uses for p in layer.parameters if p.name == "bias")
        layers = f" in {len(uses)} layers" if len(uses) > 1 else ""
        message = f"`{norm.kind}` removes what the bias of `{node.kind}` adds: {wasted:,} parameters wasted{layers}"
        subject.findings.add(LOST_BIAS, span, message, "write `bias: false`")


def _norm_after(flow: Flow, node: GraphNode) -> GraphNode | None:
    """The trained normalisation that takes out the bias of a layer; None where the bias has an effect."""
    layer = node.layer
    if layer is None or layer.bias_axis is None or flow.shares_weights(node):
        return None
    if not any(parameter.name == "bias" for parameter in node.parameters):
        return None
    axis = layer.bias_axis % len(node.output)
    reader = flow.sole_reader(node)
    while axis == 0 and reader is not None and reader.layer is not None and reader.layer.passes_shift:
        reader = flow.sole_reader(reader)
    if reader is None or reader.layer is None or reader.layer.centred_axis != axis or not reader.trainable:
        return None
    return reader
