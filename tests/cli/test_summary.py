"""`specforge summary` in its three forms, without torch."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Run

WIRED = """\
specforge: 1
name: wired
model:
  input: [3, 16, 16]
  layers:
    - {id: stem, shared: twin, conv: {out_channels: 3, kernel_size: 3, padding: 1}}
    - relu
    - {shared: twin, conv: {out_channels: 3, kernel_size: 3, padding: 1}}
    - {id: side, auxiliary: {weight: 0.3, layers: [global_avg_pool, {linear: 10}]}}
    - {from: [previous, stem], add: }
    - flatten
    - linear: 10
"""


@pytest.fixture
def wired(tmp_path: Path) -> Path:
    path = tmp_path / "wired.yaml"
    path.write_text(WIRED, encoding="utf-8")
    return path


def data(specforge: Run, *arguments: str | Path) -> dict:  # type: ignore[type-arg]  # whatever the JSON holds
    done = specforge("summary", *arguments, "--format", "json", blocked=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_json_keeps_its_shape(specforge: Run, tiny: Path) -> None:
    found = data(specforge, tiny.name)
    assert list(found)[:6] == ["name", "input", "output", "parameters", "macs", "layers"]
    assert found["parameters"] == {"trainable": 1370, "non_trainable": 0, "total": 1370}
    first = found["layers"][0]
    assert list(first)[:7] == ["path", "kind", "output", "parameters", "macs", "file", "line"]
    assert first == {
        "path": "conv_1",
        "kind": "conv",
        "output": [8, 8, 8],
        "parameters": 80,
        "macs": 4608,
        "file": "tiny.yaml",
        "line": 7,
        "receptive_field": [3, 3],
        "kept_bytes": 256,
        "reads": [],
        "shares": None,
        "side_branch": None,
    }
    assert found["heads"] == []
    assert found["kept_bytes"] == sum(layer["kept_bytes"] for layer in found["layers"])


def test_json_of_wiring(specforge: Run, wired: Path) -> None:
    found = data(specforge, wired)
    layers = {layer["path"]: layer for layer in found["layers"]}
    assert layers["conv_2"]["shares"] == "stem"
    assert layers["add_1"]["reads"] == ["conv_2", "stem"]
    assert layers["side.linear_1"]["side_branch"] == "side"
    assert found["heads"] == [{"path": "side", "weight": 0.3, "output": [10]}]


def test_training_memory_is_for_a_batch(specforge: Run, tiny: Path, wired: Path) -> None:
    """The recipe's own batch size where none is given, no estimate where there is none either."""
    own = data(specforge, tiny)["training_bytes"]
    assert own["batch_size"] > 0
    assert own == data(specforge, tiny, "--batch-size", str(own["batch_size"]))["training_bytes"]
    larger = data(specforge, tiny, "--batch-size", str(10 * own["batch_size"]))["training_bytes"]
    assert larger["weights"] == own["weights"] == own["gradients"] == 4 * 1370
    assert larger["optimizer"] == own["optimizer"] > 0
    assert larger["kept"] == 10 * own["kept"]
    assert larger["peak"] > larger["weights"] + larger["optimizer"] + larger["kept"]
    assert data(specforge, wired)["training_bytes"] is None
    assert data(specforge, wired, "--batch-size", "2")["training_bytes"]["optimizer"] == 0


def test_text(specforge: Run, wired: Path) -> None:
    shown = specforge("summary", wired, "--batch-size", "128", blocked=True).stdout
    header, *lines = shown.splitlines()[2:]
    assert re.split(r"\s{2,}", header) == [
        "path", "kind", "output", "parameters", "MACs", "receptive field", "memory", "wiring",
    ]  # fmt: skip
    rows = {line.split()[0]: line for line in lines[:8]}
    assert "  3×3  " in rows["stem"]
    assert rows["conv_2"].endswith("shares stem")
    assert rows["side.linear_1"].endswith("only in training (side)")
    assert rows["add_1"].endswith("reads conv_2, stem")
    assert "  all  " in rows["linear_1"]
    below = shown.partition("\n\ninput")[2]
    assert "in training also `side` [10], its loss times 0.3" in below
    assert "kept of one image until the backward pass" in below
    assert "training at batch size 128, estimated: " in below
    assert "no optimizer counts" in below


def test_text_of_a_plain_network(specforge: Run, tiny: Path) -> None:
    shown = specforge("summary", tiny, blocked=True).stdout
    assert "wiring" not in shown
    assert re.search(r"of which weights 5\.4 KiB, gradients 5\.4 KiB, (adam|sgd)", shown)


def test_markdown_is_a_table(specforge: Run, wired: Path) -> None:
    shown = specforge("summary", wired, "--format", "markdown", "--batch-size", "2").stdout
    table = [line for line in shown.splitlines() if line.startswith("|")]
    assert len({line.count(" | ") for line in table}) == 1
    assert table[1] == "| --- | --- | --- | ---: | ---: | ---: | ---: | --- |"
    assert table[2].startswith("| `stem` | conv | [3, 16, 16] | 84 |")
    assert "\n- training at batch size 2, estimated: " in shown


@pytest.mark.parametrize("size", ["0", "-1", "many"])
def test_a_batch_has_images(specforge: Run, tiny: Path, size: str) -> None:
    done = specforge("summary", tiny, "--batch-size", size)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
