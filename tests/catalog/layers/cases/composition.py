"""What the layers of `composition.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import ANY, IMAGE, SPATIAL, Cases

CASES: Cases = {
    "sequential": {
        "{layers: [{conv: {out_channels: 4, kernel_size: 3}}, batch_norm, relu]}": SPATIAL,
        "{layers: []}": ANY,
    },
    "repeat": {
        "{times: 3, layers: [{linear: 5}, batch_norm, prelu]}": ((7,),),
        "{times: 0, layers: [relu]}": ANY,
        "{for: {c: [4, 6]}, layers: [{conv: {out_channels: $c, kernel_size: 3, stride: $(index + 1)}}]}": SPATIAL,
    },
    "residual": {
        "{layers: [{conv: {out_channels: 3, kernel_size: 3, padding: same}}, batch_norm]}": SPATIAL,
        "{layers: [{conv: {out_channels: 4, kernel_size: 3, padding: 1, stride: 2}}], shortcut: projection}": SPATIAL,
        "{layers: [{conv: {out_channels: 4, kernel_size: 1, stride: [2, 1]}}], shortcut: projection}": IMAGE,
        "{layers: [relu], shortcut: projection}": ANY,
        "{layers: [{linear: 5}], shortcut: where_possible}": ((7,), (5,)),
        "{layers: [{linear: 5}], shortcut: [{linear: {out_features: 5, bias: false}}]}": ((7,),),
    },
    "branches": {
        "{paths: [[{conv: {out_channels: 4, kernel_size: 3, padding: same}}], []]}": SPATIAL,
        "{paths: [[{conv: {out_channels: 3, kernel_size: 1}}, batch_norm], [], [relu]], merge: add}": SPATIAL,
        "{paths: [[sigmoid], []], merge: multiply}": ANY,
    },
    "auxiliary": {},
}
