"""What the layers of `convolution.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import IMAGE, SPATIAL, Cases

CASES: Cases = {
    "conv": {
        "{out_channels: 4, kernel_size: 3}": SPATIAL,
        "{out_channels: 4, kernel_size: 2, padding: same}": SPATIAL,
        "{out_channels: 4, kernel_size: [2, 3], padding: same}": IMAGE,
        "{out_channels: 4, kernel_size: 2, padding: same, padding_mode: replicate}": SPATIAL,
        "{out_channels: 4, kernel_size: 3, padding: same, dilation: 3, padding_mode: circular}": SPATIAL,
        "{out_channels: 4, kernel_size: 3, padding: valid, bias: false}": SPATIAL,
        "{out_channels: 4, kernel_size: 3, padding: valid, padding_mode: circular}": SPATIAL,
        "{out_channels: 6, kernel_size: 1, stride: 2, groups: 3}": SPATIAL,
        "{out_channels: 6, kernel_size: 5, padding: 2, stride: 2, padding_mode: reflect}": SPATIAL,
        "{out_channels: 4, kernel_size: [3]}": ((3, 9),),
        "{out_channels: 4, kernel_size: [3, 2], stride: [1, 2], padding: [0, 4], dilation: [2, 1]}": IMAGE,
        "{out_channels: 4, kernel_size: [1, 2, 3], padding: [1, 2, 3], padding_mode: replicate}": ((3, 4, 5, 6),),
    },
    "depthwise_conv": {
        "3": SPATIAL,
        "{kernel_size: 3, padding: same, depth_multiplier: 2, bias: false}": SPATIAL,
        "{kernel_size: 2, padding: same, dilation: 3}": SPATIAL,
        "{kernel_size: 5, padding: 2, stride: 2, padding_mode: reflect}": SPATIAL,
        "{kernel_size: [3, 2], stride: [1, 2], padding: [0, 4], dilation: [2, 1]}": IMAGE,
    },
}
