"""The runs' specs -> the paths whose values differ, with each run's value, and how each network differs.

    train.optimizer      adam  sgd   adam
    train.optimizer.lr   1e-3  0.1   1e-4

Every run is compared with the baseline by `specforge.diff`; a path that differs in one run is then read in all.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from specforge.catalog.definition import Definition, Section
from specforge.catalog.discovery import word_for
from specforge.diff import Difference, diff
from specforge.recipe import Train
from specforge.report.compare_runs.runs import ComparedRun
from specforge.resolved import meant, plain_value
from specforge.spec import Data, Spec


class _Nowhere:
    """The value of a path that a spec does not have, as the momentum of adam."""


NOWHERE = _Nowhere()


@dataclass(frozen=True, slots=True)
class Setting:
    """A path of the recipe or the data, and each run's value as plain data; `NOWHERE` where it has no such path."""

    path: str
    values: tuple[Any, ...]


def spec_differences(runs: Sequence[ComparedRun]) -> tuple[Difference | None, ...]:
    """How each run's spec differs from the first one's; None for the first itself and for specs that can't be read."""
    baseline, *others = runs
    return (None, *(None if baseline.problem or run.problem else diff(baseline.analysis, run.analysis)
                    for run in others))  # fmt: skip


def settings(runs: Sequence[ComparedRun], differences: Sequence[Difference | None]) -> tuple[Setting, ...]:
    """The paths of data and recipe that differ, in the order of the language's keys."""
    paths = _ordered([[setting.path for setting in (*found.data, *found.recipe)] for found in differences if found])
    specs = [run.spec for run in runs]
    return tuple(
        Setting(path, tuple(NOWHERE if spec is None else _value(spec, path, paths) for spec in specs)) for path in paths
    )


def _ordered(lists: Sequence[Sequence[str]]) -> list[str]:
    """All paths once, by section and key; what is deeper follows, in the order in which it was found."""
    paths = dict.fromkeys(path for found in lists for path in found)
    keys = [f"{section}.{key}" for section, kind in (("data", Data), ("train", Train)) for key in kind.model_fields]
    return sorted(paths, key=lambda path: (_rank(keys, path), path.count(".") + path.count("[")))


def _rank(keys: Sequence[str], path: str) -> int:
    key = ".".join(path.replace("[", ".").split(".")[:2])
    return keys.index(key) if key in keys else -1


def _value(spec: Spec, path: str, paths: Sequence[str]) -> Any:
    value: Any = spec
    for name, number in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        if number:
            value = value[int(number)] if isinstance(value, tuple) and int(number) < len(value) else NOWHERE
        elif isinstance(value, Section) and name in type(value).model_fields:
            value = meant(value, name)
        else:
            return NOWHERE
    if isinstance(value, Definition) and any(other.startswith(f"{path}.") for other in paths):
        return word_for(value)  # its arguments have rows of their own
    return plain_value(value)
