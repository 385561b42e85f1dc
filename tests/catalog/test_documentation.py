"""Every word's documentation: one sentence, an example that binds (a layer's also compiles), shapes and source."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest
import torch
from pydantic import BaseModel

from specforge.analysis import analyse
from specforge.catalog.definition import Definition, Item, Layer
from specforge.catalog.discovery import FAMILIES, definition, index
from specforge.shapes import Shape, spelled
from specforge.spec import Spec
from specforge.torch_backend import build
from tests.networks import graph_of

IMAGE, PHOTOGRAPH, FEATURES = (3, 32, 32), (3, 224, 224), (12,)
WORDS = [(family, word) for family in FAMILIES for word in index(family)]
LAYERS = list(index("layers"))
REQUIRED = {"epochs": "1", "batch_size": "2", "optimizer": "adam", "loss": "cross_entropy"}


def documented(family: str, word: str) -> tuple[type[Definition], str]:
    found = definition(family, word)
    assert found is not None
    assert found.__doc__, f"{word} has no docstring of its own"
    return found, inspect.cleandoc(found.__doc__)


def example(documentation: str) -> str:
    """The first indented block."""
    found = re.search(r"(?:^ {4}.*\n|^\n(?= {4}))+", documentation, re.MULTILINE)
    assert found, "no indented example"
    return dedent(found.group()).strip("\n")


def bound(folder: Path, text: str) -> Spec:
    """A piece of a spec, bound; any finding fails."""
    file = folder / "example.yaml"
    file.write_text(text, encoding="utf-8")
    analysis = analyse(file)
    assert not len(analysis.findings), [f"{found.span}: {found.message}" for found in analysis.findings]
    assert analysis.spec is not None
    return analysis.spec


def entries(value: Any) -> Iterator[Any]:
    """Every object that a bound spec holds."""
    yield value
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from entries(getattr(value, name))
    elif isinstance(value, Item):
        yield from entries(value.layer)
        yield from entries(tuple(value.initializers.values()))
    elif isinstance(value, tuple | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from entries(part)


def input_for(layers: str) -> Shape:
    """A shape that the layers of an example are made for."""
    if "pretrained:" in layers:
        return PHOTOGRAPH
    return FEATURES if "linear:" in layers and not re.search("conv|pool|patch", layers) else IMAGE


def as_layers(text: str) -> str:
    """A layer's example as the items of `layers:`: one item, or a whole list for what needs others before it."""
    if text.startswith("layers:\n"):
        return dedent(text.removeprefix("layers:\n"))
    return "- " + indent(text, "  ").lstrip()


def as_spec(family: str, text: str) -> str:
    """An example as a whole spec: layers go into a model, a recipe gets what it must have."""
    if family == "layers":
        text = "layers:\n" + indent(as_layers(text), "  ")
    if text.startswith("layers:"):
        text = "model:\n" + indent(f"input: {spelled(input_for(text))}\n{text}", "  ")
    required = REQUIRED if text.startswith("train:") else {}
    missing = [
        f"  {key}: {value}" for key, value in required.items() if not re.search(rf"^  {key}:", text, re.MULTILINE)
    ]
    return "\n".join(["specforge: 1", "name: example", text, *missing])


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_words(family: str) -> None:
    assert index(family)


@pytest.mark.parametrize(("family", "word"), WORDS)
def test_starts_with_one_sentence(family: str, word: str) -> None:
    first, *rest = documented(family, word)[1].splitlines()
    assert first[0].isupper() or first[0].isdigit()
    assert first.endswith(".")
    assert not re.search(r"[.!?] [A-Z]", first), "more than one sentence"
    assert not rest[0], "an empty line follows"


@pytest.mark.parametrize(("family", "word"), WORDS)
def test_names_its_source(family: str, word: str) -> None:
    assert re.search(r"^Source: \S+", documented(family, word)[1], re.MULTILINE)


@pytest.mark.parametrize("word", LAYERS)
def test_layers_state_their_shapes(word: str) -> None:
    assert re.search(r"^Shapes: .+ -> ", documented("layers", word)[1], re.MULTILINE)


@pytest.mark.parametrize("word", LAYERS)
def test_arguments_of_layers_are_explained(word: str) -> None:
    """In the docstring, in the field's description, or on the page of torch's module of the same arguments."""
    found, text = documented("layers", word)
    unexplained = [
        name for name, field in found.model_fields.items() if f"`{name}`" not in text + str(field.description)
    ]
    assert not unexplained or "docs.pytorch.org" in text, f"{word} does not explain {unexplained}"


@pytest.mark.parametrize(("family", "word"), WORDS)
def test_the_example_binds(family: str, word: str, tmp_path: Path) -> None:
    found, text = documented(family, word)
    spec = bound(tmp_path, as_spec(family, example(text)))
    assert any(type(entry) is found for entry in entries(spec)), f"the example does not use `{word}`"


@pytest.mark.parametrize("word", LAYERS)
def test_the_example_of_a_layer_compiles(word: str, tmp_path: Path) -> None:
    found, text = documented("layers", word)
    assert issubclass(found, Layer)
    layers = as_layers(example(text))
    graph = graph_of(tmp_path, layers, input=input_for(layers))
    output = build(graph, seed=0)(torch.zeros(2, *graph.input))
    if isinstance(output, tuple):  # in training, a network with side branches gives their results too
        output = output[0]
    assert tuple(output.shape) == (2, *graph.output)


@pytest.mark.parametrize("word", list(index("initializers")))
def test_the_example_of_an_initializer_compiles(word: str, tmp_path: Path) -> None:
    text = example(documented("initializers", word)[1])
    assert text.startswith("layers:")
    body = dedent(text.removeprefix("layers:\n"))
    graph = graph_of(tmp_path, body, input=input_for(body))
    assert any(node.initializers for node in graph.leaves())
    build(graph, seed=0)
