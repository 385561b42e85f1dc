"""The reference: complete, made from the catalogue, and as new as it is."""

import re
from pathlib import Path

import pytest

from specforge.binding import held
from specforge.catalog.definition import Section
from specforge.catalog.discovery import FAMILIES, index
from specforge.catalog.layers.convolution import Conv
from specforge.recipe import Train
from specforge.reference.__main__ import write
from specforge.reference.documentation import argument_text, spelled
from specforge.reference.finding import find, meant
from specforge.reference.pages import fenced, pages, table
from specforge.reference.topics import GROUPS, rules, topics
from specforge.reference.wording import type_words
from specforge.spec import Model, Spec

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "reference"


@pytest.mark.parametrize("name", pages())
def test_the_checked_in_page_is_new(name: str) -> None:
    page = PAGES / name
    assert page.is_file(), "a page is missing: run `make docs`"
    assert page.read_text(encoding="utf-8") == pages()[name], "the catalogue has changed: run `make docs`"


def test_no_page_is_left_from_before() -> None:
    assert {page.name for page in PAGES.glob("*.md")} == set(pages()), "run `make docs`"


def test_writing_removes_pages_of_what_is_gone(tmp_path: Path) -> None:
    (tmp_path / "activations.md").write_text("old")
    write(tmp_path)
    assert {page.name for page in tmp_path.iterdir()} == set(pages())


def test_every_word_has_a_topic() -> None:
    words = {(family, word) for family in FAMILIES for word in index(family)}
    assert words == {(topic.group, topic.name) for topic in topics() if topic.group in FAMILIES}


def test_every_group_has_topics_that_say_something() -> None:
    for group in GROUPS:
        found = [topic for topic in topics() if topic.group == group]
        assert found
        assert all(topic.summary and topic.text for topic in found)


def test_every_rule_of_the_code_is_explained() -> None:
    """A rule that is defined in a module which nothing imports would be missing."""
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "specforge").rglob("*.py")]
    defined = {code for text in texts for code in re.findall(r"\bdefine\(\s*\"(SF\d+)\"", text)}
    assert len(defined) > 40
    assert {rule.code for rule in rules()} == defined


def _sections(kind: type[Section]) -> set[type[Section]]:
    below = {
        arm.type
        for field in kind.model_fields.values()
        for arm in held(field.annotation)
        if arm.kind == "section" and arm.type is not None
    }
    return {kind}.union(*(_sections(section) for section in below))


@pytest.mark.parametrize("kind", sorted(_sections(Spec), key=lambda kind: kind.__name__), ids=lambda k: k.__name__)
def test_every_key_of_a_section_is_explained(kind: type[Section]) -> None:
    unsaid = [name for name in kind.model_fields if argument_text(kind, name) is None]
    assert not unsaid, f"say in the docstring of {kind.__name__} what each is: '`{unsaid[0]}` is …'"


def test_keys_are_topics_by_their_paths() -> None:
    names = {topic.name for topic in topics()}
    assert {"train.batch_size", "data.split.seed", "model.init.select.kind", "model.defaults", "edit.at"} <= names
    assert {f"train.{name}" for name in Train.model_fields} <= names
    assert {f"model.{name}" for name in Model.model_fields} <= names


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("conv", [("layers", "conv")]),
        ("CONV", [("layers", "conv")]),
        ("constant", [("schedules", "constant"), ("initializers", "constant")]),
        ("train.batch_size", [("keys", "train.batch_size")]),
        ("batch_size", [("keys", "train.batch_size"), ("keys", "train.stages.batch_size")]),
        ("train", [("keys", "train")]),
        ("when", [("items", "when")]),
        ("SF304", [("diagnostics", "SF304")]),
        ("sf304", [("diagnostics", "SF304")]),
        ("unknown-word", [("diagnostics", "SF304")]),
        ("conv.stride", [("layers", "conv.stride")]),
        ("train.optimizer.adam.lr", [("optimizers", "adam.lr")]),
        ("times", [("layers", "repeat.times")]),
        ("conv2d", []),
        ("conv.strides", []),
        ("", []),
    ],
)
def test_names_that_people_write(name: str, found: list[tuple[str, str]]) -> None:
    assert [(topic.group, topic.name) for topic in find(name)] == found


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Conv2d", "specforge calls it `conv`"),
        ("torch.nn.Conv2d", "specforge calls it `conv`"),
        ("swish", "specforge calls it `silu`"),
        ("cnov", "did you mean `conv`?"),
        ("train.bacth_size", "did you mean `train.batch_size`?"),
        ("unkown-word", "did you mean `unknown-word`?"),
        ("zzzzzz", "`specforge list` shows all names"),
    ],
)
def test_what_was_meant(name: str, hint: str) -> None:
    assert meant(name) == hint


def test_arguments_are_explained_from_the_docstring_first() -> None:
    assert argument_text(Train, "batch_size") == "`batch_size` is the number of images in one step."
    assert argument_text(Conv, "kernel_size") == (
        "The window's size in pixels, for all spatial axes or a list of one for each."
    )


def test_types_in_words() -> None:
    assert type_words(int | tuple[int, ...]) == "whole number or list of whole numbers"
    assert type_words(tuple[tuple[float, float], ...]) == "list of lists of 2 numbers"
    field = Train.model_fields["epochs"]
    assert type_words(field.annotation, tuple(field.metadata)) == "whole number ≥ 1"
    assert type_words(Train.model_fields["loss"].annotation) == "loss"
    assert type_words(Model.model_fields["layers"].annotation) == "list of layers"


def test_values_as_yaml_writes_them() -> None:
    assert [spelled(value) for value in (None, True, 1e-8, 0.5, (1, 2), {}, "zeros")] == [
        "none",
        "true",
        "1e-08",
        "0.5",
        "[1, 2]",
        "{}",
        "zeros",
    ]


def test_examples_become_blocks() -> None:
    assert fenced("Does it.\n\n    relu:\n      x: 1\n\nMore.") == "Does it.\n\n```yaml\nrelu:\n  x: 1\n```\n\nMore."


def test_a_bar_in_a_cell_is_escaped() -> None:
    assert table(("a",), [("x | y",)]).splitlines()[-1] == "| x \\| y |"
