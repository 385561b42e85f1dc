"""Whether the loss weighs as many classes as there are."""

from collections.abc import Iterator

from specforge.catalog.definition import Loss
from specforge.catalog.discovery import word_for
from specforge.checks.subject import Subject
from specforge.diagnostics import Span, define
from specforge.source import Mapping, Node, Sequence

CLASS_WEIGHTS = define(
    "SF522",
    "class-weights-do-not-fit",
    """
A list of `class_weights` has one number for each class of the data set, in the order of its classes; where the data
set's classes are known only when it is read, the network's output says how many there are. `class_weights: balanced`
needs no list: it follows from how often each class occurs in the training part.""",
)


def check_class_weights(subject: Subject) -> None:
    """Lists of weights are as long as the data set has classes, in the recipe and in every stage."""
    known = _classes(subject)
    if known is None:
        return
    classes, of = known
    for loss, path in _losses(subject):
        weights = getattr(loss, "class_weights", None)
        if isinstance(weights, tuple) and len(weights) != classes:
            message = f"`class_weights` has {len(weights)} number{'s' * (len(weights) != 1)}, {of} {classes} classes"
            hint = f"write {classes} numbers, or `class_weights: balanced`"
            subject.findings.add(CLASS_WEIGHTS, _span(subject, (*path, word_for(loss), "class_weights")), message, hint)


def _classes(subject: Subject) -> tuple[int, str] | None:
    """How many classes there are, and who says so."""
    data = subject.spec.data
    classes = None if data is None else data.dataset.facts().classes
    if data is not None and classes is not None:
        return classes, f"`{word_for(data.dataset)}` has"
    if subject.graph is not None and len(subject.graph.output) == 1:
        return subject.graph.output[0], "the network gives"
    return None


def _losses(subject: Subject) -> Iterator[tuple[Loss, tuple[str, ...]]]:
    """Every loss that the recipe writes down, with its path."""
    train = subject.spec.train
    if train is None:
        return
    yield train.loss, ("train", "loss")
    for number, stage in enumerate(train.stages):
        if stage.loss != train.loss:
            yield stage.loss, ("train", "stages", str(number), "loss")


def _span(subject: Subject, path: tuple[str, ...]) -> Span:
    """Where the value at a path was written, or the nearest place above it; a list's entries go by their number."""
    node: Node = subject.tree
    for step in path:
        if isinstance(node, Sequence):
            node = node.items[int(step)]
            continue
        below = node.get(step) if isinstance(node, Mapping) else None
        if below is None:
            break
        node = below
    return node.span
