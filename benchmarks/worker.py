"""One way of training in a process of its own: `python -m benchmarks.worker WAY SPEC BATCH AUGMENTATION IMAGES`.

It trains for ever, a turn at a time, as `benchmarks.turns` tells. Standard output is for its answers alone; what
libraries print goes to standard error.
"""

import ctypes
import os
import signal
import sys
from importlib import import_module

from benchmarks.cases import AUGMENTATIONS, Case
from benchmarks.turns import Turns
from benchmarks.ways import WAYS

_PR_SET_PDEATHSIG = 1


def main() -> None:
    way, spec, batch, augmentation, images = sys.argv[1:]
    case = next(Case(spec, int(batch), name, int(images)) for name in AUGMENTATIONS if name == augmentation)
    _end_with_parent()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import_module(WAYS[way].module).run(case, Turns(sys.stdin, answers, batch=case.batch, stop=_stop))


def _stop() -> None:
    """This process and its children, in this moment: what they would load ahead from here on would be for nothing.

    The parent lets them go on (`benchmarks.processes`).
    """
    os.killpg(0, signal.SIGSTOP)


def _end_with_parent() -> None:
    """A worker that waits for its turn is stopped: it could not notice that nobody will ever ask it again."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
