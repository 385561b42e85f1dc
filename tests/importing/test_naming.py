"""Names for what differs: shared, derived, and said by what they are."""

from typing import Any

import pytest

from specforge.importing.naming import named
from specforge.importing.patterns import Blocks, unified
from specforge.importing.tree import Node, Nodes


def layer(word: str, place: str = "", **arguments: Any) -> Node:
    return Node(word, arguments, place=place)


def texts(*rows: Nodes, arriving: tuple[int, ...] = ()) -> tuple[list[dict[str, Any]], dict[str, tuple[Any, ...]]]:
    pattern = unified(rows, Blocks({}, {}), optional=True)
    assert pattern is not None
    nodes, variables = named(pattern, arriving)
    return [{**node.keys, node.word: dict(node.arguments)} for node in nodes], {
        n: v.values for n, v in variables.items()
    }


def conv(channels: int, kernel_size: int = 1, **more: Any) -> Node:
    return layer("conv", out_channels=channels, kernel_size=kernel_size, **more)


def test_what_does_not_differ_is_written_as_it_is() -> None:
    assert texts((conv(8), layer("relu")), (conv(8), layer("relu"))) == (
        [{"conv": {"out_channels": 8, "kernel_size": 1}}, {"relu": {}}],
        {},
    )


def test_equal_widths_share_a_name_and_multiples_are_derived() -> None:
    rows = [(conv(c), conv(c), conv(4 * c)) for c in (16, 32)]
    found, values = texts(*rows)
    assert [each["conv"]["out_channels"] for each in found] == ["$channels", "$channels", "$(4 * channels)"]
    assert values == {"channels": (16, 32)}


def test_the_width_that_leaves_is_out_channels() -> None:
    rows = [(conv(a), conv(b)) for a, b in ((24, 16), (40, 24))]
    assert texts(*rows)[1] == {"hidden_channels": (24, 40), "out_channels": (16, 24)}


def test_padding_of_half_a_kernel_and_groups_of_one_width() -> None:
    rows = [(conv(c, k, padding=k // 2, groups=c // 8),) for c, k in ((16, 3), (32, 5))]
    ((found,), values) = texts(*rows)
    assert found["conv"] == {
        "out_channels": "$out_channels",
        "kernel_size": "$kernel_size",
        "padding": "$(kernel_size // 2)",
        "groups": "$(out_channels // 8)",
    }
    assert values == {"out_channels": (16, 32), "kernel_size": (3, 5)}


@pytest.mark.parametrize("widths", [((16, 48), (32, 64)), ((16, 17), (32, 34)), ((3, 27), (6, 54))])
def test_no_rule_that_does_not_give_all_values(widths: tuple[tuple[int, int], ...]) -> None:
    assert len(texts(*[(conv(a), conv(b)) for a, b in widths])[1]) == 2


def test_many_widths_are_named_by_where_they_stand() -> None:
    def row(*widths: int) -> Nodes:
        return tuple(
            layer("conv", place=f"net.branch{number}.conv", out_channels=width, kernel_size=1)
            for number, width in enumerate(widths)
        )

    names = ["branch0_conv", "branch1_conv", "branch2_conv", "branch3_conv"]
    assert list(texts(row(8, 17, 33, 31), row(9, 18, 30, 33))[1]) == names


def test_a_layer_that_some_lack_has_a_flag() -> None:
    rows = [(conv(8), layer("squeeze_excite"), conv(8)), (conv(8), conv(8))]
    found, values = texts(*rows)
    assert found[1] == {"when": "$has_squeeze_excite", "squeeze_excite": {}}
    assert values == {"has_squeeze_excite": (True, False)}


def test_an_activation_that_differs_is_a_layer() -> None:
    rows = [(conv(8), layer("relu")), (conv(8), layer("leaky_relu", negative_slope=0.1))]
    found, values = texts(*rows)
    assert found[1] == {"$": {"layer": "$activation"}}
    assert values == {"activation": ("relu", {"leaky_relu": {"negative_slope": 0.1}})}


def test_the_width_of_a_layer_that_is_missing_is_what_arrives() -> None:
    rest = (layer("depthwise_conv", kernel_size=3), conv(8))
    rows = [(conv(24), layer("batch_norm"), *rest), rest, (conv(36), layer("batch_norm"), *rest)]
    assert texts(*rows, arriving=(4, 6, 6))[1] == {"expands": (True, False, True), "channels": (24, 6, 36)}
