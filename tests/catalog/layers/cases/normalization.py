"""What the layers of `normalization.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import ANY, Cases

CASES: Cases = {
    "batch_norm": {
        "": ANY,
        "{eps: 1e-3, momentum: 0.01}": ANY,
        "{affine: false}": ANY,
        "{track_running_stats: false}": ANY,
        "{affine: false, track_running_stats: false}": ANY,
    },
}
