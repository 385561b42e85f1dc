"""Patterns mean what they mean in .gitignore."""

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specforge.project.patterns import matches


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("specs/drafts", "specs/drafts"),
        ("specs/drafts", "specs/drafts/a.yaml"),
        ("specs/drafts/", "specs/drafts/deep/a.yaml"),
        ("./specs/a.yaml", "specs/a.yaml"),
        ("specs/*.yaml", "specs/a.yaml"),
        ("specs/*", "specs/deep/a.yaml"),  # the folder `deep` is meant, and with it all below
        ("specs/**/a.yaml", "specs/a.yaml"),
        ("specs/**/a.yaml", "specs/x/y/a.yaml"),
        ("specs/**", "specs/x/a.yaml"),
        ("**/a.yaml", "a.yaml"),
        ("old_*.yaml", "old_a.yaml"),
        ("old_*.yaml", "specs/deep/old_a.yaml"),
        ("drafts", "specs/drafts/a.yaml"),
        ("drafts/", "specs/drafts/a.yaml"),
        ("/a.yaml", "a.yaml"),
        ("specs/lab[12].yaml", "specs/lab2.yaml"),
        ("specs/lab[!12].yaml", "specs/lab3.yaml"),
        ("specs/lab[0-9].yaml", "specs/lab7.yaml"),
        ("specs/lab[--0].yaml", "specs/lab..yaml"),
        ("specs/lab[]^].yaml", "specs/lab[]^].yaml"),
        ("specs/a?.yaml", "specs/ab.yaml"),
        ("specs/a+b (1).yaml", "specs/a+b (1).yaml"),
    ],
)
def test_is_meant(pattern: str, path: str) -> None:
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("specs/*.yaml", "specs/deep/a.yaml"),
        ("specs/*.yaml", "other/specs/a.yaml"),
        ("specs/drafts", "specs/drafts_2/a.yaml"),
        ("specs/a?.yaml", "specs/a/.yaml"),
        ("specs/a[!b]c", "specs/a/c"),
        ("specs/lab[9-0].yaml", "specs/lab5.yaml"),
        ("/a.yaml", "specs/a.yaml"),
        ("specs/**", "specs"),
        ("lab2.yaml", "lab2xyaml"),
    ],
)
def test_is_not_meant(pattern: str, path: str) -> None:
    assert not matches(pattern, path)


@given(st.text("ab*?[]!-^\\.(", min_size=1, max_size=8), st.text("ab*?[]!-^\\.(", min_size=1, max_size=8))
def test_any_text_is_a_pattern(pattern: str, name: str) -> None:
    matches(pattern, name)


@given(st.text("ab*?.", min_size=1, max_size=8), st.text("ab.", min_size=1, max_size=8))
def test_a_name_is_matched_as_python_does(pattern: str, name: str) -> None:
    if set(pattern) != {"."} and pattern != "**" and "./" not in pattern:
        assert matches(pattern, name) == fnmatch.fnmatchcase(name, pattern)


_SEGMENT = st.text("ab*?", min_size=1, max_size=4)


def _slowly(pattern: list[str], path: list[str]) -> bool:
    """By trying everything: a pattern may end above the path."""
    if not pattern:
        return True
    if not path:
        return False
    if pattern[0] == "**":
        return any(_slowly(pattern[1:], path[start:]) for start in range(len(path)))
    return fnmatch.fnmatchcase(path[0], pattern[0]) and _slowly(pattern[1:], path[1:])


@given(
    st.lists(st.one_of(_SEGMENT, st.just("**")), min_size=2, max_size=6),
    st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=6),
)
def test_folders_are_matched_as_by_trying_everything(pattern: list[str], path: list[str]) -> None:
    assert matches("/".join(pattern), "/".join(path)) == _slowly(pattern, path)


@pytest.mark.parametrize("pattern", ["*a" * 40 + "b", "/".join(["**", "a"] * 40 + ["b"]), "*" * 200 + "b"])
def test_many_stars_take_no_time(pattern: str) -> None:
    began = time.perf_counter()
    assert not matches(pattern, "/".join(["a" * 200] * 50))
    assert not matches(pattern, "/".join("a" * 100))
    assert time.perf_counter() - began < 1
