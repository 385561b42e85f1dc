"""Exported programs that answer: `.onnx` by ONNX Runtime, `.pt2` by torch. Both run on the CPU.

In: a file that `specforge export` wrote. Out: a `Model`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch._export.verifier import SpecViolationError

from specforge.data.batches import Normalizer
from specforge.diagnostics import one_line
from specforge.prediction.card import Card, damaged
from specforge.prediction.errors import PredictionError
from specforge.prediction.networks import batch_size, require_answers
from specforge.prediction.quiet import quiet
from specforge.prediction.torch_archive import CARD, demand_harmless
from specforge.training.parsing import parsed

# what torch ends in where an archive or a program is not what it should be
_TORCH_FAILURES = (
    ArithmeticError, AssertionError, AttributeError, EOFError, ImportError, LookupError, MemoryError, NameError,
    OSError, RuntimeError, SpecViolationError, SyntaxError, TypeError, ValueError,
)  # fmt: skip


class Program:
    """Runs a program on batches; `run` takes float32 images, normalised, or bytes, as its card says."""

    def __init__(self, card: Card, run: Callable[[Tensor], Tensor]):
        self.card, self.notes, self._run = require_answers(card), (), run
        assert card.normalization is not None
        self.at_once = batch_size(card)
        self._normalize = Normalizer(card.normalization.mean, card.normalization.std, device=torch.device("cpu"))

    def logits(self, pixels: Tensor) -> Tensor:
        images = pixels if self.card.input == "pixels" else self._normalize(pixels)
        return self._run(images.contiguous()).float()


def onnx_program(path: Path) -> Program:
    """Raises `PredictionError` for what is no ONNX file of ours, or where ONNX Runtime is not installed."""
    try:
        import onnxruntime
    except ImportError:
        message = "`onnxruntime` is not installed: ONNX files can't be asked without it"
        raise PredictionError(message, hint="pip install onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is raised, too
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        # without its fallback, which prints what is wrong, and tries the same again
        session = onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"], enable_fallback=False
        )
        texts = session.get_modelmeta().custom_metadata_map
    except _failures(onnxruntime) as error:
        raise _refused(path, "ONNX Runtime", error) from None
    card = Card.from_metadata(texts, one_line(str(path)))
    names = [each.name for each in session.get_inputs()]

    def run(images: Tensor) -> Tensor:
        try:
            return torch.from_numpy(session.run(None, dict.fromkeys(names, images.numpy()))[0])
        except _failures(onnxruntime) as error:
            raise _refused(path, "ONNX Runtime", error) from None

    return Program(card, run)


def _failures(onnxruntime: Any) -> tuple[type[Exception], ...]:
    """ONNX Runtime's errors have no class in common."""
    state = onnxruntime.capi.onnxruntime_pybind11_state
    raised = [each for each in vars(state).values() if isinstance(each, type) and issubclass(each, Exception)]
    return (*raised, RuntimeError, ValueError, TypeError, IndexError)


def torch_program(path: Path) -> Program:
    """Raises `PredictionError` for what is no `.pt2` file of ours, or holds more than a network."""
    name = one_line(str(path))
    demand_harmless(path)
    extra = {CARD: ""}
    try:
        with quiet():
            module = torch.export.load(path, extra_files=extra).module()
    except _TORCH_FAILURES as error:
        raise _refused(path, "torch", error) from None
    card = Card.from_metadata(_texts(extra[CARD], name), name)

    def run(images: Tensor) -> Tensor:
        try:
            with torch.inference_mode():
                found: Tensor = module(images)
        except _TORCH_FAILURES as error:
            raise _refused(path, "torch", error) from None
        return found

    return Program(card, run)


def _refused(path: Path, who: str, error: Exception) -> PredictionError:
    reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return PredictionError(
        f"{one_line(str(path))} can't be run by {who}: {one_line(reason)}",
        hint="it is damaged, of another version, or was not exported by specforge: export it again",
    )


def _texts(content: str | bytes, file: str) -> dict[str, str]:
    try:
        record = parsed(content) if content else {}
    except ValueError as error:
        raise damaged(file, str(error)) from None
    if not isinstance(record, dict) or not all(isinstance(value, str) for value in record.values()):
        raise damaged(file, "its metadata are not texts")
    return record
