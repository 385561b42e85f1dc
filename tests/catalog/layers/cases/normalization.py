"""What the layers of `normalization.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import ANY, SPATIAL, Cases

CASES: Cases = {
    "batch_norm": {
        "": ANY,
        "{eps: 1e-3, momentum: 0.01}": ANY,
        "{affine: false}": ANY,
        "{track_running_stats: false}": ANY,
        "{affine: false, track_running_stats: false}": ANY,
    },
    "instance_norm": {
        "": SPATIAL,
        "{affine: true, eps: 1e-3}": SPATIAL,
        "{track_running_stats: true, momentum: 0.01}": SPATIAL,
        "{affine: true, track_running_stats: true}": SPATIAL,
    },
    "group_norm": {
        "1": ANY,
        "{num_groups: 3, eps: 1e-3}": ((6,), *SPATIAL),
        "{num_groups: 3, affine: false}": SPATIAL,
    },
    "local_response_norm": {
        "5": SPATIAL,
        "{size: 2, alpha: 0.01, beta: 1, k: 2}": SPATIAL,
    },
}
