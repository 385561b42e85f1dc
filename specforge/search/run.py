"""A search from its start to its result: the folder, the storage, the workers, `best.yaml` and the report.

    found = search(Request(Path("lab2.yaml"), out=Path("searches/lab2"), workers=4), tell=print)

One process has a folder; several processes, on one machine or many, may share a storage, each with a folder of its own.
"""

import json
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from specforge.experiment import DEFAULT_DATA_DIR, require_training_packages
from specforge.search.chains import Chain, chains
from specforge.search.errors import Complete, SearchError
from specforge.search.news import News
from specforge.search.owners import Owners
from specforge.search.report import write_report
from specforge.search.result import BEST, RECORD, Found, found_of, many, write_best, write_record
from specforge.search.space import Searched
from specforge.search.storage import (
    DEFAULT,
    Place,
    demand_study,
    explained,
    open_study,
    opened_storage,
    place_of,
    require_optuna,
)
from specforge.search.trial import Training
from specforge.search.worker import Worker
from specforge.training.claim import claimed
from specforge.training.errors import Interrupted
from specforge.training.interrupts import InterruptGuard

if TYPE_CHECKING:
    from optuna import Study

FOLDER = Path("searches")
REPORT = "report.html"
# trials from which something can be said about importance
_ENOUGH = 10
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for. `seconds` is the time after which no trial is begun."""

    file: str
    settings: tuple[str, ...] = ()
    out: Path | None = None
    storage: str | None = None
    study: str | None = None
    resume: bool = False
    workers: int = 1
    trials: int | None = None
    seconds: float | None = None
    device: str | None = None
    data_dir: Path | None = None
    download: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """What a search has found, and where it is written."""

    found: Found
    searched: Searched
    folder: Path
    best: Path | None
    report: Path
    is_time_up: bool = False


def search(request: Request, tell: Callable[[str], None]) -> Finished:
    """Run trials until the budget is used up.

    Raises `SpecError`, `SearchError`, what `train` raises, and `Interrupted` with a search that can go on.
    """
    searched = Searched.read(request.file, request.settings)
    require_optuna()
    require_training_packages()
    folder = request.out or default_folder(searched.spec.name, resume=request.resume)
    _admit(folder, request.study or searched.spec.name, resume=request.resume)
    with claimed(folder, tell=tell), _opened(request, searched, folder) as opened, InterruptGuard(folder) as guard:
        tell(_begins(opened))
        deadline = None if request.seconds is None else monotonic() + request.seconds
        try:
            _work(request, opened, guard, tell, deadline)
        except BaseException as error:
            finished = None
            with suppress(SearchError, OSError):  # what was first is told
                finished = write(opened)
            if isinstance(error, Interrupted):  # which names the trial's folder
                raise _interrupted(error.signal, folder, finished) from None
            raise
        is_late = deadline is not None and monotonic() >= deadline
        return replace(write(opened), is_time_up=is_late)


@dataclass(frozen=True, slots=True)
class Opened:
    """A search with its folder and its study."""

    searched: Searched
    folder: Path
    place: Place
    study: "Study"
    budget: int


def look(request: Request) -> Finished:
    """What a search has found so far, of its folder or storage; nothing is run or written."""
    searched = Searched.read(request.file, request.settings)
    require_optuna()
    folder = request.out or default_folder(searched.spec.name, resume=True)
    place = place_of(request.storage, folder)
    if place.journal is not None and not place.journal.is_file():
        where = folder if request.storage is None else place.journal
        raise SearchError(f"{where} holds no search", hint="name its folder by `--out`, or its storage")
    with _opened(request, searched, folder, may_begin=False) as opened:
        return Finished(_found(opened), searched, folder, folder / BEST, folder / REPORT)


def default_folder(name: str, *, resume: bool) -> Path:
    """`searches/NAME`, or the next free `searches/NAME-2`, …; to resume, the newest that exists."""
    number, folder = 1, FOLDER / name
    while os.path.lexists(folder):
        number += 1
        following = FOLDER / f"{name}-{number}"
        if resume and not os.path.lexists(following):
            return folder
        folder = following
    return folder


def write(opened: Opened) -> Finished:
    """All that is known so far, into the folder."""
    with explained(opened.place):
        found = _found(opened)
    name = opened.study.study_name
    write_record(opened.folder, found, opened.searched, opened.place.shown, name)
    best = write_best(opened.folder, found, opened.searched)
    report = write_report(opened.folder / REPORT, found, opened.searched)
    return Finished(found, opened.searched, opened.folder, best, report)


def _interrupted(signal: int, folder: Path, finished: Finished | None) -> Interrupted:
    """With the search's folder; what is complete has nothing to go on with."""
    if finished is None or finished.found.left:
        return Interrupted(signal, run=folder)
    return Complete(signal, run=folder, ended=len(finished.found.settled))


def _admit(folder: Path, name: str, *, resume: bool) -> None:
    """Refuse a folder of something else, or a search that nobody wants to go on."""
    try:
        names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise SearchError(f"cannot read {folder}: {error.strerror}", hint="choose another `--out`") from None
    if names and not {RECORD, DEFAULT} & {*names}:
        shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        hint = "choose a new or an empty folder with `--out`; nothing was touched"
        raise SearchError(f"{folder} holds {shown}, but no search, which has a {RECORD}", hint=hint)
    if names and not resume:
        hint = "go on with it by `--resume`, or choose another `--out`"
        raise SearchError(f"{folder} already holds a search", hint=hint)
    _demand_own(folder, name)


def _demand_own(folder: Path, name: str) -> None:
    """Refuse the folder of a search of another name: runs of both would lie under the same numbers."""
    try:
        record = json.loads((folder / RECORD).read_bytes())
        other, file = str(record["study"]), str(record["spec"])
    except (OSError, ValueError, LookupError, TypeError):  # it says nothing of whose it is
        return
    if other != name:
        message = f"{folder} holds the search {other} of {file}, not {name}"
        raise SearchError(message, hint="choose another `--out`")


@contextmanager
def _opened(request: Request, searched: Searched, folder: Path, *, may_begin: bool = True) -> Iterator[Opened]:
    place = place_of(request.storage, folder)
    name = request.study or searched.spec.name
    with opened_storage(place) as storage:
        if not may_begin:
            demand_study(storage, place, name)
        study = open_study(storage, place, searched, name, resume=request.resume)
        budget = request.trials or searched.search.trials
        combinations = searched.combinations(budget)
        yield Opened(searched, folder, place, study, budget if combinations is None else combinations)


def _work(
    request: Request, opened: Opened, guard: InterruptGuard, tell: Callable[[str], None], deadline: float | None
) -> None:
    news = News(opened.searched.search, opened.budget, tell)
    with explained(opened.place):
        news.skip(chains(opened.study.get_trials(deepcopy=False)))
    write_record(opened.folder, _found(opened), opened.searched, opened.place.shown, opened.study.study_name)
    if request.workers > 1:
        if request.download:
            _fetch(request, opened)
        from specforge.search.parallel import run_workers

        run_workers(request, opened, guard, news, deadline)
        return
    training = Training(opened.folder, request.device, request.data_dir, request.download)
    Worker(
        opened.study, opened.searched, opened.place, Owners.of(opened.place, opened.folder), training, opened.budget,
        deadline, check=guard.check, after=news,
    ).run()  # fmt: skip


def _fetch(request: Request, opened: Opened) -> None:
    """Once, before the workers would do it at the same time."""
    import torch

    from specforge.data.prepare import prepare

    assert opened.searched.spec.data is not None
    folder = request.data_dir or DEFAULT_DATA_DIR
    prepare(opened.searched.spec.data, data_dir=folder, device=torch.device("cpu"), download=True)


def _found(opened: Opened) -> Found:
    known = chains(opened.study.get_trials(deepcopy=False))
    return found_of(known, opened.searched, opened.budget, _importance(opened.study, known))


def _importance(study: "Study", known: list[Chain]) -> dict[str, float]:
    """By path, together 1; nothing while there are too few trials to tell."""
    if sum(chain.state == "complete" for chain in known) < _ENOUGH:
        return {}
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    with _quiet():
        found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(target_quantile=0.25))
    return {path: float(value) for path, value in found.items()}


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _begins(opened: Opened) -> str:
    search = opened.searched.search
    known = len(chains(opened.study.get_trials(deepcopy=False)))
    before = f", {known} of them begun before" if known else ""
    return (
        f"{opened.searched.spec.name}: {many(opened.budget)}{before}, compared by {search.metric} "
        f"({search.best_direction}), in {opened.folder}"
    )
