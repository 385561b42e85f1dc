"""A spec to change, and what is said of two."""

from pathlib import Path
from typing import Any

from specforge.diff import Difference, diff, lines

SPECS = Path(__file__).parents[2] / "specs"

BASE = """
specforge: 1
name: base
params: {width: 8, times: 2}
model:
  input: [3, 16, 16]
  layers:
    - conv: {out_channels: $width, kernel_size: 3, padding: same}
    - relu
    - repeat:
        times: $times
        layers:
          - conv: {out_channels: 16, kernel_size: 3, padding: same}
          - relu
    - max_pool: 2
    - flatten
    - linear: 10
data: {dataset: {synthetic: {image: [3, 16, 16]}}, augment: [horizontal_flip, crop]}
train: {epochs: 2, batch_size: 8, optimizer: {adam: {lr: 1e-3}}, loss: cross_entropy}
"""

FIRST_RELU = ("same}\n    - relu\n", "same}\n    - batch_norm\n    - relu\n")


def compared(before: str, after: str, folder: Path) -> Difference:
    for name, text in (("a.yaml", before), ("b.yaml", after)):
        (folder / name).write_text(text, encoding="utf-8")
    return diff(folder / "a.yaml", folder / "b.yaml")


def edited(*edits: tuple[str, str], text: str = BASE) -> str:
    for old, new in edits:
        assert text.count(old) == 1, f"{text.count(old)} times {old!r}"
        text = text.replace(old, new)
    return text


def said(difference: Difference) -> list[str]:
    return [line.text for line in lines(difference)]


def paths(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["path"] for entry in entries]


def assert_same(difference: Difference) -> None:
    found = difference.to_dict()
    assert found["same"] is True
    assert not any(found["architecture"][action] for action in ("added", "removed", "changed", "moved", "repeated"))
    assert found["recipe"] == found["data"] == []
    assert found["checkpoint_compatible"]["verdict"] == "all"
    assert difference.identical
    assert found["parameters"]["before"] == found["parameters"]["after"]
    assert said(difference)[0].startswith("same function")
    assert {line.style for line in lines(difference)} == {"heading", "plain"}
