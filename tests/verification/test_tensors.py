"""Headers of safetensors files: what the library writes is read, what it would refuse is refused."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
import safetensors.torch
import torch
from safetensors import SafetensorError

from specforge.verification.tensors import read_shapes

TENSORS = {
    "fc.weight": torch.zeros(10, 128),
    "fc.bias": torch.zeros(10),
    "norm.count": torch.tensor(7),
    "half": torch.zeros(2, 3, dtype=torch.bfloat16),
    "flag": torch.ones(3, dtype=torch.bool),
    "empty": torch.empty(0, 4),
}


def test_shapes_are_those_that_were_saved(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    safetensors.torch.save_file(TENSORS, path, metadata={"made": "here"})
    assert read_shapes(path) == {name: tuple(tensor.shape) for name, tensor in TENSORS.items()}
    safetensors.torch.save_file({}, path)
    assert read_shapes(path) == {}


def test_what_is_read_is_what_the_library_reads(tmp_path: Path) -> None:
    """Whatever bit of the header is flipped: no other exception, and nothing passes that the library refuses."""
    path = tmp_path / "weights.safetensors"
    content = safetensors.torch.save(TENSORS)
    header = 8 + int.from_bytes(content[:8], "little")
    for position in Random(0).sample(range(8 * header), 400):
        damaged = bytearray(content)
        damaged[position // 8] ^= 1 << position % 8
        path.write_bytes(damaged)
        try:
            shapes = read_shapes(path)
        except ValueError:
            continue
        try:
            found = safetensors.torch.load(bytes(damaged))
        except SafetensorError:
            pytest.fail(f"the library does not read it with bit {position} flipped")
        assert shapes == {name: tuple(tensor.shape) for name, tensor in found.items()}


def written(path: Path, header: Any, body: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)
    return path


@pytest.mark.parametrize("content", [b"", b"\0" * 7, b"\xff" * 8, (2**62).to_bytes(8, "little") + b"{}"])
def test_what_is_too_short_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="cut off"):
        read_shapes(path)


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"[" * 10_000, "nested|Expecting"),
        ([], "no mapping"),
        ({"a": None}, "`a` is not described"),
        ({"a": {**ENTRY, "dtype": "F31"}}, "`a` is not described"),
        ({"a": {**ENTRY, "shape": [3]}}, "another length"),
        ({"a": {**ENTRY, "shape": [-2]}}, "another length"),
        ({"a": {**ENTRY, "shape": [2.0]}}, "another length"),
        ({"a": {**ENTRY, "shape": 2}}, "not described"),
        ({"a": {**ENTRY, "data_offsets": [0, 8, 9]}}, "not described"),
        ({"a": {**ENTRY, "data_offsets": [8, 16]}}, "does not begin"),
        ({"a": ENTRY, "b": ENTRY}, "does not begin"),
        ({}, "not as long as the file"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, header: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_shapes(written(tmp_path / "x.safetensors", header, b"\0" * 8))
