"""The final test of several views: which there are, how much each counts, and what is averaged."""

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from specforge.catalog.augmentations.affine import Shift
from specforge.catalog.augmentations.crop import Crop
from specforge.catalog.augmentations.flip import HorizontalFlip
from specforge.recipe import Evaluate, Snapshots, TestTimeAugmentation, TestView
from specforge.spec import Spec
from specforge.training.result import Result
from tests.training.experiments import experiment, network, prepared_for, train

MIRRORED = HorizontalFlip(probability=1.0)
DOWN = Shift(pixels=(1.0, 1.0), fill="reflect")


def with_views(folder: Path, augmentation: TestTimeAugmentation, **changes: Any) -> tuple[Spec, Result]:
    """The tiny experiment with views in its final test."""
    spec = experiment(epochs=2)
    assert spec.train is not None
    evaluate = Evaluate(test_time_augmentation=augmentation)
    spec = spec.model_copy(update={"train": spec.train.model_copy(update={"evaluate": evaluate, **changes})})
    return spec, train(folder, spec)


def outputs(folder: Path, spec: Spec, epoch: int, look: Any) -> Tensor:
    """Logits (N, K) of the test images as a function changes them."""
    prepared, module = prepared_for(spec), network()
    module.load_state_dict(load_file(folder / f"checkpoints/epoch-{epoch:04}/weights.safetensors"))
    mean, std = (torch.tensor(values)[:, None, None] for values in (prepared.mean, prepared.std))
    with torch.inference_mode():
        found: Tensor = module.eval()((look(prepared.test.images).float() / 255 - mean) / std)
    return found


def as_it_is(images: Tensor) -> Tensor:
    return images


def mirrored(images: Tensor) -> Tensor:
    return images.flip(-1)


def down_and_mirrored(images: Tensor) -> Tensor:
    padded = functional.pad(images.float(), (1, 1, 1, 1), mode="reflect").to(torch.uint8)
    return padded[..., :8, :8].flip(-1)


VIEWS = (
    TestView(weight=3.0),
    TestView(augment=(MIRRORED,)),
    TestView(augment=(DOWN, MIRRORED), weight=0.5),
)
LOOKS = ((3.0, as_it_is), (1.0, mirrored), (0.5, down_and_mirrored))


def expect(result: Result, probabilities: Tensor, spec: Spec) -> None:
    labels = prepared_for(spec).test.labels
    assert result.test_loss == pytest.approx(functional.nll_loss(probabilities.log(), labels).item(), rel=1e-5)
    assert result.test_accuracy == (probabilities.argmax(1) == labels).double().mean().item()


def test_listed_views_count_by_their_weights(tmp_path: Path) -> None:
    spec, result = with_views(tmp_path, TestTimeAugmentation(views=VIEWS))
    expect(result, sum(w * outputs(tmp_path, spec, 2, look).softmax(1) / 4.5 for w, look in LOOKS), spec)
    assert result.plain is not None
    assert result.plain.test_loss != pytest.approx(result.test_loss, rel=1e-3)


def test_logits_are_averaged_before_the_softmax(tmp_path: Path) -> None:
    spec, result = with_views(tmp_path, TestTimeAugmentation(views=VIEWS, average="logits"))
    expect(result, sum(w * outputs(tmp_path, spec, 2, look) / 4.5 for w, look in LOOKS).softmax(1), spec)


def test_the_image_as_it_is_must_be_listed(tmp_path: Path) -> None:
    spec, result = with_views(tmp_path, TestTimeAugmentation(views=(TestView(augment=(MIRRORED,)),)))
    expect(result, outputs(tmp_path, spec, 2, mirrored).softmax(1), spec)


def test_counted_views_stand_beside_the_image(tmp_path: Path) -> None:
    counted = TestTimeAugmentation(augment=(MIRRORED,), views=3, average="logits")
    spec, result = with_views(tmp_path, counted)
    plain, other = (outputs(tmp_path, spec, 2, look) for look in (as_it_is, mirrored))
    expect(result, ((plain + 3 * other) / 4).softmax(1), spec)


def test_members_of_an_ensemble_are_averaged_as_probabilities(tmp_path: Path) -> None:
    averaged = TestTimeAugmentation(views=VIEWS, average="logits")
    spec, result = with_views(tmp_path, averaged, snapshots=Snapshots(cycles=2))
    members = [sum(w * outputs(tmp_path, spec, epoch, look) / 4.5 for w, look in LOOKS) for epoch in (1, 2)]
    expect(result, sum(member.softmax(1) for member in members) / 2, spec)


def test_drawn_views_differ_from_each_other(tmp_path: Path) -> None:
    one = TestView(augment=(Crop(padding=3),))
    losses = {
        count: with_views(tmp_path / str(count), TestTimeAugmentation(views=(one,) * count))[1].test_loss
        for count in (1, 2)
    }
    assert losses[1] != losses[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "needs `augment`, or a list of `views`"),
        ({"views": 3}, "needs `augment`, or a list of `views`"),
        ({"views": ()}, "at least 1 item"),
        ({"views": (TestView(),), "augment": (MIRRORED,)}, "stands in each of the listed `views`"),
        ({"augment": (MIRRORED,), "average": "mean"}, "'probabilities' or 'logits'"),
    ],
)
def test_mistakes_are_explained(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TestTimeAugmentation(**arguments)
