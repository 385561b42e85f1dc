"""`specforge reproduce`: run specs with one or several seeds, and record what finished runs measured."""

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from specforge.analysis import analyse
from specforge.cli import console
from specforge.cli.choosing import spec_files
from specforge.cli.guard import guarded, show_spec_error
from specforge.cli.options import DataDir, Device, Download, Settings
from specforge.cli.run_errors import reported
from specforge.diagnostics import SpecError

if TYPE_CHECKING:
    from specforge.reproduction.jobs import Job
    from specforge.reproduction.results import Measurement, Results

Paths = Annotated[list[str] | None, typer.Argument(metavar="SPEC", help="Spec files, folders or globs.")]
Seeds = Annotated[
    str | None,
    typer.Option(
        "--seeds",
        help="How many (3 is 0, 1 and 2) or which (4,7; one alone is 5,).  [default: the spec's own]",
        show_default=False,
    ),
]
Out = Annotated[Path, typer.Option("--out", help="Folder of the runs, each in NAME-seedS.")]
ResultsFile = Annotated[Path, typer.Option("--results", help="File that records what finished runs measured.")]
SEED = "train.seed"
PAGE = "README.md"
Thing = TypeVar("Thing")


def reproduce(
    paths: Paths = None,
    seeds: Seeds = None,
    set_: Settings = None,
    out: Out = Path("runs/reproduce"),
    results: ResultsFile = Path("specs/results.json"),
    device: Device = None,
    data_dir: DataDir = None,
    download: Download = False,
    import_: Annotated[
        bool, typer.Option("--import", help="Record finished runs, given by their folders. Train nothing.")
    ] = False,
    list_: Annotated[bool, typer.Option("--list", help="Show the runs and how far they are. Train nothing.")] = False,
) -> None:
    """Run specs and record what they measure: finished runs are not run again, begun ones go on."""
    from specforge.reproduction.results import Results

    settings = _settings(set_)
    with _explained():
        recorded = Results.read(results)  # what can't be read is told of before hours of training
    if import_:
        failed = _import(paths or [], settings, results)
    else:
        jobs, failed = _jobs(paths or [], _numbers(seeds), settings, out)
        if list_:
            _list(jobs, recorded)
        else:
            failed += _run(jobs, results, device=device, data_dir=data_dir, download=download)
    if failed:
        console.note((f"{failed} failed", "bold red"), ": what is wrong is above")
        raise typer.Exit(1)


def _settings(given: list[str] | None) -> tuple[str, ...]:
    for setting in given or ():
        if setting.partition("=")[0].strip() == SEED:
            raise typer.BadParameter(f"`{setting}`: seeds are given by `--seeds`", param_hint="--set")
    return tuple(given or ())


def _numbers(text: str | None) -> tuple[int, ...] | None:
    from specforge.reproduction.jobs import seeds_from

    try:
        return None if text is None else seeds_from(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--seeds") from None


def _jobs(
    paths: list[str], seeds: tuple[int, ...] | None, settings: tuple[str, ...], out: Path
) -> tuple[list["Job"], int]:
    """The jobs of all files, and how many files can't be used, which was said."""
    from specforge.reproduction.jobs import plan

    jobs: list[Job] = []
    failed = skipped = 0
    for file, is_named in _files(paths):
        if not is_named and _has_nothing_to_train(file):
            skipped += 1
            continue
        try:
            planned = plan(file, seeds=seeds, settings=settings, out=out)
        except SpecError as error:
            show_spec_error(error)
            failed += 1
            continue
        twin = next((job.file for job in jobs if job.name == planned[0].name), None)
        if twin is not None:
            message = f"{twin} and {file} are both named `{planned[0].name}`: their results could not be told apart"
            raise typer.BadParameter(message, param_hint="SPEC")
        jobs += planned
    if skipped:
        console.note(f"{skipped} of the files have nothing to train: bases, blocks, networks alone")
    return jobs, failed


def _files(paths: list[str]) -> Iterator[tuple[str, bool]]:
    """Every spec file once, and whether it was named itself rather than found in a folder."""
    from specforge.reproduction.finished import is_run

    if not paths:
        raise typer.BadParameter("name a spec, a folder of specs, or runs with `--import`", param_hint="SPEC")
    for path in paths:
        if is_run(Path(path)):
            raise typer.BadParameter(f"{path} is a run; `--import` records what it measured", param_hint="SPEC")
    named = {path for path in paths if Path(path).is_file()}
    return ((file, file in named) for file in spec_files(paths))


def _has_nothing_to_train(file: str) -> bool:
    """A base, a library of blocks, a network alone; what is wrong with a file is for others to say."""
    found = analyse(file)
    if found.findings.has_errors:
        return False
    return found.is_partial or found.spec is None or found.spec.data is None or found.spec.train is None


def _run(jobs: list["Job"], results: Path, *, device: str | None, data_dir: Path | None, download: bool) -> int:
    """Run and record every job; how many failed, which was said."""
    from specforge.experiment import MissingExtra

    with reported():
        if jobs and find_spec("torch") is None:  # no run could do without it
            raise MissingExtra("torch")

    def attempt(job: "Job", place: str) -> None:
        console.note((f"{job.name} seed {job.seed}", "bold"), f" [{place}]: {_cost(job)}, in {job.folder}")
        with _explained(), reported(resume=lambda _: _again()):
            from specforge.cli.progress import progress

            with progress() as listener:
                measured = job.train(device=device, data_dir=data_dir, download=download, listener=listener)
            _record(job, measured, results)

    failed = _each(jobs, attempt)
    if jobs:
        _tell_of_page(results, len(jobs) - failed)
    return failed


def _import(paths: list[str], settings: tuple[str, ...], results: Path) -> int:
    """Record finished runs; how many can't be, which was said."""
    from specforge.reproduction.finished import is_run
    from specforge.reproduction.jobs import existing

    runs = [Path(path) for path in paths if is_run(Path(path))]
    if not runs:
        raise typer.BadParameter("none of these is a run, a folder that `train` wrote", param_hint="--import")
    specs = []
    for path in paths:
        if Path(path).is_file() and Path(path).suffix not in (".yaml", ".yml"):  # what `runs/*` may find too
            console.note(f"{path} is neither a run nor a spec")
        elif Path(path) not in runs:
            specs.append(path)
    files = spec_files(specs or [str(results.parent)])

    def attempt(run: Path, _place: str) -> None:
        with _explained():
            job = existing(run, files, settings)
            _record(job, job.measured(), results)

    failed = _each(runs, attempt)
    _tell_of_page(results, len(runs) - failed)
    return failed


def _each(things: Sequence[Thing], attempt: Callable[[Thing, str], None]) -> int:
    """Try each; a failure was said and lets the others go on, an interruption ends it all."""
    failed = 0
    for number, thing in enumerate(things, start=1):
        try:
            guarded(attempt)(thing, f"{number}/{len(things)}")
        except typer.Exit as left:
            if left.exit_code >= 128:
                raise
            failed += 1
    return failed


@contextmanager
def _explained() -> Iterator[None]:
    """Say why a result can't be recorded, and how to go on after Ctrl-C where no run was there to be saved."""
    from specforge.reproduction.errors import ReproductionError

    try:
        yield
    except ReproductionError as error:
        console.error(error.message, error.hint)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        console.note(("interrupted", "bold yellow"), f": go on with: {_again()}")
        raise typer.Exit(130) from None


def _again() -> str:
    """What was typed: what is finished is skipped, what was begun goes on."""
    return shlex.join(["specforge", *sys.argv[1:]])


def _record(job: "Job", measured: "Measurement", results: Path) -> None:
    """Into the file, and a line to stdout."""
    from specforge.reproduction.results import record

    replaced = record(results, job.name, job.own_hash, measured, tell=console.note).replaced
    console.write(
        (f"{job.name} seed {job.seed}", "bold"),
        f"{_with(job)}: test accuracy ",
        (f"{measured.test_accuracy:.2%}", "bold green"),
        f", top-5 {measured.test_top5_accuracy:.2%}, loss {measured.test_loss:.4f}, {_epochs(measured)}",
    )
    if replaced is not None:
        console.note(f"it replaces a run of {replaced.date}: {replaced.test_accuracy:.2%}, {_epochs(replaced)}")


def _list(jobs: list["Job"], recorded: "Results") -> None:
    lines = []
    for job in jobs:
        known = next((run for run in recorded.of(job.name) if run.identity == (job.spec_hash, job.seed)), None)
        accuracy = "" if known is None else f"{known.test_accuracy:.2%}"
        lines.append((job.name + _with(job), str(job.seed), str(job.folder), job.state, accuracy))
    console.table(("spec", "seed", "folder", "state", "recorded"), lines, numbers=frozenset({1, 4}))


def _with(job: "Job") -> str:
    return f" with {' '.join(job.settings)}" if job.settings else ""


def _cost(job: "Job") -> str:
    return f"{job.graph.trainable_parameters:,} trainable parameters, {job.graph.macs:,} MACs"


def _epochs(run: "Measurement") -> str:
    epochs = f"{run.epochs} epoch{'s' * (run.epochs != 1)}"
    return epochs if run.tested_epoch in (None, run.epochs) else f"weights of epoch {run.tested_epoch} of {epochs}"


def _tell_of_page(results: Path, recorded: int) -> None:
    """Where the results are, and what renews the page that is made from them."""
    console.note(f"{recorded} run{'s' * (recorded != 1)} recorded in {results}")
    if recorded and (results.parent / PAGE).is_file():
        console.note(f"`make docs` shows them in {results.parent / PAGE}")


command = guarded(reproduce)
