"""A network whose layers read more than what the layer above gives."""

from collections import OrderedDict
from collections.abc import Sequence
from functools import reduce

from torch import Tensor, nn

Step = tuple[str | nn.Module, tuple[int, ...], int]


class Wired(nn.Module):
    """Runs a program over numbered values, of which the input is 0.

    A step names a module below this one, or is an operation that joins values; then come the numbers that it reads and
    the one that it makes. `output` is the number of the result.

    (N, …) -> (N, …)'; in training, with `heads` (path, number, weight of its loss), the result and a dict of theirs.
    What makes `training_only` values is left out otherwise.
    """

    def __init__(
        self,
        children: "OrderedDict[str, nn.Module]",
        *,
        program: Sequence[Step],
        output: int,
        heads: Sequence[tuple[str, int, float]] = (),
        training_only: Sequence[int] = (),
    ):
        super().__init__()
        for name, child in children.items():
            self.add_module(name, child)
        results = {output, *(number for _, number, _ in heads)}
        # a value that nothing reads any more is let go: in training, what autograd needs of it stays
        last = {number: place for place, (_, reads, makes) in enumerate(program) for number in (*reads, makes)}
        ended = [[n for n, end in last.items() if end == place and n not in results] for place in range(len(program))]
        self._program = tuple((*step, tuple(numbers)) for step, numbers in zip(program, ended, strict=True))
        self._output = output
        self._heads = tuple(heads)
        self._training_only = frozenset(training_only)
        self.head_weights = {path: weight for path, _, weight in heads}

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        values = {0: x}
        for does, reads, makes, ended in self._program:
            if makes in self._training_only and not self.training:
                continue
            module = reduce(getattr, does.split("."), self) if isinstance(does, str) else does
            values[makes] = module(*[values[number] for number in reads])
            for number in ended:
                del values[number]
        if self.training and self._heads:
            return values[self._output], {path: values[number] for path, number, _ in self._heads}
        return values[self._output]
