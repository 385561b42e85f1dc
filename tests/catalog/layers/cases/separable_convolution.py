"""What the layers of `separable_convolution.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import IMAGE, SPATIAL, Cases

CASES: Cases = {
    "separable_conv": {
        "{out_channels: 4, kernel_size: 3}": SPATIAL,
        "{out_channels: 5, kernel_size: 3, padding: same, depth_multiplier: 2, bias: false}": SPATIAL,
        "{out_channels: 2, kernel_size: 2, padding: same, dilation: 2, depthwise_bias: true}": SPATIAL,
        "{out_channels: 4, kernel_size: 5, padding: 2, stride: 2, padding_mode: reflect}": SPATIAL,
        "{out_channels: 4, kernel_size: [3, 2], stride: [1, 2], padding: [0, 4], dilation: [2, 1]}": IMAGE,
    },
}
