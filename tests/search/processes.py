"""Searches in processes of their own, and the processes below them: to be killed."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "import sys; from specforge.cli import main; sys.argv[0] = 'specforge'; main()"


def begin(*words: str | Path, folder: Path | None = None) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "search", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=folder,
        start_new_session=True,
    )  # fmt: skip


def ended(process: "subprocess.Popen[str]", code: int = 0) -> str:
    """All that it said, when it has ended with the code."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, out + err
    return out + err


def wait_for(what: Callable[[], bool], process: "subprocess.Popen[str]", seconds: float = 60) -> None:
    last = monotonic() + seconds
    while not what():
        assert process.poll() is None, process.communicate()
        assert monotonic() < last, "it did not happen"
        sleep(0.01)


def epochs_of(out: Path, number: int) -> int:
    """How many epochs the run of a trial has."""
    try:
        return len((out / "trials" / f"{number:04}" / "metrics.jsonl").read_text().splitlines())
    except OSError:
        return 0


def workers_of(owners: Path) -> list[int]:
    """The processes that have signed in, by their files."""
    return [int(path.name.split("-")[-2]) for path in owners.glob("*-*-*")] if owners.is_dir() else []


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)


def record(out: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((out / "search.json").read_text())
    return found


def assert_nothing_lost_or_repeated(out: Path, budget: int) -> list[dict[str, object]]:
    """Every trial was completed exactly once, and those of one search drew different values."""
    trials = record(out)["trials"]
    assert isinstance(trials, list)
    assert [trial["number"] for trial in trials] == list(range(1, budget + 1))
    assert {trial["state"] for trial in trials} == {"complete"}
    values = Counter(json.dumps(trial["values"]) for trial in trials)
    assert set(values.values()) == {1}
    return trials
