"""Whether the recipe can do what it says."""

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


def check_checkpoint(subject: Subject) -> None:
    """A best checkpoint needs a part to be best on."""
    spec = subject.spec
    if spec.train is None or spec.data is None or spec.train.checkpoint == "last":
        return
    if spec.data.split.validation is None:
        message = f"`checkpoint: {spec.train.checkpoint}` needs a validation part"
        hint = "write `split: {train: 0.9, validation: 0.1}`, or `checkpoint: last`"
        subject.findings.add(NO_VALIDATION, subject.span("train", "checkpoint"), message, hint)
