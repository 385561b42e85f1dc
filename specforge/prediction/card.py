"""What a model says of itself: all that is needed to ask it, beside its weights.

In: the metadata of a file, texts by name. Out: a `Card`, and back.

    {"specforge": "1", "name": "lab2_bn", "spec": "specforge: 1\\n…", "spec_hash": "9f86…", "image": "[3, 32, 32]",
     "class_names": "[\\"apple\\", …]", "normalization": "{\\"mean\\": […], \\"std\\": […]}", "resize": "crop",
     "input": "normalized", "members": "1", "tested": "weights of epoch 38"}

The same texts are in the metadata of every file that is exported. A file may come from anybody, so nothing of it is
believed before it was looked at.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from specforge.diagnostics import one_line, printable
from specforge.prediction.errors import PredictionError
from specforge.training.parsing import parsed

FORMAT = "1"
# what is written as JSON, because metadata are texts
_STRUCTURED = ("image", "class_names", "normalization", "members")
_MOST_CLASSES, _MOST_MEMBERS, _LONGEST_NAME = 1_000_000, 1_000, 1_000
Name = Annotated[str, Field(max_length=_LONGEST_NAME), AfterValidator(printable)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Normalization(BaseModel):
    """Per channel, on pixels scaled to 0..1: (pixel - mean) / std."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: tuple[Finite, ...]
    std: tuple[Annotated[Finite, Field(gt=0)], ...]


class Card(BaseModel):
    """A model's own description. `normalization` and `class_names` are empty where only the data would tell them.

    `image` is the shape of one image without the batch, `resize` how files are brought to it. `input` says what the
    model takes: images that are `normalized`, or `pixels`, bytes from 0 to 255. `members` counts the networks of an
    ensemble, `tested` says which weights these are.
    """

    # a newer specforge may write more than this one knows
    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Name
    spec: str
    spec_hash: Name
    image: tuple[Annotated[int, Field(ge=1, le=2**20)], ...]
    class_names: Annotated[tuple[Name, ...], Field(max_length=_MOST_CLASSES)] = ()
    normalization: Normalization | None = None
    resize: Literal["crop", "stretch"] = "crop"
    input: Literal["normalized", "pixels"] = "normalized"
    members: Annotated[int, Field(ge=1, le=_MOST_MEMBERS)] = 1
    tested: Name | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.normalization is not None:
            counts = {len(self.normalization.mean), len(self.normalization.std)}
            if counts != {self.image[0] if self.image else 0}:
                raise ValueError("normalization has another number of channels than the images")
        return self

    def to_metadata(self) -> dict[str, str]:
        """Texts by name; what is not known is left out."""
        record = self.model_dump(mode="json", exclude_none=True)
        known = {name: value for name, value in record.items() if value != []}
        texts = {name: encoded(value) if name in _STRUCTURED else value for name, value in known.items()}
        return {"specforge": FORMAT, **texts}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], file: str) -> Self:
        """Raises `PredictionError`, which names the file, for what `to_metadata` did not write."""
        if "specforge" not in metadata or "spec" not in metadata:
            raise PredictionError(
                f"{file} does not say which network it is: it has no spec in its metadata",
                hint="`specforge export RUN --to …` and `specforge bundle RUN` write files that do",
            )
        if metadata["specforge"] != FORMAT:
            found = one_line(metadata["specforge"][:_LONGEST_NAME])
            raise PredictionError(
                f"{file} has format {found}, this version of specforge reads format {FORMAT}", hint="use a newer one"
            )
        try:
            structured = {name: parsed(metadata[name]) for name in _STRUCTURED if name in metadata}
        except (ValueError, OverflowError) as error:
            raise damaged(file, f"metadata: {error}") from None
        return cls.of(file, {**metadata, **structured})

    @classmethod
    def of(cls, file: str, record: Mapping[str, Any]) -> Self:
        """The card with these values; raises `PredictionError`, which names the file that they are from."""
        try:
            return cls.model_validate(record)
        except ValidationError as error:
            problem = error.errors()[0]
            place = ".".join(str(part) for part in problem["loc"]) or "it"
            raise damaged(file, f"`{place}`: {problem['msg']}") from None
        except OverflowError:
            raise damaged(file, "it has a number that is too large") from None


def encoded(value: Any) -> str:
    """Canonical JSON on one line."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True)


def damaged(file: str, why: str) -> PredictionError:
    """For a file that is not what was written."""
    return PredictionError(f"{file} is damaged: {one_line(why)}", hint="export it again, or copy it again")
