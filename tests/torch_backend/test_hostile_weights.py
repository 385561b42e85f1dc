"""Weights of strangers: reading them runs nothing, fills no memory, and ends in weights or in one `WeightsError`."""

import io
import json
import pickle
import random
import struct
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save
from torch import nn

from specforge.torch_backend.weights import WeightsError, read_weights
from tests.catalog.datasets.hostile import GADGETS, Bait, malformed_pickles, payloads

STATE = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.zeros(2)}


@pytest.fixture
def bait(tmp_path: Path) -> Bait:
    return Bait(tmp_path)


def saved(**options: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(STATE, stream, **options)
    return stream.getvalue()


def with_pickle(content: bytes) -> bytes:
    """A file as torch writes it, but for the pickle in it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved())) as old, zipfile.ZipFile(stream, "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, content if info.filename.endswith("data.pkl") else old.read(info))
    return stream.getvalue()


def refused(file: Path, content: bytes) -> str:
    file.write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        read_weights(file)
    assert str(file) in caught.value.message
    return caught.value.message


def test_good_weights_are_read(tmp_path: Path) -> None:
    for name, content in {
        "w.pth": saved(),
        "old.pth": saved(_use_new_zipfile_serialization=False),
        "w.safetensors": save(STATE),
    }.items():
        (tmp_path / name).write_bytes(content)
        found = read_weights(tmp_path / name)
        assert {key: value.tolist() for key, value in found.items()} == {
            key: value.tolist() for key, value in STATE.items()
        }


@pytest.mark.parametrize("gadget", GADGETS)
def test_no_pickle_in_a_checkpoint_runs_anything(gadget: str, bait: Bait, tmp_path: Path) -> None:
    for opcode, payload in payloads(gadget, bait.command):
        for content in (with_pickle(payload), payload, old_format(payload)):
            refused(tmp_path / "w.pth", content)
            assert not bait.was_taken, opcode


def old_format(payload: bytes) -> bytes:
    """torch's format of before its archives: a magic number, a version, facts, then the object."""
    return (
        b"".join(pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})) + payload
    )


def test_a_whole_module_is_not_unpickled(tmp_path: Path) -> None:
    stream = io.BytesIO()
    torch.save(nn.Linear(3, 2), stream)
    told = refused(tmp_path / "w.pth", stream.getvalue())
    assert (
        "w.pth holds a pickled `torch.nn.modules.linear.Linear`, not weights: reading it would execute what is" in told
    )
    assert "x1b" not in told


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ({"epoch": 3, "model": STATE}, "model"),
        ({"a": STATE, "b": STATE}, None),
        ({"model": {}}, None),
        ({1: STATE}, None),
    ],
)
def test_a_state_dict_under_one_key_is_named(value: Any, key: str | None, tmp_path: Path) -> None:
    torch.save(value, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="holds no state dict") as caught:
        read_weights(tmp_path / "w.pth")
    expected = "save `module.state_dict()`"
    if key is not None:
        expected = f"it is under the key '{key}': torch.save(torch.load('w.pth')['{key}'], 'weights.pth')"
    assert caught.value.hint == expected


@pytest.mark.parametrize(
    "value", [[1, 2], {"state_dict": STATE}, {"weight": 1}, {1: torch.zeros(1)}, torch.zeros(2), None]
)
def test_what_is_no_state_dict_is_refused(value: Any, tmp_path: Path) -> None:
    stream = io.BytesIO()
    torch.save(value, stream)
    assert "holds no state dict" in refused(tmp_path / "w.pth", stream.getvalue())


def test_malformed_pickles_are_one_error(tmp_path: Path) -> None:
    for number, content in enumerate(malformed_pickles()):
        for whole in (with_pickle(content), content) if number % 7 == 0 else (with_pickle(content),):
            refused(tmp_path / "w.pth", whole)


def test_packed_members_are_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved())) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info.filename, bytes(2**27) if "/data/" in info.filename else old.read(info))
    assert len(stream.getvalue()) < 2**20
    assert "is packed, and torch packs nothing" in refused(tmp_path / "w.pth", stream.getvalue())


@pytest.mark.parametrize("name", ["../evil", "/evil", "archive/../../evil", "archive/data.pkl"])
def test_names_inside_the_archive_lead_nowhere(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    stream = io.BytesIO(saved())
    with zipfile.ZipFile(stream, "a") as archive, pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)
        archive.writestr(name, b"x")
    (tmp_path / "in" / "w.pth").write_bytes(stream.getvalue())
    with suppress(WeightsError):
        read_weights(tmp_path / "in" / "w.pth")
    assert {path.name for path in tmp_path.rglob("*")} == {"in", "w.pth"}


@pytest.mark.parametrize("form", ["archive", "before archives", "safetensors"])
def test_damaged_files_are_weights_or_one_error(form: str, tmp_path: Path) -> None:
    whole = {
        "archive": saved(),
        "before archives": saved(_use_new_zipfile_serialization=False),
        "safetensors": save(STATE),
    }[form]
    file, draw, errors = tmp_path / ("w.safetensors" if form == "safetensors" else "w.pth"), random.Random(form), 0
    for number in range(120):
        content = bytearray(whole)
        if number % 3 == 0:
            del content[draw.randrange(len(content)) :]
        for _ in range(draw.choice([1, 1, 5, 50]) if content else 0):
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        file.write_bytes(bytes(content))
        try:
            read_weights(file)
        except WeightsError:
            errors += 1
    assert errors > 30


def safetensors(header: Any, data: bytes = b"", *, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(begin: int, end: int, *, dtype: Any = "F32", shape: Any = (1,)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


HEADERS: dict[str, bytes] = {
    "nothing": b"",
    "half a length": b"\x10\0\0",
    "a length of 8 EiB": safetensors({}, length=2**63),
    "a length of all bits": safetensors({}, length=2**64 - 1),
    "a length beyond the file": safetensors({}, length=1_000),
    "a length of a gigabyte": safetensors({}, length=2**30),
    "no JSON": safetensors(b"{weight:"),
    "no mapping": safetensors([1, 2]),
    "no text": safetensors(b"\xff\xfe\xfd"),
    "nested without end": safetensors(b'{"a":' + b"[" * 100_000),
    "overlapping": safetensors({"a": tensor(0, 4), "b": tensor(2, 6)}, bytes(6)),
    "the same place twice": safetensors({"a": tensor(0, 4), "b": tensor(0, 4)}, bytes(4)),
    "a hole": safetensors({"a": tensor(0, 4), "b": tensor(8, 12)}, bytes(12)),
    "beyond the end": safetensors({"a": tensor(0, 400, shape=[100])}, bytes(4)),
    "backwards": safetensors({"a": tensor(4, 0)}, bytes(4)),
    "negative": safetensors({"a": tensor(-4, 0)}, bytes(4)),
    "bytes behind the last": safetensors({"a": tensor(0, 4)}, bytes(400)),
    "a shape of other bytes": safetensors({"a": tensor(0, 4, shape=[7])}, bytes(4)),
    "a shape that overflows": safetensors({"a": tensor(0, 4, shape=[2**62, 4])}, bytes(4)),
    "a shape that overflows to what fits": safetensors({"a": tensor(0, 4, shape=[2**32, 2**32, 1])}, bytes(4)),
    "a negative shape": safetensors({"a": tensor(0, 4, shape=[-1])}, bytes(4)),
    "an unknown type": safetensors({"a": tensor(0, 4, dtype="O")}, bytes(4)),
    "a type that is a number": safetensors({"a": tensor(0, 4, dtype=7)}, bytes(4)),
    "offsets that are words": safetensors({"a": {"dtype": "F32", "shape": [1], "data_offsets": ["0", "4"]}}, bytes(4)),
    "no offsets": safetensors({"a": {"dtype": "F32", "shape": [1]}}, bytes(4)),
    "metadata that are no words": safetensors({"__metadata__": {"a": 1}, "b": tensor(0, 4)}, bytes(4)),
    "a pickle": pickle.dumps({"weight": 1}),
    "a file of torch": saved(),
}


@pytest.mark.parametrize("case", HEADERS)
def test_safetensors_with_absurd_headers(case: str, tmp_path: Path) -> None:
    assert "can't be read as weights" in refused(tmp_path / "w.safetensors", HEADERS[case])


def test_a_tensor_that_claims_more_than_its_storage(tmp_path: Path) -> None:
    """Its numbers of rows and steps are in the pickle, apart from the bytes."""
    with zipfile.ZipFile(io.BytesIO(saved())) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("data.pkl")]
        content = archive.read(name)
    assert content.count(b"K\x02K\x03\x86") == 1
    huge = content.replace(b"K\x02K\x03\x86", b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86")
    assert "can't be read as weights" in refused(tmp_path / "w.pth", with_pickle(huge))


def test_messages_show_no_control_characters(tmp_path: Path) -> None:
    message = refused(tmp_path / "w.pth", with_pickle(b"c\x1b[31mos\nsystem\n(tR."))
    assert message.isprintable()
