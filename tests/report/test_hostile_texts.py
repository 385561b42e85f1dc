"""Runs and specs of strangers: whatever their texts are, pages have the elements of ours and no others.

Each page is made twice: with letters, and with hostile texts everywhere that a run's files or a spec have a text. Both
must have the same elements, with the same attributes, and nothing that leads anywhere.
"""

import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specforge.analysis import analyse
from specforge.data.preview import Picture, Strip
from specforge.diagnostics import one_line
from specforge.report import write_curves, write_lr_find, write_report
from specforge.report.compare_runs.compared import compare_runs
from specforge.report.compare_runs.markdown import to_markdown
from specforge.report.compare_runs.page import to_html
from specforge.report.preview import write_preview
from specforge.summary import to_markdown as summary_in_markdown
from tests.report.runs import confusion_record, epoch_record, mistakes_record, result_record

HOSTILE = (
    "<script>alert(1)</script>",
    "</title></style></script><img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    '" style="background:url(javascript:alert(1))" x="',
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "<a href=javascript:alert(1)>x</a>",
    "<!-- ", "--> <b>", "<![CDATA[ ]]>", "<?php ?>", "]]>",
    "&lt;script&gt;", "&#60;script&#62;", "&amp;", "&quot;><i>",
    "{{ 7 * 7 }}", "{% include '/etc/passwd' %}", "${7*7}", "$\\frac{1}{0}$", "$", "\\", "%s%n",
    "\x1b[31mred\x1b]0;title\x07", "a\x00b", "a\rb", "a\x08b", "a\x85b", "\u202egnp.exe", "\u2066a\u2069", "\u200f",
    "\u2028", "\ufeff", "`code`", "**bold**", "[x](javascript:alert(1))", "![x](http://evil.example/x.png)",
    "<javascript:alert(1)>", "| a | b |", "\n# heading", "\n\n```\n<script>\n```", "~~~", "x" * 2_000, "\ud800",
)  # fmt: skip
# what may stand nowhere in a page, however it is written
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class Structure(HTMLParser):
    """What a browser would build, without the texts."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: set[tuple[str, str]] = set()
        self.loaded: set[tuple[str, str]] = set()
        self.others: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes |= {(tag, name) for name, _ in attrs}
        leads = ("src", "href", "action", "formaction", "data", "srcset", "xlink:href", "poster", "background")
        self.loaded |= {(name, (value or "")[:22]) for name, value in attrs if name in leads}

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_decl(self, decl: str) -> None:
        self.others.append(decl)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)

    def unknown_decl(self, data: str) -> None:
        self.others.append(data)


def structure(page: str) -> Structure:
    found = Structure()
    found.feed(page)
    found.close()
    return found


def require_harmless(page: str, like: str) -> None:
    """No element, attribute or address that the page of plain letters has not."""
    found, expected = structure(page), structure(like)
    assert found.elements == expected.elements
    assert found.attributes == expected.attributes
    assert found.loaded <= {("src", "data:image/png;base64,")}
    assert found.others == expected.others == ["doctype html"]
    assert not [name for _, name in found.attributes if name.startswith("on")]
    assert not _UNSEEN.search(page)


SPEC = """\
specforge: 1
name: lab
description: TEXT
source: {document: TEXT, section: TEXT, url: TEXT, authors: TEXT}
model: {input: [1, 8, 8], layers: [flatten, linear: 8, linear: 10]}
data: {dataset: digits, split: {train: 0.9, validation: 0.1}}
train:
  batch_size: 64
  loss: cross_entropy
  optimizer: {adam: {lr: 1e-3}}
  stages: [{name: TEXT, epochs: 1}, {name: TEXT, epochs: 2}]
reported: [{metric: test_accuracy, value: 0.5, note: TEXT}]
"""


def write_run(folder: Path, text: str, *, finished: bool = True) -> Path:
    """A run whose every text is this one, as a stranger might send it."""
    folder.mkdir(parents=True)
    quoted = json.dumps(text.encode("utf-8", "replace").decode()).replace("$", "$$")
    (folder / "spec.yaml").write_text(SPEC.replace("TEXT", quoted), encoding="utf-8")
    environment = {"torch": text, "device": text, "platform": [text, text], "other": {"deeper": text}}
    (folder / "environment.json").write_text(json.dumps(environment))
    lines = [
        epoch_record(at, of=3) | {"stage": 1 if at == 1 else 2, "lr": {"a" + text: 0.1, text: 0.2}} for at in (1, 2, 3)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    classes = [f"{text}{at}" for at in range(10)]
    result = result_record(tested_epoch=2, classes=10)
    for entry, name in zip(result["per_class"], classes, strict=True):
        entry["name"] = name
    if finished:
        changed = {"checkpoint_policy": text, "spec_hash": text, "dataset": text}
        (folder / "result.json").write_text(json.dumps(result | changed))
    for name, content in (("confusion", confusion_record(10)), ("mistakes", mistakes_record(10))):
        (folder / f"{name}.json").write_text(json.dumps(content | {"classes": classes}))
    curve = {
        "stage": 1,
        "chosen": 0.1,
        "how": text,
        "rates": [0.01, 0.1, 1],
        "losses": [2, 1, 3],
        "smoothed": [2, 1, 3],
    }
    (folder / "lr_find.json").write_text(json.dumps([curve]))
    return folder


def report(folder: Path, text: str) -> str:
    layers = [{"path": text, "kind": text, "output": [3], "parameters": 1, "macs": 1}]
    claims: list[Any] = [{"metric": "test_accuracy", "value": 0.5, "note": text}]
    graph = analyse(Path(__file__).parents[2] / "specs" / "lab2_bn.yaml").require()[1]
    totals = {"trainable": 1, "non_trainable": 0, "total": 1, "macs": 1}
    arguments = {"name": text, "description": text, "source": text}
    file = write_report(folder, **arguments, layers=layers, totals=totals, reported=claims, graph=graph)  # type: ignore[arg-type]
    return file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    return report(write_run(tmp_path_factory.mktemp("plain") / "run", "letters"), "letters")


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_report_of_hostile_texts(number: int, plain: str, tmp_path: Path) -> None:
    text = HOSTILE[number]
    require_harmless(report(write_run(tmp_path / "run", text), text), plain)


def test_a_report_of_all_hostile_texts_at_once(plain: str, tmp_path: Path) -> None:
    text = "".join(HOSTILE)
    require_harmless(report(write_run(tmp_path / "run", text), text), plain)


def test_directions_are_written_out(tmp_path: Path) -> None:
    page = report(write_run(tmp_path / "run", "\u202egnp.exe"), "\u202egnp.exe")
    assert r"\u202egnp.exe" in page


def compared(folder: Path, text: str) -> Any:
    runs = [write_run(folder / name, text) for name in ("a", "b")]
    spec = (runs[1] / "spec.yaml").read_text(encoding="utf-8").replace("linear: 8", "linear: 9")
    (runs[1] / "spec.yaml").write_text(spec, encoding="utf-8")
    return compare_runs(runs)


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_comparison_of_hostile_texts(number: int, tmp_path: Path) -> None:
    found = compared(tmp_path / "hostile", HOSTILE[number])
    require_harmless(to_html(found), to_html(compared(tmp_path / "plain", "letters")))
    require_harmless_markdown(to_markdown(found))


def require_harmless_markdown(text: str) -> None:
    """Neither HTML of others, nor links or pictures, nor what leaves a cell."""
    outside = re.sub(r"^(`{3,})diff\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert not re.search(r"<(?!/?(details|summary)>)", outside)
    assert not re.search(r"(?<!\\)\]\(", outside)
    assert not _UNSEEN.search(outside)
    for block in re.findall(r"(?:^\|.*\n?)+", outside, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_pictures_of_hostile_texts(number: int, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", HOSTILE[number])
    assert write_curves(run).read_bytes().startswith(b"\x89PNG")
    picture = write_lr_find(run, name=HOSTILE[number].encode("utf-8", "replace").decode())
    assert picture is not None
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_previews_of_hostile_names(number: int, tmp_path: Path) -> None:
    """Names of classes come from folders and from arrays; both are made one printable line where they are read."""
    name, pixels = one_line(HOSTILE[number]), np.zeros((8, 8, 3), np.uint8)
    strip = Strip(Picture(pixels, ((name, 1.0),)), (Picture(pixels, ((name, 0.7), (name + "2", 0.3))),))
    file = write_preview(tmp_path / "a.png", [strip], title=name, caption=[name], epochs=range(1, 2))
    assert file.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_summary_in_markdown(number: int, tmp_path: Path) -> None:
    """Names and ids that would be markup are no names and ids: the spec is refused, or they are plain."""
    quoted = json.dumps(HOSTILE[number].encode("utf-8", "replace").decode())
    specs = (
        SPEC.replace("TEXT", quoted),
        SPEC.replace("TEXT", "x").replace("name: lab", f"name: {quoted}"),
        SPEC.replace("TEXT", "x").replace("flatten,", f"{{id: {quoted}, flatten: {{}}}},"),
        SPEC.replace("TEXT", "x").replace("flatten,", f"{quoted},"),
        SPEC.replace("TEXT", "x")
        .replace("model:", f"blocks: {{{quoted}: {{layers: [flatten]}}}}\nmodel:")
        .replace("flatten, ", f"{quoted}, ", 1),
    )
    for text in specs:
        (tmp_path / "lab.yaml").write_text(text, encoding="utf-8")
        analysis = analyse(tmp_path / "lab.yaml")
        if analysis.spec is not None and analysis.graph is not None:
            require_harmless_markdown(summary_in_markdown(analysis.spec, analysis.graph))
