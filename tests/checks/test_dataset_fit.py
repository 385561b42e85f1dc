"""Whether a network takes a data set's images and gives its classes: before the data is read, and after."""

from pathlib import Path

import pytest

from specforge.catalog.datasets.definition import Facts
from specforge.checks.dataset_fit import mismatches
from tests.checks.recipes import findings
from tests.networks import graph_of

SYNTHETIC = "{synthetic: {image: [1, 8, 8], classes: 7}}"


@pytest.mark.parametrize(
    ("dataset", "input", "classes"),
    [
        ("digits", "[1, 8, 8]", 10),
        (SYNTHETIC, "[1, 8, 8]", 7),
        ("cifar10", "[3, 32, 32]", 10),
        ("cifar100", "[3, 32, 32]", 100),
    ],
)
def test_both_numbers_are_named(tmp_path: Path, dataset: str, input: str, classes: int) -> None:
    assert findings(tmp_path, f"- flatten\n- linear: {classes}", input=input, dataset=dataset) == []
    (found,) = findings(tmp_path, "- flatten\n- linear: 12", input=input, dataset=dataset)
    word = dataset.strip("{").partition(":")[0]
    assert (found.code, found.span.line) == ("SF507", 7)
    assert found.message == f"the network gives [12], `{word}` has {classes} classes"
    assert found.hint == f"end with `linear: {classes}`"


def test_a_data_set_that_only_its_file_knows(tmp_path: Path) -> None:
    assert findings(tmp_path, dataset="{npz: {path: flowers.npz}}", input="[2, 5, 5]") == []


def test_a_side_branch_gives_the_classes_too(tmp_path: Path) -> None:
    side = "- flatten\n- auxiliary: {weight: 0.3, layers: [{linear: 7}]}\n- linear: 10"
    (found,) = findings(tmp_path, side)
    assert (found.code, found.span.line) == ("SF507", 7)
    assert found.message == "the branch `auxiliary_1` gives [7], `digits` has 10 classes"


@pytest.mark.parametrize(
    ("image", "fits"), [((3, 40, 20), True), ((3, 6, 6), False), ((1, 40, 20), False), ((3, 40), False)]
)
def test_named_sizes_take_what_is_large_enough(tmp_path: Path, image: tuple[int, ...], fits: bool) -> None:
    layers = "- conv: {out_channels: 4, kernel_size: 9}\n- global_avg_pool"
    graph = graph_of(tmp_path, layers, input=("3", "H", "W"))  # type: ignore[arg-type]
    assert (list(mismatches(graph, Facts(image=image), "npz")) == []) == fits


def test_one_name_is_one_size(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, "- global_avg_pool", input=("3", "S", "S"))  # type: ignore[arg-type]
    assert list(mismatches(graph, Facts(image=(3, 9, 9)), "npz")) == []
    (found,) = mismatches(graph, Facts(image=(3, 9, 8)), "npz")
    assert found.message == "`input` is [3, S, S], an image of `npz` is [3, 9, 8]"
