"""Fetching files: addresses tried in order, failures that name all of them, a torchvision that does not work."""

import sys
from pathlib import Path
from typing import Any

import pytest

from specforge.catalog.datasets.definition import DataError
from specforge.catalog.datasets.downloads import Remote, download_files
from specforge.catalog.datasets.published_files import md5_of

CONTENT = b"published"


def fetch(folder: Path, *addresses: str) -> None:
    pytest.importorskip("torchvision")

    def files(source: Any) -> list[Remote]:
        assert source.__name__ == "SVHN"
        return [Remote("a.mat", md5_of(CONTENT), addresses)]

    download_files("SVHN", files, folder, by_hand=lambda name: f"copy {name} here")


def test_takes_the_first_address_that_has_it(tmp_path: Path, server: tuple[str, Path]) -> None:
    address, folder = server
    (folder / "good").write_bytes(CONTENT)
    (folder / "damaged").write_bytes(b"publ")
    fetch(tmp_path, f"{address}/missing", f"{address}/damaged", f"{address}/good")
    assert (tmp_path / "a.mat").read_bytes() == CONTENT


def test_names_every_address_and_what_it_said(tmp_path: Path, server: tuple[str, Path]) -> None:
    address, folder = server
    (folder / "damaged").write_bytes(b"publ")
    with pytest.raises(DataError) as caught:
        fetch(tmp_path, f"{address}/missing", f"{address}/damaged")
    message = caught.value.message
    assert f"from {address}/missing: HTTP Error 404" in message
    assert f"from {address}/damaged: File not found or corrupted" in message
    assert caught.value.hint == "without a network, copy a.mat here"


def test_a_torchvision_that_cannot_be_imported_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        """Fails as torchvision does when its operators were built for another torch."""

        def find_spec(self, name: str, path: object = None, target: object = None) -> None:
            if name == "torchvision":
                raise RuntimeError("operator torchvision::nms does not exist")

    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(DataError, match=r"downloading SVHN needs torchvision.*nms does not exist") as caught:
        download_files("SVHN", lambda source: [], tmp_path, by_hand=str)
    assert "pip install" in (caught.value.hint or "")
