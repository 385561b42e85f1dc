"""What the layers of `unfolding.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import IMAGE, Cases

CASES: Cases = {
    "unfold": {
        "2": IMAGE,
        "{kernel_size: 3, padding: 1}": IMAGE,
        "{kernel_size: [3, 2], stride: [2, 1], padding: [0, 1], dilation: [1, 3]}": IMAGE,
    },
}
