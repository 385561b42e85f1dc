"""Random specs of blocks: uses that differ in sizes, in what they hold and in how often, inside each other and repeats.

In: a seed. Out: the text of a spec that is right. Every layer keeps the height and width of the image.
"""

from random import Random

BLOCKS = """\
blocks:
  unit:
    params: {channels: required integer, kernel: 3, act: relu, norm: true, drop: 0.0}
    layers:
      - conv: {out_channels: $channels, kernel_size: $kernel, padding: $(kernel // 2), bias: $(not norm)}
      - {when: $norm, batch_norm: }
      - $act
      - {when: $(drop > 0), dropout: $drop}
  body:
    params: {channels: required integer, kind: projection, wide: 1, squeeze: false, skip: 0.0, depth: 1}
    layers:
      - residual:
          shortcut: $kind
          drop_path: $skip
          layers:
            - {when: $(wide > 1), unit: {channels: $(channels * wide), kernel: 1}}
            - repeat: {times: $depth, layers: [{unit: {channels: $channels, norm: $(index > 0)}}]}
            - {when: $squeeze, squeeze_excite: {ratio: 0.5}}
            - conv: {out_channels: $channels, kernel_size: 1}
      - relu
  fork:
    params: {left: required integer, right: required integer, merge: concat}
    layers:
      - branches:
          merge: $merge
          paths: [[unit: $left], [{unit: {channels: $right, kernel: 1}}, {unit: {channels: $right, act: tanh}}], []]
      - conv: {out_channels: 4, kernel_size: 1}
  holder:
    params: {inside: required layers, after: relu}
    layers:
      - $inside
      - $after
"""


def spec(seed: int) -> str:
    """The text of a spec; the same seed gives the same."""
    return _Writer(Random(seed)).spec(seed)


class _Writer:
    def __init__(self, random: Random):
        self.random = random

    def spec(self, seed: int) -> str:
        layers = "\n".join(f"    - {item}" for item in self.items(self.random.randint(2, 6), 0))
        model = f"model:\n  input: [3, 5, 5]\n  layers:\n{layers}\n    - global_avg_pool\n"
        return f"specforge: 1\nname: blocks_{seed}\n{BLOCKS}{model}"

    def items(self, count: int, depth: int) -> list[str]:
        kinds = (
            [self.unit, self.body, self.fork, self.holder, self.repeat, self.rows]
            if depth < 2
            else [self.unit, self.body]
        )
        return [self.random.choice(kinds)(depth) for _ in range(count)]

    def choice(self, *values: object) -> object:
        return self.random.choice(values)

    def unit(self, depth: int, channels: object = None) -> str:
        given = [f"channels: {channels or self.choice(2, 3, 4, 8)}"]
        for name, values in (
            ("kernel", (1, 3, 5)),
            ("act", ("relu", "gelu", "{leaky_relu: 0.2}")),
            ("norm", ("true", "false")),
        ):
            if self.random.random() < 0.3:
                given.append(f"{name}: {self.random.choice(values)}")
        if self.random.random() < 0.2:
            given.append(f"drop: {self.choice(0.1, 0.5)}")
        return f"unit: {{{', '.join(given)}}}"

    def body(self, depth: int, channels: object = None) -> str:
        given = [f"channels: {channels or self.choice(2, 4, 6)}"]
        for name, values in (
            ("kind", ("projection", "where_possible")),
            ("wide", (1, 2, 4)),
            ("squeeze", ("true", "false")),
            ("skip", (0.0, 0.25)),
            ("depth", (0, 1, 2, 3)),
        ):
            if self.random.random() < 0.4:
                given.append(f"{name}: {self.random.choice(values)}")
        return f"body: {{{', '.join(given)}}}"

    def fork(self, depth: int) -> str:
        return f"fork: {{left: {self.choice(2, 3)}, right: {self.choice(2, 3, 5)}}}"

    def holder(self, depth: int) -> str:
        inside = ", ".join(f"{{{item}}}" for item in self.items(self.random.randint(1, 2), depth + 1))
        return f"holder: {{inside: [{inside}], after: {self.choice('relu', 'tanh', 'batch_norm')}}}"

    def repeat(self, depth: int) -> str:
        inside = ", ".join(f"{{{item}}}" for item in self.items(self.random.randint(1, 2), depth + 1))
        extra = self.choice("", ", {when: $(index > 0), dropout: 0.5}", ", {unit: {channels: $(2 + 2 * index)}}")
        return f"repeat: {{times: {self.choice(1, 2, 3, 4)}, layers: [{inside}{extra}]}}"

    def rows(self, depth: int) -> str:
        sizes = [self.random.choice((2, 4, 8)) for _ in range(self.random.randint(1, 4))]
        times = [self.random.randint(1, 3) for _ in sizes]
        first = f"{{{self.random.choice((self.unit, self.body))(depth, '$size')}}}"
        second = (
            f"{{repeat: {{times: $count, layers: [{{{self.random.choice((self.unit, self.body))(depth, '$size')}}}]}}}}"
        )
        return f"repeat: {{for: {{size: {sizes}, count: {times}}}, layers: [{first}, {second}]}}"
