"""Whether the recipe can do what it says."""

from specforge.catalog.discovery import word_for
from specforge.checks.subject import Subject
from specforge.diagnostics import define

NO_VALIDATION = define(
    "SF508",
    "no-validation-part",
    """
The best checkpoint is chosen by the validation part, which this split does not have. Choosing by the test set would
make its result meaningless. Write `split: {train: 0.9, validation: 0.1}`, or test the last weights with
`checkpoint: last`.""",
)
SOFTMAX = define(
    "SF509",
    "softmax-before-cross-entropy",
    """
The cross entropy loss contains a softmax. A network that ends in one gets it twice: gradients shrink and training slows
down. End in logits; probabilities for predictions are made from them. Keras's `categorical_crossentropy` expects the
softmax that torch's loss brings, so a translation of such a network leaves the layer out.""",
    severity="warning",
)


def check_checkpoint(subject: Subject) -> None:
    """A best checkpoint needs a part to be best on."""
    spec = subject.spec
    if spec.train is None or spec.data is None or spec.train.checkpoint == "last":
        return
    if spec.data.split.validation is None:
        message = f"`checkpoint: {spec.train.checkpoint}` needs a validation part"
        hint = "write `split: {train: 0.9, validation: 0.1}`, or `checkpoint: last`"
        subject.findings.add(NO_VALIDATION, subject.span("train", "checkpoint"), message, hint)


def check_softmax_before_loss(subject: Subject) -> None:
    """The last layer is no softmax when the loss holds one."""
    if subject.graph is None or subject.spec.train is None or word_for(subject.spec.train.loss) != "cross_entropy":
        return
    leaves = list(subject.graph.leaves())
    if leaves and leaves[-1].kind in ("softmax", "log_softmax"):
        message = f"`{leaves[-1].kind}` before `cross_entropy`, which contains one"
        subject.findings.add(SOFTMAX, leaves[-1].span, message, "remove this layer: the network ends in logits")
