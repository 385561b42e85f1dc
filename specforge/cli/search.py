"""`specforge search`: train a spec with other values again and again, and write the spec of the best."""

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from specforge.cli import console
from specforge.cli.guard import guarded
from specforge.cli.loading import load_torch
from specforge.cli.options import DataDir, Download, Settings, SpecArgument
from specforge.cli.run_errors import reported

if TYPE_CHECKING:
    from specforge.search.chains import State
    from specforge.search.result import TrialRecord
    from specforge.search.run import Finished

_STATES: "tuple[State, ...]" = ("complete", "pruned", "invalid", "failed", "running", "waiting")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


def search(
    spec: SpecArgument,
    set_: Settings = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the search.  [default: searches/NAME]", show_default=False)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what folder and storage hold, help it, or start it.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, max=256, help="Processes on this machine.  [default: 1]", show_default=False),
    ] = None,
    trials: Annotated[
        int | None, typer.Option("--trials", min=1, help="Trials in all, those before a `--resume` too.")
    ] = None,
    timeout: Annotated[
        str | None, typer.Option("--timeout", help="Begin no trial after this time: 90s, 30m or 2h.")
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option("--storage", help="journal:PATH or a database's URL.  [default: a journal in the folder]"),
    ] = None,
    study: Annotated[
        str | None, typer.Option("--study", help="The search's name in the storage.  [default: the spec's]")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="As for train; of several (cuda:0,cuda:1), each worker has one.")
    ] = None,
    data_dir: DataDir = None,
    download: Download = False,
    list_: Annotated[bool, typer.Option("--list", help="Show the trials so far. Train nothing.")] = False,
) -> None:
    """Search for better values: train what `search:` says, and write the spec of the best trial.

    Progress goes to stderr, a line a trial; the best value and the files to stdout.
    """
    settings, count = tuple(set_ or ()), workers or 1
    if list_:
        _demand_unused({"--trials": trials, "--timeout": timeout, "--workers": workers})
    if device is not None and "," in device and count == 1 and not list_:
        raise typer.BadParameter("one worker has one device; add `--workers`", param_hint="--device")
    seconds = _seconds(timeout)
    with _explained():
        _prepare(spec, settings, computes=count == 1 and not list_)
        from specforge.search.run import Request, look
        from specforge.search.run import search as run

        request = Request(
            file=spec, settings=settings, out=out, storage=storage, study=study, resume=resume or list_,
            workers=count, trials=trials, seconds=seconds, device=device, data_dir=data_dir, download=download,
        )  # fmt: skip
        if list_:
            _list(look(request))
            return
        with reported(), _resumable():
            finished = run(request, console.note)
    _show(finished)


def _demand_unused(given: dict[str, object]) -> None:
    """Refuse what would train: `--list` shows what there is."""
    for option, value in given.items():
        if value is not None:
            raise typer.BadParameter("has no meaning with `--list`, which trains nothing", param_hint=option)


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if found is None or not float(found[1]):
        raise typer.BadParameter(f"`{text}` is no time such as 90s, 30m or 2h", param_hint="--timeout")
    return float(found[1]) * _SECONDS[found[2]]


def _prepare(spec: str, settings: tuple[str, ...], *, computes: bool) -> None:
    """What is wrong with the spec comes first, then what is not installed. Only who `computes` needs torch at once."""
    from specforge.cli.findings import concise
    from specforge.search.space import Searched
    from specforge.search.storage import require_optuna

    for found in Searched.read(spec, settings).analysis.findings:
        if found.severity == "warning" and not found.accepted:
            console.note(concise(found))
    require_optuna()
    if computes:
        with reported():
            load_torch()


@contextmanager
def _explained() -> Iterator[None]:
    """Say why a search can't start or go on."""
    from specforge.search.errors import SearchError

    try:
        yield
    except SearchError as error:
        console.error(error.message, error.hint)
        raise typer.Exit(1) from None


@contextmanager
def _resumable() -> Iterator[None]:
    """Say how a search goes on that was interrupted."""
    from specforge.search.errors import Complete
    from specforge.search.result import many
    from specforge.training.errors import Interrupted

    try:
        yield
    except Complete as complete:
        ended = f"all of its {many(complete.ended)} had ended; what it found is in {complete.run}"
        console.note(("interrupted", "bold yellow"), f": {ended}")
        raise typer.Exit(complete.exit_code) from None
    except Interrupted as interrupted:
        console.note(("interrupted", "bold yellow"), f": the search is saved; go on with: {_again(interrupted.run)}")
        raise typer.Exit(interrupted.exit_code) from None


def _again(folder: Path | None) -> str:
    """What was typed, with `--resume` and the folder; without a password, which a terminal may keep."""
    words = ["specforge", *(re.sub(r"(://[^:/@\s]*):[^\s]*@", r"\1:…@", word) for word in sys.argv[1:])]
    if folder is not None and not any(word == "--out" or word.startswith("--out=") for word in words):
        words += ["--out", str(folder)]
    return shlex.join(words if "--resume" in words else [*words, "--resume"])


def _show(finished: "Finished") -> None:
    from specforge.search.result import amount, many

    found, metric = finished.found, finished.searched.search.metric
    tally = ", ".join(f"{found.count(state)} {state}" for state in _STATES if found.count(state))
    console.note(f"{many(len(found.settled))}: {tally}" if tally else "no trial has ended")
    if finished.is_time_up and found.left:
        console.note(f"the time was up with {found.left} of {many(found.budget)} left; go on with `--resume`")
    if found.best is None:
        hint = f"{finished.report} says why" if found.settled else "give it more time: `--resume`"
        console.error("no trial was completed, so there is no best one", hint)
        raise typer.Exit(1)
    best = found.best
    console.write(
        f"best {metric} ", (amount(best.value, metric), "bold green"), f" (trial {best.number}){_tested(best)}"
    )
    for path, value in best.values.items():
        console.write(f"  {path}: {value}")
    console.write(f"spec   {finished.best}")
    console.write(f"report {finished.report}")


def _tested(best: "TrialRecord") -> str:
    return "" if best.test_accuracy is None else f", test accuracy {best.test_accuracy:.2%}"


def _list(finished: "Finished") -> None:
    from specforge.search.result import amount, brief

    metric = finished.searched.search.metric
    rows = []
    for trial in finished.found.trials:
        values = ", ".join(f"{path}: {brief(value)}" for path, value in trial.values.items())
        mark = " *" if finished.found.best is not None and trial.number == finished.found.best.number else ""
        rows.append((f"{trial.number}{mark}", trial.state, amount(trial.value, metric), trial.reason or values))
    console.table(("trial", "state", metric, "values"), rows, numbers=frozenset({2}))
    progress = finished.found.progress
    console.note(f"{progress} {'has' if progress.endswith(' trial') else 'have'} ended")


command = guarded(search)
