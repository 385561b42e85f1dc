"""A run that is taken up again, and the files of it that were damaged meanwhile: what is told, what is written anew.

In: a run's folder. Out: sentences for the user. Metrics come back from the newest checkpoint, which has all lines,
the spec is the one that was given. What only the last test knows, it can write again.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from specforge.training import checksums
from specforge.training.checksums import METRICS
from specforge.training.errors import TrainingError
from specforge.training.manifest import Damage
from specforge.training.progress import Progress
from specforge.training.run_directory import RunDirectory

# writes the spec with the rates that were found, by the number of the stage
Settle = Callable[[Mapping[str, float]], None]

SPEC, ENVIRONMENT, SWEEPS, RESULT = "spec.yaml", "environment.json", "lr_find.json", "result.json"
_OF_THE_TEST = frozenset({"confusion.json", "mistakes.json", RESULT})


@contextmanager
def refusals_explained(run: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """When a run is not taken up, say which of its files are damaged: that may be why."""
    damaged = checksums.sentences(run)
    try:
        yield
    except TrainingError:
        for sentence in damaged:
            tell(sentence)
        raise


def mend(run: RunDirectory, problems: Mapping[str, str], settle: Settle) -> list[str]:
    """Say what `checksums.problems` found, and mend what can be mended. The run is of the spec that was given."""
    is_finished = (run.path / RESULT).exists()
    # a damaged result is an error, which says what to do
    rest = {name: problem for name, problem in problems.items() if name != RESULT or not is_finished}
    return [f"{run.path / name} {problem}{_mended(run, name, is_finished, settle)}" for name, problem in rest.items()]


def _mended(run: RunDirectory, name: str, is_finished: bool, settle: Settle) -> str:
    """What happens with it: `; it is drawn anew`."""
    if name in _OF_THE_TEST:
        return (
            f"; remove {RESULT} and resume, then the test is repeated" if is_finished else "; the test writes it anew"
        )
    if name in checksums.DRAWN:
        return "; it is drawn anew"
    if name == checksums.FILE:
        return "; files get their checksums as they are written, others can't be checked any more"
    if name == METRICS:
        return _metrics(run, is_finished)
    if name == SPEC:
        return _spec(run, settle)
    if name == SWEEPS:
        return _set_aside(run, name)
    return "; it is written anew as far as it can be read" if name == ENVIRONMENT and not is_finished else ""


def _metrics(run: RunDirectory, is_finished: bool) -> str:
    name, progress = _newest(run)
    # a finished run has all of its epochs behind it, which only its last checkpoint knows
    if progress is None or (is_finished and name != run.checkpoints.names()[-1]):
        return ""
    run.rewrite_metrics(progress.history)
    return f"; it is written anew, from the checkpoint {name}"


def _spec(run: RunDirectory, settle: Settle) -> str:
    _, progress = _newest(run)
    if not run.found_rates:
        run.write(SPEC, run.spec_text.encode())
    elif progress is not None:
        settle(progress.rates)
    else:
        return ""
    return "; it is written anew, from the spec that was given"


def _set_aside(run: RunDirectory, name: str) -> str:
    """Under another name, where somebody may still look at it: what it said can't be had again."""
    path, aside = run.path / name, run.path / f"damaged-{name}"
    if path.exists():
        path.replace(aside)
    checksums.remove(run.path, name)
    return f"; it is set aside as {aside.name}, and its curves are not drawn" if aside.exists() else ""


def _newest(run: RunDirectory) -> tuple[str, Progress | None]:
    """The newest checkpoint whose progress can be read."""
    store = run.checkpoints
    for name in reversed(store.names()):
        try:
            return name, store.progress(name)
        except Damage:
            continue
    return "", None
