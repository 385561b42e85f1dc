"""Samples of cases given to what is too slow for all of them: the command line, and compiling."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.fuzz.cases import BESIDE, MAIN, SETTINGS, Case
from tests.fuzz.corpus import ROOT
from tests.fuzz.verdict import Failing, Verdict

COMMANDS = (
    ("validate", MAIN),
    ("validate", "--format", "json", "--strict", MAIN),
    ("summary", MAIN),
    ("config", MAIN),
    ("fmt", "--diff", MAIN),
    ("diff", MAIN, BESIDE),
    ("validate", MAIN, BESIDE),
)
WITH_SETTINGS = ("summary", "config")
_LIMIT = 60


def on_the_command_line(case: Case, number: int, folder: Path) -> Verdict:
    """One command in a process of its own: exit code 0, 1 or 2, and no traceback."""
    put(case, folder)
    command = COMMANDS[number % len(COMMANDS)]
    if command[0] in WITH_SETTINGS:
        command = (*command, *(word for setting in case.settings if "\0" not in setting for word in ("--set", setting)))
    program = [sys.executable, "-c", "from specforge.cli import main; main()", *command]
    try:
        done = subprocess.run(program, cwd=folder, env=_environment(), capture_output=True, timeout=_LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return _failed("cli", command[0], f"more than {_LIMIT} s")
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    if done.returncode not in (0, 1, 2) or "Traceback" in said:
        return _failed(
            "cli", f"{command[0]} {_last_line(said)}", f"{' '.join(command)}: {done.returncode}\n{said[-3_000:]}"
        )
    return Verdict()


def compiled(cases: list[Case], folder: Path) -> list[Verdict]:
    """Every case compiled and run on the meta device, in one process that is started again where it dies."""
    folders = []
    for place, case in enumerate(cases):
        folders.append(folder / str(place))
        put(case, folders[-1])
    verdicts: list[Verdict] = []
    while len(verdicts) < len(cases):
        program = [sys.executable, "-m", "tests.fuzz.building", *map(str, folders[len(verdicts) :])]
        done = subprocess.run(program, cwd=ROOT, env=_environment(), capture_output=True, text=True, check=False)
        lines = done.stdout.splitlines()
        verdicts += [
            _failed("build", found["place"], found["detail"]) if (found := json.loads(line)) else Verdict()
            for line in lines
        ]
        if len(verdicts) < len(cases):
            verdicts.append(_failed("build", "crash", done.stderr[-2_000:]))
    return verdicts


def put(case: Case, folder: Path) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    (folder / MAIN).write_bytes(case.spec)
    (folder / BESIDE).write_bytes(case.beside)
    (folder / SETTINGS).write_text(json.dumps(case.settings), encoding="utf-8")


def _failed(failing: Failing, place: str, detail: str) -> Verdict:
    return Verdict(failing, place, detail)


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1][:80] if text.strip() else ""


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "SPECFORGE_DEBUG": "1"}
