"""Graph -> one readable Python file of torch's modules, as people write it by hand.

    repeat: {for: {channels: [32, 64]}, …}    ->    nn.Sequential(*[Stage(…) for in_channels, channels in …])
    conv_unit: $channels                            class ConvUnit(nn.Module): …

Passes, in order: `bodies` (what each class holds and does), `classes` (uses that are alike become one class, by
`alignment` of what they hold, `likeness` of their code, `columns` of what differs, `folding` of loops), `forward`,
`page` (the file). `terms` is what they hand on; `printing` and `layout` write it.
"""

from specforge.emit.python.page import to_python

__all__ = ["to_python"]
