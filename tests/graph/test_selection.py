"""Selectors by path, kind and name, on the parameters of a network."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specforge.graph.selection import Index, Weight, lies_in, selects, spelled, words_of
from specforge.recipe import Group, Selector


def weight(name: str, kind: str = "conv", *, part: str = "", shape: tuple[int, ...] = (8, 3, 3, 3)) -> Weight:
    """A parameter by its state_dict key; `part` is the module inside its layer: `stem.fc1.weight` has part `fc1`."""
    path, _, last = name.rpartition(".")
    path = path.removesuffix(f".{part}") if part else path
    return Weight(name, path, kind, f"{part}.{last}" if part else last, shape, True)


@pytest.mark.parametrize(
    ("path", "wanted", "inside"),
    [
        ("stem", "stem", True),
        ("stem.conv_1", "stem", True),
        ("stem_2.conv_1", "stem", False),
        ("body.stem", "stem", False),
        ("repeat_1.0.conv_1", "repeat_1.0", True),
        ("repeat_1.10.conv_1", "repeat_1.1", False),
        ("repeat_1.0.conv_1", "repeat_1.conv_1", True),
        ("a.1.b.2.c", "a.b.c", True),
        ("a.1.b.2.c", "a.b", True),
        ("a.1.b.2.c", "a.1.b.2", True),
    ],
)
def test_a_path_means_all_that_lies_in_it(path: str, wanted: str, inside: bool) -> None:
    assert lies_in(path, wanted) is inside


@pytest.mark.parametrize(
    ("select", "names"),
    [
        (Selector(), ["stem.weight", "stem.bias", "norm.weight", "norm.bias", "head.weight"]),
        (Selector(kind="conv"), ["stem.weight", "stem.bias"]),
        (Selector(kind=("conv", "linear")), ["stem.weight", "stem.bias", "head.weight"]),
        (Selector(kind="conv", parameter="bias"), ["stem.bias"]),
        (Selector(path=("stem", "head"), parameter="weight"), ["stem.weight", "head.weight"]),
        (Selector(path="head", kind="conv"), []),
    ],
)
def test_every_key_must_match_and_any_of_its_words(select: Selector, names: list[str]) -> None:
    weights = [
        weight("stem.weight"),
        weight("stem.bias", shape=(8,)),
        weight("norm.weight", "batch_norm", shape=(8,)),
        weight("norm.bias", "batch_norm", shape=(8,)),
        weight("head.weight", "linear", shape=(10, 8)),
    ]
    assert [one.name for one in weights if selects(select, one)] == names


def test_names_of_parameters_inside_a_layer() -> None:
    matrix = weight("se.fc1.weight", "squeeze_excite", part="fc1", shape=(4, 8))
    bias = weight("se.fc1.bias", "squeeze_excite", part="fc1", shape=(4,))
    scale = weight("se.norm.weight", "squeeze_excite", part="norm", shape=(4,))
    assert [selects(Selector(parameter="weight"), one) for one in (matrix, bias, scale)] == [True, False, False]
    assert [selects(Selector(parameter="bias"), one) for one in (matrix, bias, scale)] == [False, True, False]
    assert [selects(Selector(parameter="norm.weight"), one) for one in (matrix, bias, scale)] == [False, False, True]


def test_selectors_are_spelled_for_messages_and_labels() -> None:
    select = Selector(kind=("conv", "linear"), parameter="weight")
    assert spelled(select) == "kind conv | linear, parameter weight"
    assert spelled(Selector()) == ""
    assert words_of(select) == {"kind": ("conv", "linear"), "parameter": ("weight",)}


STEPS = st.lists(st.sampled_from(["stem", "a", "b", "0", "1"]), min_size=1, max_size=4).map(".".join)
WEIGHTS = st.builds(
    Weight,
    name=st.integers(0, 10**6).map(str),
    path=STEPS,
    kind=st.sampled_from(["conv", "linear"]),
    parameter=st.sampled_from(["weight", "bias", "fc1.weight", "norm.weight", "norm.bias"]),
    shape=st.sampled_from([(4,), (4, 8)]),
    trainable=st.just(True),
)


def words(*known: str) -> st.SearchStrategy[str | tuple[str, ...] | None]:
    word = st.one_of(st.sampled_from(known), STEPS)
    return st.one_of(st.none(), word, st.lists(word, max_size=3).map(tuple))


SELECTORS = st.builds(
    Selector,
    path=words("stem", "a.b", "0", ""),
    kind=words("conv", "linear"),
    parameter=words("weight", "bias", "fc1.weight", "norm.weight"),
)


@given(st.lists(WEIGHTS, max_size=8, unique_by=lambda one: one.name), st.lists(SELECTORS, min_size=1, max_size=5))
def test_an_index_knows_what_selects_says(weights: list[Weight], selectors: list[Selector]) -> None:
    index = Index(weights)
    for select in selectors:
        assert index.selected(select) == {one.name for one in weights if selects(select, one)}
    owners = {}
    for one in weights:
        for number, select in enumerate(selectors):
            if selects(select, one):
                owners.setdefault(one.name, number)
    assert index.owners([Group(select=select) for select in selectors]) == owners
