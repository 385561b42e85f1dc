"""`report.html`: complete, self-contained, escaped, for finished and interrupted runs."""

import json
import math
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from specforge.analysis import analyse
from specforge.report import write_report
from tests.report.runs import SPEC, MakeRun, confusion_record, epoch_record, mistakes_record, result_record

LAYERS = [
    {"path": "flatten_1", "kind": "flatten", "output": [3072], "parameters": 0, "macs": 0},
    {"path": "linear_1", "kind": "linear", "output": [100], "parameters": 307_300, "macs": 307_200},
]
GRAPH = analyse(Path(__file__).parents[2] / "specs" / "lab2_bn.yaml").require()[1]
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


def with_mistakes(folder: Path, *, classes: int = 10) -> Path:
    """A run with all that a final test leaves."""
    (folder / "confusion.json").write_text(json.dumps(confusion_record(classes)))
    (folder / "mistakes.json").write_text(json.dumps(mistakes_record(classes)))
    return folder


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
    assert not re.search(r"""href=|url\(|@import|<script|https?://""", text)
    assert "src=" not in text


def test_pictures_are_part_of_the_page_and_all_that_it_loads(make_run: MakeRun) -> None:
    folder = with_mistakes(make_run(result=result_record(tested_epoch=1, classes=10)))
    text = page(folder, graph=GRAPH)
    sources = re.findall(r'(src|href|srcset|data|action|xlink:href)="([^"]*)"', text)
    assert len(sources) == 20 + 3 * 2
    assert {name for name, _ in sources} == {"src"}
    assert all(value.startswith("data:image/png;base64,iVBOR") for _, value in sources)
    assert "img-src data:" in text
    assert "<script" not in text


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
    assert "<details open><summary><h2>Layers" in page(folder)
    assert "<details><summary><h2>Layers" in page(folder, layers=LAYERS * 20)


def test_optional_things_may_be_missing(make_run: MakeRun) -> None:
    folder = make_run()
    (folder / "environment.json").unlink()
    text = words(page(folder, description=None, source=None, layers=[], totals={}, reported=[]))
    for heading in ["Source", "Reported and measured", "Layers", "Environment", "Parameters"]:
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


def test_the_network_is_drawn(make_run: MakeRun) -> None:
    text = page(make_run(), graph=GRAPH)
    assert text.count('<svg class="net"') == 10
    assert re.search(r'<svg class="net" width="[\d.]+" height="[\d.]+" viewBox="0 0 [\d.]+ [\d.]+" role="img"', text)
    assert "conv 32 kernel_size 3, padding same batch_norm · relu 32×32×32 1.02k parameters" in words(text)


def test_a_large_network_opens_by_block(make_run: MakeRun) -> None:
    graph = analyse(Path(__file__).parents[2] / "specs" / "zoo" / "resnet18.yaml").require()[1]
    text = page(make_run(), graph=graph)
    assert text.count('<details class="part">') >= 4
    assert "Inside the blocks" in words(text)


def test_the_confusion_matrix_of_few_classes_names_them_on_its_axes(make_run: MakeRun) -> None:
    text = page(with_mistakes(make_run(result=result_record(tested_epoch=1, classes=10))))
    assert text.count('<b class="top"') == text.count('<b class="side"') == 10
    assert 'title="class 03 taken for class 04: 20 of 100">20</i>' in text
    assert 'type="radio"' not in text


def test_that_of_many_classes_can_be_looked_at_in_large(make_run: MakeRun) -> None:
    text = page(with_mistakes(make_run(), classes=100))
    assert text.count('type="radio"') == 2
    assert text.count('title="class 99 taken for class 00: 20 of 100">20</i>') == 1
    assert "The 100 of" not in words(text)
    assert "Accuracy by class" in words(text)


def test_frequent_mistakes_and_pictures_stand_below_it(make_run: MakeRun) -> None:
    text = words(page(with_mistakes(make_run(result=result_record(tested_epoch=1, classes=10)))))
    assert "class 00 taken for class 01 20 20.0% 0" in text
    assert "Surest mistakes" in text
    assert "class 01 is class 00 99.0%" in text
    assert "4 more" in text


def test_mistakes_are_left_out_where_the_run_has_none(make_run: MakeRun) -> None:
    text = page(make_run())
    for heading in ["Confusion matrix", "Most frequent mistakes", "Surest mistakes", "Network", "Members", "Test-time"]:
        assert heading not in words(text)
    assert "<img" not in text


def test_pairs_without_pictures(make_run: MakeRun) -> None:
    folder = with_mistakes(make_run())
    (folder / "mistakes.json").unlink()
    text = words(page(folder))
    assert "Most frequent mistakes" in text
    assert "Examples" not in text


def test_hostile_names_stay_text_everywhere(make_run: MakeRun) -> None:
    evil = '"><img src=x onerror=alert(1)>{{ 7*7 }}</style></title>'
    result = result_record(tested_epoch=1, classes=3)
    result |= {"dataset": evil, "checkpoint_policy": evil, "spec_hash": evil}
    for entry in result["per_class"]:
        entry["name"] = evil
    records: list[dict[str, Any]] = [
        epoch_record(at, of=4) | {"stage": f"{evil}{at}", "lr": {evil: 0.1}} for at in (1, 2)
    ]
    folder = with_mistakes(make_run(result=result, records=records), classes=3)
    for name in ("confusion.json", "mistakes.json"):
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(content | {"classes": [evil] * 3}))
    (folder / "environment.json").write_text(json.dumps({evil: evil}))
    claims = [{"metric": "test_accuracy", "value": 0.5, "note": evil}]
    text = page(folder, name=evil, description=evil, source=evil, graph=GRAPH, reported=claims)
    parser = Balance()
    parser.feed(text)
    assert "<img src=x" not in text
    assert text.count("</style>") == 1
    assert text.count("{{ 7*7 }}") > 30


def test_stages_are_marked_and_named_in_every_chart(make_run: MakeRun) -> None:
    records = [epoch_record(at, of=9) | {"stage": 1 + (at > 3) + (at > 6)} for at in range(1, 10)]
    spec = f"{SPEC}train:\n  stages: [{{name: head only, epochs: 3}}, {{epochs: 3}}, {{name: <b>all</b>, epochs: 3}}]\n"
    text = page(make_run(records=records, spec=spec))
    assert text.count('<path class="boundary"') == 3 * 2
    assert text.count(">head only</text>") == text.count(">stage 2</text>") == 3
    assert "&lt;b&gt;all&lt;/b&gt;" in text
    assert "<b>all" not in text
    assert "Stages: head only, stage 2, " in text


def test_members_stand_beside_their_ensemble(make_run: MakeRun) -> None:
    result = result_record(tested_epoch=3) | {
        "members": [{"epoch": at, "test_loss": 2.0, "test_accuracy": at / 10} for at in (1, 2, 3)]
    }
    text = words(page(make_run(result=result)))
    assert "54.1% test accuracy of the ensemble of 3" in text
    assert "Members of the ensemble" in text
    assert "ensemble 54.12% 1.731 epoch 1 10.00% 2.000 epoch 2 20.00% 2.000" in text


def test_the_plain_result_stands_beside_test_time_augmentation(make_run: MakeRun) -> None:
    plain = {"test_loss": 1.8, "test_accuracy": 0.53, "test_top5_accuracy": 0.81}
    text = words(page(make_run(result=result_record(tested_epoch=3) | {"plain": plain})))
    assert "Without test-time augmentation 53.0%" in text
    assert "with augmented test images 54.12% 82.31% 1.731 without test-time augmentation 53.00% 81.00% 1.800" in text


def test_the_same_run_gives_the_same_bytes(make_run: MakeRun) -> None:
    folder = with_mistakes(make_run(), classes=100)
    assert page(folder, graph=GRAPH) == page(folder, graph=GRAPH)


def test_no_drawing_is_wider_than_a_phone(make_run: MakeRun) -> None:
    text = page(make_run(), graph=GRAPH)
    assert max(float(width) for width in re.findall(r'<svg class="net" width="([\d.]+)"', text)) <= 320
