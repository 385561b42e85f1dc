"""Files, folders and globs."""

import os
from pathlib import Path

import pytest

from specforge.project import find, is_settings_file, specs_at


def _write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("specforge: 1\n")


def test_names_stay_as_they_are_written(folder: Path) -> None:
    _write(folder, "specs/b.yaml", "specs/a.yml", "specs/deep/c.yaml", "specs/d.json")
    assert specs_at("specs/b.yaml") == ["specs/b.yaml"]
    assert specs_at("./specs/d.json") == ["./specs/d.json"]  # who names a file means it
    assert specs_at("specs") == ["specs/a.yml", "specs/b.yaml", "specs/deep/c.yaml"]
    assert specs_at("specs/*.y*ml") == ["specs/a.yml", "specs/b.yaml"]
    assert specs_at("specs/**/*.yaml") == ["specs/b.yaml", "specs/deep/c.yaml"]
    assert specs_at("nowhere") == specs_at("nowhere/*") == []


def test_a_settings_file_is_no_spec_unless_named(folder: Path) -> None:
    _write(folder, "specs/specforge.yaml", "specs/a.yaml")
    assert specs_at("specs") == specs_at("specs/*") == ["specs/a.yaml"]
    assert specs_at("specs/specforge.yaml") == ["specs/specforge.yaml"]
    assert is_settings_file("specs/specforge.yaml")
    assert not is_settings_file("specs/my_specforge.yaml")


def test_hidden_folders_are_entered_only_when_named(folder: Path) -> None:
    _write(folder, ".venv/a.yaml", "specs/.b.yaml")
    assert specs_at(".") == ["specs/.b.yaml"]
    assert specs_at(".venv") == [".venv/a.yaml"]


def test_a_project_s_folder_may_be_called_like_a_glob(folder: Path) -> None:
    odd = folder / "nets [1]"
    _write(odd, "specs/a.yaml", "more/b.yaml")
    (odd / "specforge.yaml").write_text("paths: ['specs/*.yaml', more]\n")
    assert [path.name for path in find(odd).specs(odd)] == ["a.yaml", "b.yaml"]


def test_a_folder_that_can_not_be_read_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(folder, "specs/closed/a.yaml")
    scan = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError):
        specs_at("specs")
    assert find(folder).specs(folder) == []  # of what nobody asked for, nothing is said
