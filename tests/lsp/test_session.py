"""When documents are analysed, and how often."""

import asyncio
import gc
from pathlib import Path

import pytest
from lsprotocol import types

from specforge.analysis import Analysis
from specforge.lsp import session as room
from specforge.lsp.documents import Document, is_library, looks_like_spec
from specforge.lsp.session import Session
from specforge.lsp.text import Text
from tests.lsp.specs import LAB

Published = list[tuple[int | None, list[types.Diagnostic]]]


async def _settled(session: Session, uri: str) -> None:
    document = await session.settled(uri, 20)
    assert document is not None
    assert document.known is not None


def _counted(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The paths of the analyses that are made."""
    paths: list[Path] = []
    real = room.analyse

    def analyse(path: Path, **more: object) -> Analysis:
        paths.append(path)
        return real(path, **more)  # type: ignore[arg-type]  # what the session gives

    monkeypatch.setattr(room, "analyse", analyse)
    return paths


def test_typing_is_one_analysis_of_the_last_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uri, paths = (tmp_path / "lab.yaml").as_uri(), _counted(monkeypatch)
    published: Published = []

    async def type_() -> None:
        session = Session(lambda document, found: published.append((document.version, found)))
        session.opened(uri, LAB, 1)
        await _settled(session, uri)
        for version in range(2, 30):
            change = types.TextDocumentContentChangeWholeDocument(LAB.replace("name: lab", f"name: lab{version}"))
            session.changed(uri, [change], version)
        await _settled(session, uri)
        while session._task is None or not session._task.done():
            await asyncio.sleep(0.005)
        session.close()

    asyncio.run(type_())
    assert len(paths) == 2
    assert published == [(1, []), (29, [])]


def test_what_was_analysed_in_vain_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text changes while it is analysed."""
    uri = (tmp_path / "lab.yaml").as_uri()
    published: Published = []
    real = room.analyse
    changes: list[str] = []

    async def type_() -> None:
        session = Session(lambda document, found: published.append((document.version, found)))
        loop = asyncio.get_running_loop()

        def analyse(path: Path, **more: object) -> Analysis:
            if not changes:
                changes.append(LAB)
                whole = types.TextDocumentContentChangeWholeDocument(LAB)
                loop.call_soon_threadsafe(session.changed, uri, [whole], 2)
            return real(path, **more)  # type: ignore[arg-type]  # what the session gives

        monkeypatch.setattr(room, "analyse", analyse)
        session.opened(uri, LAB.replace("flatten", "flaten"), 1)
        while not published:
            await asyncio.sleep(0.005)
        session.close()

    asyncio.run(type_())
    assert published == [(2, [])]


def test_a_mistake_of_ours_is_told_and_the_session_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    uri = (tmp_path / "lab.yaml").as_uri()
    published: Published = []
    real = room.analyse

    def broken(path: Path, **more: object) -> Analysis:
        monkeypatch.setattr(room, "analyse", real)
        raise RuntimeError("oh")

    async def type_() -> None:
        session = Session(lambda document, found: published.append((document.version, found)))
        monkeypatch.setattr(room, "analyse", broken)
        session.opened(uri, LAB, 1)
        await session.settled(uri, 20)
        session.saved(uri)
        await _settled(session, uri)
        session.close()

    asyncio.run(type_())
    assert published == [(1, [])]
    assert "internal error in" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("text", "is_spec"),
    [
        ("specforge: 1\n", True),
        ("# a comment\n\n'specforge' : 1\n", True),
        ('{"specforge": 1}', True),
        ("# yaml-language-server: $schema=../schema/specforge-1.json\nname: x\n", True),
        ("name: specforge\n", False),
        ("  specforge: 1\n", False),
        ("services:\n  specforge: 1\n", False),
        ("# yaml-language-server: $schema=compose.json\n", False),
        ("# " + "x" * 70_000 + "\nspecforge: 1\n", False),
    ],
)
def test_what_says_that_it_is_a_spec(text: str, is_spec: bool) -> None:
    assert looks_like_spec(text) == is_spec


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("blocks: {unit: {layers: [relu]}}\n", True),
        ("include: [a.yaml]\nblocks:\n  unit:\n    params: {a: 1}\n    layers:\n", True),
        ("blocks: {web: {image: nginx}}\n", False),
        ("blocks: {unit: {layers: []}}\nother: 1\n", False),
        ("blocks:\n", False),
        ("- blocks\n", False),
        ("", False),
    ],
)
def test_what_is_a_library(text: str, is_one: bool) -> None:
    assert is_library(Document("", Path(), None, Text(text)).tree) == is_one


def test_the_tree_of_an_old_text_leaves_nothing_to_collect(tmp_path: Path) -> None:
    """A large spec's trees, one for each letter typed, would otherwise wait for the collector, and the user with it."""
    document = Document("", tmp_path / "lab.yaml", 1, Text(LAB), True)
    inner = document.tree.value
    assert inner is not None
    document.forget()
    assert inner.parent is None
    assert document.tree.value is not inner, "who asks again gets it anew"
    document.forget()
    del inner
    gc.collect()
    document.tree  # noqa: B018  it is made when it is asked for
    document.forget()
    assert gc.collect() == 0
