"""What fields hold, read from their annotations."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from specforge.binding import ChoicePaths, choice_paths, held, signature
from specforge.binding.annotations import Held
from specforge.catalog.definition import Count, Items, Optimizer
from specforge.spec import Spec, Split


@pytest.mark.parametrize(
    ("annotation", "arms"),
    [
        (int, ()),
        (str | None, ()),
        (Count, ()),
        (Literal["a"] | float, ()),
        (Optimizer, (Held("word", Optimizer, 0),)),
        (Optimizer | None, (Held("word", Optimizer, 0),)),
        (tuple[Optimizer, ...], (Held("word", Optimizer, 1),)),
        (Annotated[Optimizer, Field()], (Held("word", Optimizer, 0),)),
        (Split, (Held("section", Split, 0),)),
        (Literal["auto"] | Split, (Held("section", Split, 0),)),
        (Items, (Held("items", None, 1),)),
        (tuple[Items, ...], (Held("items", None, 2),)),
        (Literal["identity"] | Items, (Held("items", None, 1),)),
        (dict[str, Optimizer], (Held("word", Optimizer, 0, by_name=True),)),
        (dict[str, str], ()),
    ],
)
def test_what_a_field_holds_is_read_from_its_annotation(annotation: Any, arms: tuple[Held, ...]) -> None:
    assert held(annotation) == arms


def test_the_paths_of_choices() -> None:
    paths = set(choice_paths(Spec))
    assert {("data", "dataset"), ("train", "optimizer"), ("train", "schedule"), ("train", "loss")} <= paths
    assert {("data", "augment", "*"), ("train", "stages", "*", "optimizer")} <= paths
    assert ("train", "epochs") not in paths
    assert ("search", "space", "train.optimizer.lr") in ChoicePaths(Spec)
    assert ("train", "space", "train.optimizer.lr") not in ChoicePaths(Spec)


def test_signatures_of_layers() -> None:
    assert signature("covn") is None
    residual, repeat, conv = signature("residual"), signature("repeat"), signature("conv")
    assert residual is not None
    assert repeat is not None
    assert conv is not None
    assert residual.layers == {"layers", "shortcut"}
    assert repeat.lists == {"iterations"}
    assert conv.layers == conv.lists == frozenset()
    assert "kernel_size" in conv.arguments
