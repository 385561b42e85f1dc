"""What holds for every augmentation, shown on the example of its documentation."""

import inspect
import re
from pathlib import Path
from textwrap import dedent

import pytest
import torch

from specforge.analysis import analyse
from specforge.catalog.augmentations.definition import Augmentation
from specforge.catalog.discovery import definition, index
from specforge.data.augmenting import Augmenter
from tests.catalog.augmentations.pictures import MEMORY, generator, pictures

WORDS = list(index("augmentations"))
SIZES = [(32, 32), (9, 14), (1, 1), (2, 3)]


@pytest.fixture
def augmentation(word: str, tmp_path: Path) -> Augmentation:
    """The word with the arguments of its own example."""
    found = definition("augmentations", word)
    assert found is not None
    example = re.search(r"(?:^ {4}.*\n|^\n(?= {4}))+", inspect.getdoc(found) or "", re.MULTILINE)
    assert example is not None
    file = tmp_path / "example.yaml"
    file.write_text("specforge: 1\nname: example\n" + dedent(example.group()).strip("\n"), encoding="utf-8")
    analysis = analyse(file)
    assert analysis.spec is not None, [found.message for found in analysis.findings]
    assert analysis.spec.data is not None
    (only,) = [one for one in analysis.spec.data.augment if type(one) is found]
    return only


def images(count: int, size: tuple[int, int], memory: str = "channels_last") -> torch.Tensor:
    return pictures((count, 3, *size), memory)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("word", WORDS)
def test_draws_a_row_for_each_image_on_the_cpu(augmentation: Augmentation, size: tuple[int, int]) -> None:
    for count in (1, 7):
        draws = augmentation.draw(count, size, generator())
        assert set(augmentation.on_host) <= draws.keys()
        assert all(len(values) == count and values.device.type == "cpu" for values in draws.values())


@pytest.mark.parametrize("word", WORDS)
def test_draws_follow_the_generator_alone(augmentation: Augmentation) -> None:
    torch.manual_seed(0)
    first = augmentation.draw(64, (32, 32), generator(7))
    torch.manual_seed(1)
    again, other = (augmentation.draw(64, (32, 32), generator(seed)) for seed in (7, 8))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("word", WORDS)
def test_keeps_type_and_memory_format_and_what_came_in(
    augmentation: Augmentation, memory: str, size: tuple[int, int]
) -> None:
    given = images(8, size, memory)
    before = given.clone()
    draws = augmentation.draw(8, size, generator())
    result = augmentation.apply(given, draws)
    assert result.dtype == torch.uint8
    assert result.shape == given.shape
    assert result.is_contiguous(memory_format=MEMORY[memory])
    assert torch.equal(given, before)
    assert torch.equal(result, augmentation.apply(given, draws)), "applying draws nothing"


@pytest.mark.parametrize("word", WORDS)
def test_both_memory_formats_give_the_same(augmentation: Augmentation) -> None:
    draws = augmentation.draw(8, (9, 14), generator())
    results = [augmentation.apply(images(8, (9, 14), memory), draws) for memory in MEMORY]
    assert torch.equal(*results)


@pytest.mark.parametrize("word", WORDS)
def test_each_image_is_changed_by_its_own_row(augmentation: Augmentation) -> None:
    given = images(16, (32, 32))
    draws = augmentation.draw(16, (32, 32), generator())
    together = augmentation.apply(given, draws)
    assert not torch.equal(together, given), "it changes something"
    for row in range(16):
        own = {name: values[row : row + 1] for name, values in draws.items()}
        assert torch.equal(augmentation.apply(given[row : row + 1], own)[0], together[row])


@pytest.mark.parametrize("word", WORDS)
def test_takes_one_channel_unless_it_says_otherwise(augmentation: Augmentation) -> None:
    needed = augmentation.needs_channels
    if needed is not None:
        assert needed[0] == 3
        return
    given = pictures((8, 1, 28, 28))
    result = augmentation.apply(given, augmentation.draw(8, (28, 28), generator()))
    assert result.shape == given.shape
    assert result.dtype == torch.uint8


@pytest.mark.parametrize("word", WORDS)
def test_draws_made_ahead_are_those_of_the_step(augmentation: Augmentation) -> None:
    given, augmenter = images(5, (16, 16)), Augmenter([augmentation], seed=1, device=torch.device("cpu"))
    rows = torch.arange(5)
    ahead = augmenter.draw(2, {6: torch.arange(20, 29), 7: rows}, (16, 16))
    assert torch.equal(augmenter.apply(given, ahead, 9), augmenter(given, rows=rows, epoch=2, step=7))


@pytest.mark.parametrize("word", WORDS)
def test_nothing_waits_for_the_device(augmentation: Augmentation) -> None:
    """Of a `meta` tensor no value can be read: a step that asks for one would make a GPU finish its work first."""
    elsewhere = torch.device("meta")
    augmenter = Augmenter([augmentation], seed=1, device=elsewhere)
    draws = augmenter.draw(0, {0: torch.arange(5)}, (16, 16))
    for change in (augmenter.apply, augmenter.levels):
        result = change(images(5, (16, 16)).to(elsewhere), draws)
        assert (result.device, result.shape) == (elsewhere, (5, 3, 16, 16))
