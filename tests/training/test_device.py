"""Choosing a device, and saying why not."""

import os

import pytest
import torch

from specforge.training.device import choose_device, device_name, place, repeatable
from specforge.training.errors import TrainingError


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
@pytest.mark.parametrize("name", [None, "auto"])
def test_auto_takes_the_fastest(
    monkeypatch: pytest.MonkeyPatch, name: str | None, cuda: bool, mps: bool, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device(name) == torch.device(expected)


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "meta", "cpu0"])
def test_unknown_names_list_the_known(name: str) -> None:
    with pytest.raises(TrainingError, match=f"unknown device `{name}`") as caught:
        choose_device(name)
    assert "cuda" in (caught.value.hint or "")


def test_devices_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for name in ("cuda", "cuda:1", "mps"):
        with pytest.raises(TrainingError, match=f"device `{name}` is not available"):
            choose_device(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(TrainingError, match="there are 2 GPUs"):
        choose_device("cuda:2")


def test_the_cpu_has_a_name() -> None:
    assert device_name(choose_device("cpu"))


def test_convolutions_are_placed_channels_last() -> None:
    module = place(torch.nn.Conv2d(4, 8, 3), torch.device("cpu"))
    assert module.weight.is_contiguous(memory_format=torch.channels_last)  # type: ignore[union-attr,operator]


def test_repeatable_puts_the_settings_back() -> None:
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    with repeatable():
        assert (cudnn.deterministic, cudnn.benchmark) == (True, False)
    assert (cudnn.deterministic, cudnn.benchmark) == before


def test_bitwise_asks_for_it_everywhere_and_puts_the_settings_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    fills = torch.utils.deterministic.fill_uninitialized_memory
    with repeatable(bitwise=True):
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.utils.deterministic.fill_uninitialized_memory
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory == fills


def test_an_operation_that_has_no_such_form_is_named() -> None:
    said = (
        "grid_sampler_2d_backward_cuda does not have a deterministic implementation, but you set … True. You can turn"
    )
    with pytest.raises(TrainingError, match="grid_sampler_2d_backward_cuda") as raised, repeatable(bitwise=True):
        raise RuntimeError(said)
    assert raised.value.hint == "remove `deterministic`"
    assert not torch.are_deterministic_algorithms_enabled()
    with pytest.raises(RuntimeError, match="something else"), repeatable(bitwise=True):
        raise RuntimeError("something else")
