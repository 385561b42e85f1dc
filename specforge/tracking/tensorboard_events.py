"""A run as event files, which TensorBoard shows.

In: epochs. Out: `events.out.tfevents.…` in a folder; a run that goes on adds a file to those that are there.
`train_loss` becomes `loss/train`, so that TensorBoard draws it beside `loss/validation`.
"""

from collections.abc import Mapping
from pathlib import Path
from time import time

from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo, SessionStartInfo
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from specforge.tracking.content import Epoch, Setting

_PARTS = ("train", "validation", "test")
_FINAL = "final"


class Events:
    """The event files of one run, in one folder. Nothing is written before there is something to say."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._writer: EventFileWriter | None = None
        self._known = _scalars(folder)

    def epochs(self) -> set[int]:
        return self._known.get("loss/train", set())

    def is_ended(self) -> bool:
        return any(tag.startswith(f"{_FINAL}/") for tag in self._known)

    def begin(self, settings: Mapping[str, Setting], facts: Mapping[str, str]) -> None:
        if self._known:
            return
        start = SessionStartInfo(start_time_secs=time())
        for name, value in {**settings, **{name: facts[name] for name in ("spec_hash",) if name in facts}}.items():
            given = start.hparams[name]
            if isinstance(value, bool):
                given.bool_value = value
            elif isinstance(value, int | float):
                given.number_value = value
            else:
                given.string_value = value
        self._write(_session(metadata.SESSION_START_INFO_TAG, HParamsPluginData(session_start_info=start)), 0, time())

    def add(self, epoch: Epoch) -> None:
        values = [Summary.Value(tag=tag_of(name), simple_value=value) for name, value in epoch.values.items()]
        self._write(Summary(value=values), epoch.number, epoch.at)
        assert self._writer is not None
        self._writer.flush()

    def end(self, outcome: Mapping[str, float]) -> None:
        values = [Summary.Value(tag=f"{_FINAL}/{name}", simple_value=value) for name, value in outcome.items()]
        self._write(Summary(value=values), int(outcome["tested_epoch"]), time())
        ended = SessionEndInfo(end_time_secs=time(), status=1)  # STATUS_SUCCESS
        self._write(_session(metadata.SESSION_END_INFO_TAG, HParamsPluginData(session_end_info=ended)), 0, time())

    def close(self, *, finished: bool) -> None:
        if self._writer is not None:
            self._writer.close()

    def _write(self, summary: Summary, step: int, at: float) -> None:
        if self._writer is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._writer = EventFileWriter(str(self._folder))
        self._writer.add_event(Event(wall_time=at, step=step, summary=summary))


def tag_of(name: str) -> str:
    """`validation_loss -> loss/validation`; other names stay."""
    part, _, measure = name.partition("_")
    return f"{measure}/{part}" if part in _PARTS and measure in ("loss", "accuracy") else name


def _scalars(folder: Path) -> dict[str, set[int]]:
    """The steps of every tag that is there."""
    if not any(folder.glob("*tfevents*")):
        return {}
    found = EventAccumulator(str(folder), size_guidance={SCALARS: 0})
    found.Reload()
    return {tag: {event.step for event in found.Scalars(tag)} for tag in found.Tags()[SCALARS]}


def _session(tag: str, data: HParamsPluginData) -> Summary:
    content = data.SerializeToString()
    plugin = SummaryMetadata.PluginData(plugin_name=metadata.PLUGIN_NAME, content=content)
    value = Summary.Value(tag=tag, metadata=SummaryMetadata(plugin_data=plugin), tensor=metadata.NULL_TENSOR)
    return Summary(value=[value])
