"""What a model says of itself, to texts and back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specforge.prediction.card import Card, Normalization
from specforge.prediction.errors import PredictionError

CARD = Card(
    name="lab", spec="specforge: 1\nname: lab\n", spec_hash="9f86", image=(3, 32, 32), class_names=("a", "größe"),
    normalization=Normalization(mean=(0.1, 0.2, 0.3), std=(1.0, 1.0, 0.1)), resize="stretch", members=2,
    tested="ensemble of epochs 2, 4",
)  # fmt: skip


def test_texts_lead_back_to_the_card() -> None:
    assert Card.from_metadata(CARD.to_metadata(), "file") == CARD


def test_what_is_not_known_is_left_out_and_comes_back_so() -> None:
    bare = Card(name="lab", spec="x", spec_hash="", image=(16,))
    texts = bare.to_metadata()
    assert texts.keys() == {"specforge", "name", "spec", "spec_hash", "image", "resize", "input", "members"}
    assert Card.from_metadata(texts, "file") == bare


def test_others_read_lists_as_json() -> None:
    texts = CARD.to_metadata()
    assert json.loads(texts["class_names"]) == ["a", "größe"]
    assert json.loads(texts["normalization"]) == {"mean": [0.1, 0.2, 0.3], "std": [1.0, 1.0, 0.1]}


@given(values=st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_numbers_come_back_bit_for_bit(values: list[float]) -> None:
    card = CARD.model_copy(update={"normalization": Normalization(mean=tuple(values), std=(1.0, 1.0, 1.0))})
    assert Card.from_metadata(card.to_metadata(), "file") == card


def test_a_newer_specforge_may_say_more() -> None:
    assert Card.from_metadata({**CARD.to_metadata(), "licence": "MIT"}, "file") == CARD


@given(
    name=st.sampled_from(sorted(CARD.to_metadata())),
    text=st.one_of(st.text(), st.sampled_from(["[]", "{}", "null", "1e400", "-1", "[" * 99, '"x"', "[1]", "[null]"])),
)
def test_any_text_in_any_place_is_a_card_or_an_error_that_names_the_file(name: str, text: str) -> None:
    message, found = "", None
    try:
        found = Card.from_metadata({**CARD.to_metadata(), name: text}, "some-file")
    except PredictionError as error:
        message = error.message
    if found is None:
        assert message.startswith("some-file")
        assert "\n" not in message
    else:
        assert Card.from_metadata(found.to_metadata(), "again") == found


def test_a_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(PredictionError, match="name"):
        Card.from_metadata({**CARD.to_metadata(), "name": "x" * 2000}, "file")
