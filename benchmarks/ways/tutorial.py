"""The loop of torch's tutorials: a DataLoader with workers, torch's default layout and optimizer, a running loss."""

from benchmarks.cases import Case
from benchmarks.turns import Turns


def run(case: Case, turns: Turns) -> None:
    import torch
    from torch import nn

    from benchmarks.ways import networks
    from benchmarks.ways.device import device, finish
    from benchmarks.ways.pictures import loader

    torch.manual_seed(0)
    module = networks.build(case.spec).to(device())
    optimizer, loss_of = networks.optimizer(case.spec, module, fused=False), nn.CrossEntropyLoss()
    batches = loader(case)
    module.train()
    turns.begin(finish)
    while True:
        running_loss = 0.0
        for images, labels in batches:
            images, labels = images.to(device()), labels.to(device())
            optimizer.zero_grad()
            loss = loss_of(module(images), labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
            turns.step()
        turns.again()
