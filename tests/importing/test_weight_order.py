"""What `weights:` says where tensors stand in another order; always what the torch backend pairs in the same way."""

import pytest

from specforge.catalog.definition import Weights
from specforge.importing.weight_order import weight_keys
from specforge.torch_backend.weights import key_map

CASES = [
    ({"a.weight": "x.w", "b.weight": "y.w"}, ["x.w", "y.w"], {}),
    ({"a.weight": "x.w", "b.weight": "y.w"}, ["y.w", "x.w"], {"keys": {"a.weight": "x.w"}}),
    (
        {"s.0.a.w": "l.0.f.w", "s.0.shortcut.w": "l.0.proj.w", "s.1.a.w": "l.1.f.w", "s.1.shortcut.w": "l.1.proj.w"},
        ["l.0.proj.w", "l.0.f.w", "l.1.proj.w", "l.1.f.w"],
        {"keys": {"*.a.w": "*.f.w"}},
    ),
    (
        {"head_1.a": "one.a", "head_1.b": "one.b", "body.w": "body.w", "head_2.a": "two.a", "head_2.b": "two.b"},
        ["body.w", "one.a", "one.b", "two.a", "two.b"],
        {"keys": {"body.w": "body.w"}},
    ),
    ({"a.w": "x.w"}, ["x.w", "aux.fc.w", "aux.fc.b"], {"unused": ["aux"]}),
    ({"a.w": "x.one.w"}, ["x.one.w", "x.two.w"], {"unused": ["x.two"]}),
    (
        {"a": "1", "b": "2", "c": "3", "d": "4"},
        ["4", "3", "2", "1"],
        {"keys": {"a": "1", "b": "2", "c": "3"}},
    ),
]


@pytest.mark.parametrize(("names", "theirs", "expected"), CASES)
def test_keys(names: dict[str, str], theirs: list[str], expected: dict[str, object]) -> None:
    assert weight_keys(names, theirs) == expected


@pytest.mark.parametrize(("names", "theirs", "expected"), CASES)
def test_the_torch_backend_pairs_by_them(names: dict[str, str], theirs: list[str], expected: object) -> None:
    found = weight_keys(names, theirs)
    weights = Weights(keys=found.get("keys", {}), unused=tuple(found.get("unused", ())))
    assert key_map(dict.fromkeys(names, ()), dict.fromkeys(theirs, ()), weights) == names
