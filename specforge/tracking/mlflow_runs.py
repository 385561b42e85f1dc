"""A run as one of MLflow, on a server or in a database.

In: epochs. Out: parameters, metrics by epoch and the final test in MLflow. The run's folder remembers under which
identity, in `tracking.json`, so that a run that is taken up goes on there too.

    {"mlflow": {"http://localhost:5000": "6f1e…"}}
"""

import json
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import time

from specforge.tracking.content import Epoch, Setting
from specforge.training import durable

FILE = "tracking.json"
_EXPERIMENT = "specforge"
# MLflow takes so many parameters at once, of so many characters
_AT_ONCE, _LONGEST = 100, 6000
# a server that is gone is asked once more, and not for a quarter of an hour, which is MLflow's own patience
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


class MlflowRun:
    """`uri` is MLflow's tracking URI; without one, MLFLOW_TRACKING_URI or its own default.

    Runs belong to the experiment `specforge`, or to that of MLFLOW_EXPERIMENT_NAME.
    """

    def __init__(self, uri: str | None, folder: Path):
        for name, value in _PATIENCE.items():
            os.environ.setdefault(name, value)
        with _in_peace():
            from mlflow import get_tracking_uri
            from mlflow.tracking import MlflowClient

            if "MLFLOW_LOGGING_LEVEL" not in os.environ:
                logging.getLogger("mlflow").setLevel(logging.WARNING)
            self._uri, self._folder = uri or get_tracking_uri(), folder
            self._client = MlflowClient(tracking_uri=self._uri)
            known = self._remembered()
            self._is_new = known is None
            self._id = self._created() if known is None else known

    def epochs(self) -> set[int]:
        if self._is_new:
            return set()
        with _in_peace():
            return {entry.step for entry in self._client.get_metric_history(self._id, "train_loss")}

    def is_ended(self) -> bool:
        if self._is_new:
            return False
        with _in_peace():
            return "final/test_accuracy" in self._client.get_run(self._id).data.metrics

    def begin(self, settings: Mapping[str, Setting], facts: Mapping[str, str]) -> None:
        from mlflow.entities import Param, RunTag

        with _in_peace():
            if not self._is_new:
                self._client.update_run(self._id, status="RUNNING")
                return
            self._client.log_batch(self._id, tags=[RunTag(f"specforge.{name}", value) for name, value in facts.items()])
            params = [Param(name, str(value)[:_LONGEST]) for name, value in settings.items()]
            for start in range(0, len(params), _AT_ONCE):
                self._client.log_batch(self._id, params=params[start : start + _AT_ONCE])

    def add(self, epoch: Epoch) -> None:
        self._send(epoch.values, epoch.number, epoch.at)

    def end(self, outcome: Mapping[str, float]) -> None:
        self._send({f"final/{name}": value for name, value in outcome.items()}, int(outcome["tested_epoch"]), time())

    def close(self, *, finished: bool) -> None:
        with _in_peace():
            self._client.set_terminated(self._id, status="FINISHED" if finished else "KILLED")

    def _send(self, values: Mapping[str, float], step: int, at: float) -> None:
        from mlflow.entities import Metric

        sent = [Metric(_named(name), value, int(at * 1000), step) for name, value in values.items()]
        with _in_peace():
            self._client.log_batch(self._id, metrics=sent)

    def _remembered(self) -> str | None:
        """The run that is known by this folder, unless it was removed there."""
        from mlflow.exceptions import MlflowException

        known = _read(self._folder / FILE).get(self._uri)
        if known is None:
            return None
        try:
            is_there = self._client.get_run(known).info.lifecycle_stage == "active"
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            is_there = False
        return known if is_there else None

    def _created(self) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", _EXPERIMENT)
        found = self._client.get_experiment_by_name(name)
        experiment = self._client.create_experiment(name) if found is None else found.experiment_id
        created: str = self._client.create_run(experiment, run_name=self._folder.resolve().name).info.run_id
        runs = {**_read(self._folder / FILE), self._uri: created}
        durable.write(self._folder / FILE, durable.encode({"mlflow": runs}))
        return created


def _read(path: Path) -> dict[str, str]:
    with suppress(OSError, ValueError, RecursionError, AttributeError):
        runs = json.loads(path.read_bytes())["mlflow"]
        return {uri: run for uri, run in runs.items() if isinstance(run, str)}
    return {}


def _named(name: str) -> str:
    """MLflow takes letters, digits and a few signs: `lr/parameter bias` stays, other signs become `_`."""
    return "".join(sign if sign.isalnum() or sign in "_-. :/" else "_" for sign in name)


@contextmanager
def _in_peace() -> Iterator[None]:
    """MLflow's and its database's own warnings are about their future, not about the run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
