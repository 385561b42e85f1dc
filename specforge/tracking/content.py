"""What is sent of a run: its settings as flat names, the numbers of its epochs, and how it ended.

    {"epoch": 3, "train_loss": 1.2, "lr": {"bias": 0.1, "others": 0.2}, …}
    ->  epoch 3, {"train_loss": 1.2, "lr/bias": 0.1, "lr/others": 0.2, …}

In: the folder of a run, which may be in progress. Out: numbers; a line that is being written is left for later.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from specforge.analysis import analyse
from specforge.resolved import resolve
from specforge.training.checksums import METRICS

Setting = str | int | float | bool
# of the spec, what decides over a run; the network has a page of its own in the report
_SECTIONS = ("data", "train")
_FINAL = ("test_loss", "test_accuracy", "test_top5_accuracy", "parameters", "seconds", "tested_epoch")


@dataclass(frozen=True, slots=True)
class Epoch:
    """A complete epoch, from 1; `at` is when it ended, in seconds since 1970, as far as the folder says."""

    number: int
    values: Mapping[str, float]
    at: float


def epochs(folder: Path) -> list[Epoch]:
    """Those that the run has complete, in their order."""
    at, found = _started(folder), []
    for row in _rows(folder / METRICS):
        at += float(row.get("seconds", 0.0))
        found.append(epoch_of(row, at=at))
    return found


def epoch_of(row: Mapping[str, Any], *, at: float) -> Epoch:
    """A line of the metrics; of groups with rates of their own, each has a name."""
    values: dict[str, float] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            values |= {f"{name}/{each}": float(number) for each, number in value.items()}
        elif name != "epoch":
            values[name] = float(value)
    return Epoch(int(row["epoch"]), values, at)


def settings(folder: Path) -> dict[str, Setting]:
    """`{"train.batch_size": 64, "train.optimizer.adam.lr": 0.001, …}`; empty where the spec can't be read."""
    spec = analyse(folder / "spec.yaml").spec
    if spec is None:
        return {}
    resolved = resolve(spec)
    return {name: value for key in _SECTIONS if key in resolved for name, value in _flat(resolved[key], key)}


def outcome(folder: Path) -> dict[str, float]:
    """The final test's numbers; empty while there was none."""
    record = _record(folder / "result.json")
    return {name: float(record[name]) for name in _FINAL if isinstance(record.get(name), int | float)}


def facts(folder: Path) -> dict[str, str]:
    """What else tells runs apart: what the spec means, versions, the device."""
    record = _record(folder / "environment.json")
    names = ("spec_hash", "specforge", "torch", "device_name", "processes", "started")
    return {name: str(record[name]) for name in names if name in record}


def _flat(value: Any, path: str) -> Iterator[tuple[str, Setting]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}")
    elif isinstance(value, list | tuple) and any(isinstance(inner, Mapping | list | tuple) for inner in value):
        for number, inner in enumerate(value):
            yield from _flat(inner, f"{path}.{number}")
    else:
        yield path, value if isinstance(value, bool | int | float | str) else json.dumps(value)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        return
    for line in lines[:-1]:  # behind the last line end, nothing is complete
        try:
            row = json.loads(line)
        except ValueError:
            return
        if not isinstance(row, dict) or "epoch" not in row:
            return
        yield row


def _record(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _started(folder: Path) -> float:
    try:
        return datetime.fromisoformat(str(_record(folder / "environment.json")["started"])).timestamp()
    except (KeyError, ValueError):
        return 0.0
