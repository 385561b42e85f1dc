"""`specforge weights map`."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from typer.testing import CliRunner

from specforge.cli import application

ROOT = Path(__file__).parents[2]
SPEC = "specforge: 1\nname: small\nmodel: {input: [3], layers: [linear: 2]}\n"


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(application({"weights": "weights", "list": "list_words"}), ["weights", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_map_of_a_zoo_network() -> None:
    pytest.importorskip("torchvision.models", exc_type=ImportError)
    code, out, _ = run("map", str(ROOT / "specs" / "zoo" / "resnet18.yaml"), "--format", "json")
    names = json.loads(out)
    assert code == 0
    assert names["stages.1.repeat_1.0.block_1.residual_1.shortcut.conv_1.weight"] == "layer2.0.downsample.0.weight"
    assert names["classifier.bias"] == "fc.bias"


def test_the_map_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SPEC)
    torch.save(nn.Linear(3, 2).state_dict(), tmp_path / "w.pth")
    code, out, _ = run("map", str(tmp_path / "small.yaml"), "--from", str(tmp_path / "w.pth"))
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["linear_1.weight", "weight", "[2,", "3]"],
        ["linear_1.bias", "bias", "[2]"],
    ]


def test_a_file_with_our_names_needs_no_order(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SPEC)
    save_file({"linear_1.bias": torch.zeros(2), "linear_1.weight": torch.zeros(2, 3)}, tmp_path / "w.safetensors")
    code, out, _ = run("map", str(tmp_path / "small.yaml"), "--from", str(tmp_path / "w.safetensors"))
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines()] == [["linear_1.weight"] * 2, ["linear_1.bias"] * 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "torchvision has no classification network `small`"),
        (("--from", "missing.pth"), "missing.pth can't be read as weights"),
        (("--from", "other.pth"), "`linear_1.weight` is [2, 3], `weight`, which stands in its place, is [2, 4]"),
    ],
)
def test_what_does_not_fit_is_told(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SPEC)
    torch.save(nn.Linear(4, 2).state_dict(), "other.pth")
    code, _, err = run("map", "small.yaml", *arguments)
    assert code == 1
    assert message in err
