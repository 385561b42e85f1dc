"""Clocks that are set back or forth: what a run does never depends on the time of day."""

import ast
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

import specforge
from specforge.training import environment
from specforge.training.errors import Interrupted
from tests.training.experiments import Recorder, train

PACKAGE = Path(specforge.__file__).parent
# where the time of day is read: for people to see, or to guess whether a left-over file is still written to
TOLD = {"training/environment.py", "training/lock.py", "catalog/datasets/image_cache.py"}
# what trackers show, and for how long a trial of another machine has been running
TOLD |= {f"tracking/{name}.py" for name in ("live", "tracker", "mlflow_runs", "tensorboard_events")}
TOLD |= {"search/owners.py"}
_WORDS = {"time", "now", "utcnow", "today", "time_ns", "localtime", "gmtime", "ctime"}


def _reads_the_time_of_day(file: Path) -> bool:
    """Calls of `time.time()`, `datetime.now()` and the like, or their import."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for found in ast.walk(tree):
        if isinstance(found, ast.Call) and isinstance(found.func, ast.Attribute):
            owner = found.func.value
            if found.func.attr in _WORDS and isinstance(owner, ast.Name) and owner.id in ("time", "datetime", "date"):
                return True
        imported = found.names if isinstance(found, ast.ImportFrom) and found.module == "time" else []
        if _WORDS & {name.name for name in imported}:
            return True
    return False


def test_nothing_else_reads_the_time_of_day() -> None:
    found = {file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py") if _reads_the_time_of_day(file)}
    assert found == TOLD


def test_a_run_whose_clock_is_set_back_ends_as_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    years = iter((2026, 1970, 2050, 1999))

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Clock":
            return cls(next(years), 1, 1, tzinfo=UTC)

    whole = train(tmp_path / "whole")
    monkeypatch.setattr(environment, "datetime", Clock)
    monkeypatch.setattr(time, "time", lambda: -1e9)
    for at in ((1, 2), (2, 1)):
        with pytest.raises(Interrupted):
            train(
                tmp_path / "run", resume=True, listener=Recorder(at={at: lambda: os.kill(os.getpid(), signal.SIGINT)})
            )
        for file in (tmp_path / "run").rglob("*"):
            os.utime(file, (0, 0))
    found = train(tmp_path / "run", resume=True)
    assert (found.test_loss, found.tested_epoch) == (whole.test_loss, whole.tested_epoch)
    assert found.seconds > 0
