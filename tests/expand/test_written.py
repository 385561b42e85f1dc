"""Items whose key is an expression: a layer that a param holds, with more arguments; and items that are none."""

import pytest

from tests.expand.trees import layers_of, mistakes, network

BLOCKS = """
unit: {params: {channels: required integer, k: 3}, layers: [{conv: {out_channels: $channels, kernel_size: $k}}]}
stage:
  params: {of: required layers, n: 2}
  layers:
    - repeat: {times: $n, layers: [{$of: {channels: $(8 * (index + 1))}}]}
"""


def found(item: str, holds: str) -> list[str]:
    return layers_of(f"- {item}", params=f"{{width: 5, x: {holds}}}", blocks=BLOCKS)


@pytest.mark.parametrize(
    ("holds", "item", "expected"),
    [
        ("linear", "$x: 8", "linear_1 8"),
        ("linear", "$x: {out_features: 8}", "linear_1 {'out_features': 8}"),
        ("softmax", "$x: ", "softmax_1"),
        ("softmax", "{id: a, $x: }", "a"),
        ("{linear: 8}", "{id: a, $x: }", "a 8"),
        ("{linear: 8}", "$x: {bias: false}", "linear_1 {'out_features': 8, 'bias': False}"),
        ("{linear: {bias: false}}", "$x: 8", "linear_1 {'bias': False, 'out_features': 8}"),
        ("{linear: 8}", "$x: 9", "linear_1 {'out_features': 9}"),
        ("{linear: $width}", "$x: {bias: false}", "linear_1 {'out_features': 5, 'bias': False}"),
        ("{softmax: }", "$x: {dim: 1}", "softmax_1 {'dim': 1}"),
        ("{id: held, linear: 8}", "$x: {bias: false}", "held {'out_features': 8, 'bias': False}"),
        ("{id: held, linear: 8}", "{id: given, $x: 9}", "given {'out_features': 9}"),
        ("unit", "$x: 8", "unit_1.conv_1 {'out_channels': 8, 'kernel_size': 3}"),
        ("{unit: {k: 1}}", "$x: {channels: 8}", "unit_1.conv_1 {'out_channels': 8, 'kernel_size': 1}"),
        ("{unit: {k: $width}}", "$x: $width", "unit_1.conv_1 {'out_channels': 5, 'kernel_size': 5}"),
        ("{sequential: [relu]}", "{id: s, $x: }", "s.relu_1"),
        ("sequential", "$x: [relu]", "sequential_1.relu_1"),
        ("{repeat: {layers: [relu]}}", "$x: {times: 1}", "repeat_1.0.relu_1"),
        ("{repeat: {times: $(width - 4)}}", "$x: {layers: [linear: $index]}", "repeat_1.0.linear_1 0"),
    ],
)
def test_a_param_holds_the_layer_and_the_item_more_arguments(holds: str, item: str, expected: str) -> None:
    assert found(item, holds) == [expected]


def test_a_block_takes_a_block() -> None:
    assert found("stage: unit", "0") == [
        "stage_1.repeat_1.0.unit_1.conv_1 {'out_channels': 8, 'kernel_size': 3}",
        "stage_1.repeat_1.1.unit_1.conv_1 {'out_channels': 16, 'kernel_size': 3}",
    ]
    assert found("stage: {of: {unit: {k: $x}}, n: 1}", "7") == [
        "stage_1.repeat_1.0.unit_1.conv_1 {'out_channels': 8, 'kernel_size': 7}"
    ]


def test_params_may_hold_each_other_s_layers() -> None:
    params = "{a: {linear: {bias: false}}, b: {$a: {out_features: 8}}, c: {$b: {out_features: 9}}}"
    assert layers_of("- $b\n- $c: \n- {$c: {bias: true}}", params=params) == [
        "linear_1 {'bias': False, 'out_features': 8}",
        "linear_2 {'bias': False, 'out_features': 9}",
        "linear_3 {'bias': True, 'out_features': 9}",
    ]


def test_the_word_may_be_computed() -> None:
    assert layers_of("- {\"$('relu' if deep else 'tanh')\": }\n- $(kind)_1d: ", params="{deep: true, kind: x}") == [
        "relu_1",
        "x_1d_1",
    ]


def test_a_block_may_be_nested_through_its_own_param() -> None:
    blocks = "box: {params: {of: relu}, layers: [{$of: }]}"
    assert layers_of("- box: {of: {box: tanh}}", blocks=blocks) == ["box_1.box_1.tanh_1"]
    (message,) = mistakes(network("- box", blocks="box: {params: {of: box}, layers: [{$of: }]}"))
    assert "SF106 layers nested more than 24 levels deep" in message


@pytest.mark.parametrize(
    ("holds", "item", "message"),
    [
        ("null", "$x: 8", "SF205 `$x` is null, not a layer"),
        ("null", "{id: a, $x: }", "SF205 `$x` is null, not a layer"),
        ("3", "$x: 8", "SF205 `$x` is 3, not a layer"),
        ("true", "$x: 8", "SF205 `$x` is true, not a layer"),
        ("[relu]", "$x: 8", "SF205 `$x` is a list, and arguments belong to one layer"),
        ("[{linear: 8}]", "$x: 8", "SF205 `$x` is a list, and arguments belong to one layer"),
        ("id", "$x: 8", "SF205 `$x` is id, not a layer"),
        ("{id: a}", "$x: 8", "SF205 this item has no layer"),
        ("{relu: , tanh: }", "$x: 8", "SF205 this item has 2 layers: `relu`, `tanh`"),
        ("{residual: {layers: [relu]}}", "$x: projection", "SF205 `residual` has no main argument"),
        ("unit", "$x: {k: 3}", "SF210 block `unit` needs `channels`"),
        ("{unit: {kk: 3}}", "$x: 8", "SF210 block `unit` has no param `kk`"),
        ("0", "$nope: 8", "SF202 unknown name `nope` in `params`"),
        ("0", "$(1: 8", "SF201 `$(` is not closed in `$(1`"),
        ("{repeat: {times: 2}}", "$x: 8", "SF207 `repeat` needs `layers` and `times` or `for`"),
    ],
)
def test_a_mistake_is_told_where_the_item_stands(holds: str, item: str, message: str) -> None:
    (line, *others) = mistakes(network(f"- {item}", params=f"{{x: {holds}}}", blocks=BLOCKS))
    assert others == []
    assert message in line


def test_an_item_key_is_no_layer() -> None:
    assert mistakes(network("- id")) == ["a.yaml:4:7 SF205 `id` is no layer but a key beside one"]
    assert mistakes(network("- $x", params="{x: when}")) == ["a.yaml:5:7 SF205 `when` is no layer but a key beside one"]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("- sequential: [relu, tanh]", ["sequential_1.relu_1", "sequential_1.tanh_1"]),
        ("- residual: [relu]", ["residual_1.relu_1"]),
        ("- auxiliary: [relu]", ["auxiliary_1.relu_1"]),
        ("- sequential: $body", ["sequential_1.linear_1 8"]),
        ("- sequential: $words", ["sequential_1.relu_1", "sequential_1.tanh_1"]),
        ("- branches: [[relu], [tanh]]", ["branches_1.0.relu_1", "branches_1.1.tanh_1"]),
        (
            "- branches: {paths: [$words, $body]}",
            [
                "branches_1.0.relu_1",
                "branches_1.0.tanh_1",
                "branches_1.1.linear_1 8",
            ],
        ),
        ("- branches: {paths: $paths}", ["branches_1.0.linear_1 8", "branches_1.1.relu_1"]),
        ("- branches: {paths: $lists}", ["branches_1.0.relu_1", "branches_1.1.tanh_1"]),
    ],
)
def test_lists_of_layers_without_their_argument(layers: str, expected: list[str]) -> None:
    params = "{body: [{linear: 8}], words: [relu, tanh], paths: [[{linear: 8}], [relu]], lists: [[relu], [tanh]]}"
    assert layers_of(layers, params=params) == expected


@pytest.mark.parametrize("item", ["[relu]", "3", "{branches: [[3]]}", "{residual: {shortcut: [[relu]], layers: []}}"])
def test_a_block_that_is_used_nowhere_holds_items_too(item: str) -> None:
    (found,) = mistakes(network("- relu", blocks=f"unit: {{layers: [{item}]}}"))
    assert "SF205 an item is one layer" in found
