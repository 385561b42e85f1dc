"""The folder of a run, from a wish such as `--out runs/lab2` to one that is held and may be trained in.

In: a spec, a folder or none, and whether a run goes on. Out: the run's directory; a TrainingError for a folder of
something else, a run that should not go on, or one of another spec. Nobody else writes there until the block ends.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from specforge.graph import Graph
from specforge.resolved import spec_hash, to_yaml
from specforge.spec import Spec
from specforge.training.changed_spec import changed
from specforge.training.claim import demand_short, run_folder
from specforge.training.mending import refusals_explained
from specforge.training.processes import Processes
from specforge.training.run_directory import RunDirectory


@contextmanager
def opened_run(
    spec: Spec,
    graph: Graph,
    *,
    out: Path | None,
    resume: bool,
    force: bool,
    processes: Processes,
    tell: Callable[[str], None],
) -> Iterator[tuple[RunDirectory, bool]]:
    """The run, and whether it has no checkpoint to go on from. Of several processes, the first holds the folder."""
    if out is not None and processes.is_first:  # a folder of something else is not even locked
        _admitted(spec, out, resume=True, tell=tell)

    def begun(folder: Path) -> tuple[RunDirectory, bool]:
        run = _admitted(spec, folder, resume=resume, tell=tell)
        with refusals_explained(folder, tell):
            run = changed(run, spec, graph, force=force, tell=tell)
        return run, not (resume and run.checkpoints.names())

    with processes.held(lambda: run_folder(out, spec.name, resume=resume, tell=tell)) as folder:
        yield processes.from_first(lambda: begun(folder))


def _admitted(spec: Spec, folder: Path, *, resume: bool, tell: Callable[[str], None]) -> RunDirectory:
    """The folder as that of a run of the spec, unless it holds something else, or a run that nobody wants to go on."""
    demand_short(folder)
    run = RunDirectory(folder, to_yaml(spec), spec_hash(spec))
    with refusals_explained(folder, tell):
        run.admit(resume=resume)
    return run
