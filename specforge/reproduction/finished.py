"""A finished run's folder -> its `Measurement`.

In: a run directory, perhaps written by an older specforge. Out: what it measured, and what its spec means when it is
read today, which is what decides whose run it is; the hash that was written down then is only checked for mix-ups.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from specforge.analysis import analyse
from specforge.diagnostics import SpecError
from specforge.experiment import incomplete
from specforge.graph import Graph
from specforge.reproduction.errors import ReproductionError
from specforge.reproduction.results import Hardware, Measurement, Share, Versions
from specforge.resolved import spec_hash
from specforge.spec import Spec
from specforge.training import checksums
from specforge.training.manifest import Damage, read
from specforge.training.parsing import LARGEST, parsed

SPEC, ENVIRONMENT, METRICS, RESULT = "spec.yaml", "environment.json", "metrics.jsonl", "result.json"


class _Known(BaseModel):
    # other versions of specforge write more than is needed here
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _Environment(_Known):
    specforge: str
    python: str
    torch: str
    device: str
    device_name: str | None = None
    threads: int | None = None
    started: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d")]
    spec_hash: str | None = None


class _Result(_Known):
    test_loss: float
    test_accuracy: Share
    test_top5_accuracy: Share
    tested_epoch: int | None = None
    seconds: float
    dataset: str
    spec_hash: str | None = None


_Content = TypeVar("_Content", bound=_Known)


@dataclass(frozen=True, slots=True)
class Meaning:
    """A spec that can be trained. `spec_hash` is that of the same spec with the seed 0."""

    spec: Spec
    graph: Graph
    seed: int
    spec_hash: str


def meaning(path: Path | str, settings: tuple[str, ...] = ()) -> Meaning:
    """What a spec file means with these settings; raises SpecError when it is not right or has nothing to train."""
    spec, graph = analyse(path, settings).require()
    if spec.data is None or spec.train is None:
        raise SpecError(incomplete(str(path)))
    plain = spec if spec.train.seed == 0 else analyse(path, (*settings, "train.seed=0")).require()[0]
    return Meaning(spec, graph, spec.train.seed, spec_hash(plain))


def is_run(folder: Path) -> bool:
    """Whether training has begun here."""
    return (folder / SPEC).is_file() and (folder / ENVIRONMENT).is_file()


def is_finished(folder: Path) -> bool:
    return is_run(folder) and (folder / RESULT).is_file()


def measure(folder: Path, *, seed: int, spec_hash: str, settings: tuple[str, ...] = ()) -> Measurement:
    """The measurement of a finished run; raises ReproductionError for a folder that holds something else."""
    if not is_run(folder):
        raise ReproductionError(f"{folder} is not a run", hint=f"a run has a {SPEC} and an {ENVIRONMENT}")
    if not is_finished(folder):
        hint = f"go on with it by `specforge train … --out {folder} --resume`"
        raise ReproductionError(f"{folder} is not finished: it has no {RESULT}", hint=hint)
    _require_intact(folder)
    environment, result = _read(folder / ENVIRONMENT, _Environment), _read(folder / RESULT, _Result)
    if None not in (environment.spec_hash, result.spec_hash) and environment.spec_hash != result.spec_hash:
        raise ReproductionError(f"{folder}: {RESULT} is of another run than {ENVIRONMENT}", hint="train it again")
    return Measurement(
        seed=seed,
        settings=settings,
        spec_hash=spec_hash,
        epochs=_epochs(folder / METRICS),
        test_accuracy=result.test_accuracy,
        test_top5_accuracy=result.test_top5_accuracy,
        test_loss=result.test_loss,
        tested_epoch=result.tested_epoch,
        seconds=result.seconds,
        dataset=result.dataset,
        hardware=Hardware(device=environment.device, name=environment.device_name, threads=environment.threads),
        versions=Versions(specforge=environment.specforge, torch=environment.torch, python=environment.python),
        date=environment.started[:10],
    )


def _require_intact(folder: Path) -> None:
    """What is recorded for good comes from files that are what was written, as far as that is known."""
    try:
        checksums.demand(folder, SPEC, ENVIRONMENT, METRICS, RESULT)
    except Damage as damage:
        hint = "train the run again; `specforge verify` looks at all files of a run"
        raise ReproductionError(str(damage), hint=hint) from None


def _epochs(path: Path) -> int:
    """How many epochs were trained: each has a line."""
    epochs = sum(1 for line in _bytes(path).splitlines() if line.strip())
    if not epochs:
        raise ReproductionError(f"{path} has no epoch, but the run has a result", hint="train it again")
    return epochs


def _read(path: Path, kind: type[_Content]) -> _Content:
    try:
        content: Any = parsed(_bytes(path))
        return kind.model_validate(content)
    except ValidationError as error:
        found = error.errors()[0]
        reason = f"`{'.'.join(map(str, found['loc']))}`: {found['msg'].lower()}"
    except OverflowError:
        reason = "a number is too large"
    except ValueError:
        reason = "it is not JSON"
    raise ReproductionError(f"{path} is damaged: {reason}", hint="train the run again")


def _bytes(path: Path) -> bytes:
    try:
        return read(path, most=LARGEST)
    except Damage as damage:
        raise ReproductionError(str(damage), hint="train the run again") from None
