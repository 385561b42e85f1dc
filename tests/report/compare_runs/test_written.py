"""A comparison as tables, Markdown, JSON and a page."""

import json
import math
import re
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest

from specforge.report import compare_runs as room
from specforge.report.compare_runs import ChoiceError, RunsComparison, Table, build_tables, compare_runs, divided
from specforge.report.compare_runs.drawing import build_overlays
from specforge.report.compare_runs.tables import every_class
from tests.report.compare_runs.conftest import MakeRun
from tests.report.runs import class_records, epoch_record
from tests.report.test_page import Balance, words

EVIL = '"><script>alert(1)</script>|`**x**'
CSS = Path(room.__file__).with_name("page.css")


@pytest.fixture
def found(run: MakeRun) -> RunsComparison:
    """Two runs that differ in everything, compared after two epochs."""
    lines = [epoch_record(at, of=4) | {"test_accuracy": 0.1 * at, "test_loss": 2.0} for at in (1, 2, 3, 4)]
    swapped = class_records(10)
    swapped[0]["accuracy"], swapped[9]["accuracy"] = swapped[9]["accuracy"], swapped[0]["accuracy"]
    better = {"test_accuracy": 0.6412, "test_loss": 1.5, "seconds": 126.4, "per_class": swapped}
    return compare_runs([run("a"), run("b", epochs=4, width=64, records=lines, result=better)], epoch=2)


def rows(comparison: RunsComparison, key: str) -> dict[str, list[str]]:
    table = next(table for table in build_tables(comparison) if table.key == key)
    return {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}


def test_values_beside_their_differences(found: RunsComparison) -> None:
    results = rows(found, "results")
    assert results["test accuracy"] == ["54.12%", "64.12%", "+10.00"]
    assert results["test loss"] == ["1.7312", "1.5000", "−0.2312"]
    assert results["top-5 accuracy"] == ["82.31%", "82.31%", "="]
    assert results["weights of epoch"] == ["3", "4", "+1"]
    assert results["time"] == ["1 min 03 s", "2 min 06 s", "×2"]
    assert results["parameters"] == ["2.41k", "4.81k", "×2"]


def test_better_and_worse_are_said_only_where_they_are(found: RunsComparison) -> None:
    table = next(table for table in build_tables(found) if table.key == "results")
    styles = {row[0].text: row[-1].style for row in table.rows}
    assert styles["test accuracy"] == styles["test loss"] == "better"  # more of one, less of the other
    assert styles["time"] == "worse"
    assert styles["parameters"] == styles["weights of epoch"] == ""


def test_figures_of_an_epoch_say_where_they_are_from(found: RunsComparison) -> None:
    table = rows(found, "epoch")
    assert table["validation accuracy"][0].endswith("%")
    assert table["test accuracy, recorded in that epoch"] == ["–", "20.00%", ""]  # nothing to subtract from
    assert "test accuracy, final test" not in table  # both ended later, without choosing by validation
    (notes,) = [" ".join(table.notes) for table in build_tables(found) if table.key == "epoch"]
    assert "No test result after 2 epochs: a (" in notes
    assert "planned for different lengths (a 3, b 4)" in notes


def test_final_tests_and_recorded_ones_have_rows_of_their_own(run: MakeRun) -> None:
    lines = [epoch_record(at, of=3) | {"test_accuracy": 0.3} for at in (1, 2, 3)]
    table = rows(compare_runs([run("a"), run("b", epochs=3, records=lines)], epoch=3), "epoch")
    assert table["test accuracy, recorded in that epoch"] == ["–", "30.00%", ""]
    assert table["test accuracy, final test"] == ["54.12%", "54.12%", "="]
    assert table["with weights of epoch"] == ["3", "3", ""]


def test_claims_beside_what_was_measured(found: RunsComparison) -> None:
    table = next(table for table in build_tables(found) if table.key == "reported")
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["a", "test accuracy", "50% (epoch 3)", "54.12% (epoch 3)", "+4.12 pp"],
        ["b", "test accuracy", "50% (epoch 4)", "64.12% (epoch 4)", "+14.12 pp"],
    ]


def test_a_wide_table_is_divided_by_runs_and_repeats_the_baseline(run: MakeRun) -> None:
    table = build_tables(compare_runs([run(name) for name in "abcd"]))[0]
    widths = [20, 10, 10, 8, 10, 8, 10, 8]
    assert divided(table, widths, 84) == [table]
    parts = divided(table, widths, 70)
    assert [[column.header for column in part.columns] for part in parts] == [
        ["", "a", "b", "Δ", "c", "Δ"],
        ["", "a", "d", "Δ"],
    ]
    assert len(divided(table, widths, 5)) == 3  # too narrow for anything: one run in each
    for part in parts:
        assert {len(row) for row in part.rows} == {len(part.columns)}


def test_a_part_leaves_out_settings_that_do_not_differ_in_it(run: MakeRun) -> None:
    runs = [run("a"), run("b", seed=1), run("c", optimizer="adam: {lr: 0.1}")]
    table = next(table for table in build_tables(compare_runs(runs)) if table.key == "settings")
    parts = divided(table, [20, 10, 10, 10], 40)
    assert [[row[0].text for row in part.rows] for part in parts] == [["train.seed"], ["train.optimizer.lr"]]


def test_classes(found: RunsComparison) -> None:
    table = rows(found, "class")
    assert list(table) == ["class 00", "class 09"]
    assert table["class 09"][2].startswith("−")
    every = every_class(found)
    assert every is not None
    assert len(every.rows) == 10


def test_lines_of_runs(found: RunsComparison) -> None:
    loss, accuracy, rate = build_overlays(found)
    assert [name for name, _ in loss.heads] == ["validation", "train", "test"]
    assert {(stroke.run, stroke.style) for stroke in accuracy.strokes} == {
        (0, "solid"), (0, "dashed"), (1, "solid"), (1, "dashed"), (1, "dotted"),
    }  # fmt: skip
    assert [mark.text for mark in rate.letters] == ["A", "B"]
    # the shorter run ends before the longer one, on one axis
    assert loss.letters[0].x < loss.letters[1].x
    assert accuracy.keys[1][2] == "40.0%"
    assert len(accuracy.diamonds) == 2


def test_letters_do_not_cover_each_other(run: MakeRun) -> None:
    overlay = build_overlays(compare_runs([run(name) for name in "abcdefgh"]))[0]
    heights = sorted(mark.y for mark in overlay.letters)
    assert len({mark.x for mark in overlay.letters}) == 1
    assert all(lower - upper >= 11 for upper, lower in pairwise(heights))
    assert heights[-1] <= overlay.bottom


def test_rates_of_other_orders_of_magnitude_share_a_logarithmic_axis(run: MakeRun) -> None:
    def lines(rate: Any) -> list[dict[str, Any]]:
        return [{"epoch": at, "train_loss": 1.0, "lr": rate} for at in (1, 2)]

    near = build_overlays(compare_runs([run("a", records=lines(0.1)), run("b", records=lines(0.3))]))
    assert near[-1].title == "Learning rate"
    groups = {"head": 0.1, "body": 0.0}  # zero has no logarithm: a gap
    far = build_overlays(compare_runs([run("c", records=lines(1e-3)), run("d", records=lines(groups))]))[-1]
    assert far.title == "Learning rate, logarithmic"
    assert [stroke.run for stroke in far.strokes] == [0, 1]


def test_values_that_are_not_numbers_break_lines_and_nothing_else(run: MakeRun) -> None:
    lines = [epoch_record(at, of=5) for at in range(1, 6)]
    lines[2]["validation_loss"] = math.nan
    found = compare_runs([run("a", records=lines), run("b", epochs=5)], epoch=3)
    assert rows(found, "epoch")["validation loss"][0] == "NaN"
    assert "nan" not in "".join(stroke.path for overlay in build_overlays(found) for stroke in overlay.strokes)
    assert (
        json.loads(json.dumps(room.to_dict(found), allow_nan=False))["runs"][0]["at_epoch"]["validation_loss"] is None
    )


def test_json(found: RunsComparison) -> None:
    data = json.loads(json.dumps(room.to_dict(found), allow_nan=False))
    assert list(data) == ["baseline", "epoch", "runs", "settings", "chance", "warnings"]
    first, other = data["runs"]
    assert (data["baseline"], data["epoch"]) == ("a", 2)
    assert first["differences"] is first["changes"] is first["classes"] is None
    assert other["differences"]["test_accuracy"] == pytest.approx(0.1)
    assert other["at_epoch"]["test_accuracy"] == 0.2
    assert other["at_epoch"]["final_test"] is None
    assert other["changes"]["parameters"]["after"]["total"] == 64 * 64 + 64 + 640 + 10
    assert other["classes"][0].keys() == {"index", "name", "baseline", "accuracy", "difference"}
    assert other["reported"][0]["measured"] == 0.6412
    assert other["results"]["worst_class"] == "class 09"  # the best and the worst have changed places
    assert data["settings"] == [{"path": "train.epochs", "values": {"a": 3, "b": 4}}]


def test_a_path_that_a_spec_does_not_have_has_no_value_in_json(run: MakeRun) -> None:
    data = room.to_dict(compare_runs([run("a"), run("b", optimizer="sgd: {lr: 1e-3, momentum: 0.9}")]))
    (momentum,) = [setting for setting in data["settings"] if setting["path"] == "train.optimizer.momentum"]
    assert momentum["values"] == {"b": 0.9}


def test_markdown(found: RunsComparison) -> None:
    text = room.to_markdown(found)
    assert text.startswith("### `b` compared with `a`\n")
    assert "| test accuracy | 54.12% | 64.12% | +10.00 |" in text
    assert "```diff\n" in text
    for table in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def evil_run(run: MakeRun, folder: str) -> Path:
    classes = class_records(10)
    classes[0]["name"] = EVIL
    lines = [epoch_record(1, of=1) | {"lr": {EVIL: 0.1}}]
    return run(folder, epochs=1, records=lines, result={"per_class": classes}, environment={"device_name": EVIL})


def test_what_runs_hold_is_no_markup(run: MakeRun) -> None:
    a, b = evil_run(run, "a"), run("b", epochs=1)
    classes = json.loads((a / "result.json").read_text())["per_class"]
    classes[0]["accuracy"] = 0.5
    (b / "result.json").write_text(json.dumps({"test_accuracy": 0.5, "per_class": classes}))
    found = compare_runs([a, b])
    page, markdown = room.to_html(found), room.to_markdown(found)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<script" not in markdown
    assert r"\|\`\*\*x" in markdown


def test_the_page_holds_everything_and_asks_for_nothing(found: RunsComparison) -> None:
    page = room.to_html(found)
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    assert "default-src 'none'" in page
    assert not re.search(r"""(src|href)=|url\(|@import|<script|https?://""", page)
    text = words(page)
    for expected in [
        "2 runs compared", "A a (baseline)", "After 2 epochs", "Learning rate", "How to read them",
        "Reported and measured", "train.epochs 3 4", "b: 1 layer changed", "All classes",
        "Classes that b gained and lost most, of 100 images each",
    ]:  # fmt: skip
        assert expected in text, expected


def test_a_page_of_runs_that_have_just_started(run: MakeRun) -> None:
    folders = [run("a", finished=False), run("b", finished=False)]
    for folder in folders:
        (folder / "metrics.jsonl").write_text("")
    text = words(room.to_html(compare_runs(folders)))
    assert "No epoch recorded yet" in text
    assert "a is not finished: 0 of 3 epochs" in text


def test_more_runs_than_colours_have_no_page_but_tables(run: MakeRun) -> None:
    found = compare_runs([run(f"r{number}") for number in range(9)])
    with pytest.raises(ChoiceError, match="9 runs"):
        room.to_html(found)
    assert isinstance(build_tables(found)[0], Table)


# linear RGB as seen with normal vision and without each of the three kinds of cones (Machado et al. 2009, severity 1)
VISION = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
Color = tuple[float, float, float]


def linear(color: str) -> list[float]:
    values = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [((value + 0.055) / 1.055) ** 2.4 if value > 0.04045 else value / 12.92 for value in values]


def oklab(color: str, vision: tuple[Color, ...]) -> Color:
    """Björn Ottosson's space, in which equal distances look equally different; a difference of 0.02 is just seen."""
    seen = [min(1.0, max(0.0, sum(a * b for a, b in zip(row, linear(color), strict=True)))) for row in vision]
    red, green, blue = seen
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def luminance(color: str) -> float:
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear(color), strict=True))


@pytest.mark.parametrize(("scheme", "paper"), [(0, "#ffffff"), (1, "#0f1317")])
def test_colours_are_told_apart_with_any_vision(scheme: int, paper: str) -> None:
    found = re.findall(r"--run-\d: (#[0-9a-f]{6})", CSS.read_text())
    colors = found[scheme * 8 : scheme * 8 + 8]
    assert len(found) == 16
    for vision in VISION.values():
        for one, other in combinations(colors, 2):
            assert math.dist(oklab(one, vision), oklab(other, vision)) > 0.1, (one, other)
    for color in colors:
        light, dark = sorted([luminance(color), luminance(paper)], reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3, color
