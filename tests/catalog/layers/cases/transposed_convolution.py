"""What the layers of `transposed_convolution.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import IMAGE, SPATIAL, Cases

CASES: Cases = {
    "conv_transpose": {
        "{out_channels: 4, kernel_size: 3}": SPATIAL,
        "{out_channels: 4, kernel_size: 2, stride: 2, bias: false}": SPATIAL,
        "{out_channels: 6, kernel_size: 3, stride: 2, padding: 1, output_padding: 1, groups: 3}": SPATIAL,
        "{out_channels: 2, kernel_size: 2, dilation: 3, output_padding: 2}": SPATIAL,
        "{out_channels: 4, kernel_size: [3, 2], stride: [1, 2], padding: [2, 0], output_padding: [0, 1]}": IMAGE,
    },
}
