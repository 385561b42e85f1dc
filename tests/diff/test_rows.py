"""Both networks next to each other: every layer once on its side, in order, also on the page."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from specforge.diff import diff
from specforge.diff.rows import Fold, folded, rows
from specforge.diff.sides import read_side
from specforge.report.compare_specs import to_html
from tests.diff import gallery
from tests.diff.texts import BASE, FIRST_RELU, edited

HOSTILE = "<script>alert(1)</script>"


@pytest.mark.parametrize("name", gallery.pages())
def test_every_layer_stands_once_on_its_side(name: str) -> None:
    sides = [read_side(gallery.EXAMPLES / name / f"{side}.yaml") for side in ("before", "after")]
    found = rows(*sides, diff(*sides))
    for side, layer in ((0, "before"), (1, "after")):
        shown = [getattr(row, layer).path for row in found if getattr(row, layer) is not None]
        leaves = [node.path for node in sides[side].graph.leaves()]
        assert len(shown) == len(set(shown))
        assert set(leaves) <= set(shown)
    assert [row.after.path for row in found if row.after and row.after.path in leaves] == leaves
    assert all(
        (row.before is None or row.after is None) == (row.status in ("added", "removed", "moved")) for row in found
    )


def test_what_is_as_before_folds(tmp_path: Path) -> None:
    sides = []
    for name, text in (("a", BASE), ("b", edited(FIRST_RELU))):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        sides.append(read_side(tmp_path / f"{name}.yaml"))
    found = rows(*sides, diff(*sides))
    shown = list(folded(found))
    assert [len(row.rows) if isinstance(row, Fold) else row.status for row in shown] == [
        "same",
        "added",
        "same",
        "same",
        6,
    ]
    assert [inner for row in shown for inner in (row.rows if isinstance(row, Fold) else (row,))] == found


class Page(HTMLParser):
    """Counts elements, and collects what can run or load."""

    def __init__(self) -> None:
        super().__init__()
        self.layers, self.active = 0, []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.layers += given.get("class") == "layer"
        self.active += [tag] if tag in ("script", "img", "link", "iframe", "object") else []
        self.active += [name for name in given if name.startswith("on") or name in ("src", "href")]


def test_the_page_holds_both_networks_and_nothing_that_runs(tmp_path: Path) -> None:
    sides = []
    for name, path in (("a", "x"), ("b", HOSTILE)):
        text = edited(("{synthetic: {image: [3, 16, 16]}}", f'{{npz: {{path: "{path}"}}}}'), text=BASE)
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        sides.append(read_side(tmp_path / f"{name}.yaml"))
    text = to_html(*sides, diff(*sides))
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text
    page = Page()
    page.feed(text)
    assert page.active == []
    assert page.layers == 2 * sum(1 for _ in sides[0].graph.leaves())


def test_what_differs_is_spelled_out_on_both_sides(tmp_path: Path) -> None:
    """Also where it has its default, which is left out elsewhere."""
    for name, layer in (("a", "dropout"), ("b", "dropout: 0.25")):
        text = f"specforge: 1\nname: x\nmodel: {{input: [3, 8, 8], layers: [{layer}]}}\n"
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    sides = read_side(tmp_path / "a.yaml"), read_side(tmp_path / "b.yaml")
    (row,) = rows(*sides, diff(*sides))
    assert row.before is not None
    assert row.after is not None
    assert [row.before.arguments, row.after.arguments] == [{"p": 0.5}, {"p": 0.25}]
