"""Manifests: each file by its checksum, and the manifest by its own."""

import json
from pathlib import Path
from random import Random

import pytest

from specforge.training.manifest import MANIFEST, Damage, Sum, manifest, read_verified, sums

CONTENTS = {"weights.safetensors": b"weights", "progress.json": b"{}"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in CONTENTS.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / MANIFEST).write_bytes(manifest(CONTENTS))
    return tmp_path


def test_files_are_read_as_they_were_written(folder: Path) -> None:
    assert {name: read_verified(folder, name) for name in CONTENTS} == CONTENTS
    assert sums(folder) == {name: Sum.of(content) for name, content in CONTENTS.items()}
    assert Sum.of_file(folder / MANIFEST) == Sum.of(manifest(CONTENTS))


def test_every_flipped_bit_of_the_manifest_is_the_manifests_own(folder: Path) -> None:
    path = folder / MANIFEST
    content = path.read_bytes()
    for position in Random(0).sample(range(8 * len(content)), 100):
        damaged = bytearray(content)
        damaged[position // 8] ^= 1 << position % 8
        path.write_bytes(damaged)
        with pytest.raises(Damage, match=MANIFEST):
            read_verified(folder, "progress.json")


def test_a_manifest_of_an_older_version_has_no_checksum_of_its_own(folder: Path) -> None:
    record = json.loads((folder / MANIFEST).read_bytes())
    del record["sha256"]
    (folder / MANIFEST).write_text(json.dumps(record))
    assert read_verified(folder, "progress.json") == b"{}"


@pytest.mark.parametrize("name", ["../progress.json", "a/b", "", "..", "a\\b", "a\0b"])
def test_a_manifest_leads_nowhere_else(folder: Path, name: str) -> None:
    (folder / MANIFEST).write_bytes(manifest({name: b""}))
    with pytest.raises(Damage, match="is not a list of checksums"):
        sums(folder)


@pytest.mark.parametrize("entry", [None, [], {}, {"bytes": "7", "sha256": ""}, {"bytes": -1, "sha256": ""}, 7])
def test_an_entry_that_is_none_is_damage(folder: Path, entry: object) -> None:
    (folder / MANIFEST).write_text(json.dumps({"files": {"progress.json": entry}}))
    with pytest.raises(Damage, match=r"manifest\.json is damaged"):
        sums(folder)
