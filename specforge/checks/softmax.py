"""Whether the loss gets logits: numbers without limits, before any softmax."""

from math import exp, isfinite, log

from specforge.catalog.discovery import word_for
from specforge.checks.flow import Flow
from specforge.checks.subject import Subject
from specforge.diagnostics import define
from specforge.graph import GraphNode

SOFTMAX = define(
    "SF509",
    "softmax-before-cross-entropy",
    """
The cross entropy loss contains a softmax, so a network ends in logits: numbers without limits. One that ends in a
softmax gets it twice, one that ends in a sigmoid gets logits from 0 to 1: either way the largest probability that it
can give is e / (e + K - 1) of K classes, and the loss stays above ln(1 + (K - 1) / e), which is 1.46 for ten classes
and 3.62 for a hundred, however well it is trained. For logits from a to b, exp(b - a) stands for e. A second
log_softmax changes nothing at all. Remove the layer: probabilities for predictions are made from the logits. Keras's
`categorical_crossentropy` expects the softmax that torch's loss brings, so a translation of such a network leaves the
layer out.""",
    severity="warning",
)

HINT = "remove this layer: the network ends in logits"
_CONTAINED = ("softmax", "log_softmax")


def check_softmax_before_loss(subject: Subject) -> None:
    """The values that reach the loss are neither results of a softmax nor between two limits."""
    graph, train = subject.graph, subject.spec.train
    if graph is None or train is None or word_for(train.loss) != "cross_entropy":
        return
    flow = subject.flow
    for number in sorted(flow.results):
        culprit = _culprit(flow, number)
        if culprit is not None:
            subject.findings.add(SOFTMAX, culprit.span, _message(flow, number, culprit), HINT)


def _message(flow: Flow, number: int, culprit: GraphNode) -> str:
    low, high = flow.bounds(number)
    what = ", which contains one" if culprit.kind in _CONTAINED else f" keeps the logits between {low:g} and {high:g}"
    maker = flow.maker(number)
    assert maker is not None
    least = ""
    if isfinite(high - low) and len(maker.output) == 1:
        (classes,) = maker.output
        least = f": with {classes} classes the loss can't fall below {log(1 + (classes - 1) * exp(low - high)):.2f}"
    return f"`{culprit.kind}` before `cross_entropy`{what}{least}"


def _culprit(flow: Flow, number: int) -> GraphNode | None:
    """The layer that makes a softmax's result or limited values of what arrives, seen through layers that keep it."""
    node = flow.maker(number)
    while node is not None and node.layer is not None and len(flow.reads(node)) == 1:
        if node.kind in _CONTAINED or _limits(flow, node):
            return node
        # a layer keeps limits that it is given where it has any for limited values, as flatten and dropout do
        if node.parameters or not isfinite(sum(map(abs, node.layer.bounds(-1.0, 0.0)))):
            return None
        node = flow.maker(node.reads[0])
    return None


def _limits(flow: Flow, node: GraphNode) -> bool:
    """Whether values without limits arrive and values with limits leave."""
    arriving, leaving = flow.bounds(node.reads[0]), flow.bounds(node.number)
    return all(map(isfinite, leaving)) and not all(map(isfinite, arriving))
