"""A run that was stopped, by whatever, ends as if it had not been. Real deaths are in `test_kills.py`."""

import json
import os
import signal
from pathlib import Path

import pytest
import torch

from specforge.catalog.definition import Optimizer
from specforge.catalog.optimizers.adam import Adam
from specforge.catalog.optimizers.rmsprop import Rmsprop
from specforge.catalog.optimizers.sgd import Sgd
from specforge.catalog.schedules.cosine import Cosine
from specforge.training import epochs
from specforge.training.errors import Interrupted, TrainingError
from specforge.training.trainer import fit
from tests.training.endings import differences
from tests.training.experiments import CPU, Recorder, experiment, network, plans_for, prepared_for, run_in, train

OPTIMIZERS = {
    "adam": Adam(lr=1e-2, weight_decay=1e-3),
    "sgd": Sgd(lr=1e-2),
    "momentum": Sgd(lr=1e-2, momentum=0.9, nesterov=True),
    "rmsprop": Rmsprop(lr=1e-3, momentum=0.5, centered=True),
}


@pytest.fixture(autouse=True)
def _save_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epochs, "SAVING_SHARE", 1.0)


def _interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def _same_end(one: Path, other: Path) -> None:
    assert differences(one, other) == []


@pytest.mark.parametrize("at", [(1, 1), (2, 2), (2, 3), (3, 3)], ids=str)
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_interrupted_and_resumed_is_bit_identical(tmp_path: Path, optimizer: Optimizer, at: tuple[int, int]) -> None:
    spec = experiment(optimizer=optimizer, schedule=Cosine(), checkpoint="best_validation_loss")
    whole = train(tmp_path / "whole", spec)
    with pytest.raises(Interrupted) as caught:
        train(tmp_path / "stopped", spec, listener=Recorder(at={at: _interrupt}))
    assert caught.value.exit_code == 130
    torch.manual_seed(1234)
    recorder = Recorder()
    resumed = train(tmp_path / "stopped", spec, resume=True, listener=recorder)
    epoch, step = at
    assert recorder.started == [(3, 3, epoch - 1, step)], "exactly where it stopped"
    _same_end(tmp_path / "whole", tmp_path / "stopped")
    assert (resumed.test_loss, resumed.tested_epoch) == (whole.test_loss, whole.tested_epoch)


def test_interrupted_twice(tmp_path: Path) -> None:
    train(tmp_path / "whole")
    for at in ((1, 2), (2, 1)):
        with pytest.raises(Interrupted):
            train(tmp_path / "stopped", resume=True, listener=Recorder(at={at: _interrupt}))
    train(tmp_path / "stopped", resume=True)
    _same_end(tmp_path / "whole", tmp_path / "stopped")


def test_an_interrupt_during_the_final_test_leaves_nothing_to_train(tmp_path: Path) -> None:
    spec = experiment(validation=None)
    train(tmp_path / "whole", spec)
    with pytest.raises(Interrupted):
        train(tmp_path / "stopped", spec, listener=Recorder(at={(3, 4): _interrupt}))
    recorder = Recorder()
    train(tmp_path / "stopped", spec, resume=True, listener=recorder)
    assert recorder.steps == []
    _same_end(tmp_path / "whole", tmp_path / "stopped")


class _Killed(BaseException):
    """Stands for a death that nothing can react to."""


def _die() -> None:
    raise _Killed


@pytest.mark.parametrize("at", [(1, 2), (2, 1), (3, 3)], ids=str)
def test_killed_without_warning(tmp_path: Path, at: tuple[int, int]) -> None:
    train(tmp_path / "whole")
    with pytest.raises(_Killed):
        train(tmp_path / "killed", listener=Recorder(at={at: _die}))
    recorder = Recorder()
    train(tmp_path / "killed", resume=True, listener=recorder)
    assert recorder.started[0][2:] == (at[0] - 1, 0), "from the last complete epoch"
    _same_end(tmp_path / "whole", tmp_path / "killed")


def test_damaged_checkpoints_are_passed_over(tmp_path: Path) -> None:
    train(tmp_path / "whole")
    with pytest.raises(_Killed):
        train(tmp_path / "run", listener=Recorder(at={(3, 1): _die}))
    damaged = tmp_path / "run" / "checkpoints" / "epoch-0002" / "optimizer.safetensors"
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    recorder = Recorder()
    train(tmp_path / "run", resume=True, listener=recorder)
    assert any(str(damaged) in message for message in recorder.messages), recorder.messages
    assert any("epoch-0001" in message for message in recorder.messages), recorder.messages
    assert recorder.started == [(3, 3, 1, 0)]
    _same_end(tmp_path / "whole", tmp_path / "run")


def test_nothing_but_damaged_checkpoints_is_an_error_every_time(tmp_path: Path) -> None:
    with pytest.raises(_Killed):
        train(tmp_path / "run", listener=Recorder(at={(2, 1): _die}))
    (tmp_path / "run" / "checkpoints" / "epoch-0001" / "weights.safetensors").unlink()
    for _ in range(2):
        with pytest.raises(TrainingError, match=r"no checkpoint in .* is whole"):
            train(tmp_path / "run", resume=True)


def test_damaged_best_weights_are_named(tmp_path: Path) -> None:
    spec = experiment(checkpoint="best_validation_loss")
    result = train(tmp_path / "run", spec)
    (tmp_path / "run" / "result.json").unlink()
    weights = tmp_path / "run" / result.weights
    weights.write_bytes(weights.read_bytes()[:-4])
    if result.tested_epoch < 3:
        pytest.fail("the best epoch is expected to be the last one here")
    recorder = Recorder()
    resumed = train(tmp_path / "run", spec, resume=True, listener=recorder)
    assert any(str(weights) in message for message in recorder.messages)
    assert resumed.test_loss == result.test_loss, "the last epoch was trained again"


def test_a_cut_off_line_of_metrics_is_replaced(tmp_path: Path) -> None:
    train(tmp_path / "whole")
    with pytest.raises(_Killed):
        train(tmp_path / "killed", listener=Recorder(at={(3, 1): _die}))
    with (tmp_path / "killed" / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 3, "train_lo')
    train(tmp_path / "killed", resume=True)
    _same_end(tmp_path / "whole", tmp_path / "killed")


def test_metrics_lost_by_a_crash_come_back(tmp_path: Path) -> None:
    train(tmp_path / "whole")
    with pytest.raises(_Killed):
        train(tmp_path / "killed", listener=Recorder(at={(3, 1): _die}))
    (tmp_path / "killed" / "metrics.jsonl").unlink()
    train(tmp_path / "killed", resume=True)
    _same_end(tmp_path / "whole", tmp_path / "killed")


def test_resuming_nothing_starts(tmp_path: Path) -> None:
    recorder = Recorder()
    train(tmp_path / "run", resume=True, listener=recorder)
    assert recorder.started == [(3, 3, 0, 0)]


def test_resuming_before_the_first_checkpoint_starts(tmp_path: Path) -> None:
    with pytest.raises(_Killed):
        train(tmp_path / "run", listener=Recorder(at={(1, 1): _die}))
    train(tmp_path / "run", resume=True)
    train(tmp_path / "whole")
    _same_end(tmp_path / "whole", tmp_path / "run")


def test_resuming_a_finished_run_says_so(tmp_path: Path) -> None:
    result = train(tmp_path / "run")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}
    recorder = Recorder()
    assert train(tmp_path / "run", resume=True, listener=recorder) == result
    assert recorder.steps == []
    assert "finished" in recorder.messages[0]
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}


def test_another_spec_is_refused(tmp_path: Path) -> None:
    train(tmp_path / "run")
    spec = experiment()
    with pytest.raises(TrainingError, match=r"another spec \(hash of tiny, not other\)"):
        fit(
            network(), spec, prepared_for(spec), plans=plans_for(spec, network()),
            run=run_in(tmp_path / "run", spec_hash="other"), device=CPU, resume=True,
        )  # fmt: skip


def test_a_run_is_not_overwritten(tmp_path: Path) -> None:
    train(tmp_path / "run")
    with pytest.raises(TrainingError, match="already holds a run") as caught:
        train(tmp_path / "run")
    assert "--resume" in (caught.value.hint or "")


def test_a_changed_environment_is_told_and_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(_Killed):
        train(tmp_path / "run", listener=Recorder(at={(2, 1): _die}))
    monkeypatch.setattr("specforge.training.environment.device_name", lambda _: "another machine")
    recorder = Recorder()
    train(tmp_path / "run", resume=True, listener=recorder)
    assert "another machine" in recorder.messages[0]
    record = json.loads((tmp_path / "run" / "environment.json").read_text())
    assert [entry["device_name"] for entry in record["resumed"]] == ["another machine"]


def test_interrupting_a_diverged_run_does_not_save_it(tmp_path: Path) -> None:
    module = network()

    def overflow() -> None:
        module.get_parameter("6.bias").data.fill_(float("inf"))
        _interrupt()

    recorder = Recorder(at={(1, 2): overflow})
    with pytest.raises(Interrupted):
        train(tmp_path / "run", module=module, listener=recorder)
    assert not (tmp_path / "run" / "checkpoints").exists()
    assert "diverged" in recorder.messages[0]


def test_checkpoints_are_spaced_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epochs, "SAVING_SHARE", 1e-9)
    saved: list[str] = []
    original = epochs.Epochs._save
    monkeypatch.setattr(
        epochs.Epochs, "_save", lambda self: (saved.append(f"{self._done.epoch}"), original(self))[1]
    )  # fmt: skip
    with pytest.raises(_Killed):
        train(tmp_path / "run", listener=Recorder(at={(3, 1): _die}))
    assert saved == ["1"], "the second is not due yet"
    train(tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "checkpoints" / "epoch-0003").is_dir(), "the last is always saved"
