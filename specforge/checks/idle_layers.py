"""Layers that could be left out: what they give is what they take, or is undone, or goes nowhere."""

from specforge.checks.flow import Flow
from specforge.checks.subject import Subject
from specforge.diagnostics import define
from specforge.graph import GraphNode
from specforge.shapes import elements

IDLE = define(
    "SF513",
    "layer-without-effect",
    """
A layer gives back exactly what it takes, or the next one undoes it: a ReLU of values that are never negative (after a
ReLU, a sigmoid or a softmax, also with pooling, dropout or `flatten` between), a dropout with `p: 0`, a pooling whose
window is one value and moves by one, a `flatten` of features, a batch norm whose only reader is another one, which
removes its scale and shift. Remove it; where something else was meant, such as another activation, write that. A
`repeat` of 0 times and an empty list of layers are not reported: that is how a param switches layers off.""",
    severity="warning",
)
MERGED = define(
    "SF514",
    "two-layers-in-one",
    """
Two linear layers with nothing between them are one: W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2). Where the values
between them are at least as many as those that enter or those that leave, W2 W1 can be any matrix, so that one layer
computes the same with fewer parameters. Put an activation between them, or leave the first out. Fewer values between
them are a factorisation, which limits the matrix's rank: that is not reported, nor are convolutions, whose borders and
sizes make two of them another thing than one.""",
    severity="warning",
)
UNREAD = define(
    "SF518",
    "value-unread",
    """
What a layer makes is read by no other layer and is not the network's output: a later item's `from` reads something
else. The layer is computed, its weights are stored and never trained. Name it in the `from` of a later layer, or remove
it together with what only leads to it.""",
    severity="warning",
)


def check_idle_layers(subject: Subject) -> None:
    """Every layer changes something, and by something that the next one does not undo."""
    if subject.graph is None:
        return
    flow = subject.flow
    for node in subject.graph.leaves():
        assert node.layer is not None
        why = node.layer.idle(node.input, *flow.bounds(node.reads[0])) if len(node.reads) == 1 else None
        if why is not None:
            subject.findings.add(IDLE, node.span, f"`{node.kind}` changes nothing: {why}", "remove it")
        if node.layer.centred_axis is not None:
            _check_undone(subject, flow, node)
        if node.kind == "linear":
            _check_merged(subject, flow, node)


def _check_undone(subject: Subject, flow: Flow, node: GraphNode) -> None:
    """A normalisation right before another of its kind."""
    after = flow.sole_reader(node)
    if after is None or type(after.layer) is not type(node.layer):
        return
    if after.trainable:  # a frozen one keeps its means and variances, whatever arrives
        message = f"`{node.kind}` before another `{node.kind}`, which removes its scale and shift"
        subject.findings.add(IDLE, node.span, message, "remove one of them")


def _check_merged(subject: Subject, flow: Flow, node: GraphNode) -> None:
    """A linear layer right before another."""
    after = flow.sole_reader(node)
    if after is None or after.kind != "linear" or not (node.trainable and after.trainable):
        return
    first, between, last = node.input[-1], node.output[-1], after.output[-1]
    if between < min(first, last) or flow.shares_weights(node) or flow.shares_weights(after):
        return
    weights = (*node.parameters, *after.parameters)
    both = sum(elements(parameter.shape) for parameter in weights)
    alone = first * last + (last if any(parameter.name == "bias" for parameter in weights) else 0)
    message = (
        f"`linear: {between}` and `linear: {last}` with nothing between them compute what `linear: {last}` does alone: "
        f"{both:,} parameters do the work of {alone:,}"
    )
    subject.findings.add(MERGED, node.span, message, "put an activation between them, or leave this one out")


def check_unread_values(subject: Subject) -> None:
    """Every value that a layer makes is read, or is a result of the network."""
    if subject.graph is None:
        return
    flow = subject.flow
    for node in subject.graph.makers:
        if flow.is_read(node.number):
            continue
        lost = _leading_only_to(flow, node)
        values = sum(elements(p.shape) for layer in lost for p in layer.parameters if p.role == "parameter")
        layers = "1 layer leads" if len(lost) == 1 else f"{len(lost)} layers lead"
        message = f"nothing reads what `{node.kind}` makes: {layers} nowhere, with {values:,} parameters"
        hint = "name it in the `from` of a later layer, or remove it"
        subject.findings.add(UNREAD, node.span, message, hint)


def _leading_only_to(flow: Flow, last: GraphNode) -> list[GraphNode]:
    """An operation and those before it that only lead to it."""
    chain, node = [last], flow.layer_before(last)
    while node is not None:
        chain.append(node)
        node = flow.layer_before(node)
    return chain
