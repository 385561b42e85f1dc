"""A torch module that is a layer as a whole -> our word, its arguments, and the names of its tensors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from specforge.importing.torch_networks.tracing import Recorder

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ModuleLayer:
    """One module as a layer: `word` None passes on what arrives, as `Identity` and a dropout of 0 do."""

    word: str | None
    arguments: Arguments
    tensors: tuple[str, ...]

    def record(self, recorder: "Recorder", path: str, args: Any, output: Any) -> None:
        result = output[0] if isinstance(output, tuple) else output
        value = recorder.value(args[0])
        if self.word is None:
            recorder.know(result, value)
            return
        weights = tuple(f"{path}.{name}" if path else name for name in self.tensors)
        recorder.record(self.word, self.arguments, (value,), result, weights)


def layer_of(module: "nn.Module") -> ModuleLayer | None:
    """The layer that a module is, None for one that is made of others."""
    for kind in type(module).__mro__:
        translate = TRANSLATIONS.get(f"{kind.__module__.partition('.')[0]}.{kind.__name__}")
        if translate is not None:
            found = translate(module)
            word, arguments = (None, {}) if found is None else found
            return ModuleLayer(word, arguments, tuple(module.state_dict()))
    return None


def pair(value: Any) -> Any:
    """Torch's `(3, 3)` as people write it: `3`; a pair of two numbers as a list."""
    if isinstance(value, tuple | list):
        return value[0] if len(set(value)) == 1 else list(value)
    return value


def without_defaults(given: Arguments, defaults: Arguments) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in defaults or value != defaults[name]}


def _conv(module: Any) -> tuple[str, Arguments]:
    given = {
        "out_channels": module.out_channels,
        "kernel_size": pair(module.kernel_size),
        "stride": pair(module.stride),
        "padding": pair(module.padding),
        "dilation": pair(module.dilation),
        "groups": module.groups,
        "bias": module.bias is not None,
        "padding_mode": module.padding_mode,
    }
    defaults = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True, "padding_mode": "zeros"}
    if module.groups == module.in_channels > 1 and module.out_channels % module.in_channels == 0:
        given["depth_multiplier"] = given.pop("out_channels") // given.pop("groups")
        return "depthwise_conv", without_defaults(given, {**defaults, "depth_multiplier": 1})
    return "conv", without_defaults(given, defaults)


def _conv_transpose(module: Any) -> tuple[str, Arguments]:
    names = ("out_channels", "kernel_size", "stride", "padding", "output_padding", "groups", "dilation")
    given = {name: pair(getattr(module, name)) for name in names} | {"bias": module.bias is not None}
    defaults = {"stride": 1, "padding": 0, "output_padding": 0, "groups": 1, "dilation": 1, "bias": True}
    return "conv_transpose", without_defaults(given, defaults)


def _pool(word: str, **defaults: Any) -> Callable[[Any], tuple[str, Arguments]]:
    def translate(module: Any) -> tuple[str, Arguments]:
        names = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "dilation")
        given = {name: pair(getattr(module, name)) for name in names if hasattr(module, name)}
        return word, pooling(given)

    return translate


def pooling(given: Arguments) -> dict[str, Any]:
    """Arguments of a pooling layer without those that are as they are unless said."""
    defaults = {"padding": 0, "ceil_mode": False, "count_include_pad": True, "dilation": 1}
    kept = without_defaults({name: pair(value) for name, value in given.items()}, defaults)
    if kept.get("stride") in (None, [], kept["kernel_size"]):
        kept.pop("stride", None)
    return kept


def _named(word: str, *names: str, **defaults: Any) -> Callable[[Any], tuple[str, Arguments]]:
    """A module whose attributes are our arguments; those that have their default are left out."""

    def translate(module: Any) -> tuple[str, Arguments]:
        given = {name: pair(getattr(module, name)) for name in (*names, *defaults)}
        return word, without_defaults(given, defaults)

    return translate


def _linear(module: Any) -> tuple[str, Arguments]:
    given = {"out_features": module.out_features, "bias": module.bias is not None}
    return "linear", without_defaults(given, {"bias": True})


def _layer_norm(word: str) -> Callable[[Any], tuple[str, Arguments]]:
    def translate(module: Any) -> tuple[str, Arguments]:
        affine = module.elementwise_affine
        given = {"eps": module.eps, "elementwise_affine": affine, "bias": not affine or module.bias is not None}
        axes = len(module.normalized_shape)
        return word, without_defaults(
            {"axes": axes, **given}, {"axes": 1, "eps": 1e-5, "elementwise_affine": True, "bias": True}
        )

    return translate


def _probability(word: str, **further: Any) -> Callable[[Any], tuple[str, Arguments] | None]:
    """A layer that acts in training alone, and not at all with probability 0."""

    def translate(module: Any) -> tuple[str, Arguments] | None:
        given = {"p": float(module.p), **{name: getattr(module, name) for name in further}}
        return (word, without_defaults(given, further)) if module.p else None

    return translate


def _squeeze_excite(module: Any) -> tuple[str, Arguments]:
    words = {"ReLU": "relu", "SiLU": "silu", "Sigmoid": "sigmoid", "Hardsigmoid": "hardsigmoid"}
    given = {
        "channels": module.fc1.out_channels,
        "activation": words[type(module.activation).__name__],
        "gate": words[type(module.scale_activation).__name__],
    }
    return "squeeze_excite", without_defaults(given, {"activation": "relu", "gate": "sigmoid"})


def _attention(module: Any) -> tuple[str, Arguments]:
    given = {"num_heads": module.num_heads, "dropout": module.dropout, "bias": module.in_proj_bias is not None}
    return "multi_head_attention", without_defaults(given, {"dropout": 0.0, "bias": True})


def _window_attention(module: Any) -> tuple[str, Arguments]:
    given = {
        "window_size": pair(module.window_size),
        "num_heads": module.num_heads,
        "shift": pair(module.shift_size),
        "dropout": module.attention_dropout,
        "bias": module.qkv.bias is not None,
    }
    return "window_attention", without_defaults(given, {"shift": 0, "dropout": 0.0, "bias": True})


def _patch_merging(module: Any) -> tuple[str, Arguments]:
    given = {"out_channels": module.reduction.out_features, "eps": module.norm.eps}
    return "patch_merging", without_defaults(given, {"out_channels": 2 * module.dim, "eps": 1e-5})


def _permute(module: Any) -> tuple[str, Arguments]:
    return "permute", {"dims": list(module.dims[1:])}


def _flatten(module: Any) -> tuple[str, Arguments]:
    return "flatten", without_defaults(
        {"start_dim": module.start_dim, "end_dim": module.end_dim}, {"start_dim": 1, "end_dim": -1}
    )


def _nothing(module: Any) -> None:
    return None


_BATCH_NORM = _named("batch_norm", eps=1e-5, momentum=0.1, affine=True, track_running_stats=True)
_CHANNEL_DROPOUT = _probability("channel_dropout")

# "package.Class" -> its translation; a subclass has that of the nearest class above it
TRANSLATIONS: dict[str, Callable[[Any], tuple[str, Arguments] | None]] = {
    **{f"torch.Conv{axes}d": _conv for axes in (1, 2, 3)},
    **{f"torch.ConvTranspose{axes}d": _conv_transpose for axes in (1, 2, 3)},
    **{f"torch.BatchNorm{axes}d": _BATCH_NORM for axes in (1, 2, 3)},
    **{f"torch.MaxPool{axes}d": _pool("max_pool") for axes in (1, 2, 3)},
    **{f"torch.AvgPool{axes}d": _pool("avg_pool") for axes in (1, 2, 3)},
    **{f"torch.AdaptiveAvgPool{axes}d": _named("adaptive_avg_pool", "output_size") for axes in (1, 2, 3)},
    **{f"torch.AdaptiveMaxPool{axes}d": _named("adaptive_max_pool", "output_size") for axes in (1, 2, 3)},
    **{f"torch.Dropout{axes}d": _CHANNEL_DROPOUT for axes in (1, 2, 3)},
    "torch.Linear": _linear,
    "torch.GroupNorm": _named("group_norm", "num_groups", eps=1e-5, affine=True),
    "torch.LayerNorm": _layer_norm("layer_norm"),
    "torch.LocalResponseNorm": _named("local_response_norm", "size", alpha=1e-4, beta=0.75, k=1.0),
    "torch.Dropout": _probability("dropout"),
    "torch.AlphaDropout": _probability("alpha_dropout"),
    "torch.MultiheadAttention": _attention,
    "torch.Flatten": _flatten,
    "torch.Identity": _nothing,
    "torch.ReLU": _named("relu"),
    "torch.ReLU6": _named("relu6"),
    "torch.SiLU": _named("silu"),
    "torch.GELU": _named("gelu", approximate="none"),
    "torch.Hardswish": _named("hardswish"),
    "torch.Hardsigmoid": _named("hardsigmoid"),
    "torch.Sigmoid": _named("sigmoid"),
    "torch.Tanh": _named("tanh"),
    "torch.Mish": _named("mish"),
    "torch.SELU": _named("selu"),
    "torch.ELU": _named("elu", alpha=1.0),
    "torch.LeakyReLU": _named("leaky_relu", negative_slope=0.01),
    "torch.Hardtanh": _named("hardtanh", min_val=-1.0, max_val=1.0),
    "torch.PReLU": _named("prelu", num_parameters=1),
    "torchvision.LayerNorm2d": _layer_norm("channel_layer_norm"),
    "torchvision.StochasticDepth": _probability("stochastic_depth", mode="row"),
    "torchvision.SqueezeExcitation": _squeeze_excite,
    "torchvision.ShiftedWindowAttention": _window_attention,
    "torchvision.PatchMerging": _patch_merging,
    "torchvision.Permute": _permute,
}
