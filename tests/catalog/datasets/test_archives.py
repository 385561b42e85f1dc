"""Archives of strangers: nothing lands outside of the folder, nothing but plain files inside, and no more than fits."""

import gzip
import io
import random
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from specforge.catalog.datasets import archives
from specforge.catalog.datasets.archives import is_bomb, unpack, unpacked_gz
from specforge.catalog.datasets.definition import DataError
from specforge.catalog.datasets.downloads import Remote, download_files
from specforge.catalog.datasets.published_files import md5_of
from tests.catalog.datasets.hostile import bomb

Member = tuple[tarfile.TarInfo, bytes]


def member(name: str, content: bytes = b"x", **fields: object) -> Member:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def written(folder: Path, *members: Member, name: str = "set.tar.gz", form: int = tarfile.PAX_FORMAT) -> Path:
    """An archive in a folder of its own, so that what escapes shows."""
    archive = folder / "archives" / name
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz" if name.endswith("gz") else "w", format=form) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return archive


def everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.mark.parametrize("name", ["set.tar.gz", "set.tgz", "set.tar"])
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_plain_files_and_folders_are_unpacked(name: str, form: int, tmp_path: Path) -> None:
    large = bytes(range(256)) * 10_000
    folder = member("set", b"", type=tarfile.DIRTYPE)
    members = (folder, member("set/a", b"one"), member("./set/b", large), member("c/" + "d" * 90 + "/e", b""))
    archive = written(tmp_path, *members, name=name, form=form)
    unpack(archive, tmp_path / "data")
    assert (tmp_path / "data/set/a").read_bytes() == b"one"
    assert (tmp_path / "data/set/b").read_bytes() == large
    deep = "d" * 90
    assert everything(tmp_path / "data") == {"set", "set/a", "set/b", "c", f"c/{deep}", f"c/{deep}/e"}


def test_files_of_before_are_replaced_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "data/set").mkdir(parents=True)
    for name in ("a", "own"):
        (tmp_path / "data/set" / name).write_bytes(b"old")
    unpack(written(tmp_path, member("set/a", b"new")), tmp_path / "data")
    assert (tmp_path / "data/set/a").read_bytes() == b"new"
    assert (tmp_path / "data/set/own").read_bytes() == b"old"


def test_permissions_and_owners_are_not_taken_over(tmp_path: Path) -> None:
    unpack(written(tmp_path, member("tool", b"#!/bin/sh", mode=0o6777)), tmp_path / "data")
    assert not (tmp_path / "data/tool").stat().st_mode & 0o7111


HOSTILE: dict[str, tuple[Member, str]] = {
    "leads up": (member("../evil"), "leads out of the folder"),
    "leads up from inside": (member("set/../../evil"), "leads out of the folder"),
    "stays inside but leads up": (member("set/../evil"), "leads out of the folder"),
    "absolute": (member("/tmp/evil"), "leads out of the folder"),
    "absolute twice": (member("//tmp/evil"), "leads out of the folder"),
    "absolute on Windows": (member("C:\\evil"), "leads out of the folder"),
    "a drive": (member("C:evil"), "leads out of the folder"),
    "a share": (member("\\\\server\\evil"), "leads out of the folder"),
    "up with backslashes": (member("..\\evil"), "leads out of the folder"),
    "another stream": (member("set:evil"), "no name of a data file"),
    "a colour": (member("\x1b[31mevil"), "no name of a data file"),
    "another line": (member("evil\nmore"), "no name of a data file"),
    "right to left": (member("evil\u202egpj.exe"), "no name of a data file"),
    "without end": (member("d/" * 600 + "evil"), "no name of a data file"),
    "a link to a file": (member("set", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "a symbolic link, `set`"),
    "a link inside": (member("set", b"", type=tarfile.SYMTYPE, linkname="other"), "a symbolic link, `set`"),
    "a link upwards": (member("set", b"", type=tarfile.SYMTYPE, linkname=".."), "a symbolic link, `set`"),
    "a hard link": (member("set", b"", type=tarfile.LNKTYPE, linkname="/etc/passwd"), "a hard link, `set`"),
    "a hard link inside": (member("set", b"", type=tarfile.LNKTYPE, linkname="good"), "a hard link, `set`"),
    "a device of blocks": (member("sda", b"", type=tarfile.BLKTYPE), "a device or a pipe, `sda`"),
    "a device of characters": (member("null", b"", type=tarfile.CHRTYPE), "a device or a pipe, `null`"),
    "a pipe": (member("pipe", b"", type=tarfile.FIFOTYPE), "a device or a pipe, `pipe`"),
    "nothing known": (member("odd", b"", type=b"V"), "no plain file, `odd`"),
    "named like the folder": (member("."), "names `.` twice"),
    "named twice": (member("good"), "names `good` twice"),
    "a file as a folder": (member("good/evil"), "cannot be unpacked"),
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("name", ["set.tar.gz", "set.tar"])
def test_hostile_members_are_refused_and_nothing_is_unpacked(case: str, name: str, tmp_path: Path) -> None:
    hostile, reason = HOSTILE[case]
    archive = written(tmp_path, member("good"), hostile, member("behind"), name=name)
    with pytest.raises(DataError) as caught:
        unpack(archive, tmp_path / "data")
    assert reason in caught.value.message
    assert str(archive) in caught.value.message
    assert caught.value.message.isprintable()
    assert everything(tmp_path) == {"archives", f"archives/{name}", "data"}


def test_what_goes_through_a_link_is_refused(tmp_path: Path) -> None:
    link = member("out", b"", type=tarfile.SYMTYPE, linkname=str(tmp_path))
    with pytest.raises(DataError, match="a symbolic link"):
        unpack(written(tmp_path, link, member("out/evil")), tmp_path / "data")
    assert not (tmp_path / "evil").exists()


def test_the_names_that_a_pax_header_gives_are_those_that_count(tmp_path: Path) -> None:
    info, content = member("harmless")
    info.pax_headers = {"path": "../evil"}
    with pytest.raises(DataError, match="leads out of the folder"):
        unpack(written(tmp_path, (info, content)), tmp_path / "data")
    assert everything(tmp_path / "data") == set()


def test_sparse_files_are_refused(tmp_path: Path) -> None:
    info, content = member("sparse")
    info.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.map": "0,1",
        "GNU.sparse.size": "9",
    }
    with pytest.raises(DataError, match=r"sparse|cannot be unpacked"):
        unpack(written(tmp_path, (info, content)), tmp_path / "data")


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "UNSUSPICIOUS", 2**21)


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("nested", [False, True])
def test_a_bomb_is_refused_before_it_fills_the_disk(nested: bool, tmp_path: Path) -> None:
    if nested:
        archive = written(tmp_path, member("zeros", bytes(2**24)))
    else:
        archive = tmp_path / "archives" / "zeros.gz"
        archive.parent.mkdir()
        archive.write_bytes(bomb(2**24, gz=True))
    assert archive.stat().st_size < 2**16
    with pytest.raises(DataError, match=r"unpacks to more than [\d,]+ bytes; nothing of it was unpacked"):
        unpack(archive, tmp_path / "data")
    assert everything(tmp_path / "data") == set()


@pytest.mark.usefixtures("small_limits")
def test_a_bomb_in_what_is_passed_over_is_refused_too(tmp_path: Path) -> None:
    members = [member(f"f{number}", b"") for number in range(3)]
    archive = written(tmp_path, *members, name="set.tar")
    packed = tmp_path / "archives" / "set.tar.gz"
    content = archive.read_bytes()[: 3 * 512]
    with gzip.open(packed, "wb") as file:
        file.write(content + bytes(2**24))
    unpack(packed, tmp_path / "data")  # two blocks of zeros end an archive: what is behind is not even read
    assert everything(tmp_path / "data") == {"f0", "f1", "f2"}


def test_a_header_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    info, content = member("a" * 200, b"x")
    archive = written(tmp_path, (info, content), name="set.tar", form=tarfile.GNU_FORMAT)
    blocks = bytearray(archive.read_bytes())
    blocks[124:136] = b"77777777777\0"  # the length of the long name: 8 GiB
    checksum = sum(blocks[:148]) + sum(b" " * 8) + sum(blocks[156:512])
    blocks[148:156] = b"%06o\0 " % checksum
    archive.write_bytes(bytes(blocks))
    with pytest.raises(DataError, match=r"has a header of [\d,]+ bytes"):
        unpack(archive, tmp_path / "data")


def test_more_members_than_a_data_set_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 20)
    archive = written(tmp_path, *(member(f"f{number}") for number in range(21)))
    with pytest.raises(DataError, match="more than 20 members"):
        unpack(archive, tmp_path / "data")
    assert everything(tmp_path / "data") == set()


def test_a_negative_size_ends(tmp_path: Path) -> None:
    archive = written(tmp_path, member("a"), name="set.tar")
    blocks = bytearray(archive.read_bytes())
    blocks[124:136] = b"\xff" * 11 + b"\0"  # minus 256, which leads back to the header
    checksum = sum(blocks[:148]) + sum(b" " * 8) + sum(blocks[156:512])
    blocks[148:156] = b"%06o\0 " % checksum
    archive.write_bytes(bytes(blocks))
    with pytest.raises(DataError):
        unpack(archive, tmp_path / "data")


def test_kinds_that_no_data_set_has_are_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("a", "x")
    with pytest.raises(DataError, match="of no kind that is unpacked"):
        unpack(tmp_path / "set.zip", tmp_path / "data")


@pytest.mark.parametrize("change", ["cut", "flip", "noise"])
def test_damaged_archives_end_in_one_error(change: str, tmp_path: Path) -> None:
    draw = random.Random(change)
    whole = written(tmp_path, member("set/a", bytes(3_000)), member("set/b", b"x" * 700), name="set.tar").read_bytes()
    for round_ in range(60):
        content = bytearray(whole if round_ % 2 else gzip.compress(whole, mtime=0))
        if change == "cut":
            del content[draw.randrange(len(content)) :]
        for _ in range(0 if change == "cut" else 1 if change == "flip" else 30):
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        archive = tmp_path / ("again.tar" if round_ % 2 else "again.tar.gz")
        archive.write_bytes(bytes(content))
        folder = tmp_path / "data" / str(round_)
        with suppress(DataError):
            unpack(archive, folder)
            continue
        assert everything(folder) == set(), "refused, so nothing of it is there"
    assert {path.name for path in tmp_path.iterdir()} == {"archives", "data", "again.tar", "again.tar.gz"}


def test_gz_bytes_have_a_limit() -> None:
    assert unpacked_gz(Path("a.gz"), gzip.compress(b"x" * 100), limit=100) == b"x" * 100
    with pytest.raises(DataError, match="more than 99 bytes"):
        unpacked_gz(Path("a.gz"), gzip.compress(b"x" * 100), limit=99)
    with pytest.raises(DataError, match="cut off"):
        unpacked_gz(Path("a.gz"), gzip.compress(b"x" * 100)[:-1], limit=100)
    with pytest.raises(DataError, match="damaged"):
        unpacked_gz(Path("a.gz"), b"no gzip", limit=100)


def test_what_counts_as_a_bomb() -> None:
    assert not is_bomb(100, 2**26)
    assert is_bomb(100, 2**26 + 1)
    assert not is_bomb(2**26, 2**30)


def test_a_hostile_archive_with_the_published_checksum_is_refused(
    tmp_path: Path, server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checksum says that the archive is the one that was meant, not that it is harmless."""
    datasets = pytest.importorskip("torchvision.datasets")
    address, served = server
    archive = written(tmp_path, member("good"), member("../evil"))
    (served / archive.name).write_bytes(archive.read_bytes())
    monkeypatch.setattr(datasets, "CIFAR10", type("CIFAR10", (), {}))
    remote = Remote(archive.name, md5_of(archive.read_bytes()), (f"{address}/{archive.name}",), unpack=True)

    def fetch(extract: Callable[[type], list[Remote]]) -> None:
        download_files("CIFAR10", extract, tmp_path / "data", by_hand=str)

    with pytest.raises(DataError, match="leads out of the folder"):
        fetch(lambda _: [remote])
    assert everything(tmp_path / "data") == {archive.name}
    assert not (tmp_path / "evil").exists()
