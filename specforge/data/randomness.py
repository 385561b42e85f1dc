"""Seeds that depend on where a run stands and on nothing else.

In: the spec's seed, the name of a stream (what the numbers are for) and a position such as epoch and step. Out: a
seed for a generator. Numbers drawn from it can be drawn again at any time, in any process, without replaying what
came before, which is what makes a resumed run equal to one that was never stopped.

    generator.manual_seed(key(seed, "shuffle", epoch))
"""

from hashlib import blake2b


def key(seed: int, stream: str, *position: int) -> int:
    """A number from 0 to 2**63 - 1 that is different, for all that chance knows, for every different call.

    The numbers are part of what a run means: another formula would give other results for the same spec.
    """
    text = repr((seed, stream, *position))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
