"""Predictions of files of images: they are those of the run's own test."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from specforge import experiment
from specforge.catalog.datasets.image_listing import Fault
from specforge.prediction import Model, Prediction, PredictionError, open_model, predict
from specforge.prediction.card import Card
from specforge.prediction.predicting import Answer
from tests.trained_runs import NOWHERE, pictures, trained

RunOf = Callable[[str], Path]


def opened(path: Path) -> Model:
    return open_model(path, device="cpu", data_dir=NOWHERE)


def share_of_right(run: Path, folder: Path, labels: list[int]) -> float:
    found = list(predict(opened(run), [folder], top=1))
    assert all(isinstance(each, Prediction) for each in found)
    right = [
        each.top[0].index == label for each, label in zip(found, labels, strict=True) if isinstance(each, Prediction)
    ]
    return sum(right) / len(labels)


@pytest.mark.parametrize("name", ["digits", "plain", "averaged", "ensemble", "bfloat16"])
def test_files_of_the_test_images_are_classified_as_the_test_did(run_of: RunOf, name: str) -> None:
    run = run_of(name)
    tested = experiment.evaluate(run, device="cpu")
    folder, labels = pictures(run)
    assert share_of_right(run, folder, labels) == tested.test_accuracy
    assert tested.test_accuracy == json.loads((run / "result.json").read_text())["test_accuracy"]


def test_weights_with_augmented_views_are_asked_about_images_as_they_are(run_of: RunOf) -> None:
    run = run_of("views")
    folder, labels = pictures(run)
    plain = json.loads((run / "result.json").read_text())["plain"]
    assert share_of_right(run, folder, labels) == plain["test_accuracy"]
    assert any("several views" in note for note in opened(run).notes)


def test_an_ensemble_gives_the_mean_of_its_members_probabilities(run_of: RunOf) -> None:
    network = trained(run_of("ensemble"))
    folder, _ = pictures(run_of("ensemble"))
    from specforge.data.batches import Normalizer
    from specforge.prediction.images import find, read

    assert network.card.normalization is not None
    ((_, pixels),) = [each for each in read(find([folder]), network.card, at_once=64) if not isinstance(each, Fault)]
    cpu = torch.device("cpu")
    images = Normalizer(network.card.normalization.mean, network.card.normalization.std, device=cpu)(pixels)
    with torch.no_grad():
        members = [module(images).softmax(1) for module in network.networks(cpu)]
    assert len(members) == 2
    expected = (members[0] + members[1]) / 2
    assert torch.allclose(opened(run_of("ensemble")).logits(pixels).softmax(1), expected, atol=1e-6)


def test_classes_come_likeliest_first_with_names_and_probabilities(run_of: RunOf) -> None:
    folder, _ = pictures(run_of("digits"))
    (found,) = predict(opened(run_of("digits")), [folder / "00000.png"], top=20)
    assert isinstance(found, Prediction)
    shares = [answer.probability for answer in found.top]
    assert sorted(answer.index for answer in found.top) == list(range(10))
    assert all(answer.name == str(answer.index) for answer in found.top)
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1.0, abs=1e-5)


def test_what_cannot_be_read_is_named_in_its_place(run_of: RunOf, tmp_path: Path) -> None:
    folder, _ = pictures(run_of("digits"))
    (tmp_path / "broken.png").write_bytes((folder / "00000.png").read_bytes()[:60])
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty.png").touch()
    (tmp_path / "folder").mkdir()
    files = ["broken.png", "text.png", "empty.png", "gone.png", "folder"]
    asked = [folder / "00003.png", *(tmp_path / name for name in files), folder / "00004.png"]
    found = list(predict(opened(run_of("digits")), asked))
    assert [type(each) for each in found] == [Prediction, Fault, Fault, Fault, Fault, Fault, Prediction]
    assert [each.path for each in found] == asked
    reasons = [each.reason for each in found if isinstance(each, Fault)]
    assert [reason.split(" (")[0].split(":")[0] for reason in reasons] == [
        "damaged", "not an image", "0 bytes", "is not there", "a folder without images",
    ]  # fmt: skip


class Stub:
    """A model that always says the same."""

    notes: tuple[str, ...] = ()
    at_once = 2

    def __init__(self, logits: list[float], names: tuple[str, ...] = ("a", "b")):
        self._logits = torch.tensor(logits)
        self.batches: list[int] = []
        self.card = Card(name="stub", spec="", spec_hash="", image=(1, 8, 8), class_names=names)

    def logits(self, pixels: torch.Tensor) -> torch.Tensor:
        self.batches.append(len(pixels))
        return self._logits.expand(len(pixels), -1)


def test_of_equally_likely_classes_the_first_comes_first(run_of: RunOf) -> None:
    folder, _ = pictures(run_of("digits"))
    (found,) = predict(Stub([1.0, 1.0]), [folder / "00000.png"])
    assert isinstance(found, Prediction)
    assert found.top == (Answer(0, "a", 0.5), Answer(1, "b", 0.5))


def test_images_go_to_the_model_in_batches(run_of: RunOf) -> None:
    folder, _ = pictures(run_of("digits"))
    stub = Stub([1.0, 0.0])
    assert len(list(predict(stub, [folder / f"{number:05d}.png" for number in range(5)]))) == 5
    assert stub.batches == [2, 2, 1]


@pytest.mark.parametrize(
    ("logits", "names", "message"),
    [
        ([1.0, float("nan")], ("a", "b"), "no numbers"),
        ([1.0, 2.0], ("a", "b", "c"), "expected one value for each class"),
    ],
)
def test_a_model_that_gives_no_probabilities(
    run_of: RunOf, logits: list[float], names: tuple[str, ...], message: str
) -> None:
    folder, _ = pictures(run_of("digits"))
    with pytest.raises(PredictionError, match=message):
        list(predict(Stub(logits, names), [folder / "00000.png"]))
