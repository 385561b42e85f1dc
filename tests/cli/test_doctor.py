"""`specforge doctor` names what is missing or broken, and the command that mends it."""

import json
import os
import shutil
import sys
import tempfile
from importlib import import_module, metadata
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import NoReturn

import pytest
import torch

from specforge import doctor
from specforge.doctor import Finding, examine
from specforge.training.allocation import SWITCH
from tests.cli.conftest import ROOT, Run


def part(name: str) -> Finding:
    (found,) = [finding for finding in examine() if finding.part == name]
    return found


def test_a_working_installation_is_fine(specforge: Run) -> None:
    done = specforge("doctor", "--format", "json")
    assert done.returncode == 0, done.stderr
    found = {finding["part"]: finding for finding in json.loads(done.stdout)}
    assert list(found)[:2] == ["specforge", "torch"]
    assert {"pillow", "display", "temporary", "disk", "device", "memory", "compile"} < found.keys()
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
    packages = [*doctor.TRAINING_PACKAGES, "pillow"]
    assert [finding.part for finding in found] == ["specforge", *packages, "display", "temporary", "disk"]
    assert {finding.state for finding in found if finding.part in packages} == {"absent"}
    assert found[1].mend == "pip install torch torchvision numpy safetensors matplotlib"
    said = {finding.part: (finding.says, finding.mend) for finding in found}
    assert said["torchvision"] == ("not installed: only downloads need it", "pip install torchvision")
    assert said["pillow"] == ("not installed: only `image_folder` needs it", "pip install pillow")


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


def test_a_torchvision_for_another_torch_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = {"torch": "2.11.0+cpu", "torchvision": "0.21.0"}
    monkeypatch.setattr(doctor, "version", lambda name: numbers.get(name) or metadata.version(name))
    monkeypatch.setattr(doctor, "requires", lambda _: ["numpy", "torch==2.6.0", "pillow>=5"])
    assert part("torchvision") == Finding(
        "torchvision",
        "broken",
        "0.21.0 does not fit: only downloads need it: it was built for torch 2.6.0, and torch 2.11.0 is installed",
        "pip install --force-reinstall torch torchvision",
    )
    for fits in (["torch==2.11.0"], ["torch (==2.11.0)"], ["torch>=2"], None):
        monkeypatch.setattr(doctor, "requires", lambda _, found=fits: found)
        assert part("torchvision").state == "fine"


@pytest.mark.parametrize(
    ("backend", "display", "state", "says"),
    [
        ("TkAgg", "", "absent", "MPLBACKEND=TkAgg draws in windows, and there is no display"),
        ("TkAgg", ":0", "fine", "MPLBACKEND=TkAgg is not used"),
        ("nonsense", ":0", "absent", "MPLBACKEND=nonsense is nothing that matplotlib knows"),
        ("agg", "", "fine", "MPLBACKEND=agg is not used"),
        ("", "", "fine", "not needed"),
    ],
)
def test_a_window_system_that_is_not_there(
    backend: str, display: str, state: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("MPLBACKEND", backend)
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    found = part("display")
    assert (found.state, found.says.startswith(says)) == (state, True)
    assert found.mend == ("unset MPLBACKEND" if state == "absent" else None)
    assert part("matplotlib").state == "fine"


def test_no_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> NoReturn:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    found = part("temporary")
    assert (found.state, found.mend) == ("broken", "export TMPDIR=DIR, with a folder that you may write to")
    assert "No usable temporary directory" in found.says


def test_a_folder_for_temporary_files_that_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    assert part("temporary").says.endswith("can be written to: No space left on device")


def test_little_room_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**28))
    found = part("disk")
    assert found.state == "broken"
    assert found.says == f"0.2 GiB are free in {Path.cwd()}: a run keeps several checkpoints"
    assert "--out DIR" in (found.mend or "")


@pytest.mark.parametrize(
    ("cuda", "state", "says", "mend"),
    [
        ("13.0", "absent", "its driver does not answer", "nvidia-smi"),
        (None, "absent", "torch is built for the CPU", "pip install --force-reinstall torch torchvision"),
    ],
)
def test_a_gpu_that_torch_does_not_find(
    cuda: str | None, state: str, says: str, mend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(doctor, "_has_nvidia", lambda: True)
    found = part("device")
    assert found.state == state
    assert says in found.says
    assert (found.mend or "").startswith(mend)
    monkeypatch.setattr(doctor, "_has_nvidia", lambda: False)
    assert part("device").state == "fine"


CONDITIONS = {
    "no display": {"MPLBACKEND": "TkAgg", "DISPLAY": "", "WAYLAND_DISPLAY": ""},
    "a window system that is none, and no GPU": {"MPLBACKEND": "nonsense", "CUDA_VISIBLE_DEVICES": ""},
    "a home that is none": {"HOME": "/nowhere/at/all", "MPLCONFIGDIR": ""},
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_training_works_all_the_same(condition: str, specforge: Run, tiny: Path) -> None:
    require_trained(specforge, tiny, CONDITIONS[condition])


def test_training_works_without_a_folder_for_temporary_files(specforge: Run, tiny: Path) -> None:
    """Nobody can forbid root a folder, so Python itself is told that there is none."""
    (tiny.parent / "site").mkdir()
    (tiny.parent / "site" / "sitecustomize.py").write_text(
        "import tempfile\n"
        "def none():\n    raise FileNotFoundError(2, 'No usable temporary directory found')\n"
        "tempfile._get_default_tempdir = none\n"
    )
    environment = {"PYTHONPATH": os.pathsep.join([str(tiny.parent / "site"), str(ROOT)])}
    require_trained(specforge, tiny, environment)
    done = specforge("doctor", env=environment)
    assert done.returncode == 1
    assert "export TMPDIR=DIR" in done.stdout


def require_trained(specforge: Run, spec: Path, environment: dict[str, str]) -> None:
    done = specforge("train", spec, "--set", "train.epochs=1", "--device", "cpu", env=environment)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert (spec.parent / "runs" / "tiny" / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_core_proves_without_the_extras(specforge: Run, tiny: Path) -> None:
    assert specforge("validate", tiny, blocked=True).returncode == 0
    done = specforge("train", tiny, blocked=True)
    assert done.returncode == 1
    assert "pip install torch torchvision numpy safetensors matplotlib" in done.stderr
