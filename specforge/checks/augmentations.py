"""Whether the augmentations leave an image in its class."""

from specforge.catalog.discovery import word_for
from specforge.checks.subject import Subject
from specforge.diagnostics import Span, define
from specforge.source import Mapping, Node, Sequence

SPOILS = define(
    "SF517",
    "augmentation-changes-class",
    """
An augmented image keeps its label, so it must still be an image of that class. A mirrored photograph of a dog is one
of a dog; a mirrored 2 looks like a 5, and the network learns from it under the wrong name. Each data set names the
augmentations that spoil its images. Remove the augmentation; small rotations, shifts and crops are safe for
characters.""",
    severity="warning",
)


def check_augmentations(subject: Subject) -> None:
    """No augmentation is one that the data set's images do not stand."""
    data = subject.spec.data
    if data is None:
        return
    for number, augmentation in enumerate(data.augment):
        word, dataset = word_for(augmentation), data.dataset
        why = dataset.spoilt_by.get(word)
        if why is not None:
            message = f"`{word}` makes images of `{word_for(dataset)}` that are not their class: {why}"
            subject.findings.add(SPOILS, _span(subject, number), message, "remove it")


def _span(subject: Subject, number: int) -> Span:
    """Where the item of `data.augment` with this number was written."""
    data: Node | None = subject.tree.get("data")
    listed = data.get("augment") if isinstance(data, Mapping) else None
    item = listed.items[number] if isinstance(listed, Sequence) else None
    if isinstance(item, Mapping) and item.entries:
        return next(iter(item.entries.values())).key
    return item.span if item is not None else subject.span("data", "augment")
