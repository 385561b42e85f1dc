"""Whether the recipe can do what it says."""

from collections.abc import Iterator

from specforge.checks.subject import Subject
from specforge.diagnostics import Span, define
from specforge.graph.selection import spelled
from specforge.recipe import Stage, Train
from specforge.source import Mapping, Sequence

NO_VALIDATION = define(
    "SF508",
    "no-validation-part",
    """
The best checkpoint is chosen, and early stopping decided, by the validation part, which this split does not have.
Choosing by the test set would make its result meaningless. Write `split: {train: 0.9, validation: 0.1}`, or test the
last weights with `checkpoint: last`.""",
)
CONFLICT = define(
    "SF524",
    "recipe-conflict",
    """
Two settings of the recipe exclude each other. A snapshot ensemble owns the schedule, its epochs divide by its cycles,
and its members are what is tested, so that `schedule`, `stages`, `ema`, early stopping and a best checkpoint have no
place beside it. The first stage has nothing to `continue`, and a stage that continues keeps the optimizer. `lr: find`
belongs to the recipe's optimizer: a group's rate is found with it.""",
)


def check_checkpoint(subject: Subject) -> None:
    """What is chosen by the validation part needs one."""
    spec = subject.spec
    if spec.train is None or spec.data is None or spec.data.split.validation is not None:
        return
    hint = "write `split: {train: 0.9, validation: 0.1}`"
    if spec.train.checkpoint != "last":
        message = f"`checkpoint: {spec.train.checkpoint}` needs a validation part"
        subject.findings.add(
            NO_VALIDATION, subject.span("train", "checkpoint"), message, f"{hint}, or `checkpoint: last`"
        )
    for number, stage in enumerate(spec.train.all_stages):
        stopping = stage.early_stopping
        if stopping is not None and stopping.metric.startswith("validation"):
            message = f"`early_stopping` by `{stopping.metric}` needs a validation part"
            span = stage_span(subject, number, "early_stopping")
            subject.findings.add(NO_VALIDATION, span, message, f"{hint}, or `metric: train_loss`")


def check_recipe(subject: Subject) -> None:
    """Settings that exclude each other."""
    train = subject.spec.train
    if train is None:
        return
    conflicts = [*_of_snapshots(subject, train), *_of_stages(subject, train), *_of_finding(subject, train)]
    for span, message, hint in conflicts:
        subject.findings.add(CONFLICT, span, message, hint)


Conflict = tuple[Span, str, str]


def _of_snapshots(subject: Subject, train: Train) -> Iterator[Conflict]:
    if train.snapshots is None:
        return
    given = {
        "schedule": train.schedule is not None,
        "stages": bool(train.stages),
        "ema": train.ema is not None,
        "early_stopping": train.early_stopping is not None,
        "checkpoint": train.checkpoint != "last",
    }
    for key in (key for key, is_given in given.items() if is_given):
        hint = "remove it: the members are the weights at the end of each cycle"
        yield subject.key_span("train", key), f"`snapshots` and `{key}` exclude each other", hint
    for group in (g for g in train.groups if g.schedule is not None):
        message = f"the schedule of a group ({spelled(group.select)}) has no place beside `snapshots`"
        yield subject.key_span("train", "groups"), message, "remove it"
    cycles = train.snapshots.cycles
    if train.epochs is not None and train.epochs % cycles:
        message = f"{train.epochs} epochs do not divide into {cycles} cycles"
        yield subject.span("train", "epochs"), message, f"write `epochs: {-(-train.epochs // cycles) * cycles}`"


def _of_stages(subject: Subject, train: Train) -> Iterator[Conflict]:
    before: Stage | None = None
    for number, stage in enumerate(train.stages):
        span = stage_span(subject, number, "continue")
        if stage.continues and before is None:
            yield span, "the first stage has nothing to continue", "remove `continue`"
        elif stage.continues and before is not None and stage.optimizer != before.optimizer:
            hint = "remove `continue`, or give both stages the same optimizer; `schedule` moves the rate"
            yield span, "a stage that continues goes on with the same optimizer", hint
        elif stage.continues and before is not None and stage.groups != before.groups:
            yield span, "a stage that continues goes on with the same groups", "remove `continue` or `groups`"
        before = stage


def _of_finding(subject: Subject, train: Train) -> Iterator[Conflict]:
    for number, stage in enumerate(train.all_stages):
        for group in stage.groups:
            if group.optimizer is not None and group.optimizer.lr == "find" and stage.optimizer.lr != "find":
                hint = "write `lr: find` in `train.optimizer`, or a number here"
                yield stage_span(subject, number, "groups"), "the rate of one group can't be found alone", hint


def stage_span(subject: Subject, number: int, *path: str) -> Span:
    """Where a setting of a stage was written, or the nearest place above it: in the stage, or in the recipe."""
    train = subject.tree.get("train")
    stages = train.get("stages") if isinstance(train, Mapping) else None
    if not isinstance(stages, Sequence) or number >= len(stages.items):
        return subject.span("train", *path)
    node = stages.items[number]
    for step in path:
        below = node.get(step) if isinstance(node, Mapping) else None
        if below is None:
            break
        node = below
    return node.span
