"""A search so far -> one HTML page that needs nothing else and runs nothing."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import specforge.report
from specforge.report import figures
from specforge.report.writing import replace_file, shown
from specforge.search.chains import State
from specforge.search.report.charts import MOST_LINES, coordinates, curves, history
from specforge.search.result import Found, TrialRecord, amount, brief
from specforge.search.space import Searched

_STATES: tuple[State, ...] = ("complete", "pruned", "invalid", "failed", "running", "waiting")
_SAMPLERS = {"tpe": "TPE", "random": "random", "grid": "grid"}


def write_report(path: Path, found: Found, searched: Searched) -> Path:
    """Replace the page."""
    return replace_file(path, to_html(found, searched, path.parent).encode())


def to_html(found: Found, searched: Searched, folder: Path) -> str:
    """The page; it links to the reports of the runs that lie in the folder."""
    search = searched.search
    sign = -1 if search.best_direction == "maximize" else 1
    with_value = [trial for trial in found.settled if trial.value is not None]
    ranked = sorted(with_value, key=lambda t: (t.state != "complete", sign * (t.value or 0.0), t.number))
    return (
        _environment()
        .get_template("search.html.j2")
        .render(
            found=found,
            name=searched.spec.name,
            description=searched.spec.description,
            file=searched.file.name,
            search=search,
            paths=[varied.path for varied in searched.paths],
            facts=_facts(found, searched),
            ranked=ranked,
            without=[trial for trial in found.settled if trial.value is None],
            importance=_bars(found.importance),
            history=history(found, search),
            curves=curves(found, search),
            coordinates=coordinates(found, searched),
            most_lines=MOST_LINES,
            links={trial.number: link for trial in found.trials if (link := _link(trial, folder)) is not None},
            amount=lambda value: amount(value, search.metric),
            brief=brief,
            duration=figures.duration,
        )
    )


def _facts(found: Found, searched: Searched) -> list[tuple[str, str]]:
    search, best = searched.search, found.best
    tally = [f"{found.count(state)} {state}" for state in _STATES if found.count(state)]
    facts = [("trials", ", ".join(tally) or "none")]
    if best is not None and best.test_accuracy is not None:
        facts.append(("test accuracy of the best", f"{best.test_accuracy:.2%}"))
    seconds = [trial.seconds for trial in found.trials if trial.seconds is not None]
    facts += [
        ("compared by", f"{search.metric.replace('_', ' ')}, {search.objective} epoch"),
        ("sampler", f"{_SAMPLERS[search.sampler]}, seed {search.seed}"),
        ("pruning", search.pruning),
        ("training and validation", figures.duration(sum(seconds)) if seconds else figures.ABSENT),
    ]
    again = sum(trial.attempts > 1 for trial in found.trials)
    return [*facts, ("taken up again", f"{again} trial{'s' * (again != 1)}")] if again else facts


def _bars(importance: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(importance.items(), key=lambda pair: -pair[1])


def _link(trial: TrialRecord, folder: Path) -> str | None:
    """The report of a trial's run, where it is in the folder."""
    if trial.run is None:
        return None
    report = Path("trials") / trial.run / "report.html"
    return report.as_posix() if (folder / report).is_file() else None


@cache
def _environment() -> Environment:
    return Environment(
        # the style sheet of all reports is shared
        loader=FileSystemLoader([Path(__file__).parent, Path(specforge.report.__file__).parent]),
        # always: jinja's own rule goes by the file's ending, and `.j2` is not one it escapes
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
