"""How long a torch-free command takes, from the start of its process to the end.

Against `benchmarks.minimal_program`, which imports what specforge's command line is built on, defines one model and
reads the same file. And how long `specforge train` takes to its first step, against importing torch. All run in this
interpreter, in turn, with their byte code already compiled.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
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
TRAINED = "specs/quickstart.yaml"
FIRST_STEP = ("from benchmarks.first_step import main; main()", "train", TRAINED, "--device", "cpu", "--out")
# leaves as the first step does, without waiting for what Python does at its end
IMPORT_TORCH = ("import os, torch; os._exit(0)",)
# milliseconds that everything else may take: reading the spec, the images, building the network, a step of it
MAX_BEYOND_TORCH = 500.0

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


def compare(*, quick: bool = False) -> list[Comparison]:
    """Whole processes in milliseconds. A command that fails is told of and left out."""
    with TemporaryDirectory() as byte_code:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = byte_code
        run = partial(_run, environment=environment)
        return [*_of_commands(run, 5 if quick else 21), *_of_training(run, Path(byte_code), 3 if quick else 9)]


def _of_commands(run: "Run", rounds: int) -> list[Comparison]:
    working = [name for name, command in COMMANDS.items() if _succeeds(run, command, SUCCESS[name])]
    commands = {"minimal": MINIMAL, **{name: COMMANDS[name] for name in working}}
    sides = {name: partial(_milliseconds, run, command) for name, command in commands.items()}
    measured = interleave(sides, rounds=rounds, warm_up=2)
    return [
        Comparison(f"specforge {name}, process", measured[name], measured["minimal"], "ms", TARGETS.get(name))
        for name in working
    ]


def _of_training(run: "Run", folder: Path, rounds: int) -> list[Comparison]:
    """From the start of the process to the end of the first step; each time in a new run directory."""
    if not _succeeds(run, (*FIRST_STEP, str(folder / "tried")), 0):
        return []
    numbers = count()
    sides = {
        "step": lambda: _milliseconds(run, (*FIRST_STEP, str(folder / f"run {next(numbers)}"))),
        "torch": lambda: _milliseconds(run, IMPORT_TORCH),
    }
    measured = interleave(sides, rounds=rounds, warm_up=1)
    beyond = [step - torch for step, torch in zip(measured["step"], measured["torch"], strict=True)]
    name = "specforge train, to its first step"
    return [
        Comparison(f"{name}: beyond import torch", beyond, [MAX_BEYOND_TORCH] * rounds, "ms", 1.0),
        Comparison(f"{name}: against import torch", measured["step"], measured["torch"], "ms"),
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
