"""Whether every setting of the recipe can do what it is for, over the epochs and for the parameters that there are.

epochs: 10, early_stopping: {patience: 10}   ->   warning: the run is over before
groups: [{select: {kind: conv}}]             ->   warning: the last group gives its parameters no settings
"""

from specforge.checks.recipe import stage_span
from specforge.checks.splits import NO_EFFECT
from specforge.checks.subject import Subject
from specforge.graph.plan import frozen_in
from specforge.graph.selection import Index, weights_of
from specforge.recipe import Stage, Train


def check_idle_settings(subject: Subject) -> None:
    """Settings that are read, and change nothing."""
    train = subject.spec.train
    if train is None:
        return
    _check_durations(subject, train)
    if subject.graph is not None:
        weights = Index(w for w in weights_of(subject.graph) if w.trainable and not w.is_statistic)
        _check_groups(subject, train, weights)
        _check_statistics(subject, train, weights)


def _check_durations(subject: Subject, train: Train) -> None:
    for number, stage in enumerate(train.all_stages):
        patience = None if stage.early_stopping is None else stage.early_stopping.patience
        if patience is not None and patience + 1 >= stage.epochs:
            message = f"a `patience` of {patience} epochs ends nothing early: there are {stage.epochs}"
            hint = f"write less than {stage.epochs - 1}, or remove it" if stage.epochs > 2 else "remove it"
            subject.findings.add(NO_EFFECT, stage_span(subject, number, "early_stopping", "patience"), message, hint)
    if train.keep_every is not None and train.keep_every > train.total_epochs:
        message = f"no checkpoint is kept after {train.keep_every} epochs: the run has {train.total_epochs}"
        subject.findings.add(NO_EFFECT, subject.span("train", "keep_every"), message, "write fewer, or remove it")


def _check_groups(subject: Subject, train: Train, weights: Index) -> None:
    """A group that says nothing spares its parameters from the groups below it, if those would take them."""
    for number, stage in enumerate(train.all_stages):
        for place in _idle_groups(stage, weights):
            message = "this group says nothing but what it selects"
            hint = "give it `optimizer`, `schedule` or `l2`, or remove it"
            subject.findings.add(NO_EFFECT, stage_span(subject, number, "groups", place), message, hint)


def _idle_groups(stage: Stage, weights: Index) -> list[int]:
    """The numbers of the groups that say nothing and spare nothing."""
    found, taken_below = [], set[str]()
    for place, group in reversed(list(enumerate(stage.groups))):
        mine = weights.selected(group.select)
        says_nothing = group.optimizer is None and group.schedule is None and group.l2 is None
        if says_nothing and taken_below.isdisjoint(mine):
            found.append(place)
        taken_below |= mine
    return found


def _check_statistics(subject: Subject, train: Train, weights: Index) -> None:
    frozen: frozenset[str] = frozenset()
    norms = {weight.name for weight in weights.weights if weight.kind == "batch_norm"}
    for number, stage in enumerate(train.all_stages):
        frozen = frozen_in(stage, weights, frozen)
        if stage.frozen_statistics == "update" and frozen.isdisjoint(norms) and not _has_still_norm(subject):
            span = stage_span(subject, number, "frozen_statistics")
            subject.findings.add(NO_EFFECT, span, "no batch norm is frozen in this stage", "remove it, or freeze one")


def _has_still_norm(subject: Subject) -> bool:
    """Whether a batch norm is frozen in all stages, by `trainable: false`."""
    assert subject.graph is not None
    return any(node.kind == "batch_norm" and not node.trainable for node in subject.graph.leaves())
