"""Which of Optuna's trials count, for every way in which processes may die and overtake each other."""

from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from specforge.search.chains import FIRST, OUTCOME, OWNER, STOPPED, chains, is_late, place_of
from specforge.search.owners import Owners, mend
from specforge.search.storage import Place

LOST = {"state": TrialState.FAIL}
VOID = {"state": TrialState.FAIL, "kind": "void"}
DONE = {"state": TrialState.COMPLETE, "kind": "complete"}
RUNNING = {"state": TrialState.RUNNING}
WAITING = {"state": TrialState.WAITING}


def trials(*given: dict[str, Any]) -> list[FrozenTrial]:
    found = []
    for number, entry in enumerate(given):
        attributes: dict[str, Any] = {FIRST: entry["first"]} if "first" in entry else {}
        attributes |= {OUTCOME: {"kind": entry["kind"]}} if "kind" in entry else {}
        attributes |= {STOPPED: True} if entry.get("stopped") else {}
        value = 0.5 if entry["state"] is TrialState.COMPLETE else None
        trial = create_trial(state=entry["state"], value=value, user_attrs=attributes)
        trial.number = number
        found.append(trial)
    return found


@pytest.mark.parametrize(
    ("given", "states"),
    [
        ([DONE, LOST, RUNNING, {**DONE, "first": 1}], ["complete", "complete", "running"]),
        ([LOST, {**LOST, "first": 0}, {**WAITING, "first": 0}], ["waiting"]),
        ([VOID, DONE], ["complete"]),
        ([LOST], ["waiting"]),
        ([{**LOST, "kind": "complete"}, {**DONE, "first": 0}], ["complete"]),  # died before it could say so
        ([{**LOST, "kind": "invalid"}, {**LOST, "kind": "failed"}], ["invalid", "failed"]),
        ([{"state": TrialState.PRUNED, "kind": "pruned"}], ["pruned"]),
        ([LOST, {**DONE, "first": 0}, {**VOID, "first": 0}], ["complete"]),
    ],
)
def test_states(given: list[dict[str, Any]], states: list[str]) -> None:
    assert [chain.state for chain in chains(trials(*given))] == states


def test_places_count_what_is_not_void() -> None:
    given = trials(DONE, VOID, LOST, {**DONE, "first": 2}, RUNNING)
    assert [place_of(trial, given) for trial in given] == [0, 1, 1, 1, 2]


def test_of_two_heirs_the_older_one_is_the_one() -> None:
    given = trials(LOST, {**RUNNING, "first": 0}, {**RUNNING, "first": 0})
    assert [is_late(trial, given) for trial in given] == [False, False, True]
    settled = trials({**LOST, "kind": "failed"}, {**RUNNING, "first": 0})
    assert is_late(settled[1], settled)


def test_deaths_are_not_what_somebody_stopped() -> None:
    given = trials(LOST, {**LOST, "first": 0, "stopped": True}, {**VOID, "first": 0}, {**LOST, "first": 0})
    (chain,) = chains(given)
    assert chain.deaths == 2
    assert chain.is_open


@pytest.fixture
def study() -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    return optuna.create_study()


@pytest.fixture
def owners(tmp_path: Path) -> Owners:
    return Owners.of(Place(tmp_path / "journal.log", ""), tmp_path)


def states(study: optuna.Study) -> list[str]:
    return [trial.state.name for trial in study.trials]


def test_the_trial_of_a_dead_process_is_given_away_once(study: optuna.Study, owners: Owners) -> None:
    with owners.signed_in() as owner:
        trial = study.ask()
        trial.suggest_float("x", 0, 1)
        trial.set_user_attr("drawn", {"x": "…"})
        trial.set_user_attr(OWNER, owner.record)
        mend(study, owners, 5)
        assert states(study) == ["RUNNING"]
    for _ in range(2):
        mend(study, owners, 5)
        assert states(study) == ["FAIL", "WAITING"]
    heir = study.ask()
    assert heir.suggest_float("x", 0, 1) == study.trials[0].params["x"]
    assert place_of(study.trials[1], study.trials) == 0


def test_a_trial_that_nobody_signed_is_given_away(study: optuna.Study, owners: Owners) -> None:
    study.ask()
    mend(study, owners, 5)
    assert states(study) == ["FAIL", "WAITING"]


def test_what_was_half_drawn_is_drawn_again(study: optuna.Study, owners: Owners) -> None:
    study.ask().suggest_float("x", 0, 1)
    mend(study, owners, 5)
    assert study.trials[1].system_attrs == {"fixed_params": {}}


def test_trials_of_another_machine_are_left_to_it(study: optuna.Study, tmp_path: Path) -> None:
    owners = Owners.of(Place(None, "postgresql://db/x"), tmp_path)
    trial = study.ask()
    mend(study, owners, 5)
    assert states(study) == ["RUNNING"]  # it may be about to sign
    trial.set_user_attr(OWNER, {"name": "beta-1-abc", "scope": "beta:/home/ada/out"})
    mend(study, owners, 5)
    assert states(study) == ["RUNNING"]
    trial.set_user_attr(OWNER, {"name": "gone-1-abc", "scope": owners.scope})
    mend(study, owners, 5)
    assert states(study) == ["FAIL", "WAITING"]


def test_nothing_beyond_the_budget_is_given_away(study: optuna.Study, owners: Owners) -> None:
    study.ask()
    study.ask()
    mend(study, owners, 1)
    assert states(study) == ["FAIL", "FAIL", "WAITING"]
