"""The worker's end of the pipes: it steps when it is told to, and answers with what the steps took."""

import io
import json

import pytest

from benchmarks import turns
from benchmarks.turns import Turns


class Ended(Exception):
    """There are no more commands."""


@pytest.fixture(autouse=True)
def _no_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    def leave() -> None:
        raise Ended

    monkeypatch.setattr(turns, "_leave", leave)


def answers(stream: io.StringIO) -> list[dict[str, float]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_it_says_that_it_is_ready_and_answers_each_turn() -> None:
    out = io.StringIO()
    worker = Turns(io.StringIO("steps 2\nsteps 1\n"), out, batch=8, stop=lambda: None)
    worker.begin()
    worker.step()
    assert len(answers(out)) == 1, "a turn of two steps is not over after one"
    worker.step()
    with pytest.raises(Ended):
        worker.step()
    ready, first, second = answers(out)
    assert ready == {"ready": True}
    assert (first["images"], second["images"]) == (16, 8)
    assert first["seconds"] > 0
    assert first["peak_bytes"] > 1_000_000


def test_what_comes_between_steps_begins_the_turn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 100.0, 103.0])  # the turn begins, begins again, ends
    monkeypatch.setattr(turns, "perf_counter", lambda: next(now))
    out = io.StringIO()
    worker = Turns(io.StringIO("steps 2\n"), out, batch=8, stop=lambda: None)
    worker.begin()
    worker.step()
    worker.again()
    worker.step()
    assert len(answers(out)) == 1, "the step before does not count"
    with pytest.raises(Ended):
        worker.step()
    assert answers(out)[1]["seconds"] == 3.0
    assert answers(out)[1]["images"] == 16


def test_what_a_step_left_unfinished_is_waited_for() -> None:
    waited: list[bool] = []
    worker = Turns(io.StringIO("steps 1\n"), io.StringIO(), batch=8, stop=lambda: None)
    worker.begin(lambda: waited.append(True))
    assert not waited
    with pytest.raises(Ended):
        worker.step()
    assert waited == [True]


def test_the_worker_stands_still_after_every_answer() -> None:
    answered: list[int] = []
    out = io.StringIO()
    worker = Turns(io.StringIO("steps 1\n"), out, batch=8, stop=lambda: answered.append(len(answers(out))))
    worker.begin()
    with pytest.raises(Ended):
        worker.step()
    assert answered == [1, 2]
