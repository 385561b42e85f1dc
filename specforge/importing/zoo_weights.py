"""Names and shapes of a state dict -> the zoo's networks that have such ones.

    {"conv1.weight": (64, 3, 7, 7), "bn1.weight": (64,), …, "fc.weight": (10, 512), "fc.bias": (10,)}
    ->  Match("resnet18", classes=10, usual_classes=1000, argument="out_features")

The names must be all of torchvision's network or all of the zoo's spec, and the shapes those of its tensors, each as
often, but for the number of classes.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from specforge.analysis import analyse
from specforge.expand.files import zoo_folder
from specforge.graph import Graph
from specforge.shapes import Shape
from specforge.source import Mapping as YamlMapping

_TAIL = r"(weight|bias|running_mean|running_var|num_batches_tracked)"
# how torchvision names the tensors of each family of networks
_THEIRS = {
    r"(wide_)?res(net|next)\w+": rf"(conv1|bn1|fc|layer[1-4]\.\d+\.(conv\d|bn\d|downsample\.[01]))\.{_TAIL}",
    r"alexnet|vgg\w+|squeezenet\w+": rf"(features|classifier)\.\d+(\.\w+)?\.{_TAIL}",
    r"mobilenet_v2": rf"(features\.\d+(\.conv)?(\.\d+)+|classifier\.\d+)\.{_TAIL}",
    r"mobilenet_v3\w+|efficientnet\w+": rf"(features(\.\d+)+(\.block)?(\.\d+)*(\.fc[12])?|classifier\.\d+)\.{_TAIL}",
    r"densenet\w+": rf"(features\.\w+(\.\w+)*|classifier)\.{_TAIL}",
    r"convnext\w+": rf"(features(\.\d+)+(\.block\.\d+)?|classifier\.\d+)\.({_TAIL}|layer_scale)|features(\.\w+)+",
    r"googlenet": rf"(conv[123]|inception\w+|aux[12]|fc)(\.\w+)*\.{_TAIL}",
    r"inception_v3": rf"(Conv2d_\w+|Mixed_\w+|AuxLogits|fc)(\.\w+)*\.{_TAIL}",
    r"shufflenet\w+": rf"(conv[15]\.\d|stage[234](\.\w+)+|fc)\.{_TAIL}",
    r"mnasnet\w+": rf"(layers(\.\w+)+|classifier\.\d+)\.{_TAIL}",
    r"regnet\w+": rf"(stem|trunk_output|fc)(\.[\w-]+)*\.{_TAIL}",
    r"swin\w+": r"(features|norm|head)(\.\w+)+",
    r"vit\w+": r"(class_token|conv_proj|encoder|heads)(\.\w+)*",
}


@dataclass(frozen=True, slots=True)
class Match:
    """A network of the zoo, the file's number of classes, and which argument of its classifier says it.

    `param` is the spec's own param for it, where it has one. `weights` are what a spec says under `weights` of a file
    that names its tensors as torchvision does.
    """

    network: str
    classes: int
    usual_classes: int
    argument: str
    param: str | None = None
    weights: Mapping[str, Any] = field(default_factory=dict)


def matching(shapes: Mapping[str, Shape]) -> list[Match]:
    """The networks whose names and shapes these are."""
    return [match for name in _networks() if (match := _match(name, shapes)) is not None]


def _networks() -> Iterator[str]:
    return (file.stem for file in sorted(zoo_folder().glob("*.yaml")))


@cache
def _graph(name: str) -> Graph:
    _, graph = analyse(zoo_folder() / f"{name}.yaml").require()
    return graph


@cache
def _naming(name: str) -> dict[str, Any]:
    """How torchvision's file names the tensors, as the zoo's spec says it: `keys` and `unused`."""
    spec, _ = analyse(zoo_folder() / f"{name}.yaml").require()
    said = {} if spec.weights is None else {"keys": dict(spec.weights.keys), "unused": list(spec.weights.unused)}
    return {key: value for key, value in said.items() if value}


def _match(name: str, shapes: Mapping[str, Shape]) -> Match | None:
    theirs = bool(shapes) and _named_by_torchvision(name, shapes)
    if not theirs and not any(tensor.startswith("classifier.") for tensor in shapes):
        return None
    ours = {tensor: shape for tensor, shape in _graph(name).state().items() if _counts(tensor)}
    unused = tuple(f"{part}." for part in _naming(name).get("unused", ()))
    rest = {tensor: shape for tensor, shape in shapes.items() if _counts(tensor) and not tensor.startswith(unused)}
    if set(rest) == set(ours):
        return _with_classes(name, ours, rest)
    found = _with_classes(name, ours, rest) if theirs else None
    return None if found is None else replace(found, weights=_naming(name))


def _named_by_torchvision(name: str, shapes: Mapping[str, Shape]) -> bool:
    patterns = [pattern for family, pattern in _THEIRS.items() if re.fullmatch(family, name)]
    return bool(patterns) and all(re.fullmatch(patterns[0], tensor) for tensor in shapes)


def _counts(tensor: str) -> bool:
    """Counters and tables of positions follow from the rest; older files have none."""
    return not tensor.endswith(("num_batches_tracked", "relative_position_index"))


def _with_classes(name: str, ours: Mapping[str, Shape], theirs: Mapping[str, Shape]) -> Match | None:
    """The match, if all shapes agree but those of the classifier, which agree but for the number of classes."""
    classifier = {tensor: shape for tensor, shape in ours.items() if re.search(r"(^|\.)classifier\.", tensor)}
    body = Counter(_bare(shape) for tensor, shape in ours.items() if tensor not in classifier)
    left = Counter(_bare(shape) for shape in theirs.values())
    left.subtract(body)
    if any(count < 0 for count in left.values()):
        return None
    heads = sorted(left.elements(), key=len)
    wanted = sorted((_bare(shape) for shape in classifier.values()), key=len)
    if len(heads) != len(wanted) or not wanted:
        return None
    classes = {head[0] for head in heads}
    if len(classes) != 1 or any(head[1:] != usual[1:] for head, usual in zip(heads, wanted, strict=True)):
        return None
    argument = "out_channels" if any(len(shape) == 4 for shape in classifier.values()) else "out_features"
    return Match(name, classes.pop(), wanted[0][0], argument, _param(name))


@cache
def _param(name: str) -> str | None:
    expanded = analyse(zoo_folder() / f"{name}.yaml").expanded
    params = None if expanded is None else expanded.root.get("params")
    return "classes" if isinstance(params, YamlMapping) and "classes" in params.entries else None


def _bare(shape: Shape) -> Shape:
    """Without axes of size 1, in which files differ, as for ConvNeXt's scales."""
    return tuple(size for size in shape if size != 1) or (1,)
