"""Whether network and data set fit together."""

from specforge.catalog.discovery import word_for
from specforge.checks.subject import Subject
from specforge.diagnostics import define
from specforge.shapes import spelled

INPUT = define(
    "SF506",
    "input-is-not-the-image",
    "`model.input` must be the shape [C, H, W] of one image of the data set: the data set's images are not resized.",
)
CLASSES = define(
    "SF507",
    "output-is-not-the-classes",
    "The network must end in one value (a logit) for each class of the data set, so `[classes]` is its output shape.",
)


def check_dataset_fit(subject: Subject) -> None:
    """The input is one image, the output one value a class; data sets known only when read are checked then."""
    if subject.spec.data is None or subject.graph is None:
        return
    dataset = subject.spec.data.dataset
    facts, word = dataset.facts(), word_for(dataset)
    if facts.image is not None and subject.graph.input != facts.image:
        message = f"`input` is {spelled(subject.graph.input)}, an image of `{word}` is {spelled(facts.image)}"
        hint = f"write `input: {spelled(facts.image)}`"
        subject.findings.add(INPUT, subject.span("model", "input"), message, hint)
    if facts.classes is not None and subject.graph.output != (facts.classes,):
        last = subject.graph.root.children[-1] if subject.graph.root.children else None
        message = f"the network gives {spelled(subject.graph.output)}, `{word}` has {facts.classes} classes"
        hint = f"end with `linear: {facts.classes}`" + (
            "" if len(subject.graph.output) == 1 else " after `flatten` or `global_avg_pool`"
        )
        subject.findings.add(CLASSES, last.span if last else subject.span("model", "layers"), message, hint)
