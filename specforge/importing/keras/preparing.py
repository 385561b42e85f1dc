"""Keras's layers for preparing images, which are `data` in a spec and no part of the network.

Rescaling(1/127.5, offset=-1)   ->   a warning: data: {normalize: {mean: [0.5, …], std: [0.5, …]}}
RandomFlip("horizontal")        ->   a warning: data: {augment: [horizontal_flip]}
"""

from collections.abc import Callable

from specforge.diagnostics import Findings
from specforge.importing.keras.config import Config
from specforge.importing.keras.reading import Call
from specforge.importing.rules import NOT_CARRIED

_AUGMENTATIONS = {
    "RandomFlip": "horizontal_flip",
    "RandomRotation": "rotation",
    "RandomZoom": "zoom",
    "RandomTranslation": "shift",
    "RandomCrop": "crop",
    "RandomShear": "shear",
    **dict.fromkeys(("RandomContrast", "RandomBrightness", "RandomSaturation", "RandomHue"), "colour_jitter"),
    "RandomColorJitter": "colour_jitter",
    "RandomErasing": "random_erasing",
    "RandAugment": "rand_augment",
    "MixUp": "mixup",
    "CutMix": "cutmix",
}


def _told(call: Call, message: str, hint: str) -> int:
    findings: Findings = call.reading.findings
    findings.add(NOT_CARRIED, call.config.span, f"{call.config.path}: {message}", hint)
    call.reading.prepared.add(call.value)
    return call.value


def _augmentation(call: Call) -> int:
    word = _AUGMENTATIONS[call.kind]
    place = "mix" if word in ("mixup", "cutmix") else "augment"
    hint = f"write `data: {{{place}: [{word}]}}`; `specforge explain {word}` tells its units"
    return _told(call, f"{call.kind} changes training images: it is left out of the network", hint)


def _rescaling(call: Call) -> int:
    config: Config = call.config
    scale, offset = config.number("scale", 1.0), config.number("offset", 0.0)
    if call.value not in call.reading.prepared:
        if offset:
            config.refuse("specforge has no layer that adds a number", "only the network's own images may be rescaled")
        return call.add("scale", {"factor": scale}) if scale not in (0, 1) else call.value
    if scale == 0:
        config.refuse("a scale of 0 leaves nothing")
        return call.value
    # specforge's pixels are from 0 to 1, Keras's from 0 to 255: x · 255 · scale + offset = (x - mean) / std
    mean, std = -offset / (255 * scale), 1 / (255 * scale)
    if abs(mean) < 1e-9 and abs(std - 1) < 1e-9:
        return _told(
            call, "Rescaling to 0..1 is left out: that is how specforge gives images", "write `data.normalize: none`"
        )
    hint = f"write `data.normalize: {{mean: {mean:.6g}, std: {std:.6g}}}`, with a number for each channel"
    return _told(call, "Rescaling belongs to the data and is left out of the network", hint)


def _normalization(call: Call) -> int:
    if call.value not in call.reading.prepared:
        call.config.refuse("Normalization of something else than the network's images")
    return _told(
        call, "Normalization belongs to the data and is left out", "write its mean and std into `data.normalize`"
    )


def _resizing(call: Call) -> int:
    height, width = call.config.whole("height"), call.config.whole("width")
    if call.shape[1:] == (height, width):
        return call.value
    if call.kind == "CenterCrop":
        return call.add("crop", {"size": [height, width]})
    mode = call.config.choice("interpolation", "bilinear", "bilinear", "nearest")
    value = call.add("upsample", {"size": [height, width], **({"mode": mode} if mode != "nearest" else {})})
    call.reading.prepared.add(value)
    return value


PREPARING: dict[str, Callable[[Call], int]] = {
    **dict.fromkeys(_AUGMENTATIONS, _augmentation),
    "Rescaling": _rescaling,
    "Normalization": _normalization,
    "Resizing": _resizing,
    "CenterCrop": _resizing,
}
