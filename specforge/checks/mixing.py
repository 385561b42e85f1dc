"""Whether mixing images can change anything."""

from specforge.catalog.discovery import word_for
from specforge.checks.subject import Subject
from specforge.diagnostics import define

MIXES_NOTHING = define(
    "SF540",
    "mix-changes-nothing",
    """
`data.mix` joins an image with another one of its batch, and its label with the other's. In batches of one image there
is no other one, and where a data set has a single class there is no other label, so the setting would do nothing of
what it is for. Choose a larger `batch_size`, or remove `mix`.""",
)


def check_mixing(subject: Subject) -> None:
    """Batches have images to mix, the data set labels."""
    data, train = subject.spec.data, subject.spec.train
    if data is None or not data.mixes:
        return
    words = " and ".join(f"`{word_for(mix)}`" for mix in data.mixes)
    span = subject.key_span("data", "mix")
    if data.dataset.facts().classes == 1:
        message = f"{words} would mix labels, and `{word_for(data.dataset)}` has one class"
        subject.findings.add(MIXES_NOTHING, span, message, "remove `mix`")
    if train is not None and any(stage.batch_size == 1 for stage in train.all_stages):
        message = f"{words} would mix the images of a batch, and a batch has one image"
        subject.findings.add(MIXES_NOTHING, span, message, "choose a larger `batch_size`, or remove `mix`")
