"""JSON that may be anything."""

import json

import pytest

from specforge.training.parsing import DEEPEST, parsed


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def test_json_is_what_it_says() -> None:
    for value in (None, 1, [], {}, {"a": [1, {"b": 2.5}]}, "x"):
        assert parsed(json.dumps(value)) == value
        assert parsed(json.dumps(value).encode()) == value


def test_what_is_nested_as_deep_as_ours_is_read() -> None:
    assert parsed(nested(DEEPEST))


@pytest.mark.parametrize("depth", [DEEPEST + 1, 1_000, 1_000_000])
@pytest.mark.parametrize("whole", [True, False])
def test_what_is_nested_deeper_is_refused(depth: int, whole: bool) -> None:
    with pytest.raises(ValueError, match=r"nested|Expecting"):
        parsed(nested(depth) if whole else "[" * depth)


@pytest.mark.parametrize("text", ["", "{", "nonsense", b"\xff\xfe\x00", b"\x80", "1" * 5_000, '{"a": 1} x'])
def test_everything_else_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parsed(text)
