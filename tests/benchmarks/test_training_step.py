"""The network that the benchmark writes by hand is the one that the spec compiles to."""

import torch

from benchmarks.training_step import BATCH, SPEC, by_hand
from specforge.analysis import analyse
from specforge.torch_backend import build


def test_both_sides_compute_the_same() -> None:
    spec, graph = analyse(SPEC).require()
    compiled = build(graph, seed=0)
    loop = by_hand(torch.device("cpu"), compiled)
    with torch.no_grad():
        expected = compiled.eval()(loop.images)
        assert torch.equal(loop.module.eval()(loop.images), expected)
    assert spec.train is not None
    assert spec.train.batch_size == BATCH
    assert spec.train.optimizer.model_dump() == {
        "lr": loop.optimizer.defaults["lr"],
        "betas": loop.optimizer.defaults["betas"],
        "eps": loop.optimizer.defaults["eps"],
        "weight_decay": loop.optimizer.defaults["weight_decay"],
        "amsgrad": loop.optimizer.defaults["amsgrad"],
    }
