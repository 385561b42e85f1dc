"""SECURITY.md: every promise names tests, and those tests exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


@cache
def functions(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_tests_are_named() -> None:
    assert len(NAMED) > 30


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_named_test_exists(file: str, test: str) -> None:
    assert test.startswith("test_")
    assert test in functions(file), f"SECURITY.md names `{file}::{test}`, which is not there"


def test_every_promise_names_a_test() -> None:
    promised = PAGE[PAGE.index("## What is promised") : PAGE.index("## What is not promised")]
    rows = [line for line in promised.splitlines() if line.startswith("|") and "---" not in line]
    promises = [row for row in rows if not row.startswith("| promise |")]
    assert len(promises) > 15
    assert [row for row in promises if not re.search(r"`tests/[\w/]+\.py::test_\w+`", row)] == []


def test_the_limits_are_those_of_the_code() -> None:
    from specforge.catalog.datasets import archives

    assert f"more than {archives.MOST_RATIO} times its size, or to more than {archives.MOST_BYTES // 2**30} GiB" in PAGE


def test_the_command_that_is_named_exists() -> None:
    assert re.search(r"^audit:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
