"""What the layers of `adaptive_pooling.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import IMAGE, SPATIAL, Cases

CASES: Cases = {
    "adaptive_avg_pool": {"1": SPATIAL, "4": SPATIAL, "20": SPATIAL, "[3, 1]": IMAGE},
    "adaptive_max_pool": {"1": SPATIAL, "4": SPATIAL, "20": SPATIAL, "[3, 1]": IMAGE},
    "global_avg_pool": {"": (*SPATIAL, (3, 1, 1))},
    "global_max_pool": {"": (*SPATIAL, (3, 1, 1))},
}
