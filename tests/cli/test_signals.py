"""Ctrl-C and termination requests, once and twice, to `specforge train` as a process of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from specforge.training import checksums
from specforge.training.checkpoint import CheckpointStore
from tests.cli.conftest import PROGRAM, ROOT, Run

# from the moment that there is a file `slow`, the disk takes a minute for every file
SLOW_DISK = """
import time
from pathlib import Path
from specforge.training import durable

put = durable.put

def put_slowly(path, content):
    if Path("slow").exists():
        Path("writing").touch()
        time.sleep(60)
    put(path, content)

durable.put = put_slowly
"""
LONG = ("--set", "train.epochs=30")
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


def test_a_signal_leaves_a_run_that_resumes_to_the_same_bits(specforge: Run, tiny: Path) -> None:
    done = specforge("train", tiny, *LONG, "--out", "whole")
    assert done.returncode == 0, done.stderr
    for number, code in SIGNALS:
        run = tiny.parent / number.name
        process = _started(tiny, run)
        process.send_signal(number)
        _, messages = process.communicate(timeout=60)
        assert process.returncode == code, messages
        told = [line for line in messages.splitlines() if "--resume" in line]
        assert len(told) == 1, messages
        assert told[0].endswith(f"specforge train {tiny} {' '.join(LONG)} --out {number.name} --resume")
        assert "Traceback" not in messages
        _ends_like(tiny.parent / "whole", run, specforge, tiny)


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_second_signal_ends_a_run_at_once_and_what_was_saved_stays(
    tiny: Path, number: signal.Signals, code: int
) -> None:
    run = tiny.parent / "cut"
    process = _writing_after(number, tiny, run)
    time.sleep(0.5)
    assert process.poll() is None, "it waits for its checkpoint"
    process.send_signal(number)
    began = time.monotonic()
    _, messages = process.communicate(timeout=30)
    assert process.returncode == code, messages
    assert time.monotonic() - began < 20
    assert [line for line in messages.splitlines() if "--resume" in line] == [
        "ended at once: what was saved before is whole; go on with it by `--out cut --resume`"
    ]
    told: list[str] = []
    assert CheckpointStore(run / "checkpoints").newest(tell=told.append) is not None
    assert told == []
    assert checksums.problems(run) == {}


@pytest.mark.skipif(os.name != "posix", reason="a terminal of its own")
def test_a_second_signal_gives_the_terminal_its_cursor_back(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pty

    terminal, end = pty.openpty()
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    process = _writing_after(signal.SIGINT, tiny, tiny.parent / "cut", stderr=end)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    os.close(end)
    shown = _all_of(terminal)
    assert b"\x1b[?25l" in shown, "a bar hides it"
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l")


def _writing_after(
    number: signal.Signals, spec: Path, run: Path, *, stderr: int = subprocess.PIPE
) -> "subprocess.Popen[str]":
    """A run that a signal has stopped, and that now writes its position, slowly.

    Where the signal comes right after a checkpoint there is nothing to write; then another run is started.
    """
    slow, writing = spec.parent / "slow", spec.parent / "writing"
    for _ in range(10):
        process = _started(spec, run, program=f"{SLOW_DISK}\n{PROGRAM}", stderr=stderr)
        slow.touch()
        process.send_signal(number)
        _wait_for(lambda process=process: writing.exists() or process.poll() is not None)
        if writing.exists():
            return process
        process.communicate()
        slow.unlink()
        shutil.rmtree(run)
    pytest.fail("ten signals came right after a checkpoint")


def _started(
    spec: Path, run: Path, *, program: str = PROGRAM, stderr: int = subprocess.PIPE
) -> "subprocess.Popen[str]":
    """A run that has two epochs behind it and most of thirty to go."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, "train", str(spec), *LONG, "--out", run.name],
        cwd=spec.parent,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    metrics = run / "metrics.jsonl"
    _wait_for(lambda: process.poll() is not None or (metrics.exists() and metrics.read_text().count("\n") >= 2))
    assert process.poll() is None
    return process


def _wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _all_of(terminal: int) -> bytes:
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how Linux says that nobody writes any more
            return shown
        if not part:
            return shown
        shown += part


def _ends_like(whole: Path, run: Path, specforge: Run, spec: Path) -> None:
    done = specforge("train", spec, *LONG, "--out", run.name, "--resume")
    assert done.returncode == 0, done.stderr
    results = [json.loads((folder / "result.json").read_text()) for folder in (whole, run)]
    weights = [(folder / found["weights"]).read_bytes() for folder, found in zip((whole, run), results, strict=True)]
    assert weights[0] == weights[1]
    assert results[0]["test_loss"] == results[1]["test_loss"]
    curves = [(folder / "metrics.jsonl").read_text().splitlines() for folder in (whole, run)]
    losses = [[json.loads(line)["train_loss"] for line in lines] for lines in curves]
    assert losses[0] == losses[1]
