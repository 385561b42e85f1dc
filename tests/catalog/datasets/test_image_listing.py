"""Listing a folder of images: its order, what is passed over, and every fault of its structure."""

import os
from pathlib import Path

import pytest

from specforge.catalog.datasets.definition import DataError
from specforge.catalog.datasets.image_listing import Listing, list_images, listed, shown
from tests.catalog.datasets.image_files import write_folder, write_image


def paths(listing: Listing) -> list[str]:
    return [file.path.relative_to(listing.folder).as_posix() for file in listing.files]


def message(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        list_images(folder)
    assert caught.value.hint or "cannot be read" in caught.value.message
    return caught.value.message


def test_files_by_class_and_name(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/10.png", "a/x.jpg", "B/1.png", "a/deeper/1.png"):
        write_image(tmp_path / name)
    listing = list_images(tmp_path)
    assert paths(listing) == ["B/1.png", "a/x.jpg", "a/deeper/1.png", "b/10.png", "b/2.png"]
    assert listing.class_names == ("B", "a", "b")
    assert [file.label for file in listing.files] == [0, 1, 1, 2, 2]
    assert listing.train == 5, "without a test part all are training images"
    status = (tmp_path / "B/1.png").stat()
    assert (listing.files[0].size, listing.files[0].changed) == (status.st_size, status.st_mtime_ns)


def test_classes_are_numbered_as_torchvision_does(tmp_path: Path) -> None:
    datasets = pytest.importorskip("torchvision.datasets")
    write_folder(tmp_path, ["z", "A", "été", "a b", "10", "9"], count=2)
    oracle, listing = datasets.ImageFolder(str(tmp_path)), list_images(tmp_path)
    assert list(listing.class_names) == oracle.classes
    assert [(str(file.path), file.label) for file in listing.files] == oracle.samples


@pytest.mark.parametrize("name", ["test", "val", "validation"])
def test_a_training_part_and_a_test_part(name: str, tmp_path: Path) -> None:
    write_folder(tmp_path / "train", count=2)
    write_folder(tmp_path / name, count=1)
    listing = list_images(tmp_path)
    expected = ["train/cat/0.png", "train/cat/1.png", "train/dog/0.png", "train/dog/1.png"]
    assert paths(listing) == [*expected, f"{name}/cat/0.png", f"{name}/dog/0.png"]
    assert (listing.train, listing.class_names) == (4, ("cat", "dog"))
    assert [file.label for file in listing.files] == [0, 0, 1, 1, 0, 1]


@pytest.mark.parametrize(("train", "test"), [("Train", "Test"), ("TRAIN", "VAL"), ("train", "Validation")])
def test_parts_in_capitals_are_parts(train: str, test: str, tmp_path: Path) -> None:
    write_folder(tmp_path / train, count=2)
    write_folder(tmp_path / test, count=1)
    listing = list_images(tmp_path)
    assert (listing.train, listing.class_names) == (4, ("cat", "dog"))


def test_a_training_part_alone(tmp_path: Path) -> None:
    write_folder(tmp_path / "train")
    listing = list_images(tmp_path)
    assert (listing.train, len(listing.files), listing.class_names) == (6, 6, ("cat", "dog"))


@pytest.mark.parametrize("names", [["train", "bus"], ["test", "exam"], ["bus", "validation"]])
def test_a_class_may_have_the_name_of_a_part(names: list[str], tmp_path: Path) -> None:
    assert list_images(write_folder(tmp_path, names)).class_names == tuple(sorted(names))


def test_hidden_names_and_those_of_file_managers_are_passed_over(tmp_path: Path) -> None:
    write_folder(tmp_path, count=1)
    for name in (".hidden", ".specforge-cache/1.npy", "cat/.DS_Store", "cat/Thumbs.db", "__MACOSX/x.png", "README.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    listing = list_images(tmp_path)
    assert paths(listing) == ["cat/0.png", "dog/0.png"]
    assert listing.faults == ()


def test_names_of_any_language_and_with_spaces(tmp_path: Path) -> None:
    write_folder(tmp_path, ["Löwe und Bär", "猫"], count=1)
    assert list_images(tmp_path).class_names == ("Löwe und Bär", "猫")


def test_names_that_are_no_text_can_be_shown(tmp_path: Path) -> None:
    try:
        os.mkdir(os.fsencode(tmp_path) + b"/caf\xe9\n")  # noqa: PTH102
    except OSError:
        pytest.skip("this file system takes no such names")
    write_image(next(tmp_path.iterdir()) / "1.png")
    (name,) = list_images(tmp_path).class_names
    assert name == r"caf\udce9\n"


def test_links_are_followed(tmp_path: Path) -> None:
    write_folder(tmp_path / "elsewhere", ["cat"], count=1)
    (tmp_path / "data" / "dog").mkdir(parents=True)
    (tmp_path / "data" / "cat").symlink_to(tmp_path / "elsewhere" / "cat")
    (tmp_path / "data" / "dog" / "1.png").symlink_to(tmp_path / "elsewhere" / "cat" / "0.png")
    assert paths(list_images(tmp_path / "data")) == ["cat/0.png", "dog/1.png"]


def test_links_that_lead_back_are_named(tmp_path: Path) -> None:
    write_folder(tmp_path)
    (tmp_path / "cat" / "again").symlink_to(tmp_path / "cat")
    (tmp_path / "dog" / "all").symlink_to(tmp_path)
    found = message(tmp_path)
    assert f"`{tmp_path / 'cat' / 'again'}` leads back to a folder that it lies in" in found
    assert f"`{tmp_path / 'dog' / 'all' / 'dog'}` leads back" in found


def test_folders_without_end_are_named(tmp_path: Path) -> None:
    write_folder(tmp_path)
    (tmp_path / "cat" / Path(*"d" * 40)).mkdir(parents=True)
    assert "is 32 folders deep" in message(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert message(tmp_path / "flowers") == f"`{tmp_path / 'flowers'}` is not there"
    (tmp_path / "flowers").write_bytes(b"x")
    assert message(tmp_path / "flowers") == f"`{tmp_path / 'flowers'}` is not a folder"


def test_a_folder_without_classes(tmp_path: Path) -> None:
    write_image(tmp_path / "1.png")
    assert message(tmp_path).endswith("holds no folders of classes")
    write_image(tmp_path / "train" / "1.png")
    write_folder(tmp_path / "test")
    found = message(tmp_path)
    assert "`train` holds no folders of classes" in found
    assert "images outside of any class: `train/1.png`" in found


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    write_folder(tmp_path / "train", ["cat", "dog"])
    write_folder(tmp_path / "test", ["cat", "wolf"])
    (tmp_path / "train" / "lion").mkdir()
    write_image(tmp_path / "test" / "lost.JPG")
    found = message(tmp_path)
    for part in (
        "`test` has no class `dog`, `lion`, which `train` has",
        "`train` has no class `wolf`, which `test` has",
        "the class folder `train/lion` is empty",
        "images outside of any class: `test/lost.JPG`",
    ):
        assert part in found


def test_a_class_of_hidden_files_is_empty(tmp_path: Path) -> None:
    write_folder(tmp_path)
    for file in (tmp_path / "dog").iterdir():
        file.rename(file.with_name(f".{file.name}"))
    assert message(tmp_path).endswith("the class folder `dog` is empty")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["train", "test", "labels"], "holds parts and other folders: `labels`, `test`, `train`"),
        (["test", "val"], "holds no `train`: `test`, `val`"),
        (["train", "test", "val"], "holds several test parts: `test`, `train`, `val`"),
        (["Test", "VAL"], "holds no `train`: `Test`, `VAL`"),
    ],
)
def test_parts_that_do_not_add_up(names: list[str], said: str, tmp_path: Path) -> None:
    for name in names:
        write_folder(tmp_path / name)
    assert said in message(tmp_path)


def test_a_folder_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path)
    scan = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "dog":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert message(tmp_path) == f"the folder `{tmp_path / 'dog'}` cannot be read: Permission denied"


def test_faults_that_show_without_opening(tmp_path: Path) -> None:
    write_folder(tmp_path, count=1)
    (tmp_path / "cat" / "empty.png").write_bytes(b"")
    (tmp_path / "cat" / "gone.png").symlink_to(tmp_path / "nothing")
    (tmp_path / "dog" / "itself.png").symlink_to(tmp_path / "dog" / "itself.png")
    os.mkfifo(tmp_path / "dog" / "pipe.png")
    listing = list_images(tmp_path)
    assert paths(listing) == ["cat/0.png", "dog/0.png"]
    assert {fault.path.name: fault.reason for fault in listing.faults} == {
        "empty.png": "0 bytes",
        "gone.png": "a link that leads nowhere",
        "itself.png": "a link that leads nowhere",
        "pipe.png": "not a regular file",
    }


def test_long_lists_are_cut() -> None:
    assert listed([str(number) for number in range(10)]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert listed(["x"] * 1_010).endswith("x, and 1,000 more")


def test_what_cannot_be_printed_is_written_out() -> None:
    assert shown("a\x1b[31m\udce9é") == r"a\x1b[31m\udce9é"
