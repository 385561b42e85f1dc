"""`specforge fmt`: files, folders, stdin, what it prints, and what it never touches."""

import os
import stat
from pathlib import Path

import pytest

from specforge.cli.files import write_whole
from tests.cli.conftest import Run

UNTIDY = "a:   1\nb:\n- 2   # two\n"
TIDY = "a: 1\nb:\n  - 2   # two\n"


@pytest.fixture
def untidy(tmp_path: Path) -> Path:
    path = tmp_path / "untidy.yaml"
    path.write_text(UNTIDY)
    return path


def test_formats_a_file_without_torch(specforge: Run, untidy: Path) -> None:
    done = specforge("fmt", "untidy.yaml", blocked=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "1 file: 1 formatted\n")
    assert untidy.read_text() == TIDY


def test_folders_and_globs(specforge: Run, untidy: Path) -> None:
    (untidy.parent / "below").mkdir()
    (untidy.parent / "below" / "tidy.yml").write_text(TIDY)
    assert specforge("fmt", ".").stderr == "2 files: 1 formatted, 1 already canonical\n"
    assert specforge("fmt", "below/*.yml", "untidy.yaml").stderr == "2 files: 2 already canonical\n"
    assert specforge("fmt", "nowhere").returncode == 2


def test_what_is_canonical_is_not_touched(specforge: Run, untidy: Path) -> None:
    untidy.write_text(TIDY)
    os.utime(untidy, ns=(1, 1))
    before = untidy.stat()
    assert specforge("fmt", untidy).returncode == 0
    after = untidy.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_check_names_files_and_changes_none(specforge: Run, untidy: Path) -> None:
    (untidy.parent / "tidy.yaml").write_text(TIDY)
    done = specforge("fmt", "--check", ".")
    assert (done.returncode, done.stdout) == (1, "untidy.yaml\n")
    assert done.stderr == "2 files: 1 would be formatted, 1 already canonical\n"
    assert untidy.read_text() == UNTIDY
    assert specforge("fmt", "--check", "tidy.yaml").returncode == 0


def test_diff_shows_lines_and_changes_none(specforge: Run, untidy: Path) -> None:
    untidy.write_text(UNTIDY.removesuffix("\n"))
    done = specforge("fmt", "--diff", "untidy.yaml")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "--- untidy.yaml",
        "+++ untidy.yaml",
        "@@ -1,3 +1,3 @@",
        "-a:   1",
        "+a: 1",
        " b:",
        "-- 2   # two",
        "\\ No newline at end of file",
        "+  - 2   # two",
    ]
    assert untidy.read_text() == UNTIDY.removesuffix("\n")
    untidy.write_text(TIDY)
    assert specforge("fmt", "--diff", "untidy.yaml").returncode == 0


def test_stdin_goes_to_stdout(specforge: Run) -> None:
    done = specforge("fmt", "-", stdin=UNTIDY)
    assert (done.returncode, done.stdout, done.stderr) == (0, TIDY, "")
    assert specforge("fmt", "-", stdin=TIDY).stdout == TIDY
    checked = specforge("fmt", "--check", "-", stdin=UNTIDY)
    assert (checked.returncode, checked.stdout) == (1, "-\n")


def test_a_file_that_does_not_parse_is_left_alone(specforge: Run, untidy: Path) -> None:
    broken = untidy.with_name("broken.yaml")
    broken.write_text("a:   [1\nb:  2\n")
    done = specforge("fmt", "broken.yaml", "untidy.yaml")
    assert done.returncode == 1
    assert done.stderr.startswith("broken.yaml:1:6: error[SF102] this `[` is not closed\n  1 | a:   [1\n")
    assert done.stderr.endswith("2 files: 1 formatted, 1 with errors, left alone\n")
    assert broken.read_text() == "a:   [1\nb:  2\n"
    assert untidy.read_text() == TIDY
    by_pipe = specforge("fmt", "-", stdin="a: [1\n")
    assert (by_pipe.returncode, by_pipe.stdout) == (1, "")
    assert "SF102" in by_pipe.stderr


def test_a_file_that_is_no_text_is_left_alone(specforge: Run, untidy: Path) -> None:
    untidy.write_bytes(b"a:   \xff\n")
    done = specforge("fmt", "untidy.yaml")
    assert done.returncode == 1
    assert "SF101" in done.stderr
    assert untidy.read_bytes() == b"a:   \xff\n"


def test_permissions_and_links_stay(specforge: Run, untidy: Path) -> None:
    untidy.chmod(0o640)
    link = untidy.with_name("link.yaml")
    link.symlink_to("untidy.yaml")
    assert specforge("fmt", "link.yaml").returncode == 0
    assert link.is_symlink()
    assert untidy.read_text() == TIDY
    assert stat.S_IMODE(untidy.stat().st_mode) == 0o640
    assert sorted(path.name for path in untidy.parent.iterdir()) == ["link.yaml", "untidy.yaml"]


def test_a_write_that_fails_loses_nothing(untidy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied", str(target))

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionError):
        write_whole(untidy, TIDY)
    assert [(path.name, path.read_text()) for path in untidy.parent.iterdir()] == [("untidy.yaml", UNTIDY)]


def test_windows_line_ends_go(specforge: Run, untidy: Path) -> None:
    untidy.write_bytes(TIDY.replace("\n", "\r\n").encode())
    assert specforge("fmt", "untidy.yaml").returncode == 0
    assert untidy.read_bytes() == TIDY.encode()
