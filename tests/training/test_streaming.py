"""A run that reads its images while it trains is the run that has them on the device."""

import threading
from pathlib import Path

import pytest
import safetensors.torch
import torch

from specforge.data import parts
from specforge.spec import Spec
from specforge.training.errors import Interrupted
from tests.training.experiments import Recorder, experiment, train
from tests.training.test_resume import _interrupt


def streamed() -> Spec:
    spec = experiment(checkpoint="best_validation_loss")
    assert spec.data is not None
    return spec.model_copy(update={"data": spec.data.model_copy(update={"memory": "streamed"})})


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(folder / "checkpoints" / "epoch-0003" / "weights.safetensors")


def readers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("specforge-read")]


def test_the_same_run_also_when_it_is_stopped_and_resumed(tmp_path: Path) -> None:
    recorder = Recorder()
    resident = train(tmp_path / "resident", experiment(checkpoint="best_validation_loss"), listener=recorder)
    assert recorder.messages == []
    with pytest.raises(Interrupted):
        train(tmp_path / "streamed", streamed(), listener=Recorder(at={(2, 2): _interrupt}))
    assert readers() == []
    resumed = train(tmp_path / "streamed", streamed(), resume=True, listener=recorder)
    assert recorder.messages == ["the images are read while training: `data.memory` is `streamed`"]
    assert resumed.test_loss == resident.test_loss
    one, other = weights(tmp_path / "resident"), weights(tmp_path / "streamed")
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    for name in ("confusion.json", "mistakes.json"):
        assert (tmp_path / "resident" / name).read_bytes() == (tmp_path / "streamed" / name).read_bytes()


def test_a_disk_that_fails_ends_the_run_with_its_own_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    recorder = Recorder(at={(1, 2): lambda: monkeypatch.setattr(parts, "_gather", fail)})
    with pytest.raises(OSError, match="Input/output error"):
        train(tmp_path, streamed(), listener=recorder)
    assert readers() == []
