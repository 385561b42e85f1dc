"""`specforge doctor` names what is missing or broken, and the command that mends it."""

import json
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError
from types import ModuleType

import pytest
import torch

from specforge import doctor
from specforge.doctor import Finding, examine
from specforge.training.allocation import SWITCH
from tests.cli.conftest import Run


def part(name: str) -> Finding:
    (found,) = [finding for finding in examine() if finding.part == name]
    return found


def test_a_working_installation_is_fine(specforge: Run) -> None:
    done = specforge("doctor", "--format", "json")
    assert done.returncode == 0, done.stderr
    found = {finding["part"]: finding for finding in json.loads(done.stdout)}
    assert list(found)[:2] == ["specforge", "torch"]
    assert {"device", "memory", "compile"} < found.keys()
    assert found["torch"]["says"] == torch.__version__
    assert all(finding["mend"] is None for finding in found.values() if finding["state"] == "fine")


def test_the_text_says_the_same_in_columns(specforge: Run) -> None:
    done = specforge("doctor", env={SWITCH: "0"})
    lines = done.stdout.splitlines()
    assert lines[0].split()[:2] == ["specforge", "fine"]
    (memory,) = [line for line in lines if line.startswith("memory")]
    assert "not kept from step to step" in memory


def test_without_torch_the_core_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "version", version)
    found = examine()
    assert [finding.part for finding in found] == ["specforge", *doctor.TRAINING_PACKAGES]
    assert {finding.state for finding in found[1:]} == {"absent"}
    assert found[1].mend == "pip install torch torchvision numpy safetensors matplotlib"


def test_operators_built_for_another_torch_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str) -> ModuleType:
        if name == "torchvision":
            raise RuntimeError("operator torchvision::nms does not exist\nmore")
        return import_module(name)

    monkeypatch.setattr(doctor, "import_module", load)
    found = part("torchvision")
    assert found.state == "broken"
    assert found.says.endswith("does not load: only downloads need it: operator torchvision::nms does not exist")
    assert found.mend == "pip install --force-reinstall torch torchvision"
    assert part("torch").state == "fine"


def test_a_broken_package_makes_the_command_fail(specforge: Run) -> None:
    done = specforge("doctor", blocked=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "pip install --force-reinstall numpy" in done.stdout


def test_a_driver_that_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> bool:
        raise RuntimeError("the driver is too old")

    monkeypatch.setattr(torch.cuda, "is_available", fails)
    assert part("device") == Finding("device", "broken", "the driver is too old", doctor.REINSTALL)


def test_a_torch_for_gpus_on_a_machine_without_one_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert part("device").says.endswith("torch is built for a GPU and finds none")
    assert "torch" in sys.modules
