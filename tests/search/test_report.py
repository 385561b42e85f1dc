"""The page of a search: what it shows of completed, pruned, invalid and failed trials, and that it is safe."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from specforge.search.report.charts import coordinates, curves, history
from specforge.search.report.page import to_html
from specforge.search.report.scales import Scale
from specforge.search.result import Found, TrialRecord
from specforge.search.space import Searched
from tests.search.searches import written


@pytest.fixture
def searched(tmp_path: Path) -> Searched:
    return Searched.read(written(tmp_path, pruning="median"))


def trial(number: int, value: float | None, *, state: str = "complete", **more: object) -> TrialRecord:
    sgd = '{"sgd": {"nesterov": true, "momentum": 0.9}}'
    tokens = {"params.width": 4 * number, "train.optimizer": sgd if number % 2 else "adam", "train.optimizer.lr": 1e-3}
    tokens |= {"train.optimizer.sgd.momentum": 0.75} if number % 2 else {}
    values = {path: str(token) for path, token in tokens.items()}
    curve = {1: value / 2, 2: value} if value is not None else {}
    return TrialRecord(number, state, value, values, curve, tokens=tokens, **more)  # type: ignore[arg-type]


def found(*trials: TrialRecord, **importance: float) -> Found:
    best = max((t for t in trials if t.state == "complete"), key=lambda t: t.value or 0.0, default=None)
    return Found(trials, best, 8, importance)


SOME = (
    trial(1, 0.5, run="0001", seconds=12.0, test_accuracy=0.61),
    trial(2, 0.75, run="0002", threads=3, test_accuracy=0.73),
    trial(3, 0.1, state="pruned"),
    trial(4, None, state="invalid", reason="`out_features` must be at least 1, found `0` (SF303)"),
    trial(5, None, state="failed", reason="training diverged in epoch 1 <script>"),
    trial(6, None, state="running"),
)


def test_the_page_shows_every_trial(searched: Searched, tmp_path: Path) -> None:
    page = to_html(found(*SOME, **{"train.optimizer.lr": 0.7}), searched, tmp_path)
    text = _text(page)
    assert "75.00% best validation_accuracy, trial 2" in text
    assert "2 complete, 1 pruned, 1 invalid, 1 failed, 1 running" in text
    assert "73.00% is what the best one reached there" in text
    assert "10.00% pruned" in text
    assert "`out_features` must be at least 1, found `0` (SF303)" in text
    assert "train.optimizer.lr 70%" in text
    assert page.count('class="trial best"') == 3  # of both drawings, and the key
    assert page.count("<circle") == 3 + 3  # of three trials, and the key's: best, pruned, beyond the axis


def test_the_page_runs_nothing_and_loads_nothing(searched: Searched, tmp_path: Path) -> None:
    page = to_html(found(*SOME), searched, tmp_path)
    assert "<script" not in page
    assert "default-src 'none'; style-src 'unsafe-inline'" in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    _Balanced().feed(page)


def test_runs_that_are_there_are_linked(searched: Searched, tmp_path: Path) -> None:
    (tmp_path / "trials" / "0001").mkdir(parents=True)
    (tmp_path / "trials" / "0001" / "report.html").touch()
    page = to_html(found(*SOME), searched, tmp_path)
    assert re.findall(r'href="([^"]*)"', page) == ["trials/0001/report.html"]


def test_a_search_without_a_completed_trial_has_a_page(searched: Searched, tmp_path: Path) -> None:
    for trials in ((), SOME[2:], SOME[:1]):
        text = _text(to_html(found(*trials), searched, tmp_path))
        assert ("No trial completed" in text) == (trials != SOME[:1])
        assert "Nothing can be said before ten trials are complete" in text


def test_the_history_s_line_is_the_best_so_far(searched: Searched) -> None:
    drawn = history(found(trial(1, 0.5), trial(2, 0.4), trial(3, 0.9, state="pruned"), trial(4, 0.6)), searched.search)
    assert drawn is not None
    heights = [float(y) for y in re.findall(r"[MV](?:[\d.]+ )?([\d.]+)", drawn.best)]
    by_number = {int(re.findall(r"\d+", mark.hover)[0]): mark.y for mark in drawn.marks}
    assert heights == [by_number[1], by_number[4]]  # a pruned trial is no best one
    assert by_number[4] < by_number[1] < by_number[2]


def test_values_that_were_not_drawn_lie_below_their_axis(searched: Searched) -> None:
    drawn = coordinates(found(trial(1, 0.5), trial(2, 0.75)), searched)
    assert drawn is not None
    assert drawn.has_absent
    assert [axis.full for axis in drawn.axes][-1] == "validation_accuracy"
    best = next(line for line in drawn.lines if line.kind == "best")
    heights = [float(point.partition(",")[2]) for point in best.path[1:].split(" L")]
    assert heights[-2] == drawn.absent
    assert all(drawn.top <= height <= drawn.bottom for height in heights[:-2])


def test_a_pruned_trial_s_line_ends_where_it_did(searched: Searched) -> None:
    drawn = curves(found(*SOME), searched.search)
    assert drawn is not None
    assert sorted(line.kind for line in drawn.lines) == ["best", "pruned", "rest"]
    assert drawn.lines[-1].kind == "best"  # on top


def test_ticks_have_the_decimals_of_their_step() -> None:
    labels = {
        (0.1, 0.19): ["10.0%", "12.5%", "15.0%", "17.5%", "20.0%"],
        (0.1, 0.9): ["0%", "20%", "40%", "60%", "80%", "100%"],
        (0.985, 0.989): ["98.5%", "98.6%", "98.7%", "98.8%", "98.9%"],
        (0.991, 0.992): ["99.100%", "99.125%", "99.150%", "99.175%", "99.200%"],
    }
    for values, texts in labels.items():
        scale = Scale.of_metric(values, "validation_accuracy")
        assert [label.text for label in scale.labels] == texts


def test_scales(searched: Searched) -> None:
    width, optimizer, rate, momentum = (Scale.of(varied) for varied in _by_title(searched))
    assert (width.position(4), width.position(18), width.position(32)) == (0, 0.5, 1)
    assert rate.position(10**-2.5) == pytest.approx(0.5)
    assert [label.text for label in rate.labels] == ["0.0001", "0.001", "0.01", "0.1"]
    assert [label.text for label in momentum.labels] == ["0.5", "0.99"]
    assert [label.text for label in optimizer.labels] == ["adam", "{sgd: {nesterov: true, momentum: 0.9}}"]
    losses = Scale.of_metric([0.1, 0.2, *[0.3] * 8, 1e9], "train_loss")
    assert losses.high < 1
    assert losses.position(1e9) == 1


def _by_title(searched: Searched) -> list:  # type: ignore[type-arg]
    return sorted(searched.paths, key=lambda varied: varied.path)


def _text(page: str) -> str:
    body = page[page.index("<body>") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body)).replace("&lt;", "<")


class _Balanced(HTMLParser):
    """Every tag is closed by its own."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
