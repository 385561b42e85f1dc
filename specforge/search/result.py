"""What a search has found -> `search.json`, `best.yaml` and the records that the report is made of.

`best.yaml` extends the spec that was searched and has the values of the best trial: `specforge train best.yaml` repeats
it. The original must stay where it is.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from specforge.analysis import analyse
from specforge.diagnostics import printable
from specforge.report.writing import replace_file
from specforge.resolved import flow, spec_hash, to_yaml
from specforge.search.chains import Chain, State, outcome_of
from specforge.search.extension import extension, text_of
from specforge.search.ranking import best_of, value_of
from specforge.search.space import Searched, shown

RECORD, BEST = "search.json", "best.yaml"
_NAME = 90


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """One trial, counted from 1. `values` are what it drew, as written; `curve` is the metric after each epoch."""

    number: int
    state: State
    value: float | None
    values: dict[str, str]
    curve: dict[int, float]
    reason: str | None = None
    seconds: float | None = None
    test_accuracy: float | None = None
    run: str | None = None
    host: str | None = None
    threads: int | None = None
    attempts: int = 1
    tokens: dict[str, Any] | None = None

    @classmethod
    def of(cls, chain: Chain, searched: Searched) -> "TrialRecord":
        trial, outcome = chain.one, outcome_of(chain.one)
        return cls(
            number=chain.place + 1,
            state=chain.state,
            value=value_of(chain),
            values=_values(trial.params, searched),
            curve=dict(sorted(trial.intermediate_values.items())),
            reason=outcome.get("reason"),
            seconds=outcome.get("seconds"),
            test_accuracy=outcome.get("test_accuracy"),
            run=outcome.get("run"),
            host=outcome.get("host"),
            threads=outcome.get("threads"),
            attempts=sum(1 for one in chain.trials if outcome_of(one).get("kind") != "void"),
            tokens=dict(trial.params),
        )


@dataclass(frozen=True, slots=True)
class Found:
    """A search so far: its trials in order, and the number of the best one."""

    trials: tuple[TrialRecord, ...]
    best: TrialRecord | None
    budget: int
    importance: dict[str, float]

    @property
    def settled(self) -> tuple[TrialRecord, ...]:
        return tuple(trial for trial in self.trials if trial.state not in ("running", "waiting"))

    @property
    def left(self) -> int:
        """How many trials of the budget have not ended."""
        return max(0, self.budget - len(self.settled))

    @property
    def progress(self) -> str:
        """`3 of 60 trials`; `14 trials` where more ended than are asked for now."""
        ended = len(self.settled)
        return many(ended) if ended > self.budget else f"{ended} of {many(self.budget)}"

    def count(self, state: State) -> int:
        return sum(trial.state == state for trial in self.trials)


def found_of(known: Sequence[Chain], searched: Searched, budget: int, importance: dict[str, float]) -> Found:
    records = tuple(TrialRecord.of(chain, searched) for chain in known if chain.place < budget or chain.is_settled)
    ranked = best_of(known, searched.search)
    best = next((record for record in records if ranked and record.number == ranked[0].place + 1), None)
    return Found(records, best, budget, importance)


def write_record(folder: Path, found: Found, searched: Searched, storage: str, study: str) -> Path:
    """`search.json`: all trials, for programs."""
    trials = []
    for trial in found.trials:
        record = {key: value for key, value in asdict(trial).items() if key != "tokens" and value is not None}
        trials.append({**record, "curve": {str(epoch): value for epoch, value in trial.curve.items()}})
    search = searched.search
    content = {
        "format": 1,
        "spec": str(searched.file),
        "settings": list(searched.settings),
        "identity": searched.identity,
        "storage": storage,
        "study": study,
        "metric": search.metric,
        "direction": search.best_direction,
        "objective": search.objective,
        "sampler": search.sampler,
        "seed": search.seed,
        "pruning": search.pruning,
        "budget": found.budget,
        "best": None if found.best is None else found.best.number,
        "importance": found.importance,
        "trials": trials,
    }
    text = json.dumps(content, indent=2, ensure_ascii=False)
    return replace_file(folder / RECORD, f"{text}\n".encode())


def write_best(folder: Path, found: Found, searched: Searched) -> Path | None:
    """`best.yaml`; None while no trial was completed."""
    if found.best is None or found.best.tokens is None:
        return None
    values = searched.values_of(found.best.tokens)
    wanted = searched.spec_of(values)
    path = folder / BEST
    file = analyse(searched.file)  # without the settings, which the result has to say
    assert file.expanded is not None
    own = extension(file.expanded.root, searched.tree_of(values), searched.variations.choices)
    name = f"{searched.spec.name[:_NAME].rstrip(' .')}-best"
    told = _told(found, found.best, searched)
    head = {"specforge": 1, "name": name, "extends": _way(searched.file, folder), "description": told}
    replace_file(path, (_comment(found.best) + text_of({**head, **own, "search": None})).encode())
    written = analyse(path).spec
    if written is None or spec_hash(written) != spec_hash(wanted):
        # what no extension can say, such as a `null` that is written out: the whole spec says it
        whole = wanted.model_copy(update={"name": name, "description": told})
        replace_file(path, (_comment(found.best) + to_yaml(whole)).encode())
    return path


def amount(value: float | None, metric: str) -> str:
    """A metric for people: `81.23%` of an accuracy, `0.5123` of a loss."""
    if value is None:
        return "–"
    return f"{value:.2%}" if metric.endswith("accuracy") else f"{value:.4f}"


def many(trials: int) -> str:
    """`1 trial`, `2 trials`."""
    return f"{trials} trial{'s' * (trials != 1)}"


def brief(text: str) -> str:
    """A value for people: a number with no more than four digits."""
    try:
        number = float(text)
    except ValueError:
        return text
    short = flow(float(f"{number:.4g}"))
    return short if len(short) < len(text) else text


def _told(found: Found, best: TrialRecord, searched: Searched) -> str:
    search, trials = searched.search, many(len(found.settled))
    return f"The best of {trials} of {searched.spec.name}: {search.metric} {amount(best.value, search.metric)}."


def _comment(best: TrialRecord) -> str:
    threads = f", with {best.threads} thread{'s' * (best.threads != 1)} on {best.host}" if best.threads else ""
    return f"# trial {best.number}: {best.value!r}{printable(threads)}\n"


def _way(file: Path, folder: Path) -> str:
    """From the result to the spec; in full where there is no way, as to another drive."""
    try:
        return Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix()
    except ValueError:
        return file.resolve().as_posix()


def _values(tokens: dict[str, Any], searched: Searched) -> dict[str, str]:
    try:
        return shown(searched.values_of(tokens))
    except KeyError:  # it had not drawn all of them
        return {path: flow(value) for path, value in tokens.items()}
