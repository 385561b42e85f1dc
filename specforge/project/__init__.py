"""Project settings: `specforge.yaml` in a folder above the specs -> which files are specs, and how findings count.

    project = find(Path("specs/lab2.yaml"))       # the settings above it, or a project without any
    project.specs(Path.cwd())                     # the files that `paths` and `exclude` leave
    project.judged(analysis.findings)             # warnings taken for errors, ignored ones accepted with their reason

Needs no torch. A mistake in the file is a finding, in `project.findings`; the project is then one without settings.
"""

from specforge.project.project import IGNORES_NOTHING, NO_SPECS, Project
from specforge.project.reading import FIXED_SEVERITY, UNKNOWN_FINDING, find, read_project
from specforge.project.recording import Recorded, Stamp, stamp
from specforge.project.searching import SETTINGS_FILE, is_settings_file, specs_at, why_nothing
from specforge.project.settings import Ignore, Settings

__all__ = [
    "FIXED_SEVERITY",
    "IGNORES_NOTHING",
    "NO_SPECS",
    "SETTINGS_FILE",
    "UNKNOWN_FINDING",
    "Ignore",
    "Project",
    "Recorded",
    "Settings",
    "Stamp",
    "find",
    "is_settings_file",
    "read_project",
    "specs_at",
    "stamp",
    "why_nothing",
]
