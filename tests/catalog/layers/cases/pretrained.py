"""`pretrained` reads the zoo: its own tests are with the weights that it loads (tests/torch_backend)."""

from tests.catalog.layers.cases import Cases

CASES: Cases = {"pretrained": {"{model: resnet18, weights: none}": ((3, 32, 32),)}}
