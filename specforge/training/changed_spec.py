"""A run that goes on with a spec that was edited meanwhile: what has changed, and what of it may.

In: the folder of a run and the spec that was given. Out: the `Change` that the folder takes over, None when there is
none; else `SpecChanged`, with the difference.

What a spec says of itself may change at any time. What it means may only change if that is wanted, by `--force`, and if
the epochs so far are those that the new spec would have had: what comes is then as if the run had begun with it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from specforge.analysis import Analysis, analyse
from specforge.catalog.definition import Clock, Schedule
from specforge.diff import Difference, Side, diff
from specforge.diff.difference import Setting
from specforge.diff.settings import differences
from specforge.graph import Graph
from specforge.recipe import Train
from specforge.resolved import plain_value, spec_hash, to_yaml
from specforge.spec import Model, Spec
from specforge.training import checksums
from specforge.training.checkpoint import name_of
from specforge.training.errors import SpecChanged
from specforge.training.manifest import Damage, read
from specforge.training.progress import Best, Progress
from specforge.training.run_directory import Change, RunDirectory
from specforge.training.stopping import is_due

_SAID = ("name", "description", "source", "assumed", "accept", "weights", "expect", "reported")
# what changes no weight: how it is computed, what is measured beside it, what is kept
_BESIDE = ("data.memory", "train.compile", "train.evaluate", "train.keep_every")
# why the rest can't change, by the beginning of its path; the first that fits
_REASONS = {
    "data": "the epochs so far saw other images",
    "train.batch_size": "order of images, steps and schedule so far follow from it",
    "train.optimizer": "its state is that of steps with the old settings",
    "train.schedule": "the steps so far had other learning rates",
    "train.seed": "initial weights, order, augmentation and dropout so far follow from it",
    "train": "the epochs so far were trained otherwise",
}
# steps of an epoch at which two schedules are compared; how many it really has is known to the data alone
_STEPS = 4


def change_of(run: RunDirectory, spec: Spec, graph: Graph, *, force: bool) -> Change | None:
    """What `run` takes over from the spec when it goes on; raises SpecChanged where it must not go on like that."""
    if not run.holds_a_run or _is_written(run):
        return None
    held = _held(run)
    if run.spec_hash in run.hashes:
        return _said_otherwise(run, held, spec)
    difference = None if held is None else diff(held, Side(spec.name, spec, _model(spec), graph))
    if held is None or held.spec is None or difference is None or spec_hash(held.spec) not in run.hashes:
        message = f"{run.path} holds a run of another spec, and its own spec.yaml does not say which"
        hint = "it is damaged, or another version of specforge wrote it: train again with another `--out`"
        raise SpecChanged(message, hint=hint, difference=difference)
    progress = _progress(run)
    wrong = [f"`{path}` ({reason})" for path, reason in _unsafe(difference, held.spec, spec, run, progress)]
    if wrong or not force:
        raise _refusal(run, difference, wrong, force=force)
    settings = (*_of_the_network(difference, held.spec, spec), *differences(held.spec, spec, ""))
    return Change(settings, run.spec_text, progress.epoch if progress else 0, means_else=True)


def _of_the_network(difference: Difference, before: Spec, after: Spec) -> Iterator[Setting]:
    """Only a run without a checkpoint has another one; its layers are no settings."""
    if plain_value(before.model) != plain_value(after.model):
        sizes = [f"{totals.total:,} parameters" for totals in difference.parameters]
        yield Setting("model", sizes[0], sizes[1])


def changed(run: RunDirectory, spec: Spec, graph: Graph, *, force: bool, tell: Callable[[str], None]) -> RunDirectory:
    """The run with the change that it takes over, which is told; raises what `change_of` raises."""
    change = change_of(run, spec, graph, force=force)
    if change is not None and change.settings:
        listed = "; ".join(f"{each.path}: {_short(each.before)} -> {_short(each.after)}" for each in change.settings)
        tell(f"the spec has changed since the run began ({listed}): its spec.yaml says so from now on")
    return replace(run, change=change)


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _refusal(run: RunDirectory, difference: Difference, wrong: Sequence[str], *, force: bool) -> SpecChanged:
    if not wrong:
        hint = "`--resume --force` goes on with these changes, another `--out` trains anew"
        return SpecChanged(f"{run.path} holds a run of another spec", hint=hint, difference=difference)
    listed = ", ".join(wrong)
    begun = "holds a run of another spec" if not force else "can't go on with another spec, not even by `--force`"
    hint = f"what can't change in a run that has begun: {listed}; take that back, or train anew with another `--out`"
    return SpecChanged(f"{run.path} {begun}", hint=hint, difference=difference)


def _is_written(run: RunDirectory) -> bool:
    try:
        return read(run.path / "spec.yaml") == run.spec_text.encode()
    except Damage:
        return False


def _held(run: RunDirectory) -> Analysis | None:
    """The spec in the folder, None where it can't be relied upon."""
    if checksums.problems(run.path, ["spec.yaml"]) or not (run.path / "spec.yaml").is_file():
        return None
    found = analyse(run.path / "spec.yaml")
    return None if found.findings.has_errors or found.spec is None or found.graph is None else found


def _model(spec: Spec) -> Model:
    assert spec.model is not None, "a spec without a network was refused before"
    return spec.model


def _said_otherwise(run: RunDirectory, held: Analysis | None, spec: Spec) -> Change | None:
    """The same experiment, of which something else is said."""
    own = None if held is None else held.spec
    if own is None or spec_hash(own) not in run.hashes:
        # a process was killed before it had written the spec: what the run is of is known by its hash
        return None if run.found_rates else Change((), run.spec_text, 0, means_else=False)
    new = own.model_copy(update={name: getattr(spec, name) for name in _SAID})
    if own.data is not None and spec.data is not None:
        new = new.model_copy(update={"data": own.data.model_copy(update={"memory": spec.data.memory})})
    settings = tuple(differences(own, new, ""))
    progress = _progress(run)
    epoch = progress.epoch if progress else 0
    return Change(settings, to_yaml(new), epoch, means_else=False) if settings else None


def _progress(run: RunDirectory) -> Progress | None:
    """Where the run stands, None before its first checkpoint."""
    store = run.checkpoints
    for name in reversed(store.names()):
        try:
            return store.progress(name)
        except Damage:
            continue
    return None


def _unsafe(
    difference: Difference, before: Spec, after: Spec, run: RunDirectory, progress: Progress | None
) -> Iterator[tuple[str, str]]:
    """What must not change, and why. Nothing is trained before the first checkpoint: then all may."""
    if progress is None:
        return
    if plain_value(before.model) != plain_value(after.model):
        yield "model", "the weights so far are those of another network"
    assert before.train is not None
    assert after.train is not None
    begun = _Begun(before.train, after.train, progress, frozenset(run.checkpoints.names()))
    for setting in (*difference.data, *difference.recipe):
        reason = begun.reason(setting)
        if reason is not None:
            yield setting.path, reason


@dataclass(frozen=True, slots=True)
class _Begun:
    """A recipe before and after, where the run stands, and the checkpoints that it has."""

    before: Train
    after: Train
    progress: Progress
    checkpoints: frozenset[str]

    def reason(self, setting: Setting) -> str | None:
        """Why this can't change, None if it can."""
        path = setting.path
        if _is_below(path, *_BESIDE) or re.fullmatch(r"train\.stages\[\d+\]\.name", path):
            return None
        if path.endswith(".lr") and setting.after == "find":
            return f"it was found already: write {setting.before}"
        if path == "train.on_nan":
            return self._faults()
        if path == "train.checkpoint":
            return self._policy()
        if _is_below(path, "train.early_stopping") and not self.after.stages:
            return self._stopping()
        stage = re.fullmatch(r"train(?:\.stages\[(\d+)\])?\.epochs", path)
        if stage:
            return self._epochs(int(stage[1] or 0))
        return next(reason for start, reason in _REASONS.items() if _is_below(path, start))

    def _epochs(self, number: int) -> str | None:
        """Of a stage, counted from 0."""
        if self.after.snapshots is not None:
            return "the cycles of `snapshots` so far follow from it"
        if number < self.progress.stage:
            return "that stage is over"
        begun = self.progress.stage_epochs + (self.progress.step > 0) if number == self.progress.stage else 0
        new = self.after.all_stages[number].epochs
        if new < begun:
            return f"the run is in epoch {begun} already"
        if all(self._moved_alike(stage) for stage in _chain(self.before, number) if stage <= self.progress.stage):
            return None
        return "the schedule spans all epochs, so that the steps so far had other learning rates"

    def _moved_alike(self, number: int) -> bool:
        """Whether the schedules of a stage that has begun are the same so far, however long they span."""
        chain, progress = _chain(self.before, number), self.progress
        if progress.stage not in chain:
            return True
        totals = tuple(sum(train.all_stages[each].epochs for each in chain) for train in (self.before, self.after))
        stage, done = self.before.all_stages[number], progress.clock_epochs + (progress.step > 0)
        schedules = [stage.schedule, *(group.schedule for group in stage.groups)]
        return all(_agree(schedule, totals, done) for schedule in schedules if schedule is not None)

    def _stopping(self) -> str | None:
        new, history = self.after.early_stopping, self.progress.history
        if new is None:
            return None
        if not all(new.metric in line for line in history):
            return f"`{new.metric}` was not recorded so far"
        due = next((epochs for epochs in range(1, len(history)) if is_due(new, history[:epochs])), None)
        return None if due is None else f"the run would have stopped after epoch {due}"

    def _faults(self) -> str | None:
        progress = self.progress
        met = progress.left_out or progress.skipped or any(line.get("skipped") for line in progress.history)
        return "steps so far were left out by it" if met else None

    def _policy(self) -> str | None:
        policy, history = self.after.checkpoint, self.progress.history
        if policy == "last":
            return None
        if not all(policy.removeprefix("best_") in line for line in history):
            return f"`{policy.removeprefix('best_')}` was not recorded so far"
        best = Best.of(policy, history)
        if best is not None and name_of(best.epoch) not in self.checkpoints:
            return f"the best epoch so far is {best.epoch}, whose weights were not kept"
        return None


def _is_below(path: str, *starts: str) -> bool:
    return any(path == start or path.startswith((f"{start}.", f"{start}[")) for start in starts)


def _chain(train: Train, number: int) -> range:
    """The stages whose schedule goes on in a stage, or from it."""
    stages = train.all_stages
    first, end = number, number + 1
    while first > 0 and stages[first].continues:
        first -= 1
    while end < len(stages) and stages[end].continues:
        end += 1
    return range(first, end)


def _agree(schedule: Schedule, totals: Sequence[int], done: int) -> bool:
    """Whether a schedule moved the rate alike, in the epochs so far, in runs of so many epochs."""
    for step in range(done * _STEPS):
        clocks = [Clock.at(step, steps_per_epoch=_STEPS, epochs=epochs) for epochs in totals]
        if len({(schedule.rate(1.0, clock), schedule.momentum(clock)) for clock in clocks}) > 1:
            return False
    return True
