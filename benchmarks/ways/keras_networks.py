"""The same networks in Keras 3 on TensorFlow, compiled as one does there, and a callback that waits for its turns."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

from typing import Any

import keras
import numpy as np
from keras import layers

from benchmarks.cases import ADAM_EPSILON, CLASSES, IMAGE, MEAN, MOMENTUM, RATES, STD
from benchmarks.turns import Turns

MANY_EPOCHS = 1000


class TakesTurns(keras.callbacks.Callback):
    """Holds `fit` after every step until it may go on."""

    def __init__(self, turns: Turns):
        super().__init__()
        self.turns = turns

    def on_train_begin(self, logs: Any = None) -> None:
        self.turns.begin()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.turns.step()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.turns.again()


def compiled(spec: str) -> Any:
    """A network of the spec's, with its optimizer and loss."""
    keras.utils.set_random_seed(0)
    channels, height, width = IMAGE
    images = keras.Input((height, width, channels))
    model = keras.Model(images, _logits(spec, images))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=_optimizer(spec), loss=loss, metrics=["accuracy"])
    return model


def normalised(images: np.ndarray) -> np.ndarray:
    """(N, H, W, C) uint8 -> float32."""
    values = images.astype(np.float32)
    values /= 255
    values -= np.asarray(MEAN, dtype=np.float32)
    values /= np.asarray(STD, dtype=np.float32)
    return values


def _optimizer(spec: str) -> Any:
    if spec == "phase3_resnet18":
        return keras.optimizers.SGD(RATES[spec], momentum=MOMENTUM)
    return keras.optimizers.Adam(RATES[spec], epsilon=ADAM_EPSILON)


def _logits(spec: str, images: Any) -> Any:
    match spec:
        case "lab2_bn":
            flat = layers.Flatten()(_stages(images, (32, 64), dropout=0.5))
            dense = layers.ReLU()(layers.BatchNormalization()(layers.Dense(512)(flat)))
            return layers.Dense(CLASSES)(layers.Dropout(0.5)(dense))
        case "six_conv":
            flat = layers.Flatten()(_stages(images, (64, 128, 128), dropout=0.4))
            dense = layers.Dropout(0.5)(layers.Dense(1024, activation="relu")(flat))
            return layers.Dense(CLASSES)(layers.BatchNormalization()(dense))
        case "phase3_resnet18":
            return _resnet18(images)
    raise ValueError(f"no network is written by hand for `{spec}`")


def _stages(values: Any, widths: tuple[int, ...], *, dropout: float) -> Any:
    for width in widths:
        for _ in range(2):
            values = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(width, 3, padding="same")(values)))
        values = layers.Dropout(dropout)(layers.MaxPooling2D(2)(values))
    return values


def _resnet18(images: Any) -> Any:
    values = layers.ReLU()(_normed(layers.ZeroPadding2D(3)(images), 64, 7, stride=2, padding="valid"))
    values = layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(values))
    for number, width in enumerate((64, 128, 256, 512)):
        for block in range(2):
            values = _residual(values, width, stride=2 if number and not block else 1)
    return layers.Dense(CLASSES)(layers.GlobalAveragePooling2D()(values))


def _residual(values: Any, width: int, *, stride: int) -> Any:
    shortcut = values if stride == 1 else _normed(values, width, 1, stride=stride)
    body = layers.ReLU()(_normed(values, width, 3, stride=stride))
    return layers.ReLU()(layers.Add()([_normed(body, width, 3), shortcut]))


def _normed(values: Any, width: int, size: int, *, stride: int = 1, padding: str = "same") -> Any:
    convolved = layers.Conv2D(width, size, strides=stride, padding=padding, use_bias=False)(values)
    return layers.BatchNormalization(epsilon=1e-5, momentum=0.9)(convolved)
