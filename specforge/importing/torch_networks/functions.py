"""Calls of torch's functions between modules -> operations: `torch.cat((a, b), 1)` is a `concat`, `x + y` an `add`.

Each function has its line in `FUNCTIONS`; what it was called with is bound to the names of its parameters first.
"""

from collections.abc import Callable
from inspect import Parameter as Argument
from inspect import Signature
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode, resolve_name

from specforge.catalog.discovery import index
from specforge.importing.network import ImportFailure
from specforge.importing.torch_networks.modules import pair, pooling
from specforge.importing.torch_networks.tracing import Parameter, Recorder

Given = dict[str, Any]
Handler = Callable[[Recorder, Given, Any], None]


class FunctionFollower(TorchFunctionMode):
    """Sees every function that is called on tensors, and records those that stand between the layers."""

    def __init__(self, recorder: Recorder):
        super().__init__()
        self.recorder = recorder

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if not self.recorder.inside and _holds_tensors(result):
            self._follow(func, args, kwargs, result)
        return result

    def _follow(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Given, result: Any) -> None:
        found = FUNCTIONS.get(func)
        if found is None:
            known = any(id(part) in self.recorder.numbers for part in _tensors((args, tuple(kwargs.values()))))
            if not known:
                return  # makes something of its own; whoever reads it says so
            name = resolve_name(func) or getattr(func, "__name__", str(func))
            # there may be a layer of that name, for other uses than this one
            has_layer = name.rpartition(".")[2] in index("layers")
            why = " here in a way that can't be imported" if has_layer else ", which no layer of the language does"
            raise ImportFailure(
                f"{self.recorder.named()} calls `{name}`{why}",
                hint="write the network by hand as far as it goes, or import one that does without it",
            )
        signature, handler = found
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        handler(self.recorder, bound.arguments, result)


def _holds_tensors(result: Any) -> bool:
    return next(iter(_tensors(result)), None) is not None


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    return [tensor for part in value for tensor in _tensors(part)] if isinstance(value, tuple | list) else []


def _same(recorder: Recorder, given: Given, result: Any) -> None:
    """What only moves memory or checks something."""
    found = recorder.numbers.get(id(given["input"]))
    if found is not None:
        recorder.know(result, found)


def _layer(word: str, arguments: Callable[[Given], Given] = lambda given: {}) -> Handler:
    """A function of one value that is a layer."""

    def handle(recorder: Recorder, given: Given, result: Any) -> None:
        recorder.record(word, arguments(given), (recorder.value(given["input"]),), result)

    return handle


def _pooled(given: Given) -> Given:
    names = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "dilation")
    return pooling({name: given[name] for name in names if name in given})


def _output_size(given: Given) -> Given:
    return {"output_size": pair(given["output_size"])}


def _dropout(recorder: Recorder, given: Given, result: Any) -> None:
    if not given["p"] or not given["training"]:
        _same(recorder, given, result)
    else:
        recorder.record("dropout", {"p": float(given["p"])}, (recorder.value(given["input"]),), result)


def _flatten(recorder: Recorder, given: Given, result: Any) -> None:
    defaults = {"start_dim": 1, "end_dim": -1}
    kept = {name: given[name] for name, default in defaults.items() if given[name] != default}
    recorder.record("flatten", kept, (recorder.value(given["input"]),), result)


def _reshape(recorder: Recorder, given: Given, result: Any) -> None:
    value = recorder.value(given["input"])
    if tuple(result.shape) == tuple(given["input"].shape):
        recorder.know(result, value)
    else:
        recorder.record("reshape", {"shape": list(result.shape[1:])}, (value,), result)


def _permute(recorder: Recorder, given: Given, result: Any) -> None:
    dims = given["dims"][0] if given["dims"] and isinstance(given["dims"][0], tuple | list) else given["dims"]
    _permuted(recorder, given["input"], list(dims), result)


def _transpose(recorder: Recorder, given: Given, result: Any) -> None:
    dims = list(range(given["input"].dim()))
    first, second = given["dim0"] % len(dims), given["dim1"] % len(dims)
    dims[first], dims[second] = dims[second], dims[first]
    _permuted(recorder, given["input"], dims, result)


def _permuted(recorder: Recorder, tensor: Any, dims: list[int], result: Any) -> None:
    dims = [dim % len(dims) for dim in dims]
    if dims[0]:
        raise ImportFailure(f"{recorder.named()} moves the axis of the images, which no layer of the language does")
    recorder.record("permute", {"dims": dims[1:]}, (recorder.value(tensor),), result)


def _mean(recorder: Recorder, given: Given, result: Any) -> None:
    tensor, dim = given["input"], given["dim"]
    dims = sorted(each % tensor.dim() for each in (dim if isinstance(dim, tuple | list) else (dim,)))
    value = (recorder.value(tensor),)
    if dims == list(range(2, tensor.dim())) and tensor.dim() > 3:
        word, arguments = ("adaptive_avg_pool", {"output_size": 1}) if given["keepdim"] else ("global_avg_pool", {})
        recorder.record(word, arguments, value, result)
    else:
        kept = {"dim": dims[0] if len(dims) == 1 else dims} | ({"keepdim": True} if given["keepdim"] else {})
        recorder.record("mean", kept, value, result)


def _concat(recorder: Recorder, given: Given, result: Any) -> None:
    tensors, dim = given["tensors"], given["dim"] % result.dim()
    token = recorder.parameter(tensors[0])
    if token is not None and dim == 1 and len(tensors) == 2 and token.shape[:2] == (1, 1):
        recorder.record("class_token", {}, (recorder.value(tensors[1]),), result, (token.name,))
        return
    values = tuple(recorder.value(tensor) for tensor in tensors)
    recorder.record("concat", {} if dim == 1 else {"dim": dim}, values, result)


def _add(recorder: Recorder, given: Given, result: Any) -> None:
    left, right = given["input"], given["other"]
    for tensor, other in ((left, right), (right, left)):
        parameter = recorder.parameter(other)
        if parameter is not None and parameter.shape == (1, *tensor.shape[1:]) and tensor.dim() == 3:
            recorder.record("position_embedding", {}, (recorder.value(tensor),), result, (parameter.name,))
            return
    recorder.record("add", {}, (recorder.value(left), recorder.value(right)), result)


def _multiply(recorder: Recorder, given: Given, result: Any) -> None:
    left, right = given["input"], given["other"]
    if isinstance(right, int | float):
        recorder.record("scale", {"factor": float(right)}, (recorder.value(left),), result)
        return
    for tensor, other in ((left, right), (right, left)):
        parameter = recorder.parameter(other)
        dim = None if parameter is None else _channel_axis(parameter, tuple(tensor.shape))
        if parameter is not None and dim is not None:
            # how it starts is not to be seen on `meta`
            arguments = {} if dim == 1 else {"dim": -1}
            recorder.record("layer_scale", arguments, (recorder.value(tensor),), result, (parameter.name,))
            return
    recorder.record("multiply", {}, (recorder.value(left), recorder.value(right)), result)


def _channel_axis(parameter: Parameter, shape: tuple[int, ...]) -> int | None:
    """The axis along which a vector of factors lies; the others are stretched."""
    if parameter.shape == (shape[1], *[1] * (len(shape) - 2)) and len(shape) > 2:
        return 1
    return len(shape) - 1 if parameter.shape == shape[-1:] else None


def _chunk(recorder: Recorder, given: Given, result: Any) -> None:
    """Parts of an axis, one after another."""
    tensor, dim = given["input"], given["dim"] % given["input"].dim()
    value, start = recorder.value(tensor), 0
    for part in result:
        stop = start + part.shape[dim]
        ends = ({"start": start} if start else {}) | ({"stop": stop} if stop < tensor.shape[dim] else {})
        recorder.record("slice", ({} if dim == 1 else {"dim": dim}) | ends, (value,), part)
        start = stop


def _index(recorder: Recorder, given: Given, result: Any) -> None:
    """`x[:, 0]` is a `select`, `x[:, 2:5]` a `slice`."""
    tensor, index = given["input"], given["index"]
    index = index if isinstance(index, tuple) else (index,)
    chosen = [(dim, part) for dim, part in enumerate(index) if part != slice(None)]
    if len(chosen) == 1 and chosen[0][0] and isinstance(chosen[0][1], int | slice):
        dim, part = chosen[0]
        value, axis = (recorder.value(tensor),), {} if dim == 1 else {"dim": dim}
        if isinstance(part, int):
            recorder.record("select", {"dim": dim, "index": part}, value, result)
        else:
            start, stop, step = part.indices(tensor.shape[dim])
            ends = {"start": start, "stop": stop, "step": step}
            defaults = {"start": 0, "stop": tensor.shape[dim], "step": 1}
            kept = {name: number for name, number in ends.items() if number != defaults[name]}
            recorder.record("slice", axis | kept, value, result)
        return
    raise ImportFailure(f"{recorder.named()} takes `{index}` of a value, which no layer of the language does")


def _signature(names: str) -> Signature:
    """`input dim=1 *dims` -> the parameters of a function; what is left out has the value behind `=`."""
    found = []
    for name in names.split():
        bare, _, default = name.partition("=")
        kind = Argument.VAR_POSITIONAL if bare.startswith("*") else Argument.POSITIONAL_OR_KEYWORD
        value = {"default": _DEFAULTS.get(default, default)} if default else {}
        found.append(Argument(bare.lstrip("*"), kind, **value))
    return Signature(found)


_DEFAULTS: dict[str, Any] = {
    "None": None,
    "False": False,
    "True": True,
    "0": 0,
    "1": 1,
    "-1": -1,
    "0.5": 0.5,
    "0.01": 0.01,
}

_ADD, _MULTIPLY = ("input other alpha=1 out=None", _add), ("input other out=None", _multiply)
_SAME = ("input a=None b=None c=None memory_format=None", _same)
_RELU = ("input inplace=False", _layer("relu"))
_AVERAGE = "input kernel_size stride=None padding=0 ceil_mode=False count_include_pad=True divisor_override=None"
_LARGEST = "input kernel_size stride=None padding=0 dilation=1 ceil_mode=False return_indices=False"

_TABLE: list[tuple[tuple[Any, ...], str, Handler]] = [
    ((torch.add, Tensor.add, Tensor.add_, Tensor.__add__, Tensor.__radd__, Tensor.__iadd__), *_ADD),
    ((torch.mul, Tensor.mul, Tensor.mul_, Tensor.__mul__, Tensor.__rmul__, Tensor.__imul__), *_MULTIPLY),
    ((torch.cat, torch.concat), "tensors dim=0 out=None", _concat),
    ((Tensor.contiguous, Tensor.clone, torch.clone, Tensor.expand, Tensor.to, Tensor.float), *_SAME),
    ((functional.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_), *_RELU),
    ((functional.relu6,), "input inplace=False", _layer("relu6")),
    ((functional.silu,), "input inplace=False", _layer("silu")),
    ((functional.hardswish,), "input inplace=False", _layer("hardswish")),
    ((torch.sigmoid, Tensor.sigmoid), "input out=None", _layer("sigmoid")),
    ((torch.tanh, Tensor.tanh), "input out=None", _layer("tanh")),
    ((functional.gelu,), "input approximate=none", _layer("gelu", lambda given: (
        {} if given["approximate"] == "none" else {"approximate": given["approximate"]}))),
    ((functional.dropout,), "input p=0.5 training=True inplace=False", _dropout),
    ((functional.avg_pool2d,), _AVERAGE, _layer("avg_pool", _pooled)),
    ((functional.max_pool2d, torch.max_pool2d), _LARGEST, _layer("max_pool", _pooled)),
    ((functional.adaptive_avg_pool2d,), "input output_size", _layer("adaptive_avg_pool", _output_size)),
    ((torch.flatten, Tensor.flatten), "input start_dim=0 end_dim=-1", _flatten),
    ((Tensor.view, Tensor.reshape, torch.reshape), "input *shape", _reshape),
    ((torch.permute, Tensor.permute), "input *dims", _permute),
    ((torch.transpose, Tensor.transpose), "input dim0 dim1", _transpose),
    ((torch.swapaxes, Tensor.swapaxes), "input dim0 dim1", _transpose),
    ((torch.mean, Tensor.mean), "input dim keepdim=False dtype=None", _mean),
    ((torch.chunk, Tensor.chunk), "input chunks dim=0", _chunk),
    ((torch.split, Tensor.split), "input split_size dim=0", _chunk),
    ((Tensor.__getitem__,), "input index", _index),
]  # fmt: skip
FUNCTIONS: dict[Any, tuple[Signature, Handler]] = {
    function: (_signature(names), handler) for functions, names, handler in _TABLE for function in functions
}
