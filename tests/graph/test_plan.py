"""What every stage trains, and by which settings."""

from typing import Any

import pytest

from specforge.catalog.definition import Clock
from specforge.catalog.losses.cross_entropy import CrossEntropy
from specforge.catalog.optimizers.adam import Adam
from specforge.catalog.optimizers.sgd import Sgd
from specforge.catalog.schedules.cosine import Cosine
from specforge.graph.plan import StagePlan, plan
from specforge.graph.selection import Weight
from specforge.recipe import Group, Selector, Snapshots, Stage, Train

NETWORK = (
    Weight("stem.weight", "stem", "conv", "weight", (8, 3, 3, 3), True),
    Weight("stem.bias", "stem", "conv", "bias", (8,), True),
    Weight("still.weight", "still", "linear", "weight", (8, 8), False),
    Weight("head.weight", "head", "linear", "weight", (10, 8), True),
    Weight("head.bias", "head", "linear", "bias", (10,), True),
)
STEM, HEAD, STILL = {"stem.weight", "stem.bias"}, {"head.weight", "head.bias"}, {"still.weight"}


def recipe(**values: Any) -> Train:
    return Train(**{"batch_size": 8, "optimizer": Sgd(lr=0.1), "loss": CrossEntropy(), **values})


def stage(epochs: int = 1, **values: Any) -> Stage:
    return Stage(**{"epochs": epochs, "batch_size": 8, "optimizer": Sgd(lr=0.1), "loss": CrossEntropy(), **values})


def planned(*stages: Stage) -> tuple[StagePlan, ...]:
    return plan(recipe(stages=stages), NETWORK)


def members(of: StagePlan) -> dict[str, tuple[str, ...]]:
    return {group.label: group.names for group in of.groups}


def test_a_recipe_without_stages_is_one() -> None:
    (only,) = plan(recipe(epochs=7), NETWORK)
    assert (only.number, only.first_epoch, only.chain, only.stage.epochs) == (0, 0, 0, 7)
    assert only.frozen == STILL
    assert members(only) == {"others": ("stem.weight", "stem.bias", "head.weight", "head.bias")}


def test_what_is_frozen_stays_so_until_it_is_thawed() -> None:
    plans = planned(
        stage(freeze="stem"),
        stage(),
        stage(freeze=Selector(path="head", parameter="bias")),
        stage(unfreeze=("stem", "head")),
    )
    assert [one.frozen - STILL for one in plans] == [STEM, STEM, STEM | {"head.bias"}, set()]
    assert [set(one.groups[0].names) for one in plans] == [HEAD, HEAD, {"head.weight"}, STEM | HEAD]


def test_a_stage_freezes_before_it_thaws() -> None:
    (only,) = planned(stage(freeze="all", unfreeze="head"))
    assert only.frozen == STEM | STILL


def test_what_is_never_trained_is_not_thawed() -> None:
    (only,) = planned(stage(freeze="stem", unfreeze="all"))
    assert only.frozen == STILL


def test_a_parameter_is_in_the_first_group_that_selects_it() -> None:
    groups = (
        Group(select=Selector(path="head", parameter="bias"), l2=0.3),
        Group(select=Selector(parameter="bias"), optimizer=Adam(lr=0.5)),
        Group(select=Selector(path="head"), schedule=Cosine()),
    )
    (only,) = plan(recipe(epochs=5, groups=groups, l2=0.1), NETWORK)
    assert members(only) == {
        "path head, parameter bias": ("head.bias",),
        "parameter bias": ("stem.bias",),
        "path head": ("head.weight",),
        "others": ("stem.weight",),
    }
    settings = [(type(group.optimizer), group.schedule, group.l2) for group in only.groups]
    assert settings == [(Sgd, None, 0.3), (Adam, None, 0.1), (Sgd, Cosine(), 0.1), (Sgd, None, 0.1)]


def test_an_l2_of_zero_is_a_setting() -> None:
    (only,) = plan(recipe(epochs=5, l2=0.1, groups=(Group(select=Selector(path="head"), l2=0.0),)), NETWORK)
    assert [group.l2 for group in only.groups] == [0.0, 0.1]


def test_groups_of_frozen_parameters_are_not_trained() -> None:
    groups = (Group(select=Selector(path="stem"), l2=0.1),)
    first, second = planned(stage(freeze="stem", groups=groups), stage(unfreeze="all", groups=groups))
    assert list(members(first)) == ["others"]
    assert list(members(second)) == ["path stem", "others"]


def test_groups_are_named_by_what_they_select() -> None:
    selectors = (Selector(path="stem", parameter="bias"), Selector(kind=("conv", "linear")), Selector())
    groups = tuple(Group(select=select, l2=0.1) for select in selectors)
    norm = Weight("norm.weight", "norm", "batch_norm", "weight", (8,), True)
    (only,) = plan(recipe(epochs=5, groups=groups), (*NETWORK, norm))
    assert [group.label for group in only.groups] == ["path stem, parameter bias", "kind conv | linear", "all"]


@pytest.mark.parametrize(
    ("continues", "chains"),
    [([False, False, False], [0, 1, 2]), ([False, True, True], [0, 0, 0]), ([False, True, False], [0, 0, 2])],
)
def test_stages_that_continue_are_one_chain(continues: list[bool], chains: list[int]) -> None:
    plans = planned(*(stage(number + 2, **{"continue": value}) for number, value in enumerate(continues)))
    assert [one.chain for one in plans] == chains
    assert [one.first_epoch for one in plans] == [0, 2, 5]


def test_cycles_of_a_snapshot_ensemble() -> None:
    """The rate starts anew in every cycle, and ends it near 0."""
    (only,) = plan(recipe(epochs=12, snapshots=Snapshots(cycles=3)), NETWORK)
    (group,) = only.groups
    assert group.schedule is not None
    rates = [group.schedule.rate(0.1, Clock.at(step, steps_per_epoch=5, epochs=12)) for step in range(60)]
    assert rates[0] == rates[20] == rates[40] == 0.1
    assert rates[10] == rates[30] == pytest.approx(0.05)
    assert rates[:20] == pytest.approx(rates[20:40])
    assert max(rates[19], rates[39], rates[59]) < 0.001
    assert rates[:20] == sorted(rates[:20], reverse=True)
