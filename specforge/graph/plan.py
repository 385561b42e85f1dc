"""A recipe and a network -> what every stage trains, and by which settings.

    stages: [{epochs: 5, freeze: backbone}, {epochs: 9, unfreeze: all}]
    groups: [{select: {parameter: bias}, optimizer: {sgd: {weight_decay: 0}}}]

    stage 1   frozen: backbone.*      groups: linear_1.bias | linear_1.weight
    stage 2   frozen: nothing         groups: every bias    | all others

Freezing carries over from stage to stage. A parameter belongs to the first group that selects it.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from specforge.catalog.definition import Optimizer, Schedule
from specforge.graph.selection import Weight, selects, spelled
from specforge.recipe import Recipe, Selector, Stage, Train

EVERYTHING = "all"
OTHERS = "others"  # what no group selects


class Settings(NamedTuple):
    """How the parameters of these names are trained. `label` names the group in metrics and curves."""

    label: str
    optimizer: Optimizer
    schedule: Schedule | None
    l2: float
    names: tuple[str, ...]


class StagePlan(NamedTuple):
    """One stage: its recipe, the names of what stands still in it, and the settings of the others.

    `first_epoch` counts from 0 over the whole run. `chain` is the number of the stage whose optimizer and clock go on
    in this one: its own, unless it continues.
    """

    number: int
    stage: Stage
    first_epoch: int
    chain: int
    frozen: frozenset[str]
    groups: tuple[Settings, ...]


def plan(train: Train, network: Sequence[Weight]) -> tuple[StagePlan, ...]:
    """All stages in order, for the weights of a network. The recipe was checked before: what it selects exists."""
    weights = [weight for weight in network if weight.trainable]
    still = frozenset(weight.name for weight in network if not weight.trainable)
    planned: list[StagePlan] = []
    frozen: frozenset[str] = frozenset()
    for number, stage in enumerate(_scheduled(train)):
        frozen = frozen_in(stage, weights, frozen)
        trained = [weight for weight in weights if weight.name not in frozen and not weight.is_statistic]
        before = planned[-1] if planned else None
        first_epoch = before.first_epoch + before.stage.epochs if before else 0
        chain = before.chain if before and stage.continues else number
        groups = tuple(_settings(stage, trained))
        planned.append(StagePlan(number, stage, first_epoch, chain, frozen | still, groups))
    return tuple(planned)


def optimizers(train: Train, network: Sequence[Weight]) -> dict[str, Optimizer]:
    """Which optimizer moves which parameter, in the stage whose optimizers remember most."""
    shapes = {weight.name: weight.shape for weight in network}
    by_stage = [
        {name: settings.optimizer for settings in stage.groups for name in settings.names}
        for stage in plan(train, network)
    ]
    return max(by_stage, key=lambda moved: sum(found.remembered(shapes[name]) for name, found in moved.items()))


def _scheduled(train: Train) -> tuple[Stage, ...]:
    """The stages; that of a snapshot ensemble has its cycles for a schedule."""
    if train.snapshots is None or train.epochs is None:
        return train.all_stages
    from specforge.catalog.schedules.cycles import CosineWarmRestarts

    cycles = CosineWarmRestarts(t_0=train.epochs // train.snapshots.cycles)
    return tuple(stage.model_copy(update={"schedule": cycles}) for stage in train.all_stages)


def frozen_in(stage: Stage, weights: list[Weight], before: frozenset[str]) -> frozenset[str]:
    """The names of the parameters that stand still in a stage, after those that stood still `before` it."""
    frozen = before | named(stage.freeze, weights)
    return frozen - named(stage.unfreeze, weights)


def named(chosen: Selector | str | tuple[str, ...] | None, weights: list[Weight]) -> frozenset[str]:
    """The names of the parameters that `freeze` or `unfreeze` is about."""
    if chosen is None:
        return frozenset()
    if chosen == EVERYTHING:
        return frozenset(weight.name for weight in weights)
    select = chosen if isinstance(chosen, Selector) else Selector(path=chosen)
    return frozenset(weight.name for weight in weights if selects(select, weight))


def group_of(recipe: Recipe, weight: Weight) -> int | None:
    """The number of the first group that selects a parameter."""
    return next((n for n, group in enumerate(recipe.groups) if selects(group.select, weight)), None)


def _settings(stage: Stage, trained: list[Weight]) -> Iterator[Settings]:
    """Of each group that has parameters to train, and of those in none."""
    members: dict[int | None, list[str]] = {}
    for weight in trained:
        members.setdefault(group_of(stage, weight), []).append(weight.name)
    for number in (*range(len(stage.groups)), None):
        if number not in members:
            continue
        group = None if number is None else stage.groups[number]
        yield Settings(
            OTHERS if group is None else spelled(group.select) or EVERYTHING,
            (group and group.optimizer) or stage.optimizer,
            (group and group.schedule) or stage.schedule,
            stage.l2 if group is None or group.l2 is None else group.l2,
            tuple(members[number]),
        )
