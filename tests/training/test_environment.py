"""What a run was made with, and what of it decides over the last bits."""

from datetime import UTC, datetime

import torch

from specforge.training.environment import _version, differences, environment, notice
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


def test_another_number_of_processes_matters_where_a_network_goes_by_it() -> None:
    before, now = environment(CPU, processes=2), {**environment(CPU), "threads": -1}
    threads = before["threads"]
    assert notice(before, {**now, "threads": threads}) == (
        "the environment has changed (processes 2 -> 1), so results may differ in the last digits"
    )
    norm = "batch normalisation (no sync_batch_norm)"
    assert notice(before, now, by_process=(norm, "dropout")) == (
        f"processes 2 -> 1: {norm} and dropout go on differently, see docs/distributed.md; "
        f"the environment has changed (threads {threads} -> -1), so results may differ in the last digits"
    )
    assert notice(before, {**now, "threads": threads}, by_process=("dropout",)) == (
        "processes 2 -> 1: dropout goes on differently, see docs/distributed.md"
    )
    assert notice(before, before, by_process=("dropout",)) == ""
