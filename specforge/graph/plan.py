"""A recipe and a network -> what every stage trains, and by which settings.

    stages: [{epochs: 5, freeze: backbone}, {epochs: 9, unfreeze: all}]
    groups: [{select: {parameter: bias}, optimizer: {sgd: {weight_decay: 0}}}]

    stage 1   frozen: backbone.*      groups: linear_1.bias | linear_1.weight
    stage 2   frozen: nothing         groups: every bias    | all others

Freezing carries over from stage to stage. A parameter belongs to the first group that selects it.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from specforge.catalog.definition import Optimizer, Schedule
from specforge.graph.selection import Index, Weight, spelled
from specforge.recipe import Group, Selector, Stage, Train

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
    weights = Index(weight for weight in network if weight.trainable)
    still = frozenset(weight.name for weight in network if not weight.trainable)
    planned: list[StagePlan] = []
    frozen: frozenset[str] = frozenset()
    for number, stage in enumerate(_scheduled(train)):
        frozen = frozen_in(stage, weights, frozen)
        trained = [weight.name for weight in weights.weights if weight.name not in frozen and not weight.is_statistic]
        before = planned[-1] if planned else None
        first_epoch = before.first_epoch + before.stage.epochs if before else 0
        chain = before.chain if before and stage.continues else number
        groups = tuple(_settings(stage, trained, weights.owners(stage.groups)))
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


def frozen_in(stage: Stage, weights: Index, before: frozenset[str]) -> frozenset[str]:
    """The names of the parameters that stand still in a stage, after those that stood still `before` it."""
    frozen = before | named(stage.freeze, weights)
    return frozen - named(stage.unfreeze, weights)


def named(chosen: Selector | str | tuple[str, ...] | None, weights: Index) -> AbstractSet[str]:
    """The names of the parameters that `freeze` or `unfreeze` is about."""
    if chosen is None:
        return frozenset()
    if chosen == EVERYTHING:
        return weights.all
    return weights.selected(chosen if isinstance(chosen, Selector) else Selector(path=chosen))


def _settings(stage: Stage, trained: list[str], owners: dict[str, int]) -> Iterator[Settings]:
    """Of each group that has parameters to train, and of those in none."""
    members: dict[int | None, list[str]] = {}
    for name in trained:
        members.setdefault(owners.get(name), []).append(name)
    for number in sorted(number for number in members if number is not None):
        yield _settings_of(stage, stage.groups[number], members[number])
    if None in members:
        yield _settings_of(stage, None, members[None])


def _settings_of(stage: Stage, group: Group | None, names: list[str]) -> Settings:
    return Settings(
        OTHERS if group is None else spelled(group.select) or EVERYTHING,
        (group and group.optimizer) or stage.optimizer,
        (group and group.schedule) or stage.schedule,
        stage.l2 if group is None or group.l2 is None else group.l2,
        tuple(names),
    )
