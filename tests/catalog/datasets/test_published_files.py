"""Checksums come first, and an unpickler that makes arrays and nothing else."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specforge.catalog.datasets.array_pickle import read_pickle
from specforge.catalog.datasets.definition import DataError
from specforge.catalog.datasets.published_files import is_published, md5_of, read_published


class _Calls:
    """Pickles to a call of any function."""

    def __init__(self, function: Any, *arguments: object):
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def test_reads_a_file_whose_checksum_agrees(tmp_path: Path) -> None:
    file = tmp_path / "batch"
    file.write_bytes(b"abc")
    assert read_published(file, md5="900150983cd24fb0d6963f7d28e17f72") == b"abc"  # RFC 1321's test value
    assert is_published(file, md5="900150983cd24fb0d6963f7d28e17f72")


def test_names_the_damaged_file_and_both_checksums(tmp_path: Path) -> None:
    file = tmp_path / "batch"
    file.write_bytes(b"abd")
    with pytest.raises(DataError) as caught:
        read_published(file, md5="900150983cd24fb0d6963f7d28e17f72")
    for part in (str(file), md5_of(b"abd"), "900150983cd24fb0d6963f7d28e17f72", "3 bytes"):
        assert part in caught.value.message
    assert "--download" in (caught.value.hint or "")
    assert not is_published(file, md5="900150983cd24fb0d6963f7d28e17f72")


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_published(tmp_path, md5="")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_decodes_arrays_and_plain_values(protocol: int) -> None:
    stored: dict[str, Any] = {"data": np.arange(6, dtype=np.uint8).reshape(2, 3), "labels": [1, 2]}
    if protocol < 3 or protocol == 5:  # these write arrays through functions that the data sets' files do not use
        with pytest.raises(DataError, match=r"_codecs\.encode|_frombuffer"):
            read_pickle(pickle.dumps(stored, protocol=protocol))
        return
    read = read_pickle(pickle.dumps(stored, protocol=protocol))
    assert np.array_equal(read["data"], stored["data"])
    assert read["labels"] == [1, 2]


def test_decodes_what_python_2_and_an_old_numpy_wrote() -> None:
    # protocol 2 as Python 2 wrote it: byte strings, and numpy's former name for `_reconstruct`
    written = (
        b"\x80\x02}q\x01U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85"
        b"U\x01b\x87Rq\x05(K\x01K\x01K\x02\x86cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK\x00tb\x89U\x02\x07\x08tbs."
    )
    assert read_pickle(written)[b"data"].tolist() == [[7, 8]]


@pytest.mark.parametrize("function", [eval, print, getattr, __import__, pickle.loads, np.load, np.fromfile])
def test_refuses_every_other_function(function: Any, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = pickle.dumps(_Calls(function, "print('executed')"), protocol=4)
    with pytest.raises(DataError, match="refused"):
        read_pickle(hostile)
    assert "executed" not in capsys.readouterr().out


def test_refuses_to_run_a_command(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    with pytest.raises(DataError, match=r"`posix\.system`|`nt\.system`"):
        read_pickle(pickle.dumps(_Calls(os.system, f"echo > {mark}"), protocol=2))
    assert not mark.exists()
