"""The loop that somebody who knows torch tunes by hand: no data to load, channels last, a fused optimizer, no metrics.

One batch of normalised images lies ready in memory and is trained on again and again. A real run cannot do so: it is
what is left of training when everything around the step is taken away.
"""

from benchmarks.cases import CLASSES, IMAGE, Case
from benchmarks.turns import Turns


def run(case: Case, turns: Turns) -> None:
    import torch
    from torch import nn

    from benchmarks.ways import networks
    from benchmarks.ways.device import device, finish

    torch.manual_seed(0)
    module = networks.build(case.spec).to(device()).to(memory_format=torch.channels_last)
    optimizer, loss_of = networks.optimizer(case.spec, module, fused=True), nn.CrossEntropyLoss()
    images = torch.randn(case.batch, *IMAGE).to(device(), memory_format=torch.channels_last)
    labels = torch.randint(CLASSES, (case.batch,)).to(device())
    module.train()
    turns.begin(finish)
    while True:
        optimizer.zero_grad(set_to_none=True)
        loss_of(module(images), labels).backward()
        optimizer.step()
        turns.step()
