"""What reading a Keras network carries along: the steps so far, and one call of a layer."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from specforge.diagnostics import Findings
from specforge.importing.keras.config import Config
from specforge.importing.keras.initial import Initials
from specforge.importing.recording import Recorder
from specforge.importing.rules import FOREIGN_MISFIT, NOT_CARRIED
from specforge.shapes import Shape


@dataclass(slots=True)
class Reading:
    """`old` is Keras 2, `first` whether channels come first, `prepared` the values that no layer has changed yet.

    `added` counts the parameters that a batch norm of ours has and Keras's has not, by what they are.
    """

    recorder: Recorder
    findings: Findings
    old: bool
    first: bool
    initials: Initials
    prepared: set[int] = field(default_factory=lambda: {0})
    notes: set[str] = field(default_factory=set)
    added: Counter[str] = field(default_factory=Counter)
    added_at: dict[str, Config] = field(default_factory=dict)

    def tell_once(self, topic: str, config: Config, message: str, hint: str | None = None) -> None:
        """A warning that the whole network needs once."""
        if topic not in self.notes:
            self.notes.add(topic)
            self.findings.add(NOT_CARRIED, config.span, f"{config.path}: {message}", hint)

    def tell_added(self) -> None:
        """Say of all such batch norms at once what they have more."""
        for missing, count in self.added.items():
            config = self.added_at[missing]
            message = f"{config.path}: a batch norm without a {missing} is imported with one, which trains"
            self.findings.add(NOT_CARRIED, config.span, f"{message}: {count:,} parameters more in all")


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a layer: its arguments, the values that it reads, and the name of its weights if several use them."""

    kind: str
    config: Config
    inputs: tuple[int, ...]
    reading: Reading
    shared: str | None = None

    @property
    def value(self) -> int:
        return self.inputs[0]

    @property
    def shape(self) -> Shape:
        """What arrives, channels first."""
        return self.reading.recorder.shape(self.value)

    def add(self, word: str, arguments: Mapping[str, Any], value: int | Sequence[int] | None = None) -> int:
        """Record a layer with weights of its own, or shared ones."""
        reads = [self.value] if value is None else [value] if isinstance(value, int) else value
        return self.reading.recorder.add(
            word, arguments, reads, self.config.span, name=self._name(), shared=self.shared
        )

    def chain(self, layers: Sequence[tuple[str, Mapping[str, Any]]], value: int | None = None) -> int:
        """Record layers one after another."""
        at = self.value if value is None else value
        for word, arguments in layers:
            at = self.reading.recorder.add(word, arguments, [at], self.config.span, name=self._name())
        return at

    def image(self) -> tuple[int, int, int] | None:
        """Channels, height and width of what arrives; None, reported, where it is no image."""
        if len(self.shape) == 3:
            return self.shape[0], self.shape[1], self.shape[2]
        self.config.refuse(f"{self.kind} needs an image, {list(self.shape)} arrives", rule=FOREIGN_MISFIT)
        return None

    def check_format(self) -> None:
        """All layers of a network must agree where the channels are."""
        given = self.config.given("data_format")
        if given in ("channels_first", "channels_last") and (given == "channels_first") != self.reading.first:
            self.config.refuse("some layers have their channels first and others last", "use one `data_format`")

    def axis(self, number: Any) -> int | None:
        """Keras's number of an axis, the batch being 0, in ours; None, reported, for the batch or none."""
        axes = len(self.shape) + 1
        if isinstance(number, list) and len(number) == 1:
            number = number[0]
        if not isinstance(number, int) or not -axes < number < axes or number == 0:
            self.config.refuse(f"`axis` {str(number)[:20]} is no axis of {axes - 1} and the batch", rule=FOREIGN_MISFIT)
            return None
        positive = number % axes
        if axes == 4 and not self.reading.first:
            return {1: 2, 2: 3, 3: 1}[positive]
        return positive

    def _name(self) -> str:
        return str(self.config.given("name") or "")
