"""A run directory's files -> a `RunRecord`, the one thing that the rest of this room reads.

    runs/lab2/ (spec.yaml, metrics.jsonl, ...)  ->  RunRecord(name="lab2", epochs=(...), result=None)

A run that is still going or was stopped has no `result.json`, and its last line of metrics may be half written.
"""

import math
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from specforge import source
from specforge.diagnostics import Findings, TooManyErrors, printable
from specforge.training import checksums
from specforge.training.parsing import LARGEST, parsed

# no run has more epochs, and no number of one that can be drawn is larger: what a file says beyond it is damage
MOST_EPOCHS = 10_000_000
_LARGEST = 1e100


BEYOND = "a number that is too large"
_SHOWN = 200  # letters of what was found in a file


class RunError(Exception):
    """A run directory that can't be read: what was found, what was expected, and what to do."""


class RunFile(BaseModel):
    """Something in the files of a run."""

    # a newer specforge may write more than this one knows
    model_config = ConfigDict(frozen=True, extra="ignore")


Content = TypeVar("Content", bound=RunFile)
Epoch = Annotated[int, Field(ge=0, le=MOST_EPOCHS)]
# a name is shown on terminals, which obey control characters
Name = Annotated[str, AfterValidator(printable)]
# of one; sums of mixed images' shares are rounded
Share = Annotated[float, AfterValidator(lambda value: _within(value, 1.001))]
Seconds = Annotated[float, AfterValidator(lambda value: _within(value, 1e12))]
Count = Annotated[int, Field(ge=0, le=10**15)]


class EpochRecord(RunFile):
    """One line of `metrics.jsonl`. Accuracies are shares of one; `lr` is a mapping when groups differ."""

    epoch: Epoch
    stage: Name | Epoch | None = None
    train_loss: float | None = None
    train_accuracy: Share | None = None
    validation_loss: float | None = None
    validation_accuracy: Share | None = None
    test_loss: float | None = None
    test_accuracy: Share | None = None
    lr: float | dict[Name, float | None] | None = None
    images_per_second: float | None = None
    seconds: Seconds | None = None

    def value(self, metric: str) -> float | None:
        """A metric by its name, `train_loss`; None where it was not recorded."""
        found: float | None = getattr(self, metric, None)
        return found

    @property
    def rates(self) -> dict[str, float | None]:
        """Learning rates by group; one rate for everything has the group name ``""``."""
        return self.lr if isinstance(self.lr, dict) else {"": self.lr}


class ClassAccuracy(RunFile):
    """How a class of the test set fared; `accuracy` is None where the test set has no image of it."""

    index: Count
    name: Name
    accuracy: Share | None = None
    count: Count | None = None


class Tested(RunFile):
    """A test beside the main one: a member of an ensemble, or the same weights without test-time augmentation."""

    epoch: Epoch | None = None
    test_loss: float | None = None
    test_accuracy: Share | None = None
    test_top5_accuracy: Share | None = None


class Result(RunFile):
    """`result.json`: the test of the chosen weights, written last."""

    test_loss: float | None = None
    test_accuracy: Share | None = None
    test_top5_accuracy: Share | None = None
    per_class: tuple[ClassAccuracy, ...] = ()
    seconds: Seconds | None = None
    tested_epoch: Epoch | None = None
    checkpoint_policy: Name | None = None
    spec_hash: str | None = None
    dataset: Name | None = None
    members: tuple[Tested, ...] = ()
    plain: Tested | None = None

    @property
    def ranking(self) -> tuple[ClassAccuracy, ...]:
        """The classes that have test images, best first, equal ones in the data set's order."""
        tested = [(entry, entry.accuracy) for entry in self.per_class if entry.accuracy is not None]
        return tuple(entry for entry, _ in sorted(tested, key=lambda pair: (-pair[1], pair[0].index)))


@dataclass(frozen=True, slots=True)
class RunRecord:
    """All that is known of a run. `notes` say what could not be read as expected, `stages` are the stages' names."""

    folder: Path
    name: str
    spec_text: str
    environment: dict[str, Any]
    epochs: tuple[EpochRecord, ...]
    result: Result | None
    notes: tuple[str, ...] = ()
    stages: tuple[str | None, ...] = ()

    def stage_name(self, stage: str | int) -> str:
        """What the spec calls a stage, counted from 1; `stage 2` where it has no name."""
        named = self.stages[stage - 1] if isinstance(stage, int) and 0 < stage <= len(self.stages) else None
        return named or (f"stage {stage}" if isinstance(stage, int) else stage)

    @property
    def tested_epoch(self) -> int | None:
        return self.result.tested_epoch if self.result else None

    def at(self, epoch: int | None) -> EpochRecord | None:
        """The record of an epoch."""
        return next((record for record in self.epochs if record.epoch == epoch), None)

    def records(self, metric: str) -> bool:
        """Whether any epoch has a value for this metric."""
        return any(record.value(metric) is not None for record in self.epochs)


def read_run(folder: Path) -> RunRecord:
    """Read a run directory; raises `RunError` for a folder that is not one and for damaged files."""
    spec_file = folder / "spec.yaml"
    if not spec_file.is_file():
        raise RunError(f"{folder}: found no spec.yaml, expected a run directory; give the folder that `--out` named")
    spec_text = read_text(spec_file)
    name, stages = _named(spec_text)
    epochs, notes = _read_epochs(folder / "metrics.jsonl")
    environment = _read_json(folder / "environment.json") or {}
    result = read_record(folder / "result.json", Result)
    problems = checksums.problems(folder).items()
    damage = tuple(f"{file} {problem}." for file, problem in problems if file not in checksums.DRAWN)
    return RunRecord(folder, name or folder.name, spec_text, environment, epochs, result, (*notes, *damage), stages)


def _within(value: float, most: float) -> float:
    """NaN is a value of a run that went wrong, not of a damaged file."""
    if not (0 <= value <= most or math.isnan(value)):
        raise ValueError(f"a number from 0 to {most:g}")
    return value


def finite(value: float | None) -> bool:
    """Whether a value can be drawn."""
    return value is not None and math.isfinite(value) and abs(value) < _LARGEST


def read_text(file: Path) -> str:
    """Raises `RunError` for what can't be read as text."""
    if not file.is_file():  # a pipe would be waited for
        raise RunError(f"{file}: is not a file; restore or repeat the run")
    if file.stat().st_size > LARGEST:
        raise RunError(f"{file}: is larger than {LARGEST:,} bytes; the file is damaged, restore or repeat the run")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RunError(
            f"{file}: byte {error.start} is not UTF-8; the file is damaged, restore or repeat the run"
        ) from None
    except OSError as error:
        raise RunError(f"{file}: can't be read: {error.strerror}") from None


def _read_json(file: Path) -> dict[str, Any] | None:
    if not file.exists():
        return None
    text = read_text(file)
    if not text:
        raise RunError(f"{file}: is empty; the file is damaged")
    try:
        content = parsed(text)
    except JSONDecodeError as error:
        raise RunError(f"{file}:{error.lineno}:{error.colno}: not JSON ({error.msg}); the file is damaged") from None
    except ValueError as error:
        raise RunError(f"{file}: {error}; the file is damaged") from None
    if not isinstance(content, dict):
        raise RunError(f"{file}: found a {type(content).__name__}, expected a JSON object")
    return content


def read_record(file: Path, model: type[Content]) -> Content | None:
    """A file of a run, None where it has no such file."""
    content = _read_json(file)
    try:
        return None if content is None else model.model_validate(content)
    except OverflowError:
        raise RunError(f"{file}: {BEYOND}; the file is damaged, remove it or repeat the run") from None
    except ValidationError as error:
        raise RunError(f"{file}: {_first(error)}; the file is damaged, remove it or repeat the run") from None


def _read_epochs(file: Path) -> tuple[tuple[EpochRecord, ...], tuple[str, ...]]:
    """The records by epoch; a resumed run may repeat an epoch, then the later line counts."""
    if not file.exists():
        return (), ()
    lines = [(at, line) for at, line in enumerate(read_text(file).split("\n"), start=1) if line.strip()]
    found: dict[int, EpochRecord] = {}
    notes: tuple[str, ...] = ()
    for at, line in lines:
        try:
            record = EpochRecord.model_validate(parsed(line))
        except JSONDecodeError as error:
            if at != lines[-1][0]:
                raise RunError(f"{file}:{at}:{error.colno}: not JSON ({error.msg}); remove the damaged line") from None
            # killed while writing: everything before it is whole
            notes = (f"The last line of metrics.jsonl (line {at}) was cut off and is left out.",)
        except ValidationError as error:
            raise RunError(f"{file}:{at}: {_first(error)}; remove the damaged line") from None
        except ValueError as error:
            raise RunError(f"{file}:{at}: {error}; remove the damaged line") from None
        except OverflowError:
            raise RunError(f"{file}:{at}: {BEYOND}; remove the damaged line") from None
        else:
            found[record.epoch] = record
    return tuple(found[epoch] for epoch in sorted(found)), notes


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"])
    found = repr(problem["input"])
    found = found if len(found) <= _SHOWN else f"{found[: _SHOWN - 1]}…"
    return f"{f'`{place}`: ' if place else ''}found {found}, {problem['msg'][:1].lower()}{problem['msg'][1:]}"


def _named(spec_text: str) -> tuple[str | None, tuple[str | None, ...]]:
    """The names that a spec gives itself and its stages."""
    try:
        spec = source.parse(spec_text, "spec.yaml", Findings())
    except TooManyErrors:
        return None, ()
    recipe = spec.get("train") if isinstance(spec, source.Mapping) else None
    stages = recipe.get("stages") if isinstance(recipe, source.Mapping) else None
    listed = stages.items if isinstance(stages, source.Sequence) else ()
    return _name(spec), tuple(_name(stage) for stage in listed)


def _name(node: source.Node | None) -> str | None:
    name = node.get("name") if isinstance(node, source.Mapping) else None
    return printable(str(name.value)) if isinstance(name, source.Scalar) and name.value is not None else None
