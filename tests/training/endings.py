"""Whether two runs ended in the same state, but for what a clock says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from specforge.training.checkpoint import CheckpointStore

_CLOCKS = ("seconds", "images_per_second", "started")
# what depends on clocks, or on how often a run was taken up again; drawings are made of the rest
_OWN = frozenset({"environment.json", "checksums.json", "metrics.jsonl", "result.json"})


def differences(whole: Path, other: Path) -> list[str]:
    """What is not the same; empty when nothing is. Older checkpoints that one run has kept do not matter."""
    return [*_files(whole, other), *_newest(whole, other)]


def leftovers(run: Path) -> list[str]:
    """What was half written, or half removed."""
    return [str(path.relative_to(run)) for path in run.rglob("*.partial")]


def metrics(run: Path) -> list[dict[str, Any]]:
    """The lines of a run without what a clock says."""
    return [_without_clocks(json.loads(line)) for line in (run / "metrics.jsonl").read_text().splitlines()]


def _files(whole: Path, other: Path) -> Iterator[str]:
    if metrics(whole) != metrics(other):
        yield f"metrics.jsonl: {metrics(whole)} and {metrics(other)}"
    results = [_without_clocks(json.loads((run / "result.json").read_bytes())) for run in (whole, other)]
    if results[0] != results[1]:
        yield f"result.json: {results[0]} and {results[1]}"
    threads = [json.loads((run / "environment.json").read_bytes())["threads"] for run in (whole, other)]
    if threads[0] != threads[1]:
        yield f"threads: {threads[0]} and {threads[1]}"
    names = {path.name for run in (whole, other) for path in run.iterdir() if path.is_file()}
    for name in sorted(name for name in names - _OWN if not name.startswith(".")):
        contents = [(run / name).read_bytes() if (run / name).is_file() else None for run in (whole, other)]
        if contents[0] != contents[1]:
            yield name


def _newest(whole: Path, other: Path) -> Iterator[str]:
    """Weights, averages, optimizers and progress of the last checkpoint, byte for byte."""
    stores = [CheckpointStore(run / "checkpoints") for run in (whole, other)]
    last = [store.names()[-1] for store in stores]
    if last[0] != last[1]:
        yield f"the last checkpoint: {last[0]} and {last[1]}"
        return
    names = {path.name for store in stores for path in (store.folder / last[0]).iterdir()}
    for name in sorted(names - {"manifest.json", "progress.json"}):
        if (stores[0].folder / last[0] / name).read_bytes() != (stores[1].folder / last[0] / name).read_bytes():
            yield f"{last[0]}/{name}"
    positions = [json.loads((store.folder / last[0] / "progress.json").read_bytes()) for store in stores]
    if _without_clocks(positions[0]) != _without_clocks(positions[1]):
        yield f"progress.json: {positions[0]} and {positions[1]}"


def _without_clocks(record: Any) -> Any:
    if isinstance(record, dict):
        return {key: _without_clocks(value) for key, value in record.items() if key not in _CLOCKS}
    return [_without_clocks(entry) for entry in record] if isinstance(record, list) else record
