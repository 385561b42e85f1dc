"""Tensors and texts in one file: the same bytes for the same content, and damage of any kind is told."""

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from specforge.prediction.container import Container, pack
from specforge.prediction.errors import PredictionError

TENSORS = {"b.weight": torch.arange(6.0).reshape(2, 3), "a.count": torch.tensor(3), "c": torch.ones(2).half()}
METADATA = {"name": "größer", "spec": "specforge: 1\n"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "any.safetensors"
    path.write_bytes(pack(TENSORS, METADATA))
    return path


def header_of(content: bytes) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])
    return header


def with_header(content: bytes, header: object, *, text: str | None = None) -> bytes:
    encoded = (json.dumps(header) if text is None else text).encode()
    data = content[8 + struct.unpack("<Q", content[:8])[0] :]
    return struct.pack("<Q", len(encoded)) + encoded + data


def test_what_is_packed_is_found_again(file: Path) -> None:
    found = Container.open(file)
    assert {name: found.metadata[name] for name in METADATA} == METADATA
    assert found.shapes == {"b.weight": (2, 3), "a.count": (), "c": (2,)}
    assert found.verify() == found.metadata["sha256"]
    assert {name: tensor.tolist() for name, tensor in found.tensors().items()} == {
        name: tensor.tolist() for name, tensor in TENSORS.items()
    }


def test_other_programs_read_it(file: Path) -> None:
    assert torch.equal(safetensors.torch.load_file(file)["b.weight"], TENSORS["b.weight"])
    with safetensors.safe_open(file, "pt") as opened:
        assert opened.metadata()["name"] == "größer"


def test_the_same_content_gives_the_same_bytes_in_every_process(file: Path) -> None:
    script = (
        "import sys, torch; from specforge.prediction.container import pack; "
        "tensors = {'c': torch.ones(2).half(), 'b.weight': torch.arange(6.0).reshape(2, 3)}; "
        "tensors['a.count'] = torch.tensor(3); "
        "sys.stdout.buffer.write(pack(tensors, {'name': 'größer', 'spec': 'specforge: 1\\n'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == file.read_bytes()


def test_tensors_that_share_memory_or_are_not_dense_are_written_as_values(tmp_path: Path) -> None:
    base = torch.arange(12.0).reshape(3, 4)
    (tmp_path / "views").write_bytes(pack({"a": base, "b": base.t(), "c": base[0]}, {}))
    found = Container.open(tmp_path / "views").tensors()
    assert torch.equal(found["b"], base.t())
    assert torch.equal(found["c"], base[0])


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_bit_that_changes_is_seen(place: float, bit: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    content = bytearray(pack(TENSORS, METADATA))
    content[int(place * len(content))] ^= 1 << bit
    path = tmp_path_factory.getbasetemp() / "flipped"
    path.write_bytes(content)
    with pytest.raises(PredictionError):
        Container.open(path).verify()


@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_that_is_cut_off_is_seen(share: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    content = pack(TENSORS, METADATA)
    path = tmp_path_factory.getbasetemp() / "cut"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(PredictionError):
        Container.open(path)


def _changed(**entries: Any) -> Callable[[bytes], bytes]:
    return lambda content: with_header(content, {**header_of(content), **entries})


def _entry(**changes: Any) -> Callable[[bytes], bytes]:
    return lambda content: with_header(
        content, {**header_of(content), "b.weight": {**header_of(content)["b.weight"], **changes}}
    )


HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "no JSON": lambda content: with_header(content, None, text="{" + "x" * 40),
    "a list": lambda content: with_header(content, None, text="[1, 2, 3]"),
    "nested without end": lambda content: with_header(content, None, text='{"a":' * 50_000),
    "not UTF-8": lambda content: content[:9] + b"\xff\xfe" + content[11:],
    "metadata of numbers": _changed(__metadata__={"name": 1}),
    "metadata as a list": _changed(__metadata__=["name"]),
    "a tensor that is a text": _changed(**{"b.weight": "F32"}),
    "an unknown type": _entry(dtype="PICKLE"),
    "a shape of texts": _entry(shape=["2", "3"]),
    "a negative shape": _entry(shape=[-2, -3]),
    "a shape that is too large": _entry(shape=[2**40, 2**40]),
    "tensors over each other": _entry(data_offsets=[0, 24]),
    "offsets beyond the file": _entry(data_offsets=[2**50, 2**50 + 24]),
    "more than its tensors": lambda content: content + b"\0" * 8,
    "a header longer than the file": lambda content: struct.pack("<Q", len(content)) + content[8:],
    "a header of exabytes": lambda content: struct.pack("<Q", 2**63) + content[8:],
    "an archive": lambda _: b"PK\x03\x04" + b"\0" * 100,
    "nothing": lambda _: b"",
    "eight bytes": lambda _: b"\x02\0\0\0\0\0\0\0",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_such_file_is_refused(file: Path, kind: str) -> None:
    file.write_bytes(HOSTILE[kind](file.read_bytes()))
    with pytest.raises(PredictionError) as caught:
        Container.open(file).verify()
    assert str(file) in caught.value.message
    assert caught.value.hint


def test_a_file_of_another_program_has_no_checksum(tmp_path: Path) -> None:
    safetensors.torch.save_file({"a": torch.ones(2)}, tmp_path / "foreign")
    with pytest.raises(PredictionError, match="no checksum"):
        Container.open(tmp_path / "foreign").verify()


@pytest.mark.parametrize("what", ["gone", "folder"])
def test_what_is_no_file_is_not_opened(tmp_path: Path, what: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(PredictionError, match=r"is not (there|a file)"):
        Container.open(tmp_path / what)
