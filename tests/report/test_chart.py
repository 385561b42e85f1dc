"""Charts: the names of stages fit above their part."""

import pytest

from specforge.report.axis import Axis
from specforge.report.chart import build_chart
from specforge.report.panels import Panel, Span


def chart_of(*spans: Span, epochs: int = 100) -> Panel:
    axis = Axis.around([0.0, 1.0])
    return Panel("Loss", (), (), Axis.of_epochs(1, epochs), axis, None, stages=spans)


@pytest.mark.parametrize(
    ("name", "share", "label"),
    [
        ("head only", 50, "head only"),
        ("stage 2", 10, "2"),
        ("the tuning of everything", 20, "the tuni…"),
        ("whatever", 5, ""),
        ("stage 12", 3, ""),
    ],
)
def test_names_are_shortened_to_the_room_that_they_have(name: str, share: int, label: str) -> None:
    chart = build_chart(chart_of(Span("a", 1, 100 - share), Span(name, 100 - share, 100)))
    second = chart.stages[1]
    assert (second.label, second.name) == (label, name)
    assert len(label) * 6 <= second.right - second.left


def test_stages_have_a_line_of_their_own_above_the_plot() -> None:
    plain, staged = build_chart(chart_of()), build_chart(chart_of(Span("a", 1, 50), Span("b", 50, 100)))
    assert staged.top == plain.top + 16
    assert min(tick.at for tick in staged.values) == staged.top
    assert (plain.height, plain.stages) == (staged.height, ())
    assert staged.summary == "Loss over the epochs. Stages: a, b. "
