"""Each row of a batch through a function of its own."""

import pytest
import torch

from specforge.catalog.augmentations.routing import in_groups
from tests.catalog.augmentations.pictures import MEMORY, generator, pictures


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("shape", [(40, 3, 5, 7), (1, 1, 4, 4), (9, 2, 1, 1)])
def test_every_row_gets_its_function_and_its_strength(shape: tuple[int, int, int, int], memory: str) -> None:
    given = pictures(shape, memory)
    operation = torch.randint(4, (shape[0],), generator=generator())
    strengths = [torch.arange(shape[0]) + 50 * number for number in range(5)]

    def added(images: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
        return images + strength[:, None, None, None].to(torch.uint8)

    def moved(images: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
        return images.roll(1, -1) ^ strength[:, None, None, None].to(torch.uint8)

    functions = [added, None, moved, added, moved]  # the last one is for nobody
    expected = [
        image if function is None else function(image[None], strengths[number][row : row + 1])[0]
        for row, (image, number) in enumerate(zip(given, operation.tolist(), strict=True))
        for function in [functions[number]]
    ]
    before = given.clone()
    result = in_groups(given, operation, functions, strengths)
    assert torch.equal(result, torch.stack(expected))
    assert torch.equal(given, before)
    assert result.is_contiguous(memory_format=MEMORY[memory])


def test_a_function_sees_its_rows_only() -> None:
    seen: list[int] = []

    def counted(images: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
        seen.append(len(images))
        return images

    operation = torch.tensor([2, 0, 2, 2, 0])
    in_groups(pictures((5, 3, 4, 4)), operation, [counted, counted, counted], [torch.zeros(5)] * 3)
    assert seen == [2, 3]
