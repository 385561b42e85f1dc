"""What the layers of `pooling.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import IMAGE, SPATIAL, Cases

CASES: Cases = {
    "max_pool": {
        "2": SPATIAL,
        "{kernel_size: 3, stride: 2, padding: 1}": SPATIAL,
        "{kernel_size: 3, dilation: 2, ceil_mode: true, stride: 3}": SPATIAL,
        "{kernel_size: [3]}": ((3, 9),),
        "{kernel_size: [3, 2], stride: [1, 2], padding: [0, 1], dilation: [2, 1]}": IMAGE,
        "{kernel_size: [1, 2, 3], padding: [0, 1, 1], dilation: [1, 2, 1]}": ((3, 4, 5, 6),),
    },
    "avg_pool": {
        "2": SPATIAL,
        "{kernel_size: 3, stride: 2, padding: 1, count_include_pad: false}": SPATIAL,
        "{kernel_size: 2, ceil_mode: true, stride: 3}": SPATIAL,
        "{kernel_size: [3]}": ((3, 9),),
        "{kernel_size: [3, 2], stride: [1, 2], padding: [0, 1]}": IMAGE,
        "{kernel_size: [1, 2, 3], padding: [0, 1, 1]}": ((3, 4, 5, 6),),
    },
    "lp_pool": {
        "{norm_type: 2, kernel_size: 2}": SPATIAL,
        "{norm_type: 1.5, kernel_size: 3, stride: 2, ceil_mode: true}": SPATIAL,
        "{norm_type: 1, kernel_size: [3, 2], stride: [1, 2]}": IMAGE,
        "{norm_type: 2, kernel_size: [3], stride: [2]}": ((3, 9),),
    },
}
