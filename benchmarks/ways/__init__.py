"""The ways to train that are compared: each module's `run(case, turns)` trains for ever, one `turns.step()` a step."""

from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True, slots=True)
class Way:
    """`module` is imported in a process of its own; `needs` are packages that this interpreter may not have."""

    label: str
    module: str
    needs: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The packages that are not installed."""
        return tuple(name for name in self.needs if find_spec(name) is None)


WAYS = {
    "specforge": Way("specforge train", "benchmarks.ways.engine"),
    "streamed": Way("specforge, images on disk", "benchmarks.ways.streamed"),
    "batches": Way("specforge, batches alone", "benchmarks.ways.batches"),
    "bare": Way("bare tuned loop", "benchmarks.ways.bare"),
    "tutorial": Way("tutorial loop, DataLoader", "benchmarks.ways.tutorial"),
    "lightning": Way("Lightning", "benchmarks.ways.lightning_trainer", ("lightning",)),
    "keras": Way("Keras fit on arrays", "benchmarks.ways.keras_fit", ("keras", "tensorflow")),
    "keras_generator": Way(
        "Keras ImageDataGenerator", "benchmarks.ways.keras_generator", ("keras", "tensorflow", "scipy")
    ),
}
# those that every case compares
COMPARED = ("specforge", "bare", "tutorial", "lightning", "keras", "keras_generator")
