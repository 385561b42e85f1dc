"""What was looked for on the disk is known, whether it is there or not."""

import os
from pathlib import Path

from specforge.analysis import analyse
from specforge.project import Recorded, stamp


def test_all_that_a_spec_reads_and_looks_for(folder: Path) -> None:
    (folder / "lab.yaml").write_text("extends: base.yaml\ninclude: [gone.yaml]\n")
    (folder / "base.yaml").write_text("specforge: 1\nname: base\n")
    files = Recorded()
    assert analyse("lab.yaml", files=files).name == "lab.yaml"
    asked = {path.name: known is not None for path, known in files.asked.items()}
    assert asked == {"lab.yaml": True, "base.yaml": True, "gone.yaml": False}


def test_a_stamp_is_another_one_however_a_file_is_saved(folder: Path) -> None:
    file = folder / "a.yaml"
    assert stamp(file) is None
    file.write_text("a")
    os.utime(file, ns=(1, 1))
    stamps = [stamp(file)]
    file.write_text("ab")
    os.utime(file, ns=(1, 1))
    stamps.append(stamp(file))
    other = folder / "b.yaml"
    other.write_text("ac")
    os.utime(other, ns=(1, 1))
    other.replace(file)
    stamps.append(stamp(file))
    os.utime(file, ns=(2, 2))
    stamps.append(stamp(file))
    assert len(set(stamps)) == 4
    assert stamp(Path("a\0b")) is None


def test_the_stamp_is_from_before_the_reading(folder: Path) -> None:
    file = folder / "a.yaml"
    file.write_text("a")
    before, files = stamp(file), Recorded()
    files.read(file)
    file.write_text("changed since")
    assert files.is_file(file)
    assert files.asked == {file: before}
