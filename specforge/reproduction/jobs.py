"""Spec files and seeds -> jobs: one run each, in a folder of its own, and what each has reached.

    plan("specs/base.yaml", seeds=(0, 1), settings=(), out=Path("runs/reproduce"))
    # two jobs, in runs/reproduce/base-seed0 and runs/reproduce/base-seed1

A job's folder is resumed when it holds a part of the run, and not trained again when it holds all of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from specforge import experiment
from specforge.analysis import analyse
from specforge.diagnostics import SpecError
from specforge.graph import Graph
from specforge.reproduction.errors import ReproductionError
from specforge.reproduction.finished import SPEC, is_finished, is_run, meaning, measure
from specforge.reproduction.results import Measurement
from specforge.spec import Spec

if TYPE_CHECKING:
    from specforge.training.listener import Listener

MAX_SEED = 2**32 - 1
MAX_SEEDS = 1_000
State = Literal["finished", "begun", "new", "another spec"]


@dataclass(frozen=True, slots=True)
class Job:
    """One run. `own_hash` is what the spec file means, `spec_hash` what this run means; they differ by `settings`."""

    name: str
    file: str
    seed: int
    settings: tuple[str, ...]
    spec: Spec
    graph: Graph
    own_hash: str
    spec_hash: str
    folder: Path

    @property
    def state(self) -> State:
        """How far the folder is."""
        if not is_run(self.folder):
            return "new"
        if not _means(self.folder, self.seed, self.spec_hash):
            return "another spec"
        return "finished" if is_finished(self.folder) else "begun"

    def measured(self) -> Measurement:
        """What its folder holds; raises ReproductionError while the run is not finished."""
        return measure(self.folder, seed=self.seed, spec_hash=self.spec_hash, settings=self.settings)

    def train(
        self, *, device: str | None, data_dir: Path | str | None, download: bool, listener: "Listener | None" = None
    ) -> Measurement:
        """Begin the run, go on with it, or only read it when it is finished. Raises what `experiment.train` raises."""
        if self.state == "another spec":
            hint = f"see `specforge diff {self.folder / SPEC} {self.file}`; move it away, or choose another `--out`"
            raise ReproductionError(f"{self.folder} holds a run of another spec than {self.file} is now", hint=hint)
        if self.state != "finished":
            experiment.train(
                self.spec,
                out=self.folder,
                resume=True,
                device=device,
                data_dir=data_dir,
                download=download,
                listener=listener,
            )
        return self.measured()


def plan(file: str, *, seeds: Iterable[int] | None, settings: tuple[str, ...], out: Path) -> list[Job]:
    """The jobs of one spec file, for its own seed when none are given; raises SpecError."""
    own = meaning(file)
    asked = meaning(file, settings) if settings else own
    # settings that say what the spec says anyway are no settings
    kept = settings if asked.spec_hash != own.spec_hash else ()
    jobs = []
    for seed in (own.seed,) if seeds is None else seeds:
        found = asked if asked.seed == seed else meaning(file, (*settings, f"train.seed={seed}"))
        folder = f"{own.spec.name}-seed{seed}" + (f"-{asked.spec_hash[:8]}" if kept else "")
        jobs.append(
            Job(own.spec.name, file, seed, kept, found.spec, found.graph, own.spec_hash, asked.spec_hash, out / folder)
        )
    return jobs


def existing(folder: Path, files: Iterable[str], settings: tuple[str, ...] = ()) -> Job:
    """The job that an earlier run did, if its spec means what the file of its name means with the settings."""
    if not is_run(folder):
        raise ReproductionError(f"{folder} is not a run", hint="name the folder that `specforge train --out` wrote")
    found = meaning(folder / SPEC)
    file = _named(found.spec.name, files)
    if file is None:
        hint = "give its file too, or `--results` beside it"
        raise ReproductionError(f"{folder} is a run of `{found.spec.name}`, which is none of the specs", hint=hint)
    (job,) = plan(file, seeds=[found.seed], settings=settings, out=folder.parent)
    if job.spec_hash != found.spec_hash:
        hint = f"see `specforge diff {folder / SPEC} {file}`; settings that it was made with are given by `--set`"
        raise ReproductionError(f"{folder} is a run of another spec than {file} is now", hint=hint)
    return replace(job, folder=folder)


def seeds_from(text: str) -> tuple[int, ...]:
    """`3 -> (0, 1, 2)`, `4,7 -> (4, 7)`, `5, -> (5,)`; raises ValueError with what is wrong."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() for word in words if word) or not any(words):
        raise ValueError(f"`{text}` is neither a number of seeds, such as 3, nor a list, such as 0,1,2")
    numbers = [int(word) for word in words if word]
    if len(words) > 1:
        if max(numbers) > MAX_SEED:
            raise ValueError(f"a seed is at most {MAX_SEED}")
        return tuple(dict.fromkeys(numbers))
    if not 1 <= numbers[0] <= MAX_SEEDS:
        raise ValueError(f"{numbers[0]} is no number of seeds: 1 to {MAX_SEEDS:,}; the seed {text} alone is `{text},`")
    return tuple(range(numbers[0]))


def _named(name: str, files: Iterable[str]) -> str | None:
    """The file of the spec of this name; one that is called so is tried first, since reading all takes a while."""
    for file in sorted(files, key=lambda file: Path(file).stem != name):
        spec = analyse(file).spec
        if spec is not None and spec.name == name:
            return file
    return None


def _means(folder: Path, seed: int, spec_hash: str) -> bool:
    try:
        found = meaning(folder / SPEC)
    except SpecError:  # a specforge that knows other words wrote it
        return False
    return (found.seed, found.spec_hash) == (seed, spec_hash)
