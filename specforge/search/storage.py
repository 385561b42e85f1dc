"""Where a search keeps its trials: a journal file, or a database that several machines reach.

    place_of("journal:/mnt/shared/lab2.log", folder)      a file; the default is `journal.log` in the search's folder
    place_of("postgresql://ada:secret@db/optuna", folder)  a database, by an SQLAlchemy URL

A password is never shown: `Place.shown` is the URL without it.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specforge.diagnostics import did_you_mean
from specforge.experiment import TRAINING_PACKAGES
from specforge.search.errors import SearchError, absent_folder
from specforge.search.result import many
from specforge.search.space import Searched

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage

DEFAULT = "journal.log"
JOURNAL = "journal:"
# seconds between two signs of life in a database, and after how many without one a trial is given to somebody else
HEARTBEAT, GRACE = 30, 180
_CONNECT_SECONDS = 10
_SEARCH = "specforge"  # the attribute of a study that says what is searched
# SQLAlchemy's word for a database -> its driver that is a package of its own, and the command that installs it
_DRIVERS = {
    "postgresql": ("postgresql+psycopg", "psycopg", "pip install 'psycopg[binary]'"),
    "postgres": ("postgresql+psycopg", "psycopg", "pip install 'psycopg[binary]'"),
    "mysql": ("mysql+pymysql", "pymysql", "pip install pymysql"),
}


class MissingSearch(SearchError):
    """Optuna is not installed."""

    def __init__(self) -> None:
        missing = [package for package in ("optuna", *TRAINING_PACKAGES) if find_spec(package) is None]
        hint = f"pip install {' '.join(missing)}"
        super().__init__("`optuna` is not installed: it draws the values of a search", hint=hint)


@dataclass(frozen=True, slots=True)
class Place:
    """A journal's path, or the URL of a database."""

    journal: Path | None
    url: str

    @property
    def shown(self) -> str:
        """For people: without a password."""
        if self.journal is not None:
            return f"{JOURNAL}{self.journal}"
        return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", self.url)


def place_of(text: str | None, folder: Path) -> Place:
    """What `--storage` named; raises SearchError for what is neither."""
    if text is None:
        return Place(folder / DEFAULT, "")
    if text.startswith(JOURNAL) and text != JOURNAL:
        return Place(Path(text.removeprefix(JOURNAL)), "")
    word, separator, _ = text.partition("://")
    if not separator or not re.fullmatch(r"[a-z]\w*(\+\w+)?", word):
        hint = "write `journal:PATH`, `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/DATABASE`"
        raise SearchError("`--storage` is neither a journal nor the URL of a database", hint=hint)
    if word in _DRIVERS:
        text = f"{_DRIVERS[word][0]}://{text.partition('://')[2]}"
    return Place(None, text)


def require_optuna() -> None:
    """Raises MissingSearch."""
    if find_spec("optuna") is None:
        raise MissingSearch


@contextmanager
def opened_storage(place: Place) -> "Iterator[BaseStorage]":
    """Open inside. Raises SearchError for a damaged file or a database that can't be reached."""
    storage = _open(place)
    try:
        yield storage
    finally:
        storage.remove_session()
        if (engine := getattr(storage, "engine", None)) is not None:
            engine.dispose()


def _open(place: Place) -> "BaseStorage":
    from optuna.storages import JournalStorage

    if place.journal is None:
        with explained(place):
            try:
                return _database(place.url)
            except ImportError:
                word = place.url.partition("+")[0].partition(":")[0]
                _, package, command = _DRIVERS.get(word, ("", "a driver", "install the one that its URL names"))
                raise SearchError(f"{place.shown} needs `{package}`, which is not installed", hint=command) from None
            except OSError as error:
                hint = "name another file by `--storage`"
                raise SearchError(f"cannot use {place.shown}: {error.strerror or error}", hint=hint) from None
    from specforge.search.journal import Journal

    try:
        return JournalStorage(Journal(place.journal))
    except (KeyError, TypeError, ValueError, AssertionError, AttributeError):
        hint = "it is no journal of a search, or not a whole one: restore it, or name another by `--storage`"
        raise SearchError(f"{place.journal} is damaged: its records do not make a search", hint=hint) from None


def _database(url: str) -> "BaseStorage":
    from optuna.storages import RDBStorage

    arguments: dict[str, Any] = {"pool_pre_ping": True}
    driver = url.partition("://")[0]
    if driver.startswith("sqlite"):
        arguments = {"connect_args": {"timeout": _CONNECT_SECONDS}}
    elif "psycopg" in driver:  # of a database without an encoding, texts would come as bytes
        arguments["connect_args"] = {"connect_timeout": _CONNECT_SECONDS, "client_encoding": "utf8"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # signs of life are an experiment of Optuna's
        return RDBStorage(url, engine_kwargs=arguments, heartbeat_interval=HEARTBEAT, grace_period=GRACE)


@contextmanager
def explained(place: Place) -> Iterator[None]:
    """Turn what storages raise into SearchError, without the password."""
    try:
        yield
    except UnboundLocalError as error:  # Optuna's, where a trial could not even be said to have failed
        for cause in _causes(error):
            refusal = cause if isinstance(cause, SearchError) else _refusal(cause, place)
            if refusal is not None:
                raise refusal from None
        raise
    except Exception as error:
        refusal = _refusal(error, place)
        if refusal is None:
            raise
        raise refusal from None


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _refusal(error: BaseException, place: Place) -> SearchError | None:
    """What a database did not do, and what to do about it; None for an exception of something else."""
    if place.journal is not None:
        return None
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

    if isinstance(error, ArgumentError | NoSuchModuleError):
        hint = "write `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/DATABASE`"
        return SearchError(f"{place.shown} is not the URL of a database that is known", hint=hint)
    if isinstance(error, DBAPIError | StorageInternalError):
        return SearchError(f"the storage {place.shown} can't be used: {_reason(error, place)}", hint=_remedy(place))
    return None


def _remedy(place: Place) -> str:
    from sqlalchemy.engine import make_url

    url = make_url(place.url)
    if url.get_backend_name() != "sqlite":
        return "check that the server runs, the name, the password and the database; then go on with `--resume`"
    # one such as `file:lab.db?mode=ro` is no path
    absent = None if not url.database or url.database.startswith("file:") else absent_folder(Path(url.database))
    return absent or "check the file, its permissions and free space; then go on with `--resume`"


def _reason(error: BaseException, place: Place) -> str:
    """The first line of what the database said."""
    cause = getattr(error, "orig", None) or error.__cause__ or error
    cause = getattr(cause, "orig", None) or cause
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    text = lines[0] if lines else type(cause).__name__
    secret = re.search(r"://[^:/@]*:(.*)@", place.url)
    return text.replace(secret[1], "***") if secret and secret[1] else text


def demand_study(storage: "BaseStorage", place: Place, name: str) -> None:
    """Raises SearchError where the storage has no such search."""
    import optuna

    with explained(place):
        names = optuna.get_all_study_names(storage)
    if name not in names:
        hint = did_you_mean(name, names) or "name it by `--study`, its folder by `--out`, or its storage"
        raise SearchError(f"{place.shown} holds no search `{name}`", hint=hint)


def open_study(storage: "BaseStorage", place: Place, searched: Searched, name: str, *, resume: bool) -> "Study":
    """The search in the storage, a new one where there is none. Raises SearchError for one that should not go on."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    from specforge.search.sampling import pruner_of, sampler_of

    with explained(place):
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            direction=searched.search.best_direction,
            load_if_exists=True,
            sampler=sampler_of(searched),
            pruner=pruner_of(searched.search),
        )
        trials = study.get_trials(deepcopy=False)
        if trials and not resume:
            hint = "go on with it, or help it, by `--resume`; or choose another name by `--study`"
            raise SearchError(f"{place.shown} already holds the search `{name}`, {many(len(trials))}", hint=hint)
        _demand_same(study, place, searched, name, is_new=not trials)
    return study


def _demand_same(study: "Study", place: Place, searched: Searched, name: str, *, is_new: bool) -> None:
    known = study.user_attrs.get(_SEARCH)
    if known is None and is_new:
        study.set_user_attr(_SEARCH, searched.identity)
        known = study.user_attrs.get(_SEARCH)
    if known != searched.identity:
        raise SearchError(
            f"{place.shown} holds a search `{name}` of another spec: its trials would not compare with these",
            hint="undo the changes of the spec, or choose another `--out`, or another name by `--study`",
        )
