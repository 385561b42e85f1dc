"""Progress of a run on stderr: a bar on a terminal, one line an epoch in any case."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from specforge.cli import console
from specforge.diagnostics import printable


@contextmanager
def progress() -> "Iterator[Lines]":
    """A listener for `train`; the bar is gone when it ends."""
    if not console.is_colored(sys.stderr) or not sys.stderr.isatty():
        yield Lines()
        return
    bar = Bar()
    try:
        yield bar
    finally:
        bar.stop()


class Lines:
    """One line an epoch."""

    def __init__(self) -> None:
        self.epochs = 0

    def on_start(self, epochs: int, steps_per_epoch: int, epochs_done: int, steps_done: int) -> None:
        self.epochs = epochs
        if epochs_done or steps_done:
            self.on_message(f"resumed after epoch {epochs_done}, step {steps_done} of the next")

    def on_step(self, epoch: int, step: int, steps: int, loss: float | None) -> None:
        pass

    def on_epoch(self, metrics: Mapping[str, Any]) -> None:
        self.line(epoch_line(metrics, self.epochs))

    def on_message(self, text: str) -> None:
        self.line(text)

    def line(self, text: str) -> None:
        console.note(text)


class Bar(Lines):
    """A bar for the running epoch below the lines of the finished ones."""

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[loss]}"),
        )
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self.task = self.bar.add_task("", loss="", total=None)
        self.bar.start()

    def on_step(self, epoch: int, step: int, steps: int, loss: float | None) -> None:
        self.bar.update(self.task, description=f"epoch {epoch}", total=steps, completed=step)
        if loss is not None:
            self.bar.update(self.task, loss=f"loss {loss:.3f}")

    def line(self, text: str) -> None:
        self.bar.console.print(printable(text), highlight=False, markup=False, soft_wrap=True)

    def stop(self) -> None:
        self.bar.stop()


def epoch_line(metrics: Mapping[str, Any], epochs: int) -> str:
    """`epoch  3/40  train 2.301 41.2%  validation 2.411 39.0%  lr 0.001  402 images/s  89 s`."""
    width = len(str(epochs))
    parts = [f"epoch {metrics['epoch']:>{width}}/{epochs}"]
    for part in ("train", "validation", "test"):
        loss, accuracy = metrics.get(f"{part}_loss"), metrics.get(f"{part}_accuracy")
        if loss is not None and accuracy is not None:
            parts.append(f"{part} {loss:.4f} {accuracy:6.2%}")
    rate = metrics.get("lr")
    rates = rate.values() if isinstance(rate, Mapping) else (rate,)
    parts.append("lr " + " / ".join(f"{value:.3g}" for value in rates))
    parts.append(f"{metrics['images_per_second']:,.0f} images/s")
    parts.append(f"{metrics['seconds']:.1f} s")
    return "  ".join(parts)
