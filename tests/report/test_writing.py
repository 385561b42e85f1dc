"""Files outside of runs: whole or as they were, and an error names them."""

import errno
import os
from pathlib import Path

import pytest

from specforge.cli.guard import guarded
from specforge.report.writing import replace_file


@pytest.mark.parametrize("call", ["fdopen", "replace"])
def test_a_full_disk_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], call: str
) -> None:
    file = replace_file(tmp_path / "preview.png", b"old")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    import typer

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.raises(typer.Exit) as left:
            guarded(lambda: (replace_file(file, b"new"), None)[1])()
    assert left.value.exit_code == 1
    assert capsys.readouterr().err == f"error: {file}: No space left on device\nhint: free some space\n"
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        replace_file(tmp_path / "absent" / "x.png", b"")
    assert caught.value.filename == str(tmp_path / "absent" / "x.png")
