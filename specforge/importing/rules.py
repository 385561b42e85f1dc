"""What an import says of a foreign file. Errors mean that no spec comes out; warnings say what it leaves out."""

from specforge.diagnostics import define

NOT_THIS_FORMAT = define(
    "SF621",
    "not-this-format",
    """
The file is not what its name says: it is empty or binary, too large, or its text is not of the format. Darknet's files
(`.cfg`) begin with `[net]`, Keras's (`.json`) are the text of `model.to_json()`, weights are in `.safetensors`, `.pth`
or `.pt` files.""",
)
UNKNOWN_FOREIGN_LAYER = define(
    "SF622",
    "unknown-foreign-layer",
    """
The foreign network has a layer that specforge has no word for, or that the foreign format does not have either.
Nothing is imported: a network without one of its layers would be another network.""",
)
BAD_SETTING = define(
    "SF623",
    "bad-foreign-setting",
    """
A setting of the foreign file has no value that it can have: no number where one is needed, a size of 0 or less, a
missing name, or JSON of another type.""",
)
BAD_REFERENCE = define(
    "SF624",
    "bad-foreign-reference",
    """
A layer reads another one that does not exist, or that comes after it. Darknet's `route` and `shortcut` count layers
from 0, negative numbers backwards from themselves, and `[net]` is no layer.""",
)
UNSUPPORTED_SETTING = define(
    "SF625",
    "unsupported-foreign-setting",
    """
A setting changes what the foreign layer computes, and specforge's layer has no such setting. Nothing is imported,
because the result would compute something else.""",
)
FOREIGN_MISFIT = define(
    "SF626",
    "foreign-misfit",
    """
The foreign network does not fit together: a layer can't take the shape that arrives.""",
)
NOT_CARRIED = define(
    "SF627",
    "not-carried",
    """
Something of the foreign file is no part of the imported network: a detection head, a softmax that the loss of the
training holds, the foreign recipe, or a difference that changes no shape and no count. The message says what it is.""",
    severity="warning",
)
UNREAD_SETTING = define(
    "SF628",
    "unread-foreign-setting",
    """
A setting of the foreign file that its own program does not read either: it is misspelt, or stands in a section of
another kind.""",
    severity="warning",
)
UNKNOWN_WEIGHTS = define(
    "SF629",
    "unknown-weights",
    """
A file of weights does not say which network they are of, and its names and shapes are those of no network that
specforge knows. Shapes alone don't make a network: they don't tell strides, activations, poolings or what is added.""",
)
