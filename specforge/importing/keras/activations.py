"""Keras's activations, as layers and as arguments of layers -> layers of the catalogue."""

from collections.abc import Mapping
from typing import Any

from specforge.diagnostics import did_you_mean
from specforge.importing.keras.config import Config
from specforge.importing.rules import UNKNOWN_FOREIGN_LAYER

Layers = list[tuple[str, Mapping[str, Any]]]

_NAMED: dict[str, Layers] = {
    "linear": [],
    **{name: [(name, {})] for name in ("relu", "relu6", "elu", "selu", "celu", "sigmoid", "tanh", "softplus")},
    **{name: [(name, {})] for name in ("softsign", "silu", "mish", "log_sigmoid", "softmax", "log_softmax")},
    "swish": [("silu", {})],
    "leaky_relu": [("leaky_relu", {"negative_slope": 0.2})],
    "gelu": [("gelu", {})],
    "hard_tanh": [("hardtanh", {})],
    "tanh_shrink": [("tanhshrink", {})],
    "soft_shrink": [("softshrink", {})],
    "hard_shrink": [("hardshrink", {})],
    "hard_sigmoid": [("hardsigmoid", {})],
    "hard_silu": [("hardswish", {})],
    "hard_swish": [("hardswish", {})],
}
# layers whose class is an activation, by what they are called as arguments, too
CLASSES = frozenset(("ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "ThresholdedReLU", "Activation"))


def named(config: Config, key: str = "activation", *, old: bool) -> Layers:
    """The layers of an activation that an argument names; `old` is Keras 2, whose hard sigmoid is another one."""
    value = config.given(key)
    if isinstance(value, dict):
        inner = value.get("config")
        if value.get("class_name") in CLASSES and isinstance(inner, dict):
            return of_class(
                value["class_name"], Config(inner, f"{config.path}.{key}", config.span, config.findings), old=old
            )
        value = inner if isinstance(inner, str) else value.get("class_name")
    if value is None:
        return []
    name = str(value).rpartition(">")[2]
    if name == "hard_sigmoid" and old:
        hint = "its slope is 0.2, that of torch and of Keras 3 is 1/6: use `hard_sigmoid` of Keras 3"
        config.refuse("the hard sigmoid of Keras 2 is another than specforge's", hint)
        return []
    if name not in _NAMED:
        message = f"specforge has no activation for Keras's `{name[:60]}`"
        config.refuse(message, did_you_mean(name, _NAMED), rule=UNKNOWN_FOREIGN_LAYER)
        return []
    return _NAMED[name]


def of_class(kind: str, config: Config, *, old: bool, channels: int = 1) -> Layers:
    """The layers of an activation's own class."""
    if kind == "Activation":
        return named(config, old=old)
    if kind == "LeakyReLU":
        return [("leaky_relu", {"negative_slope": config.number("negative_slope", config.data.get("alpha", 0.3))})]
    if kind == "ELU":
        alpha = config.number("alpha", 1.0)
        return [("elu", {"alpha": alpha} if alpha != 1 else {})]
    if kind == "PReLU":
        return [("prelu", {"num_parameters": channels, "init": 0.0})]
    if kind == "Softmax":
        return [("softmax", {})]
    if kind == "ThresholdedReLU":
        return [("threshold", {"threshold": config.number("theta", 1.0), "value": 0.0})]
    return _rectifier(config)


def _rectifier(config: Config) -> Layers:
    """`ReLU(max_value, negative_slope, threshold)`, of which the language has the usual combinations."""
    ceiling, slope = config.given("max_value"), config.number("negative_slope", 0.0)
    if config.number("threshold", 0.0):
        config.refuse("specforge has no ReLU with a `threshold`", "specforge's `threshold` layer is near it")
    if ceiling is None:
        return [("leaky_relu", {"negative_slope": slope})] if slope else [("relu", {})]
    if slope:
        config.refuse("specforge has no ReLU with both a `max_value` and a `negative_slope`")
    ceiling = config.number("max_value")
    return [("relu6", {})] if ceiling == 6 else [("hardtanh", {"min_val": 0.0, "max_val": ceiling})]
