"""A file that Optuna keeps a search in: one JSON record a line, appended and never changed.

In: records. Out: all of them again, whatever happened in between. A line that a killed process or a full disk left
half written is cut off before the next one is appended; a lock that a killed process held is free at once. A line
that is damaged in any other way is a `SearchError` that names it.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import Any, BinaryIO

from optuna.storages.journal import BaseJournalBackend

from specforge.search.errors import SearchError, absent_folder
from specforge.training.lock import Busy, locked

# appending takes milliseconds, also when many processes want to
_PATIENCE = 60.0


class Journal(BaseJournalBackend):
    """The records of one file, for any number of processes."""

    def __init__(self, path: Path):
        self._path = path
        self._offsets = [0]  # where each line begins, as far as they were read
        try:
            path.touch()
        except OSError as error:
            raise _cannot(path, error) from None

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """The records from a number on. What has no end of line yet is not there yet."""
        number = min(log_number_from, len(self._offsets) - 1)
        for line in self._lines(self._offsets[number]):
            if number + 1 == len(self._offsets):
                self._offsets.append(self._offsets[number] + len(line))
            if number >= log_number_from:
                yield self._record(line, number)
            number += 1

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """All of the records, or none."""
        content = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in logs).encode()
        with self._alone():
            try:
                with self._path.open("r+b") as file:
                    end = _end_of_lines(file)
                    file.truncate(end)
                    file.seek(end)
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                raise _cannot(self._path, error) from None

    def _lines(self, start: int) -> Iterator[bytes]:
        try:
            with self._path.open("rb") as file:
                file.seek(start)
                for line in file:
                    if not line.endswith(b"\n"):
                        return
                    yield line
        except OSError as error:
            raise _cannot(self._path, error) from None

    def _record(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict) or not {"op_code", "worker_id"} <= record.keys():
            raise SearchError(
                f"{self._path} is damaged: line {number + 1} is not a record",
                hint="restore the file; its lines before that one are whole, and a search goes on from them alone: "
                f"keep them by `head -n {number}`",
            )
        return record

    @contextmanager
    def _alone(self) -> Iterator[None]:
        lock = self._path.with_name(f".{self._path.name}.lock")
        try:
            with locked(lock, wait=_PATIENCE):
                yield
        except Busy as busy:
            raise SearchError(
                f"{busy.holder} does not let go of {lock}", hint="is it stopped in a debugger? end it, then `--resume`"
            ) from None


def _end_of_lines(file: BinaryIO) -> int:
    """Where the last whole line ends: what comes after it was never finished."""
    end = file.seek(0, os.SEEK_END)
    step = 1 << 16
    while end > 0:
        begin = max(0, end - step)
        file.seek(begin)
        found = file.read(end - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def _cannot(path: Path, error: OSError) -> SearchError:
    full = error.errno in (ENOSPC, EDQUOT)
    hint = "free some space, then go on with `--resume`" if full else "name another file with `--storage journal:PATH`"
    return SearchError(f"cannot use {path}: {error.strerror or error}", hint=absent_folder(path) or hint)
