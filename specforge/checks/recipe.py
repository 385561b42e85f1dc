"""Whether the settings of the recipe go together."""

from collections.abc import Iterator
from itertools import chain

from specforge.catalog.definition import Clock
from specforge.catalog.discovery import word_for
from specforge.checks.subject import Subject, below_of
from specforge.diagnostics import Span, define
from specforge.graph.selection import words_of
from specforge.recipe import Stage, Train

NO_VALIDATION = define(
    "SF508",
    "no-validation-part",
    """
The validation part, which this split does not have, is what the best checkpoint is chosen by, early stopping decided
and the trials of a search compared. Choosing by the test set would make its result meaningless. Write
`split: {train: 0.9, validation: 0.1}`, or test the last weights with `checkpoint: last`.""",
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

# Why a setting has no place beside `snapshots`, and what to do.
_BESIDE_SNAPSHOTS = {
    "schedule": "remove it: in every cycle the rate falls from the optimizer's `lr` to 0",
    "stages": "remove one of them: a snapshot ensemble has no stages",
    "ema": "remove it: what is averaged are the probabilities of the members",
    "early_stopping": "remove it: every cycle runs to its end",
    "checkpoint": "remove it: the members are the weights at the end of each cycle",
}

Conflict = tuple[Span, str, str]


def check_checkpoint(subject: Subject) -> None:
    """What is chosen by the validation part needs one."""
    spec = subject.spec
    if spec.train is None or spec.data is None or spec.data.split.validation is not None:
        return
    hint = "write `split: {train: 0.9, validation: 0.1}`"
    if spec.train.checkpoint != "last":
        message = f"`checkpoint: {spec.train.checkpoint}` needs a validation part"
        span = subject.span("train", "checkpoint")
        subject.findings.add(NO_VALIDATION, span, message, f"{hint}, or `checkpoint: last`")
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
    rules = (_of_snapshots, _of_stages, _of_finding, _of_momentum)
    for span, message, hint in chain.from_iterable(rule(subject, train) for rule in rules):
        subject.findings.add(CONFLICT, span, message, hint)


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
        message = f"`{key}` has no place beside `snapshots`"
        yield subject.key_span("train", key), message, _BESIDE_SNAPSHOTS[key]
    for number, group in enumerate(train.groups):
        if group.schedule is not None:
            span = stage_span(subject, 0, "groups", number, "schedule")
            yield span, "the schedule of a group has no place beside `snapshots`", _BESIDE_SNAPSHOTS["schedule"]
    cycles = train.snapshots.cycles
    if train.epochs is not None and train.epochs % cycles:
        less = train.epochs // cycles * cycles
        hint = f"write `epochs: {less}` or `epochs: {less + cycles}`" if less else f"write `epochs: {cycles}`, or more"
        yield subject.span("train", "epochs"), f"{train.epochs} epochs do not divide into {cycles} cycles", hint


def _of_stages(subject: Subject, train: Train) -> Iterator[Conflict]:
    before: Stage | None = None
    for number, stage in enumerate(train.stages):
        span = stage_span(subject, number, "continue")
        if stage.continues and before is None:
            yield span, "the first stage has nothing to continue", "remove `continue`"
        elif stage.continues and before is not None and stage.optimizer != before.optimizer:
            hint = "remove `continue`, or give both stages the same optimizer; `schedule` moves the rate"
            yield span, "a stage that continues goes on with the optimizer of the stage before, this has another", hint
        elif stage.continues and before is not None and stage.groups != before.groups:
            hint = "remove `continue`, or give both stages the same groups"
            yield span, "a stage that continues goes on with the groups of the stage before, this has others", hint
        before = stage


def _of_finding(subject: Subject, train: Train) -> Iterator[Conflict]:
    for number, stage in enumerate(train.all_stages):
        finds = stage.optimizer.lr == "find"
        for place, group in enumerate(stage.groups):
            if group.optimizer is not None and group.optimizer.lr == "find" and not finds:
                hint = "write `lr: find` in `train.optimizer`, or a number here"
                span = stage_span(subject, number, "groups", place, "optimizer", word_for(group.optimizer), "lr")
                yield span, "the rate of one group can't be found alone", hint
        everything = next((group for group in stage.groups if not words_of(group.select)), None)
        own = [group.optimizer for group in stage.groups if group.optimizer is not None]
        if finds and everything is not None and len(own) == len(stage.groups) and all(o.lr != "find" for o in own):
            span = stage_span(subject, number, "optimizer", word_for(stage.optimizer), "lr")
            yield span, "no parameter has a rate to find: the groups have rates of their own", "write a number"


def _of_momentum(subject: Subject, train: Train) -> Iterator[Conflict]:
    """A schedule that moves momentum needs an optimizer that has one."""
    for number, stage in enumerate(train.all_stages):
        settings = [(stage.schedule, stage.optimizer, ("schedule",))]
        for place, group in enumerate(stage.groups):
            own = ("groups", place) if group.schedule is not None else ()
            settings.append((group.schedule or stage.schedule, group.optimizer or stage.optimizer, (*own, "schedule")))
        for schedule, optimizer, path in settings:
            moves = schedule is not None and schedule.momentum(Clock(0, 0, 0.0, stage.epochs)) is not None
            if moves and schedule is not None and not {"momentum", "betas"} & type(optimizer).model_fields.keys():
                message = f"`{word_for(schedule)}` moves momentum, and `{word_for(optimizer)}` has none"
                yield stage_span(subject, number, *path), message, "write `cycle_momentum: false`"


def stage_span(subject: Subject, number: int, *path: str | int) -> Span:
    """Where a setting of a stage was written, or the nearest place above it: in the stage, or in the recipe."""
    stages = below_of(subject.tree.get("train"), "stages")
    inside = ("stages", number) if below_of(stages, number) is not None else ()
    return subject.span("train", *inside, *path)
