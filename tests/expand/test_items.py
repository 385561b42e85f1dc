"""Lists of layers: names, splices, layers as values, `when`, and what each text may see."""

import time
from pathlib import Path
from textwrap import dedent

import pytest

from specforge.analysis import analyse
from specforge.expand.items import MAX_LAYERS, MAX_NESTING
from specforge.expand.repeat import MAX_TIMES
from tests.expand.trees import layers_of, mistakes, network

UNIT = """
unit:
  params: {channels: required, kernel_size: 3}
  layers:
    - conv: {out_channels: $channels, kernel_size: $kernel_size}
    - relu
"""


# --- names


def test_layers_are_counted_among_siblings_of_their_kind() -> None:
    assert layers_of("- relu\n- tanh\n- relu\n- {relu: }") == ["relu_1", "tanh_1", "relu_2", "relu_3"]


def test_an_id_names_its_item_and_counts_as_one_of_its_kind() -> None:
    assert layers_of("- relu\n- {id: squash, relu: }\n- relu") == ["relu_1", "squash", "relu_3"]


def test_what_is_switched_off_still_counts() -> None:
    assert layers_of("- {relu: , when: false}\n- relu\n- {tanh: , when: true}") == ["relu_2", "tanh_1"]


def test_a_block_s_items_are_named_below_its_own_name() -> None:
    found = layers_of("- unit: 8\n- unit: {channels: 16, kernel_size: 1}", blocks=UNIT)
    assert found == [
        "unit_1.conv_1 {'out_channels': 8, 'kernel_size': 3}",
        "unit_1.relu_1",
        "unit_2.conv_1 {'out_channels': 16, 'kernel_size': 1}",
        "unit_2.relu_1",
    ]


def test_repeats_add_the_number_of_the_iteration() -> None:
    found = layers_of("- {id: stage, repeat: {times: 2, layers: [relu, relu]}}")
    assert found == ["stage.0.relu_1", "stage.0.relu_2", "stage.1.relu_1", "stage.1.relu_2"]


def test_an_id_may_be_computed() -> None:
    assert layers_of("- repeat: {times: 2, layers: [{id: act_$index, relu: }]}") == [
        "repeat_1.0.act_0",
        "repeat_1.1.act_1",
    ]


def test_a_shortcut_s_layers_are_expanded_too() -> None:
    found = layers_of("- residual: {layers: [relu], shortcut: [{linear: $width}]}", params="{width: 3}")
    assert found == ["residual_1.relu_1", "residual_1.shortcut.linear_1 3"]


@pytest.mark.parametrize("word", ["identity", "projection", "where_possible"])
def test_a_shortcut_may_be_a_word_from_a_param(word: str) -> None:
    assert layers_of("- residual: {layers: [relu], shortcut: $way}", params=f"{{way: {word}}}") == ["residual_1.relu_1"]


# --- layers as values


@pytest.mark.parametrize(
    ("param", "expected"),
    [
        ("relu", ["relu_1"]),
        ("[relu, tanh]", ["relu_1", "tanh_1"]),
        ("{linear: 8}", ["linear_1 8"]),
        ("[{linear: 8}, relu]", ["linear_1 8", "relu_1"]),
        ("[]", []),
        ("null", []),
    ],
)
def test_a_splice_is_replaced_by_what_the_param_holds(param: str, expected: list[str]) -> None:
    assert layers_of("- $body\n- softmax", params=f"{{body: {param}}}") == [*expected, "softmax_1"]


def test_spliced_layers_are_counted_where_they_stand() -> None:
    assert layers_of("- relu\n- $body\n- relu", params="{body: [relu, tanh]}") == [
        "relu_1",
        "relu_2",
        "tanh_1",
        "relu_3",
    ]


def test_a_list_of_layers_may_be_one_param() -> None:
    assert layers_of("- sequential: {layers: $body}", params="{body: [{linear: 8}, relu]}") == [
        "sequential_1.linear_1 8",
        "sequential_1.relu_1",
    ]
    assert layers_of("- residual: $arguments", params="{arguments: {layers: [relu]}}") == ["residual_1.relu_1"]


def test_params_may_hold_lists_that_hold_params() -> None:
    params = "{act: tanh, pair: [{linear: 8}, $act], body: [$pair, $pair]}"
    assert layers_of("- $body", params=params) == ["linear_1 8", "tanh_1", "linear_2 8", "tanh_2"]


def test_the_whole_model_may_come_from_a_param() -> None:
    assert mistakes("params: {m: {input: [3], layers: [{id: a, relu: }]}}\nmodel: $m\n") == []


def test_layers_see_the_names_of_the_place_that_wrote_them() -> None:
    """`$width` in an argument is the user's, whatever the block that splices it calls its own params."""
    blocks = (
        "wrap:\n  params: {body: required, width: 1}\n  layers:\n    - residual: {layers: $body}\n    - linear: $width"
    )
    found = layers_of("- wrap: {body: [{linear: $width}], width: 2}", params="{width: 64}", blocks=blocks)
    assert found == ["wrap_1.residual_1.linear_1 64", "wrap_1.linear_1 2"]


def test_a_block_may_hold_itself_as_an_argument() -> None:
    blocks = "wrap:\n  params: {body: required}\n  layers:\n    - residual: {layers: $body}"
    found = layers_of("- wrap: {body: [{wrap: {body: [{linear: 8}]}}]}", blocks=blocks)
    assert found == ["wrap_1.residual_1.wrap_1.residual_1.linear_1 8"]


def test_a_number_is_no_layer() -> None:
    assert mistakes(network("- $body", params="{body: 3}")) == ["a.yaml:5:7 SF205 `$body` is 3, not a layer"]


# --- scopes


def test_a_block_sees_only_its_own_params() -> None:
    blocks = "unit:\n  params: {a: 1}\n  layers:\n    - linear: $width"
    (found,) = mistakes(network("- unit", params="{width: 8}", blocks=blocks))
    assert "unknown name `width` in block `unit`" in found


def test_a_block_does_not_see_the_loop_that_uses_it() -> None:
    blocks = "unit:\n  layers:\n    - linear: $index"
    (found,) = mistakes(network("- repeat: {times: 1, layers: [unit]}", blocks=blocks))
    assert "unknown name `index` in block `unit`" in found


def test_a_param_of_a_block_hides_the_spec_s() -> None:
    blocks = "unit:\n  params: {width: 2}\n  layers:\n    - linear: $width"
    assert layers_of("- unit\n- linear: $width", params="{width: 8}", blocks=blocks) == [
        "unit_1.linear_1 2",
        "linear_1 8",
    ]


def test_arguments_are_evaluated_where_the_block_is_used() -> None:
    assert layers_of("- unit: $(2 * channels)", params="{channels: 4}", blocks=UNIT)[0] == (
        "unit_1.conv_1 {'out_channels': 8, 'kernel_size': 3}"
    )


def test_a_default_may_use_the_params_above_it() -> None:
    blocks = "unit:\n  params: {width: required, hidden: $(4 * width)}\n  layers:\n    - linear: $hidden"
    assert layers_of("- unit: 8\n- unit: {width: 8, hidden: 3}", blocks=blocks) == [
        "unit_1.linear_1 32",
        "unit_2.linear_1 3",
    ]


def test_a_loop_s_variables_end_with_it() -> None:
    (found,) = mistakes(network("- repeat: {for: {c: [1]}, layers: [{linear: $c}]}\n- linear: $c"))
    assert "unknown name `c` in `params`" in found


def test_an_inner_loop_hides_the_outer_one() -> None:
    found = layers_of("- repeat: {times: 2, layers: [{repeat: {times: 2, layers: [{linear: $index}]}}]}")
    assert [line.split()[-1] for line in found] == ["0", "1", "0", "1"]


def test_a_renamed_index_leaves_the_outer_one_visible() -> None:
    text = "- repeat: {times: 2, layers: [{repeat: {times: 2, index: i, layers: [{linear: $(10 * index + i)}]}}]}"
    assert [line.split()[-1] for line in layers_of(text)] == ["0", "1", "10", "11"]


def test_a_default_sees_neither_the_spec_nor_what_follows() -> None:
    blocks = "unit:\n  params: {a: $b, b: 1}\n  layers:\n    - linear: $a"
    (found,) = mistakes(network("- unit", params="{b: 8}", blocks=blocks))
    assert "unknown name `b` in the defaults of block `unit`" in found


# --- mistakes that are told once


def test_what_depends_on_a_broken_value_says_nothing_more() -> None:
    params = "{a: $nope, b: $(a + 1), c: [$b]}"
    layers = [
        "linear: $a",
        "linear: $(b * 2)",
        "linear: {out_features: $c}",
        "unit: $a",
        "repeat: {times: $b, layers: []}",
    ]
    (found,) = mistakes(network("".join(f"- {layer}\n" for layer in layers), params=params, blocks=UNIT))
    assert "unknown name `nope`" in found


def test_a_good_value_may_hide_a_broken_one() -> None:
    found = mistakes(network("- repeat: {for: {a: [1]}, layers: [{linear: $a}]}", params="{a: $nope}"))
    assert len(found) == 1


def test_a_broken_value_hides_a_good_one() -> None:
    found = mistakes(network("- repeat: {for: {a: [$nope]}, layers: [{linear: $a}]}", params="{a: 1}"))
    assert len(found) == 1


@pytest.mark.parametrize("item", ["", "[relu]", "3", "true", "{}", "{id: a}", "{relu: , tanh: }", "{relu: , when: 3}"])
def test_what_is_no_item_is_one_finding(item: str) -> None:
    (found,) = mistakes(network(f"- {item}"))
    assert " SF205 " in found


# --- arguments of blocks


@pytest.mark.parametrize(
    ("use", "message"),
    [
        ("unit", "block `unit` needs `channels`"),
        ("unit: {kernel_size: 3}", "block `unit` needs `channels`"),
        ("unit: {chanels: 3}", "block `unit` has no param `chanels`"),
        ("unit: {channels: 3, kernel_size: wide}", "must be a whole number, found text"),
        ("unit: {channels: 3, kernel_size: 1.5}", "must be a whole number, found a number"),
        ("unit: {channels: 3, kernel_size: true}", "must be a whole number, found true or false"),
        ("unit: {channels: 3, kernel_size: [relu]}", "must be a whole number, found a list"),
        ("unit: {channels: 3, kernel_size: {relu: }}", "must be a whole number, found layers"),
    ],
)
def test_arguments_that_a_block_can_not_take(use: str, message: str) -> None:
    (found,) = mistakes(network(f"- {use}", blocks=UNIT))
    assert message in found


@pytest.mark.parametrize(
    ("default", "given"),
    [("1.5", "2"), ("null", "3"), ("null", "[relu]"), ("3", "null"), ("relu", "[relu]"), ("[relu]", "[{linear: 3}]")],
)
def test_types_that_go_together(default: str, given: str) -> None:
    blocks = f"unit:\n  params: {{x: {default}}}\n  layers: [relu]"
    assert mistakes(network(f"- unit: {{x: {given}}}", blocks=blocks)) == []


# --- size


def test_a_flat_spec_of_three_thousand_layers(tmp_path: Path) -> None:
    file = tmp_path / "flat.yaml"
    text = "specforge: 1\nname: flat\n" + network("- conv: {out_channels: 4, kernel_size: 3, padding: 1}\n" * 3_000)
    file.write_text(text.replace("[3]", "[3, 8, 8]"))
    graph = analyse(file).require()[1]
    assert sum(1 for _ in graph.leaves()) == 3_000
    assert graph.output == (4, 8, 8)


def test_a_thousand_iterations_full_of_expressions() -> None:
    layers = dedent("""
        - repeat:
            times: 1000
            layers:
              - linear: "$(max(w) // 2 + w[index % 3] if index % 2 == 0 else min(w[0], 2 ** 3))"
              - {id: "act_$(index + 1)", relu: , when: $(index % 4 != 1 and not index < 3)}
    """)
    found = layers_of(layers, params="{w: [8, 16, 32]}")
    assert found[:4] == [
        "repeat_1.0.linear_1 24",
        "repeat_1.1.linear_1 8",
        "repeat_1.2.linear_1 48",
        "repeat_1.3.linear_1 8",
    ]
    assert len(found) == 1_000 + 748
    assert found[-1] == "repeat_1.999.act_1000"


def doubling(kind: str, depth: int) -> str:
    """A spec of a few lines that would expand to 2^depth layers."""
    if kind == "blocks":
        lines = "\n".join(f"b{n}: {{layers: [b{n + 1}, b{n + 1}]}}" for n in range(depth))
        return network("- b0", blocks=f"{lines}\nb{depth}: {{layers: []}}")
    if kind == "splices":
        lists = "".join(f", p{n}: [$p{n - 1}, $p{n - 1}, {{relu: }}]" for n in range(1, depth))
        return network(f"- $p{depth - 1}", params=f"{{p0: [{{relu: }}]{lists}}}")
    if kind == "params":
        lists = "".join(f", p{n}: [{{a: $p{n - 1}, b: $p{n - 1}}}]" for n in range(1, depth))
        return network(f"- linear: $p{depth - 1}", params=f"{{p0: [{{relu: }}]{lists}}}")
    if kind == "lists":
        lists = "".join(f", p{n}: [$p{n - 1}, $p{n - 1}]" for n in range(1, depth))
        return network(f"- linear: $p{depth - 1}", params=f"{{p0: [1]{lists}}}")
    if kind == "texts":
        lists = "".join(f", p{n}: $p{n - 1}$p{n - 1}" for n in range(1, depth))
        return network(f"- linear: $p{depth - 1}", params=f"{{p0: aa{lists}}}")
    opened = f"repeat: {{times: {MAX_TIMES}, layers: [{{"
    return network("- " + opened * 5 + "relu: , when: false" + "}]}" * 5)


@pytest.mark.parametrize("kind", ["blocks", "splices", "params", "lists", "texts", "repeats"])
def test_what_would_explode_is_stopped(kind: str) -> None:
    start = time.perf_counter()
    (found,) = mistakes(doubling(kind, 40))
    assert "more than" in found or "longer than" in found
    assert time.perf_counter() - start < 30  # a slow machine takes a second or two; 2^40 would take years


def test_the_largest_network() -> None:
    times, rest = divmod(MAX_LAYERS - 1, 4)  # the repeat, and an iteration and three layers each time
    assert rest == 3
    assert mistakes(network(f"- repeat: {{times: {times}, layers: [relu, relu, relu]}}")) == []
    (found,) = mistakes(network(f"- repeat: {{times: {times + 1}, layers: [relu, relu, relu]}}"))
    assert f"more than {MAX_LAYERS:,} layers" in found


@pytest.mark.parametrize("length", [500, 60])
def test_chains_of_blocks_do_not_exhaust_the_stack(length: int) -> None:
    lines = "\n".join(f"b{n}: {{layers: [b{n + 1}]}}" for n in range(length))
    found = mistakes(network("- b0", blocks=f"{lines}\nb{length}: {{layers: [relu]}}"))
    assert [f"more than {MAX_NESTING} levels" in line for line in found] == [True] * (length > MAX_NESTING)


@pytest.mark.parametrize(
    "body", ["[{sequential: {layers: $before}}]", "[$before, {relu: }]", "[$before]", "{a: $before}"]
)
def test_chains_of_params_do_not_exhaust_the_stack(body: str) -> None:
    params = "p0: [{relu: }]" + "".join(f", p{n}: {body.replace('before', f'p{n - 1}')}" for n in range(1, 900))
    found = mistakes(network("- linear: $p899\n- sequential: {layers: $p899}\n- $p899", params=f"{{{params}}}"))
    assert any("levels deep" in line for line in found)
