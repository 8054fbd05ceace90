"""Chance, drawn from a seed that means the same on every version of Python.

It comes from ``random.Random(seed).random()`` alone. That is the only method whose stream Python's documentation
promises to keep (``shuffle`` and ``sample`` may change).
"""

from __future__ import annotations

import operator
import random

#: What a network's first weights are drawn from: an int to start from, or a generator to go on with.
Seed = int | random.Random


def seeded(seed: object) -> random.Random:
    """A generator that starts from this int, which may be NumPy's.

    >>> seeded(0).random() == random.Random(0).random()
    True

    Raises:
        TypeError: it is no int.
    """
    if isinstance(seed, bool) or not hasattr(seed, "__index__"):
        raise TypeError(f"seed must be an int; it is {seed!r:.200}")
    return random.Random(operator.index(seed))


def permutation(count: int, generator: random.Random) -> list[int]:
    """The numbers from 0 to count − 1 in an order that is the same on every Python.

    It takes ``count`` calls of ``generator.random()``; of two equal draws the smaller number comes first.

    >>> sorted(permutation(5, random.Random(0)))
    [0, 1, 2, 3, 4]
    """
    draws = [generator.random() for _ in range(count)]
    return sorted(range(count), key=draws.__getitem__)


def generator(seed: Seed) -> random.Random:
    """The generator itself, or one that starts from an int.

    >>> source = random.Random(0)
    >>> generator(source) is source
    True
    """
    return seed if isinstance(seed, random.Random) else seeded(seed)
