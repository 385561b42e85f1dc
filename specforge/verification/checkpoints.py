"""The checkpoints of a run -> what is wrong with each, and what the newest whole one remembers of the epochs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specforge.shapes import Shape, spelled
from specforge.training.manifest import MANIFEST, Damage, Sum, read, sums
from specforge.training.parsing import parsed
from specforge.verification.findings import Finding
from specforge.verification.tensors import read_shapes

FOLDER = "checkpoints"
_NAME = re.compile(r"epoch-(\d+)(?:-step-(\d+))?")
_WEIGHTS, _AVERAGES, _OPTIMIZER, _PROGRESS = (
    "weights.safetensors", "averages.safetensors", "optimizer.safetensors", "progress.json",
)  # fmt: skip
_NEEDED = (_WEIGHTS, _OPTIMIZER, _PROGRESS)


@dataclass(frozen=True, slots=True)
class Memory:
    """What a whole checkpoint knows of the epochs before it."""

    name: str
    history: Sequence[Mapping[str, Any]]


def check_checkpoints(run: Path, state: Mapping[str, Shape] | None) -> tuple[list[Finding], Memory | None]:
    """All checkpoints, the oldest first; `state` are the tensors of the network, None where it is not known."""
    folder = run / FOLDER
    found: list[Finding] = []
    memory: Memory | None = None
    for path in _in_order(folder):
        name, findings = f"{FOLDER}/{path.name}", []
        try:
            findings = list(_check(path, state))
        except Damage as damage:
            findings = [Finding(f"{name}/{MANIFEST}", "damaged", damage.problem)]
        if not path.is_dir():  # a run in progress has removed it meanwhile
            continue
        found += findings
        if all(each.state == "intact" for each in findings):
            memory = Memory(path.name, parsed(read(path / _PROGRESS))["history"])
    aside = sorted(path.name for path in folder.glob("damaged-*")) if folder.is_dir() else []
    found += [
        Finding(f"{FOLDER}/{name}", "note", "was damaged, and set aside when the run was resumed") for name in aside
    ]
    return found, memory


def _in_order(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    found = [(match, path) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found, key=lambda pair: (int(pair[0][1]), int(pair[0][2] or 0)))]


def _check(path: Path, state: Mapping[str, Shape] | None) -> Iterator[Finding]:
    listed = sums(path)
    for name in _NEEDED:
        if name not in listed:
            raise Damage.of(path / MANIFEST, f"is damaged: it does not list {name}")
    yield Finding(f"{FOLDER}/{path.name}/{MANIFEST}", "intact")
    for name, expected in listed.items():
        problem = _problem(path / name, expected, state)
        shown = f"{FOLDER}/{path.name}/{name}"
        yield Finding(shown, "intact") if problem is None else Finding(shown, "damaged", problem)


def _problem(file: Path, expected: Sum, state: Mapping[str, Shape] | None) -> str | None:
    if not file.exists():
        return "is missing"
    if not file.is_file():
        return "is damaged: it is not a file"
    try:
        problem = expected.misses(Sum.of_file(file))
        if problem is None:
            problem = _content(file, state)
            problem = problem and f"is damaged: {problem}"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except ValueError as error:
        return f"is damaged: {error}"
    return problem


def _content(file: Path, state: Mapping[str, Shape] | None) -> str | None:
    """What is wrong with a file that is as it was written."""
    if file.name == _PROGRESS:
        return _progress(parsed(file.read_bytes()), file.parent.name)
    if file.suffix != ".safetensors":
        return None
    shapes = read_shapes(file)
    if state is None:
        return None
    return _moments(shapes, state) if file.name == _OPTIMIZER else _misfit(shapes, state)


def _progress(record: Any, name: str) -> str | None:
    match = _NAME.fullmatch(name)
    assert match is not None
    if not isinstance(record, dict) or not isinstance(record.get("history"), list):
        return "it has no history"
    if (record.get("epoch"), record.get("step")) != (int(match[1]), int(match[2] or 0)):
        return "it is of another checkpoint"
    if len(record["history"]) != record["epoch"]:
        return f"it has the metrics of {len(record['history'])} epochs, not {record['epoch']}"
    return None


def _misfit(shapes: Mapping[str, Shape], state: Mapping[str, Shape]) -> str | None:
    """Where a file's tensors are not those of the network."""
    for name, shape in state.items():
        if name not in shapes:
            return f"the network's `{name}` is not in it"
        if shapes[name] != shape:
            return f"`{name}` is {spelled(shapes[name])}, the network's is {spelled(shape)}"
    unknown = next((name for name in shapes if name not in state), None)
    return None if unknown is None else f"the network has no `{unknown}`"


def _moments(shapes: Mapping[str, Shape], state: Mapping[str, Shape]) -> str | None:
    """Where an optimizer remembers something of a tensor that the network does not have."""
    for name in shapes:
        parameter = name.removeprefix("optimizer.").rpartition(".")[0]
        if parameter not in state:
            return f"the network has no `{parameter}`"
    return None
