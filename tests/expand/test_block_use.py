"""The values of a block's params: their types, required by name or fixed by a default."""

import pytest

from tests.expand.trees import layers_of, mistakes, network

PARAMS = (
    "{i: 3, f: 0.5, t: same, b: true, l: [1, 2], rows: [[1], [2]], layer: {linear: 3}, layers: [{linear: 3}], n: null}"
)


def said(kind: str, value: str) -> list[str]:
    blocks = f"unit: {{params: {{x: required {kind}}}, layers: [relu]}}"
    return [
        line.split(" ", 2)[2] for line in mistakes(network(f"- unit: {{x: {value}}}", params=PARAMS, blocks=blocks))
    ]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("integer", ["3", "$i", "$(i // 2)"]),
        ("number", ["3", "0.5", "$f", "$(i / 2)"]),
        ("text", ["same", "'3'", "$t", "a_$i"]),
        ("boolean", ["true", "$b", "$(i > 2)"]),
        ("list", ["[]", "[1, a]", "$l", "$rows", "[{linear: 3}]", "$layers"]),
        ("layers", ["relu", "[]", "[relu, tanh]", "{linear: 3}", "$layer", "$layers", "[$layer, relu]", "null"]),
        ("any", ["3", "0.5", "same", "true", "[1]", "{linear: 3}", "null"]),
        ("", ["3", "null", "[1]"]),
    ],
)
def test_values_of_a_required_type(kind: str, values: list[str]) -> None:
    for value in values:
        assert said(kind, value) == [], value


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("integer", "0.5", "must be a whole number, found a number"),
        ("integer", "$(i * 1.0)", "must be a whole number, found a number"),
        ("integer", "true", "must be a whole number, found true or false"),
        ("integer", "same", "must be a whole number, found text"),
        ("integer", "null", "must be a whole number, found nothing"),
        ("integer", "$layers", "must be a whole number, found layers"),
        ("number", "true", "must be a number, found true or false"),
        ("number", "[1]", "must be a number, found a list"),
        ("text", "3", "must be text, found a whole number"),
        ("boolean", "no", "must be true or false, found text"),
        ("boolean", "1", "must be true or false, found a whole number"),
        ("list", "3", "must be a list, found a whole number"),
        ("list", "$layer", "must be a list, found layers"),
        ("layers", "3", "must be a layer or a list of layers, found a whole number"),
        ("layers", "[1, relu]", "must be a layer or a list of layers, found a list"),
    ],
)
def test_values_of_another_type(kind: str, value: str, message: str) -> None:
    assert said(kind, value) == [f"`x` of block `unit` {message}"]


def test_a_wrong_type_is_told_at_the_value() -> None:
    blocks = "unit: {params: {x: required integer}, layers: [relu]}"
    (found,) = mistakes(network("- unit: {x: same}", blocks=blocks))
    assert found.startswith("a.yaml:6:17 SF210")


@pytest.mark.parametrize(
    ("default", "message"),
    [
        ("required int", "`int` is no type of a param"),
        ("required reading matter", "`reading matter` is no type of a param"),
    ],
)
def test_unknown_types_are_told_in_the_definition(default: str, message: str) -> None:
    (found,) = mistakes(network("- relu", blocks=f"unit: {{params: {{x: {default}}}, layers: [relu]}}"))
    assert found == f"a.yaml:2:22 SF209 {message}"


def test_a_text_that_begins_otherwise_is_a_default() -> None:
    blocks = "unit: {params: {x: requiredness}, layers: [{id: $x, relu: }]}"
    assert layers_of("- unit", blocks=blocks) == ["unit_1.requiredness"]


def test_defaults_may_use_the_params_above_them() -> None:
    blocks = "unit: {params: {x: required integer, y: $(2 * x)}, layers: [linear: $y]}"
    assert layers_of("- unit: 4", blocks=blocks) == ["unit_1.linear_1 8"]


@pytest.mark.parametrize(("use", "hint"), [("unit", "x"), ("unit: {y: 3}", "x")])
def test_a_required_param_must_be_given(use: str, hint: str) -> None:
    blocks = "unit: {params: {x: required integer, y: 3}, layers: [linear: $x]}"
    (found,) = mistakes(network(f"- {use}", blocks=blocks))
    assert found.endswith(f"SF210 block `unit` needs `{hint}`")
