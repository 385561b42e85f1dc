"""Whether network and data set fit together.

In: a graph and what is known of a data set, before it is read or after. Out: what does not fit, by what it is about.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from specforge.catalog.datasets.definition import Facts
from specforge.catalog.discovery import word_for
from specforge.checks.subject import Subject
from specforge.diagnostics import Span, define
from specforge.graph import Graph
from specforge.shapes import Shape, spelled
from specforge.spec import Normalize

INPUT = define(
    "SF506",
    "input-is-not-the-image",
    "`model.input` must be the shape [C, H, W] of one image of the data set: the data set's images are not resized.",
)
CLASSES = define(
    "SF507",
    "output-is-not-the-classes",
    """
The network must end in one value (a logit) for each class of the data set, so `[classes]` is its output shape; so must
every `auxiliary` branch, whose loss is of the same classes.""",
)


NORMALIZATION = define(
    "SF528",
    "normalization-does-not-fit",
    """
`data.normalize` has a mean and a standard deviation for each channel of the images: three of each for colour images,
one for grey ones. `normalize: auto` measures them on the training part.""",
)


class Mismatch(NamedTuple):
    """What does not fit: the input, or the output of the network or of the side branch with this path."""

    about: Literal["input", "output"]
    path: str
    message: str
    hint: str


def mismatches(graph: Graph, facts: Facts, word: str) -> Iterator[Mismatch]:
    """What does not fit between a network and a data set; `word` names it. What is not known is not checked."""
    if facts.image is not None and not _takes(graph, facts.image):
        written = "[" + ", ".join(map(str, graph.axes)) + "]"
        message = f"`input` is {written}, an image of `{word}` is {spelled(facts.image)}"
        yield Mismatch("input", "", message, f"write `input: {spelled(facts.image)}`")
    if facts.classes is None:
        return
    for path, output in (("", graph.output), *((head.path, head.output) for head in graph.heads)):
        if output != (facts.classes,):
            what = f"the branch `{path}`" if path else "the network"
            message = f"{what} gives {spelled(output)}, `{word}` has {facts.classes} classes"
            flat = "" if len(output) == 1 else " after `flatten` or `global_avg_pool`"
            yield Mismatch("output", path, message, f"end with `linear: {facts.classes}`{flat}")


def _takes(graph: Graph, image: Shape) -> bool:
    """Whether the input as written has room for an image: equal numbers, one size for each name, none too small."""
    named: dict[str, int] = {}
    return len(image) == len(graph.axes) and all(
        size == (named.setdefault(axis, size) if isinstance(axis, str) else axis) and size >= least
        for size, axis, least in zip(image, graph.axes, graph.smallest, strict=True)
    )


def check_dataset_fit(subject: Subject) -> None:
    """The input is one image, the output one value a class; data sets known only when read are checked then."""
    if subject.spec.data is None or subject.graph is None:
        return
    dataset = subject.spec.data.dataset
    for found in mismatches(subject.graph, dataset.facts(), word_for(dataset)):
        if found.about == "input":
            subject.findings.add(INPUT, subject.span("model", "input"), found.message, found.hint)
        else:
            subject.findings.add(CLASSES, _end(subject, subject.graph, found.path), found.message, found.hint)


def check_normalization(subject: Subject) -> None:
    """One mean and one standard deviation for each channel."""
    data = subject.spec.data
    image = None if data is None else data.dataset.facts().image
    if data is None or image is None or not isinstance(data.normalize, Normalize):
        return
    for name, numbers in (("mean", data.normalize.mean), ("std", data.normalize.std)):
        if len(numbers) != image[0]:
            count = f"{len(numbers)} number{'s' * (len(numbers) != 1)}"
            message = f"`{name}` has {count}, an image of `{word_for(data.dataset)}` has {image[0]} channels"
            hint = "write one number for each channel, or `normalize: auto`"
            subject.findings.add(NORMALIZATION, subject.span("data", "normalize", name), message, hint)


def _end(subject: Subject, graph: Graph, path: str) -> Span:
    """The last layer of the network, or the side branch."""
    for node in graph.root.walk():
        if path and node.path == path:
            return node.span
    inside = [node for node in graph.root.children if not node.is_side_branch]
    return inside[-1].span if inside else subject.span("model", "layers")
