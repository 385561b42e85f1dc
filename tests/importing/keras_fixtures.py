"""Writes `tests/importing/keras`: networks of Keras as `model.to_json()`, and what they compute.

Run by hand where Keras is installed (the extra `bench`): `python -m tests.importing.keras_fixtures`. Each `.npz` holds
an input `x`, the output `y`, the numbers of parameters, and the weights in the order of `model.weights`, by layer.
"""

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
from keras import layers

FOLDER = Path(__file__).parent / "keras"


def plain() -> keras.Model:
    """What a tutorial shows, with what belongs to data and recipe."""
    return keras.Sequential(
        [
            layers.Input((12, 12, 1)),
            layers.RandomFlip("horizontal"),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.Conv2D(4, 3, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3)),
            layers.MaxPooling2D(),
            layers.Conv2D(6, 3, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3)),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax", kernel_initializer="he_normal"),
        ],
        name="plain",
    )


def strided() -> keras.Model:
    """Every way in which `same` pads a strided convolution, odd and even sizes and kernels."""
    image = value = layers.Input((17, 14, 3))
    value = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(value)
    value = layers.BatchNormalization()(value)
    value = layers.ReLU(6.0)(value)
    value = layers.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2, use_bias=False)(value)
    value = layers.BatchNormalization(momentum=0.9, epsilon=1e-4)(value)
    value = layers.Activation("swish")(value)
    value = layers.Conv2D(6, 2, padding="same")(value)
    value = layers.LeakyReLU(0.2)(value)
    value = layers.Conv2D(6, 3, padding="same", dilation_rate=2, groups=2)(value)
    value = layers.SeparableConv2D(8, 3, padding="same", strides=2, activation="gelu")(value)
    value = layers.GlobalAveragePooling2D()(value)
    return keras.Model(image, layers.Dense(5)(value), name="strided")


def residual() -> keras.Model:
    """A small residual network as Keras's own ones are written, with borders of zeros as layers."""
    image = layers.Input((20, 20, 3))
    value = layers.ZeroPadding2D(3)(image)
    value = layers.Conv2D(4, 7, strides=2)(value)
    value = layers.Activation("relu")(layers.BatchNormalization(epsilon=1.001e-5)(value))
    value = layers.ZeroPadding2D(1)(value)
    value = layers.MaxPooling2D(3, 2)(value)
    for channels, stride in ((4, 1), (4, 1), (8, 2), (8, 1)):
        body = layers.Conv2D(channels, 3, strides=stride, padding="same", use_bias=False)(value)
        body = layers.Activation("relu")(layers.BatchNormalization(epsilon=1.001e-5)(body))
        body = layers.Conv2D(channels, 3, padding="same", use_bias=False)(body)
        body = layers.BatchNormalization(epsilon=1.001e-5)(body)
        if value.shape[-1] != channels:
            value = layers.Conv2D(channels, 1, strides=stride, use_bias=False)(value)
            value = layers.BatchNormalization(epsilon=1.001e-5)(value)
        value = layers.Activation("relu")(layers.Add()([value, body]))
    value = layers.GlobalAveragePooling2D()(value)
    return keras.Model(image, layers.Dense(10, activation="softmax")(value), name="residual")


def excite() -> keras.Model:
    """Joins, poolings of every padding, and everything that moves values."""
    image = layers.Input((10, 10, 3))
    value = layers.Conv2D(8, 3, padding="same", activation="silu", kernel_initializer="he_uniform")(image)
    gate = layers.Reshape((1, 1, 8))(layers.GlobalAveragePooling2D()(value))
    gate = layers.Conv2D(8, 1, activation="sigmoid")(layers.Conv2D(2, 1, activation="relu")(gate))
    value = layers.Multiply()([value, gate])
    paths = [
        layers.Conv2D(4, 1)(value),
        layers.AveragePooling2D(3, 1, padding="same")(value),
        layers.MaxPooling2D(2, 1, padding="same")(value),
    ]
    value = layers.SpatialDropout2D(0.1)(layers.Concatenate()(paths))
    value = layers.LayerNormalization()(layers.Cropping2D(((1, 0), (2, 1)))(value))
    value = layers.Conv2DTranspose(6, 3, strides=2, padding="same")(value)
    value = layers.Conv2DTranspose(6, 4, strides=2, padding="same")(value)
    value = layers.GroupNormalization(2)(layers.PReLU(shared_axes=[1, 2])(value))
    value = layers.AveragePooling2D(2, padding="same")(value)
    value = layers.UpSampling2D(2, interpolation="bilinear")(value)
    value = layers.Flatten()(layers.GlobalMaxPooling2D(keepdims=True)(value))
    value = layers.Reshape((4, 4, 3))(layers.Dense(48)(value))
    value = layers.Permute((2, 1, 3))(layers.Conv2D(5, 3)(value))
    value = layers.Reshape((4, 5))(value)
    value = layers.Dense(3)(layers.LayerNormalization()(value))
    value = layers.ELU()(layers.Reshape((-1,))(value))
    return keras.Model(image, layers.Dense(3)(value), name="excite")


def nested() -> keras.Model:
    """Networks inside a network, one of them and a layer used twice, and operators of tensors."""
    unit = keras.Sequential(
        [layers.Input((8, 8, 4)), layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization(), layers.ReLU()],
        name="unit",
    )
    inside = layers.Input((8, 8, 4))
    inner = keras.Model(inside, layers.Add()([layers.Conv2D(4, 3, padding="same")(inside), inside]), name="inner")
    image = layers.Input((8, 8, 4))
    twice = layers.Conv2D(4, 1, name="twice")
    value = unit(twice(image))
    again = twice(value)
    value = inner(unit(value + again))
    value = layers.Average()([value, again])
    hard = layers.ReLU(6.0)(value + 3.0) * (1.0 / 6.0)
    value = layers.GlobalAveragePooling2D()(layers.Multiply()([value, hard]))
    return keras.Model(image, layers.Dense(2, activation="softmax")(value), name="nested")


NETWORKS: tuple[Callable[[], keras.Model], ...] = (plain, strided, residual, excite, nested)


def tensors(model: keras.Model) -> Iterator[tuple[str, keras.Variable]]:
    """All weights by `layer/weight`, those of networks inside too."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from tensors(layer)
        else:
            yield from (
                (f"{layer.name}/{weight.name}", weight) for weight in layer.weights if "seed" not in weight.name
            )


def write(make: Callable[[], keras.Model]) -> None:
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    model = make()
    rng = np.random.default_rng(1)
    for name, weight in tensors(model):
        positive = re.search(r"variance|gamma", name) is not None
        drawn = rng.uniform(0.5, 1.5, weight.shape) if positive else rng.normal(0, 0.2, weight.shape)
        weight.assign(drawn.astype(np.float32))
    image = rng.uniform(0, 1, (2, *model.input_shape[1:])).astype(np.float32)
    scale = 255 if model.name == "plain" else 1  # its pixels are from 0 to 255
    facts = {
        "x": image,
        "y": np.asarray(model(image * scale, training=False)),
        "total": np.array(sum(math.prod(weight.shape) for _, weight in tensors(model))),
        "trainable": np.array(sum(math.prod(weight.shape) for weight in model.trainable_weights)),
    }
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{model.name}.json").write_text(model.to_json() + "\n", encoding="utf-8")
    np.savez_compressed(FOLDER / f"{model.name}.npz", **facts, **{n: np.asarray(w) for n, w in tensors(model)})


if __name__ == "__main__":
    for network in NETWORKS:
        write(network)
