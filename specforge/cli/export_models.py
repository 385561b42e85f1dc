"""The formats of `specforge export` that hold weights: ONNX, torch.export, safetensors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from specforge.cli import console
from specforge.cli.files import demand_free, write_whole
from specforge.cli.model_errors import models_reported

if TYPE_CHECKING:
    from specforge.prediction import Trained


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for, beside the format and the network."""

    output_file: Path
    force: bool = False
    settings: tuple[str, ...] = ()
    seed: int | None = None
    with_preprocessing: bool = False
    data_dir: Path | None = None
    download: bool = False


def _onnx(trained: "Trained", wish: Wish) -> bytes:
    from specforge.exporting import onnx_bytes

    return onnx_bytes(trained, with_preprocessing=wish.with_preprocessing)


def _torch_export(trained: "Trained", wish: Wish) -> bytes:
    from specforge.exporting import torch_bytes

    return torch_bytes(trained, with_preprocessing=wish.with_preprocessing)


def _safetensors(trained: "Trained", wish: Wish) -> bytes:
    from specforge.exporting import ExportError, weights_bytes

    if wish.with_preprocessing:
        hint = "leave it out; the metadata of the file have mean and deviation"
        raise ExportError("`--with-preprocessing` is for programs, and safetensors are weights alone", hint=hint)
    return weights_bytes(trained)


# word of `--to` -> the bytes of the file
MODELS: dict[str, Callable[["Trained", Wish], bytes]] = {
    "onnx": _onnx,
    "torch_export": _torch_export,
    "safetensors": _safetensors,
}


def export_model(name: str, to: str, wish: Wish) -> None:
    """Write a run, a bundle or a spec in one of the formats of `MODELS`, and say what was written."""
    demand_free(wish.output_file, force=wish.force)
    if to == "onnx":
        from specforge.exporting import require_onnx_packages

        with models_reported():
            require_onnx_packages()
    with models_reported():
        from specforge.experiment import DEFAULT_DATA_DIR
        from specforge.exporting import source

        data_dir = wish.data_dir or DEFAULT_DATA_DIR
        trained = source(name, settings=wish.settings, seed=wish.seed, data_dir=data_dir, download=wish.download)
        content = MODELS[to](trained, wish)
    wish.output_file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(wish.output_file, content)
    for note in trained.notes:
        console.note(("note", "bold"), f": {note}")
    weights = trained.card.tested or ("fresh weights" if wish.seed is None else f"fresh weights of seed {wish.seed}")
    console.note(f"wrote {wish.output_file}: {weights}, {len(content):,} bytes")
