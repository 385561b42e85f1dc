"""Runs -> what stands in the way of comparing them: other data, other machines, runs that are not finished."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from specforge.report.compare_runs.runs import ComparedRun
from specforge.resolved import flow, plain_value

Kind = Literal["data", "split", "seed", "environment", "unfinished", "test", "damaged", "spec"]

# what changes results in their last digits, and times altogether
_ENVIRONMENT = ("device", "device_name", "torch", "threads", "specforge")


@dataclass(frozen=True, slots=True)
class Caution:
    """What stands in the way, in a sentence; `runs` are the names of those that it is about."""

    kind: Kind
    runs: tuple[str, ...]
    message: str


def find_cautions(runs: Sequence[ComparedRun]) -> tuple[Caution, ...]:
    """The gravest first."""
    kinds = (_specs, _data, _seeds, _tests, _unfinished, _environments, _damage)
    return tuple(caution for kind in kinds for caution in kind(runs))


def _specs(runs: Sequence[ComparedRun]) -> Iterator[Caution]:
    for run in runs:
        if run.problem:
            message = f"the spec of {run.name} can't be read ({run.problem}): only its results are compared"
            yield Caution("spec", (run.name,), message)


def _data(runs: Sequence[ComparedRun]) -> Iterator[Caution]:
    datasets = _values(runs, _dataset)
    if len(set(datasets.values())) > 1:
        yield Caution("data", tuple(datasets), f"the data differ, so results are not comparable: {_listed(datasets)}")
        return
    tests = _values(runs, lambda run: _of_split(run, "test"))
    if len(set(tests.values())) > 1:
        message = f"the test parts differ, so test results are not comparable: {_listed(tests)}"
        yield Caution("split", tuple(tests), message)
    parts = _values(runs, _training_parts)
    if len(set(parts.values())) > 1:
        message = f"training and validation parts differ, so validation figures are not comparable: {_listed(parts)}"
        yield Caution("split", tuple(parts), message)


def _dataset(run: ComparedRun) -> str | None:
    if run.spec is not None and run.spec.data is not None:
        return flow(plain_value(run.spec.data.dataset))
    return run.record.result.dataset if run.record.result else None


def _of_split(run: ComparedRun, part: str) -> str | None:
    if run.spec is None or run.spec.data is None:
        return None
    value = plain_value(getattr(run.spec.data.split, part))
    return "none" if value is None else flow(value)


def _training_parts(run: ComparedRun) -> str | None:
    parts = {part: _of_split(run, part) for part in ("train", "validation")}
    return None if None in parts.values() else ", ".join(f"{part} {value}" for part, value in parts.items())


def _seeds(runs: Sequence[ComparedRun]) -> Iterator[Caution]:
    drawn = _values(runs, _split_seed)
    if len(set(drawn.values())) > 1:
        message = f"the split's seeds differ, so other images are in each part: {_listed(drawn)}"
        yield Caution("split", tuple(drawn), message)
    seeds = _values(runs, lambda run: str(run.spec.train.seed) if run.spec and run.spec.train else None)
    if len(set(seeds.values())) > 1:
        message = f"the seeds differ, which alone changes a result: {_listed(seeds)}"
        yield Caution("seed", tuple(seeds), message)


def _split_seed(run: ComparedRun) -> str | None:
    if run.spec is None or run.spec.data is None:
        return None
    split = run.spec.data.split
    # ranges draw nothing
    draws = any(isinstance(part, float) and part != 1.0 for part in (split.train, split.validation, split.test))
    return str(split.seed) if draws else None


def _tests(runs: Sequence[ComparedRun]) -> Iterator[Caution]:
    augmented = [run.name for run in runs if run.record.result and run.record.result.plain]
    others = [run.name for run in runs if run.record.result and not run.record.result.plain]
    if augmented and others:
        message = (
            f"the final test of {', '.join(augmented)} averages augmented views, that of {', '.join(others)} does not: "
            "compare what was reached without augmented views"
        )
        yield Caution("test", (*augmented, *others), message)


def _unfinished(runs: Sequence[ComparedRun]) -> Iterator[Caution]:
    for run in runs:
        if not run.is_finished:
            planned = f" of {run.planned_epochs}" if run.planned_epochs else ""
            message = f"{run.name} is not finished: {run.last_epoch}{planned} epochs, no test result"
            yield Caution("unfinished", (run.name,), message)


def _environments(runs: Sequence[ComparedRun]) -> Iterator[Caution]:
    differing = []
    for key in _ENVIRONMENT:
        found = _values(runs, partial(_of_environment, key=key))
        if len(set(found.values())) > 1:
            differing.append(f"{key.replace('_', ' ')} ({_listed(found)})")
    if differing:
        message = f"the environments differ, so times are not comparable: {'; '.join(differing)}"
        yield Caution("environment", tuple(run.name for run in runs), message)


def _of_environment(run: ComparedRun, *, key: str) -> str | None:
    value = run.record.environment.get(key)
    return None if value is None else str(value)


def _damage(runs: Sequence[ComparedRun]) -> Iterator[Caution]:
    for run in runs:
        for note in run.record.notes:
            yield Caution("damaged", (run.name,), f"{run.name}: {note[:1].lower()}{note[1:].rstrip('.')}")


def _values(runs: Sequence[ComparedRun], value: Callable[[ComparedRun], str | None]) -> dict[str, str]:
    """What is known, by run."""
    return {run.name: found for run in runs if (found := value(run)) is not None}


def _listed(values: dict[str, str]) -> str:
    """`cifar10 (base, wide), cifar100 (deep)`."""
    by_value: dict[str, list[str]] = {}
    for name, value in values.items():
        by_value.setdefault(value, []).append(name)
    return ", ".join(f"{value} ({', '.join(names)})" for value, names in by_value.items())
