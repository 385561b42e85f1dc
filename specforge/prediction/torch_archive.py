"""Whether torch may load a `.pt2` file: an archive that holds a network and nothing that would run while it is read.

In: a file. Out: nothing, or a `PredictionError`.

`torch.export.load` unpickles what an archive says is pickled, loads libraries from it, calls any function of torch by
its name, and runs Python that stands in it as guards and sizes. A network that was exported needs none of that: its
tensors are plain bytes, its operations are torch's own (ATen), and its sizes are numbers and the size of the batch.
"""

import io
import pickle
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from specforge.diagnostics import one_line
from specforge.prediction.card import damaged
from specforge.prediction.errors import PredictionError
from specforge.training.parsing import parsed

CARD = "specforge.json"
_MEMBER = re.compile(
    r"[^/]+/(models/model\.json|data/(weights|constants)/(weight|tensor)_\d+"
    r"|data/(weights|constants)/model_(weights|constants)_config\.json|data/sample_inputs/model\.pt"
    r"|extra/specforge\.json|archive_format|archive_version|byteorder|version|\.data/\w+)"
)
_OPERATION = re.compile(
    r"torch\.ops\.aten\._?[a-z]\w*\.\w+|_operator\.(getitem|add|mul|sub|floordiv|mod|eq|ne|lt|le|gt|ge)"
)
# `s31`, `2*s31 + 1`, `Symbol('s31', positive=True, integer=True)`; no powers, which may be too large to write down
_SIZE = re.compile(
    r"(?!.*\*\*)-?(int_oo|(Symbol\('[su]\d{1,6}'(, (positive|integer|nonnegative)=True){0,3}\)|Integer\(-?\d{1,20}\)"
    r"|(Add|Mul|FloorDiv|CleanDiv|Mod|PythonMod|Max|Min)\(|[su0-9 +\-*/(),]){1,100})"
)
# `L['input'].size()[0] >= 1`
_GUARD = re.compile(r"([su0-9 +\-*/()<>=]|L(\['\w{1,100}'\]|\[\d+\])+\.(size|stride)\(\)\[\d+\]){1,500}")
_LONGEST = 2**25  # of the description of a network


def demand_harmless(path: Path) -> None:
    """Raises `PredictionError` for an archive that holds anything but a network, and `OSError`."""
    name = one_line(str(path))
    try:
        with zipfile.ZipFile(path) as archive:
            problem = next(_problems(archive), None)
    except (zipfile.BadZipFile, EOFError, KeyError, NotImplementedError, ValueError, RuntimeError) as error:
        raise damaged(name, str(error) or type(error).__name__) from None
    if problem is not None:
        raise PredictionError(
            f"{name} holds {one_line(problem)}, which no network needs: it is not loaded",
            hint="load it with `torch.export.load` only if you trust who made it: that may run what is in it",
        )


def _problems(archive: zipfile.ZipFile) -> Iterator[str]:
    names = [member.filename for member in archive.infolist()]
    if len(set(names)) < len(names) or len({name.partition("/")[0] for name in names}) != 1:
        yield "a name twice, or several networks"  # of which torch may take another one than is looked at here
    for member in archive.infolist():
        if member.compress_type != zipfile.ZIP_STORED:
            yield f"`{member.filename}`, which is packed"
        if not _MEMBER.fullmatch(member.filename):
            yield f"`{member.filename}`"
        if member.filename.endswith("sample_inputs/model.pt"):
            yield from _pickled(archive.read(member))
        if member.filename.endswith(".json") and not member.filename.endswith(CARD):
            if member.file_size > _LONGEST:
                yield f"`{member.filename}` of {member.file_size:,} bytes"
            yield from _suspicious(parsed(archive.read(member)))


def _pickled(content: bytes) -> Iterator[str]:
    """torch takes its unpickler that runs everything where the one for tensors fails, which must not happen then."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as inner:
            is_packed = any(member.compress_type != zipfile.ZIP_STORED for member in inner.infolist())
        if not is_packed:
            torch.load(io.BytesIO(content), weights_only=True)
            return
    except (zipfile.BadZipFile, pickle.UnpicklingError, RuntimeError, ValueError, TypeError, LookupError, EOFError):
        pass
    yield "a pickle of more than tensors"


def _suspicious(value: Any) -> Iterator[str]:
    """What torch would call, evaluate or unpickle, anywhere in a description."""
    stack = [value]
    while stack:
        found = stack.pop()
        if isinstance(found, list):
            stack += found
        if not isinstance(found, dict):
            continue
        stack += found.values()
        yield from _named(found)


def _named(entry: dict[str, Any]) -> Iterator[str]:
    operation = entry.get("target", "torch.ops.aten.relu.default")
    if not _matches(_OPERATION, operation):
        yield f"a call of `{operation}`"
    if entry.get("use_pickle"):
        yield "a pickle"
    for key in ("expr_str", "as_expr"):
        text = entry.get(key)
        if text is not None and not isinstance(text, dict) and not _matches(_SIZE, text):
            yield f"the size `{text}`"
    for guard in entry.get("guards_code") or ():
        if not _matches(_GUARD, guard):
            yield f"the guard `{guard}`"


def _matches(pattern: re.Pattern[str], text: object) -> bool:
    return isinstance(text, str) and pattern.fullmatch(text) is not None
