"""Differences as they are shown on docs/diffs.md, and texts that mean the same."""

from pathlib import Path

import pytest

from specforge.diff import diff
from tests.diff import gallery
from tests.diff.texts import BASE, assert_same, compared, edited


def test_the_page_says_what_diff_says() -> None:
    """After a change of words: `make docs`, and read what it wrote."""
    assert gallery.page() == gallery.PAGE.read_text(encoding="utf-8")
    assert len(gallery.pages()) + len(gallery.KNOWN) >= 30


SAME_FUNCTION = ("only_the_writing", "extends_unrolled", "a_block_inlined", "rename_a_layer")


@pytest.mark.parametrize("name", gallery.pages())
def test_what_only_differs_in_writing_is_the_same(name: str) -> None:
    folder = gallery.EXAMPLES / name
    assert diff(folder / "before.yaml", folder / "after.yaml").same == (name in SAME_FUNCTION)
    assert diff(folder / "after.yaml", folder / "before.yaml").same == (name in SAME_FUNCTION)
    assert diff(folder / "after.yaml", folder / "after.yaml").identical


SAME = {
    "words about it": [("name: base", "name: other\ndescription: text\nexpect: {output: [10]}")],
    "explicit defaults": [
        ("lr: 1e-3", "lr: 0.001, eps: 1e-8"),
        ("padding: same}\n    - relu\n    - repeat", "padding: same, bias: true}\n    - relu\n    - repeat"),
    ],
    "the value instead of the param": [("$width", "8")],
    "written out instead of repeated": [("times: $times", "for: {unused: [1, 2]}")],
    "an id without weights": [("    - flatten", "    - {id: vector, flatten: }")],
    "an empty group": [("    - flatten", "    - sequential: {layers: []}\n    - flatten")],
}


@pytest.mark.parametrize("edits", SAME.values(), ids=SAME)
def test_same_meaning(edits: list[tuple[str, str]], tmp_path: Path) -> None:
    assert_same(compared(BASE, edited(*edits), tmp_path))
