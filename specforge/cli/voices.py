"""One voice for the processes that `torchrun` has started: the first of a machine speaks, others when it matters.

In: a command. Out: the same, silent in all processes but the first, until one has an error that nobody else has told.
A process ends at once: what a GPU still waits for from the others would keep it.
"""

import functools
import os
import sys
from collections.abc import Callable
from typing import NoReturn, ParamSpec

import typer

from specforge.cli import console

P = ParamSpec("P")


def in_unison(command: Callable[P, None]) -> Callable[P, None]:
    """Give a command of several processes one voice; one that was started alone is not touched."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        if not is_one_of_several():
            command(*args, **kwargs)
            return
        if os.environ.get("LOCAL_RANK", "0") != "0":
            console.mute()
        code = 0
        try:
            command(*args, **kwargs)
        except typer.Exit as end:
            code = end.exit_code
        leave_at_once(code)

    return run


def leave_at_once(code: int) -> NoReturn:
    """End without what Python and torch do at the end: torch's own threads abort a process in forty while it does."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def is_one_of_several() -> bool:
    """Whether `torchrun` says so."""
    return os.environ.get("WORLD_SIZE", "1") != "1" and "LOCAL_RANK" in os.environ


def demand_alone(command: str) -> None:
    """Leave at once where `torchrun` has started a command that would wait for nobody, or do all of it twice."""
    if not is_one_of_several():
        return
    if os.environ.get("LOCAL_RANK", "0") == "0":
        hint = "specforge search … --workers 2" if command == "search" else "run it without torchrun"
        console.error(f"specforge {command} is not started by torchrun", hint)
    raise SystemExit(2)


def launcher() -> list[str]:
    """The words that start this program as it was started: `specforge`, or `torchrun …`."""
    if not is_one_of_several():
        return ["specforge"]
    machines = int(os.environ.get("GROUP_WORLD_SIZE", "1"))
    words = ["--nnodes", str(machines)] if machines > 1 else []
    words += ["--nproc-per-node", os.environ.get("LOCAL_WORLD_SIZE", os.environ["WORLD_SIZE"])]
    return ["torchrun", *words, "-m", "specforge"]
