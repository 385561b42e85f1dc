"""What the pipeline as a whole promises beside its findings."""

import gc
from pathlib import Path

from specforge.analysis import analyse

SPEC = """
specforge: 1
name: freed
params: {width: 8}
blocks: {unit: {params: {channels: required}, layers: [{linear: $channels}, relu]}}
model: {input: [4], layers: [{repeat: {times: 2, layers: [unit: $width]}}, {residual: [relu]}, softmax]}
"""


def test_an_analysis_leaves_nothing_for_the_garbage_collector(tmp_path: Path) -> None:
    """It pauses the collector, so that what holds itself would outlive it with all that was read."""
    file = tmp_path / "freed.yaml"
    file.write_text(SPEC, encoding="utf-8")
    assert analyse(file).graph is not None  # and the caches are filled
    gc.collect()
    gc.disable()
    try:
        analyse(file)
        assert gc.collect() == 0
    finally:
        gc.enable()
