"""Memory that runs out, injected into the forward pass for more than so many images."""

import json
import os
import signal
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from specforge.catalog.losses.cross_entropy import CrossEntropy
from specforge.catalog.optimizers.sgd import Sgd
from specforge.data.batches import Batch
from specforge.data.mixing import Mixed
from specforge.modules import StochasticDepth, Wired
from specforge.recipe import GradientClipping
from specforge.training.errors import Interrupted, TrainingError
from specforge.training.learner import Elapsed, Learner
from specforge.training.microbatches import is_out_of_memory, memory_is_told, needs_whole_batch
from tests.training.experiments import CPU, Recorder, experiment, network, plans_for, stage, staged, train

ERRORS: dict[str, Exception] = {
    "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "cpu": RuntimeError("[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory: 8 bytes"),
    "mps": RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB)"),
    "python": MemoryError(),
}


class Memory(nn.Module):
    """The identity, until there are more images than fit, or their gradients do not."""

    def __init__(self, error: Exception, *, fits: int = 10**9, backward: bool = False):
        super().__init__()
        self.error, self.fits, self.backward, self.seen = error, fits, backward, [0]

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        if len(x) > self.fits and not self.backward:
            raise self.error
        if x.requires_grad and len(x) > self.fits:
            x.register_hook(self._fail)
        self.seen.append(len(x))
        return x

    def _fail(self, _: Tensor) -> None:
        raise self.error


def per_image(memory: Memory) -> nn.Module:
    """No layer in it looks at more than one image."""
    torch.manual_seed(5)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.ReLU(), memory,
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 4),
    )  # fmt: skip


def branched(memory: Memory) -> nn.Module:
    torch.manual_seed(5)
    return Wired(
        OrderedDict(
            body=nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), memory, nn.Flatten()),
            early=nn.Linear(144, 4), late=nn.Sequential(nn.Linear(144, 16), nn.ReLU(), nn.Linear(16, 4)),
        ),
        program=(("body", (0,), 1), ("early", (1,), 2), ("late", (1,), 3)),
        output=3,
        heads=(("early", 2, 0.3),),
    )  # fmt: skip


def learner_of(module: nn.Module, told: list[str] | None = None, **recipe: Any) -> Learner:
    spec = experiment(optimizer=Sgd(lr=0.1))
    assert spec.train is not None
    spec = spec.model_copy(update={"train": spec.train.model_copy(update=recipe)})
    assert spec.train is not None
    tell = (lambda _: None) if told is None else told.append
    learner = Learner(module, spec.train, device=CPU, class_counts=(1, 5, 2, 3), tell=tell)
    learner.begin_stage(plans_for(spec, module)[0])
    learner.begin_epoch(Elapsed(0, 0, 3), steps=4)
    return learner


def batch_of(count: int = 16, *, is_mixed: bool = False) -> Batch:
    generator = torch.Generator().manual_seed(3)
    images = torch.randn(count, 3, 8, 8, generator=generator).to(memory_format=torch.channels_last)
    labels = torch.randint(4, (count,), generator=generator)
    mixed = Mixed(labels.roll(1), torch.tensor(0.3)) if is_mixed else None
    return Batch(images, labels, torch.arange(count), mixed)


RECIPES: dict[str, dict[str, Any]] = {
    "plain": {},
    "smoothed": {"loss": CrossEntropy(label_smoothing=0.1)},
    "weighted": {"loss": CrossEntropy(label_smoothing=0.2, class_weights="balanced")},
    "l2": {"l2": 1e-2},
    "clipped": {"gradient_clipping": GradientClipping(norm=0.05), "l2": 1e-2},
    "cut_off": {"gradient_clipping": GradientClipping(value=0.01)},
}


@pytest.mark.parametrize("is_mixed", [False, True], ids=["", "mixed"])
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("make", [per_image, branched])
@pytest.mark.parametrize(("fits", "backward"), [(15, False), (5, True), (1, False)])
def test_parts_have_the_gradients_of_the_whole(
    make: Any, recipe: dict[str, Any], is_mixed: bool, fits: int, backward: bool
) -> None:
    whole, parts = (
        learner_of(make(Memory(MemoryError())), **recipe),
        learner_of(make(Memory(MemoryError(), fits=fits, backward=backward)), **recipe),
    )
    batch = batch_of(is_mixed=is_mixed)
    found = [learner.learn(batch, epoch=0, step=0) for learner in (whole, parts)]
    assert whole.micro_batches.limit is None
    assert parts.micro_batches.limit is not None
    assert parts.micro_batches.limit <= fits
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
    for (name, one), other in zip(whole.module.named_parameters(), parts.module.parameters(), strict=True):
        assert one.grad is not None
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-5, atol=1e-6, msg=name)
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6, msg=name)


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_it_is_told_once_how_many_images_are_computed_at_once(error: Exception, backward: bool) -> None:
    told: list[str] = []
    memory = Memory(error, fits=5, backward=backward)
    learner = learner_of(per_image(memory), told)
    for step in range(3):
        learner.learn(batch_of(), epoch=0, step=step)
    assert memory.seen[-4:] == [4, 4, 4, 4]
    assert len(told) == 1
    assert told[0].startswith("out of memory with 16 images at once: from here on a step computes 4 at a time")


def test_other_errors_stay_what_they_are() -> None:
    memory = Memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"), fits=5)
    with pytest.raises(RuntimeError, match="shapes"):
        learner_of(per_image(memory)).learn(batch_of(), epoch=0, step=0)


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_batch_statistics_end_the_run_with_what_fits(tmp_path: Path, error: Exception) -> None:
    module = network()
    module[2] = Memory(error, fits=6)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    with pytest.raises(TrainingError, match=r"a batch of 16 images does not fit .* `1` normalises") as caught:
        train(tmp_path / "run", module=module)
    assert "`batch_size: 4`" in (caught.value.hint or "")
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


def test_a_later_epoch_keeps_its_checkpoints(tmp_path: Path) -> None:
    module, memory = network(), Memory(MemoryError())
    module[2] = memory
    recorder = Recorder(at={(2, 1): lambda: setattr(memory, "fits", 8)})
    with pytest.raises(TrainingError, match=r"normalises") as caught:
        train(tmp_path / "run", module=module, listener=recorder)
    assert "`batch_size: 8`" in (caught.value.hint or "")
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["epoch-0001"]


@pytest.mark.parametrize("fits", [0, 1])
def test_where_nothing_fits_it_says_so(fits: int) -> None:
    module = network()
    module[2] = Memory(MemoryError(), fits=fits)
    with pytest.raises(TrainingError) as caught:
        learner_of(module).learn(batch_of(), epoch=0, step=0)
    assert "smaller" in (caught.value.hint or "")
    with pytest.raises(TrainingError, match="a single image"):
        learner_of(per_image(Memory(MemoryError(), fits=0))).learn(batch_of(), epoch=0, step=0)


def test_what_looks_at_the_whole_batch_is_found() -> None:
    loss = nn.CrossEntropyLoss()
    assert needs_whole_batch(nn.Sequential(nn.Conv2d(3, 8, 3), nn.InstanceNorm2d(8), nn.Dropout()), loss) is None
    assert "`0`" in (needs_whole_batch(nn.Sequential(nn.BatchNorm2d(8)), loss) or "")
    assert needs_whole_batch(nn.Sequential(nn.BatchNorm2d(8)).eval(), loss) is None
    assert needs_whole_batch(nn.Sequential(nn.BatchNorm2d(8, track_running_stats=False)).eval(), loss) is not None
    assert needs_whole_batch(nn.Sequential(nn.InstanceNorm2d(8, track_running_stats=True)), loss) is not None
    assert needs_whole_batch(nn.Sequential(StochasticDepth(0.5, "batch")), loss) is not None
    assert needs_whole_batch(nn.Sequential(StochasticDepth(0.5)), loss) is None
    assert needs_whole_batch(nn.Identity(), nn.MSELoss()) is not None


def _interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def _metrics(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("seconds", "images_per_second")} for line in lines]


def test_a_run_in_parts_ends_where_the_whole_does_and_resumes_bit_for_bit(tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("fits", "parts", "stopped")}
    spec = experiment(optimizer=Sgd(lr=0.05, momentum=0.9))
    train(folders["fits"], spec, module=per_image(Memory(MemoryError())))
    for name in ("parts", "stopped"):
        memory = Memory(MemoryError())

        def shrink(memory: Memory = memory) -> None:
            memory.fits = 6

        at = {(1, 2): shrink} if name == "parts" else {(1, 2): shrink, (2, 1): _interrupt}
        recorder = Recorder(at=at)
        if name == "parts":
            train(folders[name], spec, module=per_image(memory), listener=recorder)
            assert any("computes 4 at a time" in message for message in recorder.messages)
            continue
        with pytest.raises(Interrupted):
            train(folders[name], spec, module=per_image(memory), listener=recorder)
        train(folders[name], spec, module=per_image(Memory(MemoryError())), resume=True)
    weights = {
        name: safetensors.torch.load_file(folder / "checkpoints" / "epoch-0003" / "weights.safetensors")
        for name, folder in folders.items()
    }
    assert all(torch.equal(weights["parts"][name], weights["stopped"][name]) for name in weights["parts"])
    assert _metrics(folders["parts"]) == _metrics(folders["stopped"])
    for name, tensor in weights["fits"].items():
        torch.testing.assert_close(weights["parts"][name], tensor, rtol=1e-3, atol=1e-5)


def test_every_stage_finds_its_own_parts(tmp_path: Path) -> None:
    """With a frozen batch norm parts are the same as the whole; once it trains, they are not."""
    module, recorder = network(), Recorder()
    module[2] = Memory(MemoryError(), fits=8)
    stages = (stage(1, freeze=("1",)), stage(1, unfreeze="all"))
    with pytest.raises(TrainingError, match="`1` normalises"):
        train(tmp_path / "run", staged(*stages), module=module, listener=recorder)
    assert any("computes 8 at a time" in message for message in recorder.messages)
    assert [line["stage"] for line in recorder.epochs] == [1]


def test_dropout_begins_anew_with_every_try() -> None:
    def learned(fits: int) -> Learner:
        module = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), Memory(MemoryError(), fits=fits), nn.Linear(192, 4))
        return learner_of(module)

    tried, known = learned(4), learned(4)
    known.micro_batches.limit = 4
    for learner in (tried, known):
        learner.module.get_parameter("3.weight").data.fill_(0.1)
        learner.module.get_parameter("3.bias").data.zero_()
        learner.learn(batch_of(), epoch=0, step=0)
    assert torch.equal(tried.module.get_parameter("3.weight"), known.module.get_parameter("3.weight"))


def test_memory_that_runs_out_elsewhere_is_no_traceback() -> None:
    for error in ERRORS.values():
        assert is_out_of_memory(error)
        with pytest.raises(TrainingError, match="used up") as caught, memory_is_told():
            raise error
        assert caught.value.hint
    with pytest.raises(RuntimeError, match="other"), memory_is_told():
        raise RuntimeError("other")
