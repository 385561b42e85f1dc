"""How building a network, and the report of a run, grow: with the layers of the one, with the classes of the other.

Times are the processor's, in milliseconds, in a process of their own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from benchmarks.cases import ROOT
from benchmarks.comparison import Comparison, interleave
from benchmarks.scale import flat

FEW, MANY = 100, 1_000
FEW_CLASSES, MANY_CLASSES = 10, 100
# tenfold layers, tenfold classes, and a tenth more
MAX_GROWTH = 11.0
CLASSIFIER = """\
specforge: 1
name: {classes} classes
model:
  input: [1, 8, 8]
  layers: [flatten, linear: {classes}]
data:
  dataset: {{synthetic: {{image: [1, 8, 8], classes: {classes}, train: 1000, test: 1000}}}}
train: {{epochs: 1, batch_size: 100, optimizer: {{adam: 1e-3}}, loss: cross_entropy}}
"""


def compare(*, quick: bool = False) -> list[Comparison]:
    """Ten times the layers, ten times the classes."""
    command = [sys.executable, "-m", "benchmarks.building", str(3 if quick else 9)]
    with TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    measured: dict[str, list[float]] = json.loads(done.stdout)
    layers, report = (f"building {MANY:,} layers against {FEW}", f"a report of {MANY_CLASSES} classes, {FEW_CLASSES}")
    return [
        Comparison(layers, measured["many layers"], measured["few layers"], "ms", MAX_GROWTH),
        Comparison(report, measured["many classes"], measured["few classes"], "ms", MAX_GROWTH),
    ]


def _measure(rounds: int) -> dict[str, list[float]]:
    """In the child, in a folder where it may write."""
    sides: dict[str, Callable[[], object]] = {
        "few layers": _building(FEW),
        "many layers": _building(MANY),
        "few classes": _reporting(FEW_CLASSES),
        "many classes": _reporting(MANY_CLASSES),
    }
    return interleave({name: partial(_milliseconds, side) for name, side in sides.items()}, rounds=rounds)


def _building(layers: int) -> Callable[[], object]:
    """What makes a module of a graph that was proven before."""
    from specforge.analysis import analyse
    from specforge.torch_backend import build

    file = Path(f"{layers} layers.yaml")
    file.write_text(flat(layers), encoding="utf-8")
    _, graph = analyse(file).require()
    return partial(build, graph, seed=0)


def _reporting(classes: int) -> Callable[[], object]:
    """What draws and writes the report of a run that is trained here."""
    import specforge
    from specforge.analysis import analyse
    from specforge.experiment import write_reports

    file = Path(f"{classes} classes.yaml")
    file.write_text(CLASSIFIER.format(classes=classes), encoding="utf-8")
    spec, graph = analyse(file).require()
    run = specforge.train(file, out=Path(f"run of {classes}"), device="cpu")
    return partial(write_reports, run.path, spec, graph)


def _milliseconds(side: Callable[[], object]) -> float:
    began = process_time()
    side()
    return 1000 * (process_time() - began)


if __name__ == "__main__":
    print(json.dumps(_measure(int(sys.argv[1]))))
