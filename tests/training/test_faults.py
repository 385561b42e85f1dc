"""Numbers that are not finite, injected into data, layers, loss and gradients of a run."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from specforge.data.batches import Batch, TrainBatches
from specforge.data.randomness import key
from specforge.recipe import Ema
from specforge.spec import Spec
from specforge.training import epochs, learner
from specforge.training.checkpoint import CheckpointStore
from specforge.training.errors import Interrupted, TrainingError
from specforge.training.gate import Gate
from tests.training.experiments import Recorder, experiment, network, train

# epochs and steps from 0
Positions = set[tuple[int, int]]
Injection = Callable[[pytest.MonkeyPatch, nn.Module, Positions, float], None]
POISONS = [float("nan"), float("inf"), float("-inf")]


@pytest.fixture(autouse=True)
def _save_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epochs, "SAVING_SHARE", 1.0)


def _is_at(positions: Positions) -> bool:
    """Where a run stands can be told from the seed of its dropout."""
    return torch.initial_seed() in {key(0, "dropout", *position) for position in positions}


def _poisoned(tensor: Tensor, poison: float) -> Tensor:
    tensor = tensor.clone()
    tensor.view(-1)[0] = poison
    return tensor


def _into_images(monkeypatch: pytest.MonkeyPatch, _: nn.Module, positions: Positions, poison: float) -> None:
    original = TrainBatches.epoch

    def epoch(self: TrainBatches, epoch: int, start_step: int = 0) -> Iterator[Batch]:
        for step, batch in enumerate(original(self, epoch, start_step), start=start_step):
            hit = (epoch, step) in positions
            images = batch.images
            if hit:
                images = images.clone()
                images[5, 0, 1, 1] = poison
            yield replace(batch, images=images) if hit else batch

    monkeypatch.setattr(TrainBatches, "epoch", epoch)


def _into_a_layer(_: pytest.MonkeyPatch, module: nn.Module, positions: Positions, poison: float) -> None:
    def forward_hook(layer: nn.Module, _: Any, output: Tensor) -> Tensor:
        return output.where(torch.tensor(not (layer.training and _is_at(positions))), poison)

    module[4].register_forward_hook(forward_hook)


def _into_the_loss(monkeypatch: pytest.MonkeyPatch, _: nn.Module, positions: Positions, poison: float) -> None:
    original = nn.CrossEntropyLoss.forward

    def forward(self: nn.CrossEntropyLoss, logits: Tensor, labels: Tensor) -> Tensor:
        loss = original(self, logits, labels)
        return loss + poison if logits.requires_grad and _is_at(positions) else loss

    monkeypatch.setattr(nn.CrossEntropyLoss, "forward", forward)


def _into_a_gradient(_: pytest.MonkeyPatch, module: nn.Module, positions: Positions, poison: float) -> None:
    module.get_parameter("6.weight").register_hook(
        lambda gradient: _poisoned(gradient, poison) if _is_at(positions) else gradient
    )


INJECTIONS: dict[str, tuple[Injection, str]] = {
    "images": (_into_images, r"image \d+ of the data set is not finite"),
    "layer": (_into_a_layer, r"the output of `4` is not finite.* holds the images \d+, \d+, \d+, \d+, \d+, … of"),
    "loss": (_into_the_loss, "the loss is not finite"),
    "gradient": (_into_a_gradient, "the gradient of `6.weight` is not finite"),
}


def _spec(on_nan: str, **more: Any) -> Spec:
    spec = experiment()
    assert spec.train is not None
    return spec.model_copy(update={"train": spec.train.model_copy(update={"on_nan": on_nan, **more})})


def _final(folder: Path) -> dict[str, Tensor]:
    return safetensors.torch.load_file(folder / "checkpoints" / "epoch-0003" / "weights.safetensors")


def _lines(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("seconds", "images_per_second")} for line in lines]


def _same_end(one: Path, other: Path) -> None:
    first, second = _final(one), _final(other)
    assert not [name for name in first if not torch.equal(first[name], second[name])]
    assert _lines(one) == _lines(other)


def _injected(kind: str, monkeypatch: pytest.MonkeyPatch, positions: Positions, poison: float) -> nn.Module:
    module = network()
    INJECTIONS[kind][0](monkeypatch, module, positions, poison)
    return module


@pytest.mark.parametrize("poison", POISONS, ids=str)
@pytest.mark.parametrize("at", [(0, 0), (1, 2)], ids=str)
@pytest.mark.parametrize("kind", INJECTIONS)
def test_a_run_stops_and_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, at: tuple[int, int], poison: float
) -> None:
    module = _injected(kind, monkeypatch, {at}, poison)
    with pytest.raises(TrainingError) as caught:
        train(tmp_path / "run", _spec("stop"), module=module)
    epoch, step = at
    assert f"diverged in epoch {epoch + 1}, step {step + 1} of 3: " in caught.value.message
    assert pytest.raises(TrainingError, match=INJECTIONS[kind][1]).matches(caught.value)
    assert all(tensor.isfinite().all() for tensor in module.state_dict().values())
    hint = caught.value.hint or ""
    if epoch == 0:
        assert "there is no checkpoint yet" in hint
        return
    assert "epoch-0001 is good" in hint
    checkpoint = CheckpointStore(tmp_path / "run" / "checkpoints").newest(tell=pytest.fail)
    assert checkpoint is not None
    assert checkpoint.progress.epoch == 1


def test_the_good_checkpoint_goes_on_to_the_end_of_a_clean_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(tmp_path / "whole")
    with monkeypatch.context() as patch, pytest.raises(TrainingError):
        train(tmp_path / "run", module=_injected("images", patch, {(1, 2)}, float("nan")))
    train(tmp_path / "run", resume=True)
    _same_end(tmp_path / "whole", tmp_path / "run")


@pytest.mark.parametrize("kind", INJECTIONS)
@pytest.mark.parametrize("poison", POISONS, ids=str)
def test_a_skipped_step_is_counted_and_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, poison: float
) -> None:
    recorder = Recorder()
    module = _injected(kind, monkeypatch, {(0, 1), (1, 0), (1, 2)}, poison)
    train(tmp_path / "run", _spec("skip", ema=Ema(decay=0.9)), module=module, listener=recorder)
    assert [line.get("skipped") for line in recorder.epochs] == [1, 2, None]
    told = [message for message in recorder.messages if "left out" in message]
    assert [message.partition(",")[0] for message in told] == [
        "epoch 1: left out 1 of 3 steps", "epoch 2: left out 2 of 3 steps",
    ]  # fmt: skip
    assert told[1].endswith(": 1, 3")
    assert all(0 < line["train_loss"] < 10 for line in recorder.epochs)
    assert len(recorder.steps) == 9


def test_a_clean_run_is_the_same_under_every_policy(tmp_path: Path) -> None:
    for policy in ("stop", "skip", "rollback"):
        train(tmp_path / policy, _spec(policy))
        _same_end(tmp_path / "stop", tmp_path / policy)
        assert "skipped" not in _lines(tmp_path / policy)[0]


@pytest.mark.parametrize("kind", INJECTIONS)
def test_going_back_leaves_the_batch_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    positions = {(0, 1), (1, 2)}
    with monkeypatch.context() as patch:
        train(tmp_path / "skip", _spec("skip"), module=_injected(kind, patch, positions, float("nan")))
    recorder = Recorder()
    module = _injected(kind, monkeypatch, positions, float("nan"))
    train(tmp_path / "back", _spec("rollback"), module=module, listener=recorder)
    _same_end(tmp_path / "skip", tmp_path / "back")
    back = [message for message in recorder.messages if "going back to" in message]
    assert [message.partition("going back to ")[2].partition(",")[0] for message in back] == [
        "epoch-0000", "epoch-0001",
    ]  # fmt: skip
    assert [line.get("skipped") for line in recorder.epochs] == [1, 1, None]


def test_going_back_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    positions = {(0, 1), (1, 0), (1, 2), (2, 1)}
    module = _injected("loss", monkeypatch, positions, float("nan"))
    with pytest.raises(TrainingError, match=r"epoch 3, step 2") as caught:
        train(tmp_path / "run", _spec("rollback"), module=module, listener=recorder)
    assert "3 batches were left out already" in (caught.value.hint or "")
    assert len([message for message in recorder.messages if "going back" in message]) == 3


def _as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate decides, and the host reads later."""
    monkeypatch.setattr(learner, "Gate", lambda *args, **options: Gate(*args, **options, waits=False))


def _interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(("policy", "waits"), [("skip", True), ("skip", False), ("rollback", True)])
@pytest.mark.parametrize("at", [(1, 3), (2, 1), (2, 2), (3, 1)], ids=str)
def test_a_resumed_run_is_the_same_after_skips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, waits: bool, at: tuple[int, int]
) -> None:
    if not waits:
        _as_on_a_gpu(monkeypatch)
    positions = {(0, 1), (1, 0)}
    for folder, interruption in (("whole", None), ("stopped", at)):
        recorder = Recorder(at={} if interruption is None else {interruption: _interrupt})
        with monkeypatch.context() as patch:
            module = _injected("loss", patch, positions, float("nan"))
            if interruption is None:
                train(tmp_path / folder, _spec(policy), module=module)
                continue
            with pytest.raises(Interrupted):
                train(tmp_path / folder, _spec(policy), module=module, listener=recorder)
        with monkeypatch.context() as patch:
            module = _injected("loss", patch, positions, float("nan"))
            train(tmp_path / folder, _spec(policy), module=module, resume=True)
    _same_end(tmp_path / "whole", tmp_path / "stopped")
    assert [line.get("skipped") for line in _lines(tmp_path / "stopped")] == [1, 1, None]


def test_an_epoch_of_nothing_but_skips_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = _injected("layer", monkeypatch, {(1, 0), (1, 1), (1, 2)}, float("nan"))
    with pytest.raises(TrainingError, match=r"epoch 2, .*the output of `4`"):
        train(tmp_path / "run", _spec("skip"), module=module)


def test_a_fault_that_does_not_come_again_is_called_that(tmp_path: Path) -> None:
    module, calls = network(), iter(range(100))
    module.get_parameter("6.weight").register_hook(lambda gradient: gradient / 0 if next(calls) == 4 else gradient)
    with pytest.raises(TrainingError, match=r"epoch 2, step 2 .*finite when the step was computed again"):
        train(tmp_path / "run", _spec("stop"), module=module)


@pytest.mark.parametrize("policy", ["stop", "rollback"])
def test_without_waiting_the_epochs_end_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str) -> None:
    _as_on_a_gpu(monkeypatch)
    recorder = Recorder()
    module = _injected("layer", monkeypatch, {(1, 1)}, float("nan"))
    if policy == "stop":
        with pytest.raises(TrainingError, match=r"epoch 2, step 2 of 3: the output of `4`"):
            train(tmp_path / "run", _spec(policy), module=module, listener=recorder)
        assert len(recorder.steps) == 6, "the epoch went on, with the gate closed"
        return
    train(tmp_path / "run", _spec(policy), module=module, listener=recorder)
    assert [line.get("skipped") for line in recorder.epochs] == [None, 1, None]
    with monkeypatch.context() as patch:
        patch.setattr(learner, "Gate", Gate)
        other = _injected("layer", patch, {(1, 1)}, float("nan"))
        train(tmp_path / "cpu", _spec(policy), module=other)
    _same_end(tmp_path / "cpu", tmp_path / "run")


def test_a_closed_gate_is_not_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt on a GPU before the host has heard of the fault."""
    _as_on_a_gpu(monkeypatch)
    recorder = Recorder(at={(2, 2): _interrupt})
    module = _injected("loss", monkeypatch, {(1, 0)}, float("nan"))
    with pytest.raises(Interrupted):
        train(tmp_path / "run", _spec("stop"), module=module, listener=recorder)
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["epoch-0001"]
    assert "diverged" in recorder.messages[-1]
