"""What torch keeps and takes in training: measured on the CPU, to hold estimates against."""

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.profiler import ProfilerActivity, profile

from specforge.data.batches import Batch
from specforge.graph import Graph, plan, weights_of
from specforge.recipe import Train
from specforge.torch_backend import build
from specforge.training.learner import Elapsed, Learner


def kept_bytes(graph: Graph) -> float:
    """What autograd keeps for one more image, in storages that are not the module's own; views share theirs."""
    module = build(graph, seed=0).train()
    few, many = 2, 6
    return (_saved(module, graph, many) - _saved(module, graph, few)) / (many - few)


def _saved(module: nn.Module, graph: Graph, batch_size: int) -> int:
    saved: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        result = module(torch.rand(batch_size, *graph.input))
    own = {tensor.untyped_storage().data_ptr() for tensor in [*module.parameters(), *module.buffers()]}
    assert result is not None, "what is saved lives as long as the result"
    return sum(size for storage, size in saved.items() if storage not in own)


def peak_bytes(graph: Graph, train: Train, batch_size: int) -> int:
    """The most that torch's allocator held during the third step, as the trainer takes it.

    The profiler notes every allocation and release; what the allocator does not know, such as oneDNN's workspaces, is
    not in it. What was there before the step is counted by storages.
    """
    learner = Learner(build(graph, seed=0), train, device=torch.device("cpu"), class_counts=())
    learner.begin_stage(plan(train, weights_of(graph))[0])
    learner.begin_epoch(Elapsed(0, 0, train.total_epochs), steps=3)
    images = torch.rand(batch_size, *graph.input).to(memory_format=torch.channels_last)
    labels = torch.randint(graph.output[-1], (batch_size,))
    batch = Batch(images, labels, labels)
    for step in range(2):
        learner.learn(batch, epoch=0, step=step)
    learner.module.zero_grad(set_to_none=True)
    entries = [value for part in learner.optimizers for state in part.state.values() for value in state.values()]
    there = [images, labels, *learner.module.state_dict().values(), *(e for e in entries if isinstance(e, Tensor))]
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        learner.learn(batch, epoch=0, step=2)
    live = peak = sum({t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in there}.values())
    assert profiler.profiler is not None
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]":
            live += event.nbytes()
            peak = max(peak, live)
    return peak
