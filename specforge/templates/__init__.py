"""The specs that `specforge init` starts from: a template's name -> its text and what it is.

Each is a YAML file in this folder, a whole spec whose `name` is the file's: it validates as it stands.
"""

from dataclasses import dataclass
from importlib.resources import files

# the default first
NAMES = ("cnn", "mlp", "resnet", "vit")

SCHEMA_FILE = "specforge-1.json"
_MODELINE = "# yaml-language-server: $schema="


@dataclass(frozen=True, slots=True)
class Template:
    """A spec to start from."""

    name: str
    text: str

    @property
    def description(self) -> str:
        return self.value_of("description")

    @property
    def needs_download(self) -> bool:
        """Whether its data set does not come with specforge."""
        return self.value_of("dataset") != "digits"

    def value_of(self, key: str) -> str:
        """The text of the first line `key: text`."""
        line = next(line for line in self.text.splitlines() if line.lstrip().startswith(f"{key}: "))
        return line.partition(": ")[2].partition(" #")[0].strip()

    def filled(self, name: str, schema: str) -> str:
        """The text with another name, as YAML writes it, and another path to the JSON Schema for editors."""
        text = self.text.replace(f"\nname: {self.name}\n", f"\nname: {name}\n", 1)
        return text.replace(f"{_MODELINE}{SCHEMA_FILE}\n", f"{_MODELINE}{schema}\n", 1)


def template(name: str) -> Template:
    """The template of this name, one of `NAMES`."""
    return Template(name, files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8"))
