"""Hundreds of runs that are killed by SIGKILL and taken up again: `make soak`, some minutes.

`SPECFORGE_SOAK_KILLS` and `SPECFORGE_SOAK_SEED` choose how many random moments, and which.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random
from time import monotonic

import pytest

from specforge.training import checksums
from tests.training.endings import differences, leftovers
from tests.training.nursery import KILLED, Nursery, redone
from tests.training.recipes import RECIPES, STEPS

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked"),
]
KILLS = int(os.environ.get("SPECFORGE_SOAK_KILLS", "200"))
SEED = int(os.environ.get("SPECFORGE_SOAK_SEED", "0"))


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as found:
        yield found


@pytest.mark.parametrize("recipe", ["plain", "found"])
def test_killed_at_every_call_that_changes_the_disk(nursery: Nursery, recipe: str, tmp_path: Path) -> None:
    """From the first file of a run to its last, once each."""
    whole = tmp_path / "whole"
    assert nursery.train(whole, recipe).status == 0
    calls = whole.with_name("whole.calls").read_text().splitlines()
    for place, call in enumerate(calls):
        run = tmp_path / f"at-{place}"
        assert nursery.train(run, recipe, at_call=place).status == KILLED, call
        assert checksums.problems(run) == {}, f"killed at call {place}, {call}"
        _goes_on(nursery, recipe, whole, run, f"killed at call {place}, {call}")
    print(f"{recipe}: {len(calls)} kills survived")


@pytest.mark.parametrize("recipe", RECIPES)
def test_killed_at_random_moments(nursery: Nursery, recipe: str, tmp_path: Path) -> None:
    """Again and again, until the run comes through; then another run."""
    whole, random, began = tmp_path / "whole", Random(f"{SEED}, {recipe}"), monotonic()
    seconds = nursery.train(whole, recipe).seconds
    wanted, kills, runs = -(-KILLS // len(RECIPES)), 0, 0
    while kills < wanted:
        run, moments = tmp_path / f"run-{runs}", []
        while True:
            moments.append(random.uniform(0, seconds))
            end = nursery.train(run, recipe, after=moments[-1])
            assert end.status in (KILLED, 0), f"{recipe}, seed {SEED}, killed after {moments}"
            if end.status == 0:
                break
            kills += 1
        if len(moments) == 1:
            seconds = end.seconds  # as fast as the machine is now
        _goes_on(nursery, recipe, whole, run, f"{recipe}, seed {SEED}, killed after {moments}")
        runs += 1
    print(f"{recipe}: {kills} kills survived in {runs} runs, {monotonic() - began:.0f} s")


def _goes_on(nursery: Nursery, recipe: str, whole: Path, run: Path, story: str) -> None:
    """To the same end, with no more than an epoch done again; the run is removed."""
    assert nursery.train(run, recipe).status == 0, story
    assert differences(whole, run) == [], story
    assert leftovers(run) == [], story
    assert max(redone(run), default=0) <= STEPS, story
    shutil.rmtree(run)
