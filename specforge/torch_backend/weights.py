"""Published weights -> a network's state: which of their tensors fills which of ours.

ours    conv_1.weight [64, 3, 7, 7], batch_norm_1.weight [64], …, classifier.weight [1000, 512], …
theirs  conv1.weight  [64, 3, 7, 7], bn1.weight [64], …,          fc.weight [1000, 512], …
map     {"conv_1.weight": "conv1.weight", …}

Both list the same layers in the order in which they compute, so tensors are matched in order; the `weights:` of a spec
names those that stand elsewhere, with `*` for any text; those that match are taken in order too.
"""

import fnmatch
import re
import warnings
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from specforge.catalog.definition import Weights
from specforge.diagnostics import one_line
from specforge.shapes import Shape, spelled


class WeightsError(Exception):
    """Weights that can't fill a network: what differs, and what to do about it (`hint`)."""

    def __init__(self, message: str, *, hint: str | None = None):
        super().__init__(message)
        self.message, self.hint = message, hint


def key_map(
    ours: Mapping[str, Shape],
    theirs: Mapping[str, Shape],
    weights: Weights | None = None,
    *,
    whole: bool = True,
    ordered: bool = True,
) -> dict[str, str]:
    """For every tensor of ours the name of theirs, in our order. WeightsError where names or shapes don't agree.

    The file of a network of which ours is the beginning, not the `whole`, has more at its end. A file with all of our
    names needs no matching; one that is not `ordered`, as safetensors are not, needs a key for every tensor.
    """
    if ours.keys() <= theirs.keys() and (not whole or len(ours) == len(theirs)):
        return _agreeing({name: name for name in ours}, ours, theirs)
    keys = {} if weights is None else weights.keys
    if not ordered and (set(keys) != set(ours) or any("*" in name for name in keys)):
        hint = "save them under our names, which `specforge summary` shows, or in torch's own format"
        raise WeightsError("safetensors don't keep the order of tensors, and the names differ", hint=hint)
    unused = () if weights is None else tuple(f"{part}." for part in weights.unused)
    rest, others = list(ours), [name for name in theirs if not name.startswith(unused)]
    matched: dict[str, str] = {}
    for pattern, other in ({} if weights is None else weights.keys).items():
        group, counterparts = fnmatch.filter(rest, pattern), fnmatch.filter(others, other)
        if not group or not counterparts:
            name, whose = (pattern, "the network has") if not group else (other, "the file has")
            raise WeightsError(f"`weights.keys` names `{name}`, which no tensor that {whose} matches")
        matched |= _paired(group, counterparts, ours, theirs)
        rest = [name for name in rest if name not in matched]
        others = [name for name in others if name not in counterparts]
    matched |= _paired(rest, others if whole else others[: len(rest)], ours, theirs)
    return _agreeing({name: matched[name] for name in ours}, ours, theirs)


def _agreeing(matched: dict[str, str], ours: Mapping[str, Shape], theirs: Mapping[str, Shape]) -> dict[str, str]:
    """The names, if all shapes agree."""
    for name, other in matched.items():
        if ours[name] != theirs[other]:
            message = (
                f"`{name}` is {spelled(ours[name])}, `{other}`, which stands in its place, is {spelled(theirs[other])}"
            )
            raise WeightsError(message, hint="name the tensors that stand elsewhere in `weights: {keys: …}`")
    return matched


def _paired(
    names: list[str], others: list[str], ours: Mapping[str, Shape], theirs: Mapping[str, Shape]
) -> dict[str, str]:
    """Tensors in order; WeightsError where there are not as many, with the place where both part."""
    if len(names) == len(others):
        return dict(zip(names, others, strict=True))
    pairs = zip(names, others, strict=False)
    apart = next((i for i, (n, o) in enumerate(pairs) if ours[n] != theirs[o]), min(len(names), len(others)))
    whose = "the network" if len(names) > len(others) else "the file"
    sides = [f"`{side[apart]}` {spelled(sizes[side[apart]])}" if apart < len(side) else "nothing"
             for side, sizes in ((names, ours), (others, theirs))]  # fmt: skip
    message = f"{whose} has {abs(len(names) - len(others))} tensors more; in order, {sides[0]} meets {sides[1]}"
    hint = "look at the layers before it; `weights: {unused: […]}` names modules of the file that the network lacks"
    raise WeightsError(message, hint=hint)


def shapes(state: Mapping[str, Tensor]) -> dict[str, Shape]:
    """The names and shapes of a state dict."""
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def renamed(state: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    """Their state dict under our names."""
    return {ours: state[theirs] for ours, theirs in names.items()}


def torchvision_shapes(name: str) -> dict[str, Shape]:
    """What torchvision's network of this name holds, without its weights. WeightsError without such a network."""
    from torchvision import models

    from specforge.torch_backend.torchvision_modules import module_on_meta

    if name not in models.list_models():
        hint = "`--network NAME` names it, `--from FILE` reads a file of weights"
        raise WeightsError(f"torchvision has no classification network `{name}`", hint=hint)
    return shapes(module_on_meta(name).state_dict())


def file_shapes(file: Path) -> dict[str, Shape]:
    """What a file of weights holds: safetensors, or torch's format, read without running anything in it."""
    return shapes(read_weights(file))


def is_ordered(file: Path) -> bool:
    """Whether a file of weights keeps its tensors in the order in which they were saved."""
    return file.suffix != ".safetensors"


def read_weights(file: Path) -> dict[str, Tensor]:
    """A state dict from a `.safetensors` file or one of torch's. WeightsError for what is not weights alone.

    Nothing in the file is run: torch's format is read with its unpickler of tensors (`weights_only`), whose list of
    what it calls is closed.
    """
    import torch
    from safetensors.torch import load_file

    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        _require_unpacked(file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on pickles of other versions; what matters is an error
            state = torch.load(file, map_location="cpu", weights_only=True)
    except _unreadable() as error:
        raise _refused(file, error) from None
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in state.items()
    ):
        raise WeightsError(f"{file} holds no state dict", hint=_where(file, state) or "save `module.state_dict()`")
    return state


def _refused(file: Path, error: Exception) -> WeightsError:
    """What torch or safetensors say of a file, without the colours of a terminal; a pickled object in words of ours."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    named = re.search(r"Unsupported global: GLOBAL (\S+)", text) or re.search(r"Unsupported class (\S+)", text)
    if named is not None:
        return WeightsError(
            f"{file} holds a pickled `{one_line(named[1])}`, not weights: reading it would execute what is in it",
            hint='in its own program: torch.save(model.state_dict(), "weights.pth")',
        )
    reason = one_line(text.splitlines()[0]) if text else type(error).__name__
    return WeightsError(f"{file} can't be read as weights: {reason}")


def _where(file: Path, found: object) -> str | None:
    """How to save a state dict alone that lies under one key of what a file holds."""
    if not isinstance(found, dict):
        return None
    keys = [key for key, value in found.items() if isinstance(key, str) and _is_state_dict(value)]
    if len(keys) != 1:
        return None
    name = one_line(repr(keys[0]))
    return f"it is under the key {name}: torch.save(torch.load({file.name!r})[{name}], 'weights.pth')"


def _is_state_dict(value: object) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in value.items())
    )


def _unreadable() -> tuple[type[Exception], ...]:
    """What torch and safetensors raise for files that are damaged, or made to do harm."""
    import pickle
    import struct
    import zipfile

    from safetensors import SafetensorError

    return (
        OSError,
        SafetensorError,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
        struct.error,
        ArithmeticError,
        AssertionError,
        AttributeError,
        EOFError,
        ImportError,
        LookupError,
        MemoryError,
        RuntimeError,
        TypeError,
        ValueError,
    )


def _require_unpacked(file: Path) -> None:
    """torch packs nothing that it saves; a packed member may unpack to more than there is memory."""
    import zipfile

    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as archive:
        packed = [info for info in archive.infolist() if info.compress_type != zipfile.ZIP_STORED]
    if packed:
        raise WeightsError(
            f"{file} can't be read as weights: {one_line(packed[0].filename)} is packed, and torch packs nothing",
            hint="save it again with `torch.save(module.state_dict(), FILE)`",
        )
