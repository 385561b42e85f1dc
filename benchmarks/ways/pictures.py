"""The data as torch's tutorials load it: a `Dataset` of PIL pictures, torchvision's transforms, a `DataLoader`."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from benchmarks.cases import MEAN, STD, Augmentation, Case, pictures

WORKERS = 2


class Pictures(Dataset[tuple[torch.Tensor, int]]):
    """As torchvision's CIFAR100 does it: bytes in memory, a PIL image of each when it is asked for."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, transform: Callable[[Image.Image], torch.Tensor]):
        self.images, self.labels, self.transform = images, labels.tolist(), transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(Image.fromarray(self.images[index])), self.labels[index]


def loader(case: Case) -> DataLoader[tuple[torch.Tensor, int]]:
    """Shuffled batches of augmented pictures, loaded by two processes."""
    dataset = Pictures(*pictures(case.images), transform(case.augmentation))
    return DataLoader(dataset, batch_size=case.batch, shuffle=True, num_workers=WORKERS)


def transform(augmentation: Augmentation) -> Callable[[Image.Image], torch.Tensor]:
    """The augmentation, a tensor of it, and that normalised."""
    changes: list[Any] = []
    if augmentation == "flip_crop":
        changes = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()]
    if augmentation == "full":
        affine = transforms.RandomAffine(degrees=15, translate=(0.1, 0.1), scale=(0.8, 1.2), shear=0.2)
        changes = [affine, transforms.RandomHorizontalFlip()]
    whole: Callable[[Image.Image], torch.Tensor] = transforms.Compose(
        [*changes, transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    )
    return whole
