"""specforge's data path alone: the batches that a run trains on, and nothing done with them."""

from itertools import count
from pathlib import Path

from benchmarks.cases import Case
from benchmarks.turns import Turns


def run(case: Case, turns: Turns) -> None:
    from specforge.analysis import analyse

    spec, _ = analyse(case.path, case.settings()).require()
    assert spec.data is not None

    from benchmarks.ways.device import device, finish
    from specforge.data.batches import train_batches
    from specforge.data.prepare import prepare

    prepared = prepare(spec.data, data_dir=Path("data"), device=device())
    batches = train_batches(spec.data, prepared, batch_size=case.batch, seed=0)
    turns.begin(finish)
    for epoch in count():
        for _ in batches.epoch(epoch):
            turns.step()
        turns.again()
