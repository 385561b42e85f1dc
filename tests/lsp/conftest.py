"""Sessions with the server. Starting one takes a second, so that most tests share one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lsp.client import Client

pytest.importorskip("pygls", reason="the language server needs pygls: pip install 'pygls>=2'")


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The session of all tests that do not end it; what they did must leave no complaint."""
    found = Client(tmp_path_factory.mktemp("editor"))
    try:
        found.start()
        yield found
        assert found.stop() == 0
        assert found.told == ""
    finally:
        found.kill()


@pytest.fixture
def client(running: Client, tmp_path: Path) -> Client:
    """A session in a folder of its own, where nothing is open."""
    running.move(tmp_path)
    return running


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Client]:
    """A session that has begun, for a test that ends it."""
    found = Client(tmp_path)
    try:
        found.start()
        yield found
    finally:
        found.kill()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Client]:
    """A process to which nothing was said."""
    found = Client(tmp_path)
    try:
        yield found
    finally:
        found.kill()
