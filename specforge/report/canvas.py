"""Figures that are drawn into memory, whatever window system the environment names.

In: the arguments of matplotlib's `Figure`. Out: one that draws with Agg. No pyplot: it keeps every figure alive and
picks a window system. `MPLBACKEND` may name one that this machine cannot open, which does not matter here, or nothing
that matplotlib knows, as when a notebook's setting is inherited: then its import would fail.
"""

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CHOICE = "MPLBACKEND"


def new_figure(**options: Any) -> "Figure":
    """An empty figure on a canvas of its own."""
    load_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(**options)
    FigureCanvasAgg(figure)
    return figure


def load_matplotlib() -> None:
    """Import it as if the environment named no backend; who uses pyplot beside us gets theirs all the same."""
    if "matplotlib" in sys.modules:
        return
    chosen = os.environ.pop(_CHOICE, None)
    try:
        import matplotlib
    finally:
        if chosen is not None:
            os.environ[_CHOICE] = chosen
    if chosen:
        with suppress(ValueError):
            matplotlib.rcParams["backend"] = chosen
