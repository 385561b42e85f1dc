"""A trained network -> a program for other machines: `.pt2` for torch, `.onnx` for everything else.

In: a `Trained`. Out: the file's bytes. The batch may have any size; images have the size of the spec. The program gives
logits, whose softmax are the probabilities, for an ensemble too. What it takes are normalised images, or with
preprocessing the pixels themselves: bytes from 0 to 255, which it then normalises.

Legend of shapes: N images, C channels, H rows, W columns, K classes.
"""

import io
import json
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from specforge.diagnostics import one_line
from specforge.exporting.errors import ExportError
from specforge.exporting.packages import require_onnx_packages
from specforge.prediction.card import Card, Normalization
from specforge.prediction.networks import joined
from specforge.prediction.quiet import quiet
from specforge.prediction.torch_archive import CARD
from specforge.prediction.trained import Trained

if TYPE_CHECKING:
    import onnx

# protobuf's limit, less what is no weight
_MOST_ONNX = 2**31 - 2**24
# with one image, torch would take the batch for a constant
_BATCH = 2
OUTPUT = "logits"
_INPUTS = {"normalized": "images", "pixels": "pixels"}
# what torch raises where it can't follow a network
_FAILURES = (RuntimeError, ValueError, TypeError, AssertionError, LookupError, AttributeError, NotImplementedError)


class FromPixels(nn.Module):
    """(N, C, H, W) bytes -> (N, K): normalised as in training, then the network."""

    scale: Tensor
    offset: Tensor

    def __init__(self, network: nn.Module, normalization: Normalization):
        super().__init__()
        self.network = network
        mean, std = (torch.tensor(values, dtype=torch.float64)[:, None, None] for values in
                     (normalization.mean, normalization.std))  # fmt: skip
        self.register_buffer("scale", (1 / (255 * std)).float())
        self.register_buffer("offset", (-mean / std).float())

    def forward(self, pixels: Tensor) -> Tensor:
        found: Tensor = self.network(pixels.float() * self.scale + self.offset)
        return found


def torch_bytes(trained: Trained, *, with_preprocessing: bool = False) -> bytes:
    """A `.pt2` file, for `torch.export.load`; its extra file `specforge.json` is the model's card."""
    card, program = _exported(trained, with_preprocessing=with_preprocessing)
    buffer = io.BytesIO()
    texts = json.dumps(card.to_metadata(), ensure_ascii=False)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it names files of the machine that this is
    with quiet():
        torch.export.save(program, buffer, extra_files={CARD: texts})
    return buffer.getvalue()


def onnx_bytes(trained: Trained, *, with_preprocessing: bool = False) -> bytes:
    """An `.onnx` file; the model's card is in its metadata."""
    require_onnx_packages()
    size = sum(tensor.nbytes for state in trained.states for tensor in state.values())
    if size > _MOST_ONNX:
        raise ExportError(
            f"`{trained.card.name}` has {size:,} bytes of weights, an ONNX file has {_MOST_ONNX:,} at most",
            hint="`--to torch_export` and `--to safetensors` have no such limit",
        )
    card, program = _exported(trained, with_preprocessing=with_preprocessing)
    model = _translated(card, program)
    _name_batch(model)
    _forget_origin(model)
    for name, text in card.to_metadata().items():
        model.metadata_props.add(key=name, value=text)
    model.producer_name = "specforge"
    return bytes(model.SerializeToString(deterministic=True))


def _translated(card: Card, program: "torch.export.ExportedProgram") -> "onnx.ModelProto":
    """In ONNX's operations. What it can't say of torch's own, it may of what those are made of."""
    failure: Exception
    for simplified in (lambda: program, program.run_decompositions):
        try:
            with quiet():
                found = torch.onnx.export(
                    simplified(), dynamo=True, verbose=False, input_names=[_INPUTS[card.input]], output_names=[OUTPUT]
                )
            assert found is not None
            return found.model_proto
        except _FAILURES as error:
            failure = error
    raise _refused(card, "an ONNX file", failure) from failure


def _exported(trained: Trained, *, with_preprocessing: bool) -> tuple[Card, "torch.export.ExportedProgram"]:
    """The program, and the card that says what it takes."""
    card, module = trained.card, joined(trained.networks(torch.device("cpu")))
    images = torch.zeros(_BATCH, *card.image)
    if with_preprocessing:
        if card.normalization is None:
            raise ExportError(
                f"how the images of `{card.name}` are normalised is measured on its training images",
                hint="export a run, or write `normalize: {mean: […], std: […]}` in `data`",
            )
        card = card.model_copy(update={"input": "pixels"})
        assert card.normalization is not None
        module, images = FromPixels(module, card.normalization).eval(), images.to(torch.uint8)
    try:
        with torch.no_grad(), quiet():
            dimensions = ({0: torch.export.Dim("batch")},)
            return card, torch.export.export(module, (images,), dynamic_shapes=dimensions, strict=False)
    except _FAILURES as error:
        raise _refused(card, "a program", error) from error


def _refused(card: Card, what: str, error: Exception) -> ExportError:
    first: BaseException = error
    while first.__cause__ is not None:
        first = first.__cause__
    reason = next((line for line in str(first).splitlines() if line.strip()), type(first).__name__)
    return ExportError(
        f"torch {torch.__version__} can't make {what} of `{card.name}`: {one_line(reason)}",
        hint="another version of torch may; `--to python` and `--to safetensors` need none of it",
    )


def _name_batch(model: "onnx.ModelProto") -> None:
    """`batch` for the size of the batch, which torch names after a variable of its own."""
    size = model.graph.input[0].type.tensor_type.shape.dim[0]
    own = size.dim_param
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        for dimension in value.type.tensor_type.shape.dim:
            if own and dimension.dim_param == own:
                dimension.dim_param = "batch"


def _forget_origin(model: "onnx.ModelProto") -> None:
    """Without the places in the code of the machine that this is, which torch writes beside every operation."""
    functions = [node for function in model.functions for node in function.node]
    for part in (*model.graph.node, *functions, *model.graph.value_info, *model.graph.initializer):
        del part.metadata_props[:]
