"""How `data.mix` may be written, and what a spec then holds."""

from pathlib import Path

import pytest

from specforge.analysis import analyse
from specforge.catalog.mixes.cutmix import Cutmix
from specforge.catalog.mixes.definition import Mix
from specforge.catalog.mixes.mixup import Mixup
from specforge.resolved import to_yaml
from specforge.spec import Spec

TEXT = """\
specforge: 1
name: example
model: {input: [3, 32, 32], layers: [flatten, {linear: 10}]}
"""


def loaded(folder: Path, data: str, *, settings: tuple[str, ...] = ()) -> Spec:
    file = folder / "example.yaml"
    file.write_text(f"{TEXT}data: {{dataset: cifar10{data}}}\n", encoding="utf-8")
    return analyse(file, settings).require()[0]


@pytest.mark.parametrize(
    ("data", "mixes", "written"),
    [
        ("", (), None),
        (", mix: null", (), None),
        (", mix: []", (), None),
        (", mix: mixup", (Mixup(),), "  mix: mixup"),
        (", mix: [mixup]", (Mixup(),), "  mix: mixup"),
        (", mix: {mixup: 0.2}", (Mixup(alpha=0.2),), "  mix: {mixup: {alpha: 0.2}}"),
        (", mix: {cutmix: {probability: 0.5}}", (Cutmix(probability=0.5),), "  mix: {cutmix: {probability: 0.5}}"),
        (", mix: [mixup, {cutmix: 2}]", (Mixup(), Cutmix(alpha=2.0)), "    - cutmix: {alpha: 2.0}"),
    ],
)
def test_ways_to_write_it(tmp_path: Path, data: str, mixes: tuple[Mix, ...], written: str | None) -> None:
    spec = loaded(tmp_path, data)
    assert spec.data is not None
    assert spec.data.mixes == mixes
    lines = to_yaml(spec).splitlines()
    assert any("mix" in line for line in lines) == (written is not None)
    assert written is None or written in lines


def test_settings_reach_into_it(tmp_path: Path) -> None:
    spec = loaded(tmp_path, ", mix: mixup", settings=("data.mix.alpha=0.3",))
    assert spec.data is not None
    assert spec.data.mixes == (Mixup(alpha=0.3),)
