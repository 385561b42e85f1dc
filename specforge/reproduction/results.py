"""`specs/results.json`: what finished runs of specs measured.

In and out: the file, in one canonical form: keys sorted, runs ordered by settings and seed, floats bit for bit.

    {"format": 1, "specs": {"base": {"spec_hash": "1e67…", "runs": [
        {"seed": 0, "settings": [], "spec_hash": "1e67…", "epochs": 15, "test_accuracy": 0.4237, …}]}}}

Every hash here is that of a meaning whose seed is 0, so that the runs of several seeds share it. The spec's own results
are the runs that mean what the spec means; others were made with settings, or before the spec was changed.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from specforge.reproduction.errors import ReproductionError
from specforge.training import durable
from specforge.training.errors import TrainingError
from specforge.training.lock import Busy, locked
from specforge.training.parsing import parsed

# seconds: recording takes milliseconds, also when hundreds of processes want to
_PATIENCE = 60.0
Share = Annotated[float, Field(ge=0, le=1)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Hardware(_Record):
    """What a run was started on."""

    device: str
    name: str | None
    threads: int | None


class Versions(_Record):
    """The software that made a run."""

    specforge: str
    torch: str
    python: str


class Measurement(_Record):
    """What one finished run reached. `settings` are the `--set` that it was made with, if they change the spec.

    `epochs` is how many were trained, `tested_epoch` whose weights were tested. `seconds` is training and validation,
    `date` the day on which it started (UTC).
    """

    seed: int
    settings: tuple[str, ...] = ()
    spec_hash: str
    epochs: Annotated[int, Field(ge=1)]
    test_accuracy: Share
    test_top5_accuracy: Share
    test_loss: float
    tested_epoch: int | None
    seconds: float
    dataset: str
    hardware: Hardware
    versions: Versions
    date: str

    @property
    def identity(self) -> tuple[str, int]:
        """Runs that agree in it are the same experiment; the newer one replaces the older."""
        return (self.spec_hash, self.seed)


class Entry(_Record):
    """The runs of one spec, and what the spec meant when the last of them was recorded."""

    spec_hash: str
    runs: tuple[Measurement, ...]


class Results(_Record):
    """The content of the file."""

    format: Literal[1] = 1
    specs: dict[str, Entry] = Field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Results":
        """What the file holds, nothing while there is none. A file that is something else is never written over."""
        if not path.exists():
            return cls()
        try:
            return cls.model_validate(parsed(path.read_bytes()))
        except OSError as error:
            raise ReproductionError(f"cannot read {path}: {error.strerror}") from None
        except (ValidationError, ValueError) as error:
            reason = _first(error) if isinstance(error, ValidationError) else "it is not JSON"
            hint = "mend it, or name another file with `--results`"
            raise ReproductionError(f"{path} does not hold results: {reason}", hint=hint) from None

    def encode(self) -> bytes:
        text = json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
        return f"{text}\n".encode()

    def of(self, name: str) -> tuple[Measurement, ...]:
        entry = self.specs.get(name)
        return entry.runs if entry else ()

    def with_run(self, name: str, spec_hash: str, run: Measurement) -> "Results":
        """With one more run of the spec of this name and meaning; one of the same experiment gives way to it."""
        others = [known for known in self.of(name) if known.identity != run.identity]
        runs = sorted([*others, run], key=lambda known: (known.settings, known.seed, known.spec_hash))
        return Results(specs={**self.specs, name: Entry(spec_hash=spec_hash, runs=tuple(runs))})


class Recorded(NamedTuple):
    """What recording changed: `replaced` is the run of the same experiment that was there, when it differs."""

    run: Measurement
    replaced: Measurement | None


def record(
    path: Path, name: str, spec_hash: str, run: Measurement, *, tell: Callable[[str], None] = lambda _: None
) -> Recorded:
    """Add a run to the file, which is read again: another process may have recorded something meanwhile.

    Nobody else does between reading and writing; `tell` hears of a file system where that can't be made sure.
    """
    path = path.resolve() if path.is_symlink() else path  # who comes by another link must meet the same lock
    with _alone(path, tell):
        before = Results.read(path)
        save(path, before.with_run(name, spec_hash, run))
    known = next((known for known in before.of(name) if known.identity == run.identity), None)
    return Recorded(run, known if known != run else None)


@contextmanager
def _alone(path: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Wait for the others who record something, then keep them out."""
    lock = path.with_name(f".{path.name}.lock")
    with ExitStack() as held:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(locked(lock, wait=_PATIENCE, tell=tell))
        except Busy as busy:
            hint = "is it stopped in a debugger? end it, and record the run again by `--import`"
            raise ReproductionError(f"{busy.holder} does not let go of {lock}", hint=hint) from None
        except OSError as error:
            raise _cannot_write(path, error) from None
        yield


def save(path: Path, results: Results) -> None:
    """Replace the file at once; it is never half written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        durable.write(path, results.encode())
    except (TrainingError, OSError) as error:
        raise _cannot_write(path, error) from None


def _cannot_write(path: Path, error: Exception) -> ReproductionError:
    return ReproductionError(f"cannot write {path}: {error}", hint="name another file with `--results`")


def _first(error: ValidationError) -> str:
    found = error.errors()[0]
    place = ".".join(map(str, found["loc"]))
    return f"{found['msg'].lower()} at `{place}`" if place else found["msg"].lower()
