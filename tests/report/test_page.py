"""`report.html`: complete, self-contained, escaped, for finished and interrupted runs."""

import math
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from specforge.report import write_report
from tests.report.runs import SPEC, MakeRun, epoch_record, result_record

LAYERS = [
    {"path": "flatten_1", "kind": "flatten", "output": [3072], "parameters": 0, "macs": 0},
    {"path": "linear_1", "kind": "linear", "output": [100], "parameters": 307_300, "macs": 307_200},
]
TOTALS = {"trainable": 307_300, "non_trainable": 0, "total": 307_300, "macs": 307_200}
VOID = {"meta", "br", "link", "img", "hr", "input"}


class Balance(HTMLParser):
    """Collects the elements that are open; a page closes all of them in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page(folder: Path, **changes: Any) -> str:
    arguments: dict[str, Any] = {
        "name": "lab2_bn",
        "description": "A CNN.",
        "source": "lab.txt, section 2",
        "layers": LAYERS,
        "totals": TOTALS,
        "reported": [{"metric": "test_accuracy", "value": 0.54, "epochs": 40, "note": "Table 2"}],
    }
    text = write_report(folder, **arguments | changes).read_text(encoding="utf-8")
    parser = Balance()
    parser.feed(text)
    assert parser.open == []
    return text


def words(text: str) -> str:
    """What a reader sees, with single spaces."""
    body = text[text.index("<body>") :]
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_everything_that_was_asked_for_is_there(make_run: MakeRun) -> None:
    text = words(page(make_run(epochs=3)))
    for expected in [
        "54.1% test accuracy at epoch 2 of 3",
        "Source: lab.txt, section 2",
        "Parameters 307k",
        "Tested weights best validation accuracy",
        "test accuracy Table 2 54% epoch 40 54.12% epoch 2 +0.12 pp",
        "Worst: class 00 with 8.0%",
        "100 classes, 100 test images each",
        "linear_1 linear 100 307,300 307,200",
        "torch.version 2.11.0",
        "devices cpu, cuda:0",
        "- linear: 100",
        "2 tested",
    ]:
        assert expected in text


def test_one_file_that_asks_for_nothing_and_runs_nothing(make_run: MakeRun) -> None:
    text = page(make_run())
    assert "default-src 'none'" in text
    assert not re.search(r"""(src|href)=|url\(|@import|<script|https?://""", text)


@pytest.mark.parametrize("field", ["name", "description", "source"])
def test_texts_are_escaped(make_run: MakeRun, field: str) -> None:
    text = page(make_run(), **{field: '<script>alert("x")</script>'})
    assert "<script" not in text
    assert "&lt;script&gt;alert(" in text


def test_what_the_run_directory_holds_is_escaped(make_run: MakeRun) -> None:
    evil = '"><script>x</script>'
    result = result_record(tested_epoch=1)
    result["per_class"][0]["name"] = evil
    lines: list[dict[str, Any]] = [epoch_record(1, of=1) | {"stage": evil, "lr": {evil: 0.1}}]
    folder = make_run(records=lines, result=result, spec=f"{SPEC}# {evil}\n")
    (folder / "environment.json").write_text('{"<script>": {"a": "<script>"}}')
    text = page(folder, reported=[{"metric": "test_loss", "value": 1.0, "note": evil}])
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 8


def test_an_interrupted_run_says_so(make_run: MakeRun) -> None:
    text = words(page(make_run(epochs=2, finished=False)))
    assert "no test result yet 2 epochs recorded" in text
    assert "Accuracy by class" not in text


def test_a_run_that_has_just_started(make_run: MakeRun) -> None:
    text = page(make_run(epochs=0, finished=False))
    assert "no epoch recorded yet" in words(text)
    assert "<svg" not in text


def test_a_cut_off_line_is_mentioned(make_run: MakeRun) -> None:
    folder = make_run(epochs=2, finished=False)
    with (folder / "metrics.jsonl").open("a") as stream:
        stream.write('{"epoch"')
    assert "was cut off and is left out" in page(folder)


def test_gaps_and_long_runs(make_run: MakeRun) -> None:
    lines = [epoch_record(epoch, of=350) for epoch in range(1, 351)]
    lines[99]["validation_loss"] = math.nan
    text = page(make_run(records=lines))
    assert text.count('<th scope="row">') >= 350
    assert ">NaN<" in text
    assert not re.search(r'd="[^"]*nan', text)


def test_few_classes_are_all_listed_at_once(make_run: MakeRun) -> None:
    text = words(page(make_run(result=result_record(tested_epoch=1, classes=10))))
    assert "Highest ten" not in text
    assert text.count("class 0") == 12  # ten rows, the best and the worst


def test_columns_without_values_are_left_out(make_run: MakeRun) -> None:
    without = page(make_run(epochs=2))
    assert "Stage" not in without
    assert "Test accuracy</th>" not in without


def test_a_long_architecture_is_folded(make_run: MakeRun) -> None:
    folder = make_run()
    assert "<details open><summary><h2>Architecture" in page(folder)
    assert "<details><summary><h2>Architecture" in page(folder, layers=LAYERS * 20)


def test_optional_things_may_be_missing(make_run: MakeRun) -> None:
    folder = make_run()
    (folder / "environment.json").unlink()
    text = words(page(folder, description=None, source=None, layers=[], totals={}, reported=[]))
    for heading in ["Source", "Reported and measured", "Architecture", "Environment", "Parameters"]:
        assert heading not in text


def test_a_page_needs_no_drawing_library(make_run: MakeRun) -> None:
    code = (
        "import sys; from pathlib import Path; from specforge.report import write_report\n"
        "write_report(Path(sys.argv[1]), name='a', description=None, source=None, layers=[], totals={}, reported=[])\n"
        "print({'matplotlib', 'numpy', 'torch'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, str(make_run())]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "set()\n"
