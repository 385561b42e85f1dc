"""`repeat`: times, lists walked together, rows, and what is wrong with each."""

import pytest

from specforge.expand.repeat import MAX_TIMES
from tests.expand.trees import layers_of, mistakes, network


def outputs(arguments: str, layer: str, params: str = "") -> list[str]:
    """The last word of each layer that a repeat gives."""
    found = layers_of(f"- repeat: {{{arguments}, layers: [{{linear: {layer}}}]}}", params=params)
    return [line.split(" ")[-1] for line in found]


@pytest.mark.parametrize(
    ("arguments", "layer", "expected"),
    [
        ("times: 3", "$index", ["0", "1", "2"]),
        ("times: 0", "$index", []),
        ("times: $n", "$index", ["0", "1"]),
        ("times: $(n + 1)", "$index", ["0", "1", "2"]),
        ("times: 2, index: i", "$i", ["0", "1"]),
        ("for: {c: [8, 16]}", "$c", ["8", "16"]),
        ("for: {c: []}", "$c", []),
        ("for: {c: $widths}", "$c", ["4", "5"]),
        ("for: {c: '$(widths[1:])'}", "$c", ["5"]),
        ("for: {c: [$n, $(n + 1)]}", "$c", ["2", "3"]),
        ("for: {c: [1, 2], d: [10, 20]}", "$(c + d)", ["11", "22"]),
        ("for: {c: [1, 2]}", "$(10 * index + c)", ["1", "12"]),
        ("for: [[c, d], [1, 10], [2, 20]]", "$(c + d)", ["11", "22"]),
        ("for: [[c]]", "$c", []),
        ("for: $table", "$(c + d)", ["11", "22"]),
        ("for: {index: [7, 8]}", "$index", ["7", "8"]),
    ],
)
def test_iterations(arguments: str, layer: str, expected: list[str]) -> None:
    params = "{n: 2, widths: [4, 5], table: [[c, d], [1, 10], [2, 20]]}"
    assert outputs(arguments, layer, params) == expected


def test_a_variable_may_hold_layers() -> None:
    found = layers_of("- repeat: {for: {act: [relu, {linear: 3}, [tanh, relu]]}, layers: [$act]}")
    assert found == ["repeat_1.0.relu_1", "repeat_1.1.linear_1 3", "repeat_1.2.tanh_1", "repeat_1.2.relu_1"]


def test_the_written_out_form_stays() -> None:
    found = layers_of("- repeat: {iterations: [[relu], [{linear: $n}, relu]]}", params="{n: 3}")
    assert found == ["repeat_1.0.relu_1", "repeat_1.1.linear_1 3", "repeat_1.1.relu_1"]


def test_arguments_may_come_from_a_param() -> None:
    assert layers_of("- repeat: $r", params="{r: {times: 2, layers: [relu]}}") == [
        "repeat_1.0.relu_1",
        "repeat_1.1.relu_1",
    ]


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        ("3", ["`repeat` needs `layers` and `times` or `for`"]),
        ("[relu]", ["`repeat` needs `layers` and `times` or `for`"]),
        ("{layers: [relu]}", ["`repeat` needs `times` or `for`"]),
        ("{times: 2}", ["`repeat` needs `layers`"]),
        ("{times: 2, layer: [relu]}", ["`repeat` has no `layer`"]),
        ("{tiems: 2, layers: [relu]}", ["`repeat` has no `tiems`"]),
        (
            "{times: 2, for: {c: [1]}, layers: [relu]}",
            ["`repeat` has `times` and `for`, which say the same thing twice"],
        ),
        ("{times: -1, layers: [relu]}", [f"`times` must be a whole number from 0 to {MAX_TIMES:,}"]),
        ("{times: 1.0, layers: [relu]}", [f"`times` must be a whole number from 0 to {MAX_TIMES:,}"]),
        ("{times: true, layers: [relu]}", [f"`times` must be a whole number from 0 to {MAX_TIMES:,}"]),
        (f"{{times: {MAX_TIMES + 1}, layers: [relu]}}", [f"`times` must be a whole number from 0 to {MAX_TIMES:,}"]),
        ("{times: [2], layers: [relu]}", [f"`times` must be a whole number from 0 to {MAX_TIMES:,}"]),
        ("{times: $nope, layers: [relu]}", ["unknown name `nope` in `params`"]),
        ("{times: 2, index: 3, layers: [relu]}", ["`index` takes the name of a variable"]),
        ("{times: 2, index: [i], layers: [relu]}", ["`index` takes the name of a variable"]),
        ("{times: 2, index: if, layers: [relu]}", ["`if` is a reserved word, not a name"]),
        ("{for: 3, layers: [relu]}", ["`for` names lists to walk over"]),
        ("{for: {}, layers: [relu]}", ["`for` names lists to walk over"]),
        ("{for: {c: 3}, layers: [relu]}", ["`c` must be a list"]),
        ("{for: {c: {a: 1}}, layers: [relu]}", ["`c` must be a list"]),
        ("{for: {a-b: [1]}, layers: [relu]}", ["`a-b` is not a name"]),
        (
            "{for: {c: [1], d: [1, 2]}, layers: [relu]}",
            ["the lists of `for` differ in length: `c` has 1, `d` has 2"],
        ),
        ("{for: [], layers: [relu]}", ["the first row of `for` names the variables"]),
        ("{for: [32, 64], layers: [relu]}", ["the first row of `for` names the variables"]),
        ("{for: [[1, 2]], layers: [relu]}", ["the first row of `for` names the variables"]),
        ("{for: [[c, c], [1, 2]], layers: [relu]}", ["the header of `for` names a variable twice"]),
        ("{for: [[c, in], [1, 2]], layers: [relu]}", ["`in` is a reserved word, not a name"]),
        ("{for: [[c, d], [1]], layers: [relu]}", ["this row must have 2 values, as the header has"]),
        ("{for: [[c], 1], layers: [relu]}", ["this row must have 1 values, as the header has"]),
        ("{for: [[c], [$nope]], layers: [relu]}", ["unknown name `nope` in `params`"]),
    ],
)
def test_mistakes(arguments: str, messages: list[str]) -> None:
    found = mistakes(network(f"- repeat: {arguments}"))
    assert [line.split(" ", 2)[2] for line in found] == messages
    assert all(" SF207 " in line or "nope" in line for line in found)
