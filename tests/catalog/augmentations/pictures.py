"""Images for the tests of augmentations, and the distance of two results."""

import torch

MEMORY = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def pictures(shape: tuple[int, int, int, int], memory: str = "channels_last") -> torch.Tensor:
    """Bytes at random: every second image has dull colours, the last one a single colour."""
    random = torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    random[::2] = random[::2] // 8 * 2 + 40
    if len(random) > 1:
        random[-1] = torch.tensor([200, 90, 13, 77][: shape[1]], dtype=torch.uint8)[:, None, None]
    return random.contiguous(memory_format=MEMORY[memory])


def generator(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def distance(one: torch.Tensor, other: torch.Tensor) -> int:
    """The largest difference in grey levels."""
    assert one.dtype == other.dtype == torch.uint8
    assert one.shape == other.shape
    return int((one.int() - other.int()).abs().max())


def share_of_differences(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one != other).float().mean())
