"""Files are replaced as a whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from specforge.training import durable
from specforge.training.errors import TrainingError


def test_a_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    for content in (b"one", b""):
        durable.write(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    path = tmp_path / "result.json"
    durable.write(path, b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(TrainingError, match=r"cannot write .*result.json: No space left on device"):
        durable.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="No such file") as caught:
        durable.write(tmp_path / "absent" / "file", b"")
    assert "--out" in (caught.value.hint or "")


def test_json_keeps_floats_bit_for_bit_and_refuses_what_is_not_a_number() -> None:
    import json

    values = [0.1 + 0.2, 1 / 3, 5e-324, 1e308]
    assert json.loads(durable.encode(values)) == values
    with pytest.raises(ValueError, match="not JSON compliant"):
        durable.encode(float("nan"))
