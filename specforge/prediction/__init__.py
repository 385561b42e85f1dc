"""Trained models asked about images: a run, a bundle, or an exported file, and files of images -> classes.

Names are imported on first use, so that a command can say what is missing before torch is loaded.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specforge.prediction.errors import PredictionError as PredictionError
    from specforge.prediction.networks import Model as Model
    from specforge.prediction.opening import bundled as bundled
    from specforge.prediction.opening import networks_of as networks_of
    from specforge.prediction.opening import open_model as open_model
    from specforge.prediction.opening import open_trained as open_trained
    from specforge.prediction.opening import opened_bundle as opened_bundle
    from specforge.prediction.predicting import Answer as Answer
    from specforge.prediction.predicting import Prediction as Prediction
    from specforge.prediction.predicting import predict as predict
    from specforge.prediction.trained import Trained as Trained
    from specforge.prediction.weights_file import WeightsFile as WeightsFile

_HOMES = {
    "Answer": "predicting",
    "Model": "networks",
    "Prediction": "predicting",
    "PredictionError": "errors",
    "Trained": "trained",
    "WeightsFile": "weights_file",
    "bundled": "opening",
    "networks_of": "opening",
    "open_model": "opening",
    "open_trained": "opening",
    "opened_bundle": "opening",
    "predict": "predicting",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'specforge.prediction' has no attribute {name!r}")
    return getattr(import_module(f"specforge.prediction.{_HOMES[name]}"), name)
