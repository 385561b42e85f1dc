"""Every checked-in recipe runs: for an epoch, or as few as it can do with, on a few generated images."""

import json
from math import isfinite
from pathlib import Path
from typing import Any

import pytest

import specforge
from specforge.analysis import analyse
from specforge.graph import Graph
from specforge.resolved import resolve
from specforge.spec import Spec

SPECS = Path(__file__).parents[2] / "specs"
FILES = [path for path in sorted(SPECS.rglob("*.yaml")) if path.parent.name not in ("bases", "zoo")]
KEPT = ("specforge", "name", "model", "data", "train")
# So many images are trained that a network costs seconds: all of them where it is small.
MOST, FEWEST, MULTIPLY_ACCUMULATES = 128, 16, 6e9
CYCLES = 2
# The learning-rate finder takes a hundred steps: of small batches, and too many for a larger network.
MOST_TO_FIND = 5e7


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_one_epoch(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = analyse(path)
    if found.is_partial and not found.findings.has_errors:
        pytest.skip("a base")
    spec, graph = found.require()
    if spec.data is None or spec.train is None:
        pytest.skip("a network alone")
    # pictures of the curves take longer than these trainings, and published weights would have to be fetched
    monkeypatch.setattr("specforge.experiment.write_reports", lambda folder, *_: folder / "report.html")
    monkeypatch.setattr("specforge.torch_backend.load_pretrained", lambda *_, **__: None)
    file = tmp_path / "short.yaml"
    short = shortened(spec, graph)
    file.write_text(json.dumps(short), encoding="utf-8")

    run = specforge.train(file, out=tmp_path / "run", device="cpu")

    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert len(lines) == sum(recipe["epochs"] for recipe in short["train"].get("stages", [short["train"]]))
    assert all(isfinite(line["train_loss"]) for line in lines)
    assert isfinite(run.result.test_loss)
    assert run.result.parameters == graph.total_parameters
    assert len(run.result.per_class) == graph.output[0]


def shortened(spec: Spec, graph: Graph) -> dict[str, Any]:
    """The same network and recipe for a few generated images of the same shape, with the fewest epochs."""
    resolved = {key: value for key, value in resolve(spec).items() if key in KEPT}
    resolved["data"]["dataset"] = {
        "synthetic": {
            "image": list(graph.input),
            "classes": graph.output[0],
            "train": max(FEWEST, min(MOST, int(MULTIPLY_ACCUMULATES / graph.macs))),
            "test": FEWEST,
        }
    }
    train = resolved["train"]
    train.pop("epochs", None)
    for optimizer in train["optimizer"].values() if isinstance(train["optimizer"], dict) else ():
        if optimizer.get("lr") == "find":
            train["batch_size"] = FEWEST
            optimizer["lr"] = "find" if graph.macs <= MOST_TO_FIND else 1e-2
    for recipe in train.get("stages", [train]):
        # a stage that says nothing of its schedule has that of the recipe
        schedules = [
            {**train, **recipe}.get("schedule"),
            *(group.get("schedule") for group in recipe.get("groups", ())),
        ]
        recipe["epochs"] = max(map(shortest, schedules))
    if "snapshots" in train:
        train["snapshots"]["cycles"] = train["epochs"] = CYCLES
    return resolved


def shortest(schedule: Any) -> int:
    """Shorten what may not outlast the run; returns how many epochs the schedule then needs."""
    if not isinstance(schedule, dict):
        return 1
    ((word, arguments),) = schedule.items()
    if word == "warmup":
        arguments["epochs"] = 1
        return 1 + shortest(arguments.get("schedule"))
    if word == "multi_step":
        arguments["milestones"] = [1]
        return 2
    return 1
