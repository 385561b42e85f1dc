"""What a run was made with, and what of it decides over the last bits."""

from datetime import UTC, datetime

import torch

from specforge.training.environment import _version, differences, environment
from tests.training.experiments import CPU


def test_what_is_written() -> None:
    found = environment(CPU)
    assert (found["device"], found["torch"], found["threads"]) == ("cpu", torch.__version__, torch.get_num_threads())
    started = datetime.fromisoformat(str(found["started"]))
    assert abs((datetime.now(UTC) - started).total_seconds()) < 60


def test_a_package_that_is_not_installed_has_no_version() -> None:
    assert _version("no-such-package-as-this") is None


def test_only_what_decides_is_compared() -> None:
    before = environment(CPU)
    assert differences(before, {**before, "started": "later", "platform": "another"}) == ""
    assert differences({**before, "threads": 1, "torch": "2.6.0"}, {**before, "threads": 8, "torch": "2.15.0"}) == (
        "torch 2.6.0 -> 2.15.0, threads 1 -> 8"
    )
    assert differences({}, before) == "", "a record of before says nothing"
