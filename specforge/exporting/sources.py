"""What a user names -> a network with weights, ready to be exported.

A run's folder gives the weights that its test takes, a bundle or an exported file of weights gives its own, and a spec
gives fresh weights.
"""

from pathlib import Path

from specforge.analysis import analyse
from specforge.experiment import compile as compiled
from specforge.experiment import require_training_packages
from specforge.exporting.errors import ExportError
from specforge.prediction import Trained, open_trained
from specforge.prediction.trained import card_of, known_normalization
from specforge.resolved import to_yaml

_SPECS = (".yaml", ".yml", "-")


def source(
    name: str,
    *,
    settings: tuple[str, ...] = (),
    seed: int | None = None,
    data_dir: Path,
    download: bool = False,
) -> Trained:
    """A run, a bundle or a file of weights; a spec file, or `-`, gets fresh weights, repeatable with a `seed`.

    Raises `SpecError`, and what reading a run raises; `ExportError` for settings and seeds that would not be used.
    """
    require_training_packages()
    if not name.endswith(_SPECS) or Path(name).is_dir():
        if settings or seed is not None:
            option = "--set" if settings else "--seed"
            message = f"`{option}` is for a spec: {name} has its weights"
            raise ExportError(message, hint="leave it out, or give the spec", is_usage=True)
        return open_trained(Path(name), data_dir=data_dir, download=download)
    spec, graph = analyse(name, settings).require()
    module = compiled(spec, seed=seed, download=download)
    spec = spec.model_copy(update={"search": None})
    card = card_of(spec, graph, file=name, text=to_yaml(spec), normalization=known_normalization(spec, graph))
    return Trained(card, spec, graph, (module.state_dict(),))
