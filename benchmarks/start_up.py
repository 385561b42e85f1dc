"""How long a torch-free command takes, from the start of its process to the end.

Against `benchmarks.minimal_program`, which imports what specforge's command line is built on, defines one model and
reads the same file. Both run in this interpreter, in turn, with their byte code already compiled.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.comparison import Comparison, interleave

ROOT = Path(__file__).resolve().parents[1]
SPEC, OTHER_SPEC = "specs/lab2_bn.yaml", "specs/lab2.yaml"
MINIMAL = ("from benchmarks.minimal_program import app; app()", "read", SPEC)
SPECFORGE = "from specforge.cli import main; main()"
COMMANDS = {
    "validate": (SPECFORGE, "validate", SPEC),
    "summary": (SPECFORGE, "summary", SPEC),
    "diff": (SPECFORGE, "diff", OTHER_SPEC, SPEC),
}
# exit codes of success: these two specs differ
SUCCESS = {"validate": 0, "summary": 0, "diff": 1}
TARGETS = {"validate": 1.5}

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


def compare(*, quick: bool = False) -> list[Comparison]:
    """Whole processes in milliseconds. A command that fails is told of and left out."""
    with TemporaryDirectory() as byte_code:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = byte_code
        run = partial(_run, environment=environment)
        working = [name for name, command in COMMANDS.items() if _succeeds(run, command, SUCCESS[name])]
        commands = {"minimal": MINIMAL, **{name: COMMANDS[name] for name in working}}
        sides = {name: partial(_milliseconds, run, command) for name, command in commands.items()}
        measured = interleave(sides, rounds=5 if quick else 21, warm_up=2)
    return [
        Comparison(f"specforge {name}, process", measured[name], measured["minimal"], "ms", TARGETS.get(name))
        for name in working
    ]


def _run(command: Sequence[str], *, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    program = [sys.executable, "-c", *command]
    return subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def _milliseconds(run: Run, command: Sequence[str]) -> float:
    began = perf_counter()
    run(command)
    return 1000 * (perf_counter() - began)


def _succeeds(run: Run, command: Sequence[str], code: int) -> bool:
    finished = run(command)
    if finished.returncode != code:
        print(f"{' '.join(command[1:])}: exit code {finished.returncode}\n{finished.stderr}", file=sys.stderr)
    return finished.returncode == code
