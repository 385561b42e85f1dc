"""Whether the data can be divided as the spec says."""

from specforge.checks.data_split import check_split
from specforge.checks.subject import Subject
from specforge.diagnostics import define

BAD_SPLIT = define(
    "SF503",
    "bad-split",
    """
The parts of `data.split` can't be made: fractions outside 0 to 1 or adding up to more than 1, ranges that overlap or
are out of order, an empty part, or fractions and ranges mixed.""",
)
LEFT_OUT = define(
    "SF504",
    "images-left-out",
    "Some images belong to no part of `data.split`, so they are never used. Accept it with a reason if that is meant.",
    severity="warning",
)
NO_EFFECT = define(
    "SF505",
    "setting-without-effect",
    """
A setting changes nothing here, because another one leaves it no role: the `seed` of a split by ranges, a `patience`
that is as long as the run, a group that says nothing but what it selects.""",
    severity="warning",
)


def check_splits(subject: Subject) -> None:
    """Each problem of the split, at its key."""
    if subject.spec.data is None:
        return
    rules = {"invalid": BAD_SPLIT, "left_out": LEFT_OUT, "no_effect": NO_EFFECT}
    for problem in check_split(subject.spec.data.split, subject.spec.data.dataset.facts()):
        span = subject.span("data", "split", problem.field)
        subject.findings.add(rules[problem.kind], span, problem.message, problem.hint)
