"""A worker of `specforge search --workers N`: its job comes as a JSON line, and what went wrong leaves as one."""

import json
import os
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Any

from specforge.catalog.datasets.definition import DataError
from specforge.diagnostics import SpecError
from specforge.experiment import MissingExtra, require_training_packages
from specforge.search.errors import SearchError
from specforge.training.errors import Interrupted, TrainingError


def main() -> int:
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    require_training_packages()
    try:
        _work(job)
    except Interrupted as interrupted:
        return interrupted.exit_code
    except (SearchError, DataError, TrainingError, MissingExtra) as error:
        _say(error.message, error.hint)
        return 1
    except SpecError as error:
        _say(str(error), None)
        return 1
    except OSError as error:
        _say(f"{error.filename or 'a file'}: {error.strerror or error}", "check free space and permissions")
        return 1
    return 0


def _work(job: dict[str, Any]) -> None:
    from specforge.search.owners import Owners
    from specforge.search.space import Searched
    from specforge.search.storage import open_study, opened_storage, place_of, require_optuna
    from specforge.search.trial import Training
    from specforge.search.worker import Worker
    from specforge.training.interrupts import InterruptGuard

    folder = Path(job["out"])
    with ExitStack() as held:
        guard = held.enter_context(InterruptGuard(folder))
        require_optuna()
        searched = Searched.read(job["file"], tuple(job["settings"]))
        place = place_of(job["storage"], folder)
        study = open_study(held.enter_context(opened_storage(place)), place, searched, job["study"], resume=True)
        data_dir = None if job["data_dir"] is None else Path(job["data_dir"])
        training = Training(folder, job["device"], data_dir, job["download"])
        deadline = None if job["seconds"] is None else monotonic() + job["seconds"]
        Worker(
            study, searched, place, Owners.of(place, folder), training, job["trials"], deadline, check=guard.check
        ).run()


def _say(message: str, hint: str | None) -> None:
    sys.stdout.write(json.dumps({"message": message, "hint": hint}) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    """Standard input ends when the parent does, however it does."""
    while sys.stdin.read(1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
