"""Definitions of blocks: checked used or not, and never endless."""

import pytest

from tests.expand.trees import mistakes, network


def said(blocks: str, layers: str = "- relu") -> list[str]:
    """The messages about these blocks, without place and code."""
    return [line.split(" ", 2)[2] for line in mistakes(network(layers, blocks=blocks))]


@pytest.mark.parametrize("layers", ["- relu", "- unit"])
@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("unit: relu", "block `unit` needs `layers`"),
        ("unit:", "block `unit` needs `layers`"),
        ("unit: {}", "block `unit` needs a list of `layers`"),
        ("unit: {layers: relu}", "block `unit` needs a list of `layers`"),
        ("unit: {layer: [relu]}", "a block has no `layer`"),
        ("unit: {layers: [relu], params: [a]}", "`params` is a mapping of names to defaults"),
        ("unit: {layers: [relu], params: {a-b: 1}}", "`a-b` is not a name"),
        ("unit: {layers: [relu], params: {in: 1}}", "`in` is a reserved word, not a name"),
        ("unit: {layers: [unit]}", "block `unit` uses itself: unit -> unit"),
        ("unit: {layers: [{residual: {layers: [unit]}}]}", "block `unit` uses itself: unit -> unit"),
        ("unit: {layers: [{repeat: {times: 2, layers: [unit]}}]}", "block `unit` uses itself: unit -> unit"),
        ("unit: {layers: [{id: a, when: false, unit: }]}", "block `unit` uses itself: unit -> unit"),
    ],
)
def test_a_broken_definition_is_told_once_used_or_not(block: str, message: str, layers: str) -> None:
    assert said(block, layers) == [message]


def test_a_circle_of_blocks_is_one_finding() -> None:
    blocks = "a: {layers: [b]}\nb: {layers: [c]}\nc: {layers: [a]}\nd: {layers: [a]}"
    assert said(blocks, "- a\n- b\n- c\n- d") == ["block `a` uses itself: a -> b -> c -> a"]


def test_using_a_block_often_is_no_circle() -> None:
    blocks = "a: {layers: [b, c, b]}\nb: {layers: [c]}\nc: {layers: [relu]}"
    assert said(blocks, "- a\n- c") == []


def test_a_block_can_not_take_the_name_of_a_layer() -> None:
    assert said("conv: {layers: [relu]}") == ["`conv` is a layer: a block can't take its name"]
    assert said("repeat: {layers: [relu]}") == ["`repeat` is a layer: a block can't take its name"]


@pytest.mark.parametrize("name", ["a-b", "1st", "a.b", "class"])
def test_a_block_s_name_is_an_identifier(name: str) -> None:
    assert len(said(f"{name}: {{layers: [relu]}}")) == 1


@pytest.mark.parametrize("blocks", ["[relu]", "relu", "3"])
def test_blocks_are_a_mapping(blocks: str) -> None:
    text = f"blocks: {blocks}\nmodel: {{input: [3], layers: [relu]}}\n"
    assert mistakes(text) == ["a.yaml:1:9 SF209 `blocks` is a mapping of names"]


def test_no_blocks_are_no_mistake() -> None:
    assert mistakes("blocks:\nmodel: {input: [3], layers: [relu]}\n") == []
