"""The built wheel, installed with the core's dependencies alone in a clean environment."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SPEC = "specforge: 1\nname: m\nmodel: {input: [1, 8, 8], layers: [flatten, {linear: 10}]}\n"


def run(*command: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment, text=True, capture_output=True, timeout=600
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The `bin` folder of an environment that holds the wheel and what the core needs, torch not among it."""
    folder = wheel.parent / "environment"
    venv.create(folder, with_pip=True)
    done = run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", wheel, cwd=wheel.parent)
    if done.returncode and ("No matching distribution found" in done.stderr or "connection" in done.stderr.lower()):
        pytest.skip(f"no package registry to install the core's dependencies from: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def test_the_wheel_holds_data_and_types_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"specforge/py.typed", "specforge/catalog/datasets/digits.npz"} <= names
    assert {"specforge/report/report.html.j2", "specforge/report/report.css"} <= names
    assert {f"specforge/zoo/{path.name}" for path in (ROOT / "specs" / "zoo").glob("*.yaml")} <= names
    assert {name.split("/")[0] for name in names} == {"specforge", wheel.name.rsplit("-", 3)[0] + ".dist-info"}


def test_the_core_works_without_torch(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC)
    assert run(installed / "python", "-c", "import torch", cwd=tmp_path).returncode == 1
    for arguments in (["--version"], ["validate", "spec.yaml"], ["summary", "spec.yaml"], ["config", "spec.yaml"]):
        done = run(installed / "specforge", *arguments, cwd=tmp_path)
        assert done.returncode == 0, (arguments, done.stderr)
    assert run(installed / "specforge", "diff", "spec.yaml", "spec.yaml", cwd=tmp_path).returncode == 0


def test_the_zoo_is_found_where_specforge_is_installed(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("specforge: 1\nname: mine\nextends: zoo/alexnet.yaml\n")
    done = run(installed / "specforge", "validate", "spec.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_train_says_what_to_install(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(
        SPEC + "data: {dataset: digits}\n"
        "train: {epochs: 1, batch_size: 64, optimizer: {adam: {lr: 1e-3}}, loss: cross_entropy}\n"
    )
    done = run(installed / "specforge", "train", "spec.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert "pip install torch torchvision numpy safetensors matplotlib" in done.stderr
