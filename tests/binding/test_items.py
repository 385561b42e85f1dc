"""Items with their layers."""

import pytest

from specforge.binding import Binder
from specforge.catalog.layers.convolution import Conv
from specforge.diagnostics import Findings
from specforge.source import Mapping
from tests.binding.nodes import items, node_of


def test_an_item_carries_its_layer_and_where_it_was_written() -> None:
    text = "- {id: stem, conv: {out_channels: 8, kernel_size: 3}, init: {bias: zeros}, trainable: false}\n"
    bound_items, said = items(text)
    assert said == []
    (item,) = bound_items
    assert (item.id, item.kind, item.trainable) == ("stem", "conv", False)
    assert item.layer == Conv(out_channels=8, kernel_size=3)
    assert (item.span.column, item.span.end_column) == (14, 18)
    assert item.argument_spans["kernel_size"].column == 51
    assert item.argument_spans["init.bias"].column == 62
    assert list(item.initializers) == ["bias"]


def test_defaults_are_under_the_layer_s_own_arguments() -> None:
    defaults = node_of("conv: {bias: false, kernel_size: 5}")
    assert isinstance(defaults, Mapping)
    arguments = defaults.entries["conv"].value
    assert isinstance(arguments, Mapping)
    bound_items, _ = items("- {id: a, conv: {out_channels: 8, kernel_size: 3}}\n", defaults={"conv": arguments})
    assert bound_items[0].layer == Conv(out_channels=8, kernel_size=3, bias=False)


def test_every_broken_item_is_told() -> None:
    value, said = items(
        "- {id: a, covn: 3}\n- {id: b, relu: }\n- {id: c, dropout: 2}\n- {id: d, relu: , trainable: 1}\n"
    )
    assert value is None
    assert said == [
        "unknown layer or block `covn`",
        "`p` of `dropout` must be less than 1, found `2`",
        "`trainable` must be true or false, found `1`",
    ]


@pytest.mark.parametrize(
    ("layer", "hint"),
    [
        ("conv: {filters: 8, kernel_size: 3}", "specforge calls it `out_channels`"),
        ("conv: {out_channels: 8, kernel_size: 3, strides: 2}", "specforge calls it `stride`"),
        ("conv: {out_channels: 8, kernel_size: 3, use_bias: false}", "specforge calls it `bias`"),
        ("conv: {in_channels: 3, out_channels: 8, kernel_size: 3}", "it is inferred from what arrives: remove it"),
        ("linear: {units: 8}", "specforge calls it `out_features`"),
        ("linear: {in_features: 3, out_features: 8}", "it is inferred from what arrives: remove it"),
        (
            "linear: {out_features: 8, activation: relu}",
            "an activation is a layer of its own: add one after it, such as `- relu`",
        ),
        ("max_pool: {pool_size: 2}", "specforge calls it `kernel_size`"),
        ("dropout: {rate: 0.5}", "specforge calls it `p`"),
        ("relu: {inplace: true}", "remove it: it changes no result"),
        ("batch_norm: {num_features: 3}", "it is inferred from what arrives: remove it"),
        ("dropout: {p:0.5}", "put a space after `:`, as in `p: 0.5`"),
        ("batch_norm: 3", "write `batch_norm: {…}` with `eps`, `momentum`, `affine` or `track_running_stats`"),
        ("flatten: 3", "write `flatten: {…}` with `start_dim` or `end_dim`"),
        ("relu: 3", "write just `relu`"),
        ("sequential: [relu]", "write `sequential: {layers: […]}`"),
        ("linear:", "write `linear: …`"),
        ("conv: 8", "write `conv: {out_channels: 8, kernel_size: …}`"),
        ("conv: {kernel_size: 3}", "add `out_channels: …` to its arguments"),
        ("conv:", "write `conv: {out_channels: …, kernel_size: …}`"),
    ],
)
def test_arguments_of_layers_that_are_wrong(layer: str, hint: str) -> None:
    findings = Findings()
    Binder(findings).items(node_of(f"- {{id: a, {layer} }}\n"), "`layers`")
    assert [said.hint for said in findings] == [hint]


@pytest.mark.parametrize("text", ["relu", "3", "{relu: }", ""])
def test_layers_are_a_list(text: str) -> None:
    findings = Findings()
    node = node_of(f"layers: {text}\n")
    assert isinstance(node, Mapping)
    assert Binder(findings).items(node.entries["layers"].value, "`layers`") is None
    (said,) = findings
    assert said.message.startswith("`layers` must be a list of layers, found ")
