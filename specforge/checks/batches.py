"""Whether every batch of an epoch can be trained on."""

from specforge.checks.data_split import fractions_of, part_sizes, range_rows
from specforge.checks.recipe import stage_span
from specforge.checks.subject import Subject
from specforge.diagnostics import Span, define
from specforge.graph import Graph
from specforge.shapes import spelled
from specforge.spec import Data

ONE_IMAGE = define(
    "SF519",
    "batch-of-one-image",
    """
A batch norm subtracts the batch's mean from every channel. Where one image has a single value in each channel, as
features have, a batch of one image leaves nothing, and training stops with an error. That happens with `batch_size: 1`.
(An image that is left over when the others fill their batches is left out, another one in each epoch.) Choose another
batch size, or normalise before the values are pooled.""",
)


def check_batches(subject: Subject) -> None:
    """No batch holds one image alone where a layer needs several."""
    spec, graph = subject.spec, subject.graph
    if spec.train is None or spec.data is None or graph is None:
        return
    images = _training_images(spec.data)
    for number, size in enumerate(stage.batch_size for stage in spec.train.all_stages):
        if size == 1 or images == 1:
            _check(subject, graph, stage_span(subject, number, "batch_size"), size)


def _check(subject: Subject, graph: Graph, span: Span, size: int) -> None:
    alone = next((n for n in graph.leaves() if n.trainable and n.layer and n.layer.needs_several_images(n.input)), None)
    if alone is None:
        return
    what = "a batch is one image" if size == 1 else "the training part is one image"
    message = f"{what}: `{alone.kind}` on {spelled(alone.input)} needs several (at `{alone.path}`)"
    hint = "write another `batch_size`" if size == 1 else "train on more images"
    subject.findings.add(ONE_IMAGE, span, message, hint)


def _training_images(data: Data) -> int | None:
    """How many images an epoch has, where that is known before they are read."""
    facts, split = data.dataset.facts(), data.split
    if isinstance(split.train, tuple):
        return None if facts.train is None else sum(len(range_rows(bounds, facts.train)) for bounds in split.train)
    sizes = (facts.train,) if split.test == "official" else (facts.train, facts.test)
    known = [size for size in sizes if size is not None]
    return part_sizes(tuple(fractions_of(split).values()), sum(known))[0] if len(known) == len(sizes) else None
