"""What `specforge import` is given -> a network, and what its reader has to say.

    torchvision:resnet50    a network by its name
    yolov3-tiny.cfg         a file, by its ending

A reader gives a `Network` and findings: what it leaves out, as warnings. It raises `SpecError` or `ImportFailure` where
nothing can come out.
"""

from collections.abc import Callable
from pathlib import Path

from specforge.diagnostics import Findings, did_you_mean
from specforge.importing.checkpoint import WEIGHTS_ENDINGS
from specforge.importing.network import ImportFailure, Network
from specforge.importing.text import read_limited

Reader = Callable[[str], tuple[Network, Findings]]


def read_source(source: str) -> tuple[Network, Findings]:
    """The network that a source names."""
    library, colon, name = source.partition(":")
    if colon and library in LIBRARIES:
        return LIBRARIES[library](name)
    reader = ENDINGS.get(Path(source).suffix.lower())
    if reader is None:
        raise ImportFailure(f"`{source}` is nothing that can be imported", hint=_advice(source, library, bool(colon)))
    return reader(source)


def _advice(source: str, library: str, named: bool) -> str:
    if named:
        return did_you_mean(library, LIBRARIES) or f"libraries are: {', '.join(LIBRARIES)}"
    if Path(source).suffix.lower() in SPEC_ENDINGS:
        return f"`{source}` is already a spec: `specforge validate {source}`"
    if "." not in source and _is_in_torchvision(source):
        return f"did you mean `torchvision:{source}`?"
    endings = ", ".join(f"`{ending}`" for ending in (*ENDINGS, *WEIGHTS_ENDINGS))
    return f"give `torchvision:NAME`, or a file that ends with {endings}"


def _is_in_torchvision(name: str) -> bool:
    try:
        from specforge.importing.torch_networks.torchvision_models import names

        return name in names()
    except ImportError:
        return False


def _torchvision(name: str) -> tuple[Network, Findings]:
    try:
        import torchvision.models  # noqa: F401  the error names what is missing before anything is read
    except ImportError as error:
        hint = "pip install torch torchvision"
        raise ImportFailure(f"torchvision can't be imported: {error}", hint=hint) from None
    from specforge.importing.torch_networks.torchvision_models import read_torchvision

    return read_torchvision(name), Findings()


def _darknet(source: str) -> tuple[Network, Findings]:
    from specforge.importing.darknet import read_darknet

    return read_darknet(read_limited(Path(source)), source)


def _keras(source: str) -> tuple[Network, Findings]:
    from specforge.importing.keras import read_keras

    return read_keras(read_limited(Path(source)), source)


LIBRARIES: dict[str, Reader] = {"torchvision": _torchvision}
SPEC_ENDINGS = (".yaml", ".yml")
ENDINGS: dict[str, Reader] = {".cfg": _darknet, ".json": _keras}
