"""Runs that are killed by SIGKILL, at every place of a checkpoint's write and at random moments.

The long form, with hundreds of kills of several recipes, is in `tests/soak`.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from specforge.training import checksums
from tests.training.endings import differences, leftovers
from tests.training.nursery import KILLED, Nursery, redone
from tests.training.recipes import STEPS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as found:
        yield found


@pytest.fixture(scope="module")
def whole(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody has killed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert nursery.train(folder, "plain").status == 0
    return folder


def test_killed_at_every_place_of_a_checkpoint_s_write_and_of_what_follows(
    nursery: Nursery, whole: Path, tmp_path: Path
) -> None:
    calls = _calls(whole)
    before = tmp_path / "before"
    assert nursery.train(before, "plain", at_call=calls.index("make .epoch-0003.partial")).status == KILLED
    assert (before / "checkpoints" / "epoch-0002").is_dir()
    _copy(before, tmp_path / "measured")
    assert nursery.train(tmp_path / "measured", "plain").status == 0
    places = _calls(tmp_path / "measured")
    first = places.index("make .epoch-0003.partial")
    assert places.index("rename .epoch-0003.partial to epoch-0003") > first + 16
    for place, call in list(enumerate(places))[first : first + 30]:
        run = tmp_path / f"at-{place}"
        _copy(before, run)
        assert nursery.train(run, "plain", at_call=place).status == KILLED, call
        assert checksums.problems(run) == {}, f"killed at {call}"
        assert nursery.train(run, "plain").status == 0, f"killed at {call}"
        assert differences(whole, run) == [], f"killed at {call}"
        assert leftovers(run) == [], f"killed at {call}"
        assert max(redone(run)) <= STEPS, f"killed at {call}"
        shutil.rmtree(run)


def test_killed_at_random_moments(nursery: Nursery, whole: Path, tmp_path: Path) -> None:
    seconds, random = nursery.train(tmp_path / "measured", "plain").seconds, Random(0)
    for number in range(5):
        run, moment = tmp_path / str(number), random.uniform(0, seconds)
        ended = nursery.train(run, "plain", after=moment).status
        assert ended in (KILLED, 0)
        assert nursery.train(run, "plain").status == 0, f"killed after {moment} s"
        assert differences(whole, run) == [], f"killed after {moment} s"
        assert max(redone(run)) <= STEPS


def _calls(run: Path) -> list[str]:
    return run.with_name(f"{run.name}.calls").read_text().splitlines()


def _copy(run: Path, to: Path) -> None:
    shutil.copytree(run, to)
    shutil.copy(run.with_name(f"{run.name}.trail"), to.with_name(f"{to.name}.trail"))
