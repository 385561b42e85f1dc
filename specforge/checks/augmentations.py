"""Whether the augmentations, of training and of the test, fit the images and leave them in their class."""

from collections.abc import Iterator, Sequence

from specforge.catalog.augmentations.definition import Augmentation
from specforge.catalog.discovery import word_for
from specforge.checks.subject import Subject, below_of
from specforge.diagnostics import Span, define
from specforge.source import Mapping, Node

_Path = tuple[str | int, ...]
_TRAINING = ("data", "augment")
_TEST = ("train", "evaluate", "test_time_augmentation")

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

CHANNELS = define(
    "SF521",
    "augmentation-needs-channels",
    """
Saturation, hue and greying mix the three colour channels, so images of one channel have nothing for them to change. A
`value` that is a list has a number for each channel of the images. Remove what the images have no channels for, or
write a single number.""",
)


def check_augmentations(subject: Subject) -> None:
    """No augmentation is one that the data set's images do not stand."""
    data = subject.spec.data
    if data is None:
        return
    for path, number, augmentation in _augmentations(subject):
        word, dataset = word_for(augmentation), data.dataset
        why = dataset.spoilt_by.get(word)
        if why is not None and not augmentation.is_slight:
            message = f"`{word}` makes images of `{word_for(dataset)}` that are not their class: {why}"
            subject.findings.add(SPOILS, _span(subject, path, number), message, "remove it")


def check_channels(subject: Subject) -> None:
    """The images have the channels that the augmentations ask for.

    Where only the file of the data set can tell, the network's input says what its images must be.
    """
    channels = _channels(subject)
    for path, number, augmentation in _augmentations(subject):
        asked, word = augmentation.needs_channels, word_for(augmentation)
        if asked is None or channels in (None, asked[0]):
            continue
        needed, argument = asked
        what = f"`{argument}` of `{word}`" if argument else f"`{word}`"
        plural = "" if needed == 1 else "s"
        message = f"{what} needs images of {needed} channel{plural}, these have {channels}"
        hint = "write one number, for all channels" if argument == "value" else "remove it"
        subject.findings.add(CHANNELS, _span(subject, path, number, argument), message, hint)


def _augmentations(subject: Subject) -> Iterator[tuple[_Path, int, Augmentation]]:
    """Each with the path of its list and its number in it."""
    for path, augment in _lists(subject):
        for number, augmentation in enumerate(augment):
            yield path, number, augmentation


def _lists(subject: Subject) -> Iterator[tuple[_Path, Sequence[Augmentation]]]:
    data, train = subject.spec.data, subject.spec.train
    if data is not None:
        yield _TRAINING, data.augment
    test = None if train is None else train.evaluate.test_time_augmentation
    if test is not None:
        yield (*_TEST, "augment"), test.augment
        for number, view in enumerate(test.views if isinstance(test.views, tuple) else ()):
            yield (*_TEST, "views", number, "augment"), view.augment


def _channels(subject: Subject) -> int | None:
    facts = None if subject.spec.data is None else subject.spec.data.dataset.facts()
    if facts is not None and facts.image is not None:
        return facts.image[0]
    axes = () if subject.graph is None else subject.graph.axes
    return axes[0] if len(axes) == 3 and isinstance(axes[0], int) else None


def _span(subject: Subject, path: _Path, number: int, argument: str = "") -> Span:
    """Where the item with this number was written, or an argument of it."""
    listed: Node | None = subject.tree
    for step in path:
        listed = below_of(listed, step)
    item = below_of(listed, number)
    if isinstance(item, Mapping) and item.entries:
        word = next(iter(item.entries.values()))
        given = word.value.entries.get(argument) if isinstance(word.value, Mapping) else None
        return word.key if given is None else given.key
    return item.span if item is not None else subject.span(*path)
