"""What the pipeline as a whole promises beside its findings."""

import gc
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from specforge.analysis import analyse

SPEC = """
specforge: 1
name: freed
params: {width: 8}
blocks: {unit: {params: {channels: required}, layers: [{linear: $channels}, relu]}}
model: {input: [4], layers: [{repeat: {times: 2, layers: [unit: $width]}}, {residual: [relu]}, softmax]}
"""


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("name: build\non: push\njobs: {a: 1}\n", ["SF211"]),
        ("services: {a: $HOME}\nversion: 3\n", ["SF211"]),
        ("data: {dataset: digits}\n", []),  # a base
        ("modle: 3\nspecforg: 1\n", ["SF301", "SF301"]),
        ("model: {}\nservices: 1\n", ["SF301"]),
    ],
)
def test_yaml_of_other_programs_is_told_apart(tmp_path: Path, text: str, codes: list[str]) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text, encoding="utf-8")
    assert [found.code for found in analyse(file).findings if found.severity == "error"] == codes


def test_where_paths_start_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = b"specforge: 1\nname: a\nextends: parent.yaml\n"
    Path("parents.txt").touch()
    Path("parentx.yaml").write_bytes(text)
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(text)))
    said = [[(found.message, found.hint) for found in analyse(name).findings] for name in ("parentx.yaml", "-")]
    message = "`parent.yaml` does not exist"
    assert said == [
        [(message, "paths are relative to this file")],  # and not: did you mean this file itself?
        [(message, "did you mean `parentx.yaml`?")],
    ]
    Path("parentx.yaml").unlink()
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(text)))
    assert [found.hint for found in analyse("-").findings] == ["standard input stands in the working folder"]


def test_an_analysis_leaves_nothing_for_the_garbage_collector(tmp_path: Path) -> None:
    """It pauses the collector, so that what holds itself would outlive it with all that was read."""
    file = tmp_path / "freed.yaml"
    file.write_text(SPEC, encoding="utf-8")
    assert analyse(file).graph is not None  # and the caches are filled
    gc.collect()
    gc.disable()
    try:
        analyse(file)
        assert gc.collect() == 0
    finally:
        gc.enable()
