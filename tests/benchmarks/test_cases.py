"""What the benchmarks train is what the specs say, but for the data set and how long it goes on."""

import pytest

from benchmarks.cases import ADAM_EPSILON, AUGMENTATIONS, CLASSES, MOMENTUM, RATES, ROOT, Case, pictures
from benchmarks.throughput import CASES, QUICK_CASES
from specforge.analysis import analyse


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_settings_of_a_case_give_a_spec_that_trains(case: Case) -> None:
    spec, _ = analyse(case.path, case.settings()).require()
    assert spec.train is not None
    assert spec.data is not None
    facts = spec.data.dataset.facts()
    assert (facts.train, facts.test, facts.classes) == (50_000, 10_000, CLASSES)
    assert spec.train.batch_size == case.batch
    assert len(spec.data.augment) == {"none": 0, "flip_crop": 2, "full": 5}[case.augmentation]
    assert spec.train.optimizer.lr == RATES[case.spec]


def test_the_full_set_is_the_documents() -> None:
    spec, _ = analyse(CASES[0].path, Case("lab2_bn", 32, "full").settings()).require()
    documented, _ = analyse(ROOT / "specs" / "augment_15.yaml").require()
    assert spec.data is not None
    assert documented.data is not None
    assert spec.data.augment == documented.data.augment


def test_what_is_written_by_hand_has_the_recipes_optimizers() -> None:
    for name in ("lab2_bn", "six_conv"):
        spec, _ = analyse(ROOT / "specs" / f"{name}.yaml").require()
        assert spec.train is not None
        given = spec.train.optimizer.model_dump()
        assert (given["lr"], given["eps"]) == (RATES[name], ADAM_EPSILON)
    spec, _ = analyse(ROOT / "specs" / "phase3_resnet18.yaml").require()
    assert spec.train is not None
    assert spec.train.optimizer.model_dump()["momentum"] == MOMENTUM


def test_the_quick_cases_leave_the_largest_network_out() -> None:
    assert set(QUICK_CASES) < set(CASES)
    assert "phase3_resnet18" not in {case.spec for case in QUICK_CASES}


def test_the_bytes_of_a_data_set_are_those_of_its_images() -> None:
    images, labels = pictures(10)
    assert len(labels) == 10
    assert Case("lab2_bn", 4, AUGMENTATIONS[0], images=10).data_bytes == images.nbytes * 12 // 10
