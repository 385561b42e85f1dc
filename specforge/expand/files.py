"""A path that a spec names -> the file: relative to the spec, else in the zoo that comes with specforge.

bases/keras.yaml     ->    /home/ada/specs/bases/keras.yaml
zoo/resnet50.yaml    ->    …/site-packages/specforge/zoo/resnet50.yaml, where no file lies beside the spec
"""

from pathlib import Path
from typing import Protocol

from specforge.diagnostics import Findings, Rule
from specforge.source import Node, Scalar

ZOO = "zoo"
MAX_FILES = 32
MAX_PATH = 4_096  # characters; resolving a longer one takes its time squared


class Load(Protocol):
    """Gives the files that a spec names."""

    def __call__(self, path: Path, reference: Scalar, rule: Rule) -> Node | None:
        """The file that a reference names; None, with a finding of the given rule, where there is none."""

    def is_file(self, path: Path) -> bool: ...


def zoo_folder() -> Path:
    """Inside the package where it was installed, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / ZOO
    return installed if installed.is_dir() else package.parent / "specs" / ZOO


def locate(folder: Path, reference: Scalar, rule: Rule, load: Load, findings: Findings) -> Path | None:
    """The file's resolved path, whether it exists or not; None, with a finding, for what is no path at all."""
    text = str(reference.value)
    try:
        if len(text) > MAX_PATH:
            raise ValueError
        path = (folder / text).resolve()
        if not load.is_file(path) and in_zoo(text):
            packaged = zoo_folder() / Path(text).relative_to(ZOO)
            path = packaged.resolve() if packaged.is_file() else path
    except (ValueError, OSError, RuntimeError):  # a NUL, a path that is too long, links in a circle
        findings.add(rule, reference.span, "this is not the path of a file", "write it as in `bases/keras.yaml`")
        return None
    return path


def in_zoo(text: str) -> bool:
    return text.startswith(f"{ZOO}/") and ".." not in text
