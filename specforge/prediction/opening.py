"""What a user names -> a model that can be asked, whatever kind of model it is."""

from pathlib import Path

from specforge.diagnostics import one_line
from specforge.prediction.errors import PredictionError
from specforge.prediction.networks import Model, Networks
from specforge.prediction.programs import onnx_program, torch_program
from specforge.prediction.trained import Trained, trained_run
from specforge.prediction.weights_file import WeightsFile, bundle_bytes
from specforge.training.device import choose_device

_PROGRAMS = {".onnx": onnx_program, ".pt2": torch_program}
_SPECS = (".yaml", ".yml")


def open_model(path: Path, *, device: str | None = None, data_dir: Path, download: bool = False) -> Model:
    """A run's folder, a bundle, or an exported `.safetensors`, `.onnx` or `.pt2` file.

    `device` is as for training, by default the best one; the programs, `.onnx` and `.pt2`, run on the CPU.
    Raises `PredictionError`, and for runs `SpecError`, `TrainingError` and `DataError`.
    """
    program = _PROGRAMS.get(path.suffix.lower())
    if program is None or path.is_dir():
        chosen = choose_device(device)
        return Networks(open_trained(path, data_dir=data_dir, download=download), chosen)
    _demand_file(path)
    if device not in (None, "auto", "cpu"):
        message = f"{one_line(str(path))} is asked on the CPU, not on `{one_line(str(device))}`"
        raise PredictionError(message, hint="leave `--device` out, or give the run or its bundle", is_usage=True)
    return program(path)


def open_trained(path: Path, *, data_dir: Path, download: bool = False) -> Trained:
    """The weights of a run's folder, a bundle or a `.safetensors` file, with their spec."""
    if path.is_dir():
        return trained_run(path, data_dir=data_dir, download=download)
    _demand_file(path)
    if path.suffix.lower() in _SPECS:
        raise PredictionError(f"{path} is a spec, which has no weights", hint=f"train it: specforge train {path}")
    return WeightsFile(path).trained()


def opened_bundle(path: Path) -> WeightsFile:
    """A bundle, or an exported file of weights, without its weights; raises `PredictionError`."""
    if path.is_dir():
        raise PredictionError(
            f"{path} is a folder, expected a bundle",
            hint=f"`specforge bundle {path}` makes one of a run, `predict` asks it",
        )
    _demand_file(path)
    return WeightsFile(path)


def networks_of(file: WeightsFile, *, device: str | None = None) -> Networks:
    """The networks of a file that was opened."""
    return Networks(file.trained(), choose_device(device))


def bundled(folder: Path, *, data_dir: Path, download: bool = False) -> tuple[Trained, bytes]:
    """A run's trained weights, and its bundle; raises what `trained_run` raises, and `PredictionError`."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "is not there"
        raise PredictionError(f"{one_line(str(folder))} {what}", hint="give the folder of a run, which `train` named")
    trained = trained_run(folder, data_dir=data_dir, download=download)
    return trained, bundle_bytes(trained)


def _demand_file(path: Path) -> None:
    try:
        found = path.is_file()
    except ValueError:  # a name with a NUL
        found = False
    if not found:
        what = "is not a file" if path.exists() else "is not there"
        hint = "give the folder of a run, a bundle, or a file that `specforge export` wrote"
        raise PredictionError(f"{one_line(str(path))} {what}", hint=hint)
