"""What README and docs say: examples of the language are right, links lead somewhere."""

import re
import textwrap
from pathlib import Path

import pytest

from specforge.analysis import analyse
from specforge.diagnostics import Findings
from specforge.formatting import format_text

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
_FENCE = re.compile(r"^```(yaml spec|yaml layers)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def _examples() -> list[tuple[str, str, str]]:
    """(place, kind, text) of every marked example."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for match in _FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 2
            found.append((f"{document.relative_to(ROOT)}:{line}", match[1], match[2]))
    return found


def _spec(kind: str, text: str) -> str:
    """A fragment made whole: a list of layers gets a model, a spec its version and name."""
    if kind == "yaml layers":
        text = "model:\n  input: [3, 32, 32]\n  layers:\n" + textwrap.indent(text, "    ")
    missing = {"specforge": "specforge: 1\n", "name": "name: example\n"}
    return "".join(line for key, line in missing.items() if not re.search(rf"^{key}:", text, re.MULTILINE)) + text


@pytest.mark.parametrize(("place", "kind", "text"), [pytest.param(*e, id=e[0]) for e in _examples()])
def test_example_is_right(place: str, kind: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(_spec(kind, text), encoding="utf-8")
    analysis = analyse(file)
    assert [found.message for found in analysis.findings if not found.accepted] == []
    assert analysis.graph is not None


@pytest.mark.parametrize(("place", "text"), [pytest.param(e[0], e[2], id=e[0]) for e in _examples()])
def test_example_is_laid_out_as_fmt_does(place: str, text: str) -> None:
    assert format_text(text, place, Findings()) == text


def test_there_are_examples() -> None:
    assert len(_examples()) > 12


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    text = _CODE.sub("", document.read_text(encoding="utf-8"))
    dead = [link for link in _LINK.findall(text) if "://" not in link and not _exists(document, link)]
    assert dead == []


def _exists(document: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = document.parent / path if path else document
    return target.exists() and (not anchor or anchor in _anchors(target))


def _anchors(document: Path) -> set[str]:
    """As GitHub makes them: lower case, punctuation gone, spaces to hyphens."""
    headings = _HEADING.findall(re.sub(r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.M | re.S))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
