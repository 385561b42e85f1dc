"""Keras's initialisers and regularizers -> rules of `model.init`, and notes.

kernel_initializer: GlorotUniform of every Conv2D and Dense   ->   - select: {kind: [conv, linear], parameter: weight}
                                                                    initializer: xavier_uniform
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from specforge.catalog.discovery import definition
from specforge.diagnostics import Findings
from specforge.importing.keras.config import LARGEST, Config
from specforge.importing.rules import NOT_CARRIED

_SIMPLE = {
    "glorot_uniform": "xavier_uniform",
    "glorot_normal": "xavier_normal",
    "he_uniform": "kaiming_uniform",
    "he_normal": "kaiming_normal",
    "zeros": "zeros",
    "ones": "ones",
    "lecun_uniform": {"kaiming_uniform": {"nonlinearity": "linear"}},
    "lecun_normal": {"kaiming_normal": {"nonlinearity": "linear"}},
}


@dataclass(slots=True)
class Initials:
    """What each layer says of its parameters: `found` counts initialisers by layer word and parameter."""

    findings: Findings
    found: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    written: dict[str, Any] = field(default_factory=dict)
    decays: Counter[tuple[str, float]] = field(default_factory=Counter)
    places: dict[tuple[str, str, str], Config] = field(default_factory=dict)

    def note(self, word: str, parameter: str, config: Config, key: str, default: str) -> None:
        """Remember how a parameter of a layer starts."""
        initializer = translated(config.data.get(key, default))
        text = repr(initializer)
        self.written[text] = initializer
        self.found.setdefault((word, parameter), Counter())[text] += 1
        self.places.setdefault((word, parameter, text), config)
        if initializer is None:
            kind = kind_of(config.given(key))
            message = f"{config.path}.{key}: specforge has no initialiser for Keras's `{kind}`; torch's own is used"
            self.findings.add(NOT_CARRIED, config.span, message)

    def note_norm(self, word: str, config: Config, key: str, usual: str) -> None:
        """A norm's scale and shift start at 1 and 0 in torch as well: only what differs is told."""
        initializer = translated(config.given(key))
        if initializer != usual:
            parameter = "weight" if key.startswith("gamma") else "bias"
            message = f"{config.path}.{key}: the {parameter} of this norm does not start with {usual}"
            hint = f"give it `init: {{{parameter}: {_plain(initializer)}}}`" if initializer is not None else None
            self.findings.add(NOT_CARRIED, config.span, message, hint)

    def note_decay(self, word: str, config: Config) -> None:
        """Remember an L2 penalty, which is part of a recipe; others are told of at once."""
        for key in ("kernel_regularizer", "depthwise_regularizer", "pointwise_regularizer", "bias_regularizer"):
            regularizer = config.given(key)
            if not regularizer:
                continue
            inner = _numbers_and_words(regularizer)
            decay, lasso = inner.get("l2", 0.0), inner.get("l1", 0.0)
            if isinstance(decay, int | float) and decay and not lasso and "bias" not in key:
                self.decays[word, float(decay)] += 1
            else:
                self.findings.add(NOT_CARRIED, config.span, f"{config.path}.{key} is left out")

    def rules(self, words: set[str]) -> list[dict[str, Any]]:
        """The rules for layers of these words, one for each initialiser; exceptions among layers of a kind are told."""
        grouped: dict[tuple[str, str], list[str]] = {}
        for (word, parameter), counts in self.found.items():
            text, _ = counts.most_common(1)[0]
            kinds = [kind for kind in self._kinds(word) if kind in words]
            if self.written[text] is not None and kinds:
                grouped.setdefault((parameter, text), []).extend(kinds)
            for other in counts:
                if other != text and self.written[other] is not None:
                    self._tell_exception(word, parameter, text, other)
        return [
            {
                "select": {"kind": kinds if kinds[1:] else kinds[0], "parameter": parameter},
                "initializer": self.written[text],
            }
            for (parameter, text), kinds in grouped.items()
        ]

    def _kinds(self, word: str) -> tuple[str, ...]:
        """The layers that a convolution may be a part of in the end."""
        return ("conv", "squeeze_excite") if word == "conv" else (word,)

    def tell_decays(self) -> None:
        """The penalties in words of the recipe."""
        for (word, decay), count in self.decays.items():
            first = next(config for (kind, _, _), config in self.places.items() if kind == word)
            hint = f"write `train: {{groups: [{{select: {{kind: {word}, parameter: weight}}, l2: {decay:g}}}]}}`"
            layers = f"{count} layer{'s' * (count != 1)} `{word}`"
            message = f"the kernel_regularizer L2 of {decay:g} of {layers} is left out: it belongs to the recipe"
            self.findings.add(NOT_CARRIED, first.span, message, hint)

    def _tell_exception(self, word: str, parameter: str, usual: str, other: str) -> None:
        config = self.places[word, parameter, other]
        message = (
            f"{config.path}: its {parameter} starts with {_plain(self.written[other])}, unlike most layers `{word}`"
        )
        own, rule = _plain(self.written[other]), _plain(self.written[usual])
        hint = f"give it `init: {{{parameter}: {own}}}`; the rule for all says {rule}"
        self.findings.add(NOT_CARRIED, config.span, message, hint)


def _plain(initializer: Any) -> str:
    return str(initializer).replace("'", "")


def kind_of(value: Any) -> str:
    """An initialiser's name in Keras's old spelling: `GlorotUniform -> glorot_uniform`."""
    name = value.get("class_name", "") if isinstance(value, dict) else value
    text = str(name or "zeros")
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(text))


def translated(value: Any) -> Any:
    """The initialiser as plain data in our words; None where there is none like it."""
    kind, config = kind_of(value), _numbers_and_words(value)
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if kind == "variance_scaling":
        return _scaled(config)
    plain = _drawn(kind, {key: entry for key, entry in config.items() if isinstance(entry, int | float)})
    return plain if plain is not None and _is_sound(plain) else None


def _drawn(kind: str, config: dict[str, float]) -> dict[str, Any] | None:
    """The initialisers that say their numbers."""
    mean, std = config.get("mean", 0.0), config.get("stddev", 0.05)
    shifted = {"mean": mean} if mean else {}
    if kind == "constant":
        return {"constant": config.get("value", 0)}
    if kind == "random_normal":
        return {"normal": {**shifted, "std": std}}
    if kind == "truncated_normal":
        return {"truncated_normal": {**shifted, "std": std, "a": mean - 2 * std, "b": mean + 2 * std}}
    if kind == "random_uniform":
        return {"uniform": {"a": config.get("minval", -0.05), "b": config.get("maxval", 0.05)}}
    if kind in ("orthogonal", "orthogonal_initializer"):
        return {"orthogonal": {"gain": config.get("gain", 1.0)}}
    return None


def _is_sound(plain: dict[str, Any]) -> bool:
    """Whether the catalogue takes these numbers."""
    ((word, given),) = plain.items()
    kind = definition("initializers", word)
    assert kind is not None, word
    try:
        kind.model_validate(given if isinstance(given, dict) else {str(kind.main): given})
    except ValidationError:
        return False
    return True


def _numbers_and_words(value: Any) -> dict[str, Any]:
    """The `config` of a thing that Keras wrote, without what is no plain finite value."""
    inner = value.get("config") if isinstance(value, dict) else None
    entries = inner.items() if isinstance(inner, dict) else ()
    return {
        key: entry
        for key, entry in entries
        if isinstance(entry, str) or (isinstance(entry, int | float) and abs(entry) < LARGEST)
    }


def _scaled(config: dict[str, Any]) -> Any:
    """`VarianceScaling` where it is one of those that have names."""
    scale, mode = config.get("scale", 1.0), config.get("mode", "fan_in")
    uniform = config.get("distribution") == "uniform"
    if mode == "fan_avg" and scale == 1:
        return "xavier_uniform" if uniform else "xavier_normal"
    if mode not in ("fan_in", "fan_out") or scale not in (1, 2):
        return None
    arguments = {**({"mode": mode} if mode == "fan_out" else {}), **({"nonlinearity": "linear"} if scale == 1 else {})}
    word = "kaiming_uniform" if uniform else "kaiming_normal"
    return {word: arguments} if arguments else word
