"""Data to learn from that is always at hand: Fisher's iris, and points drawn from a seed.

Every generator here is pure Python and returns the same points on every version of Python: chance comes from
`random.Random(seed).random()` alone, whose stream Python's documentation promises to keep. It makes no such
promise for `gauss`, so normal deviates are made here from two draws (Box and Muller, 1958). What remains is
`cos`, `sin`, `log` of the platform's C library, which may differ in the last bit from one system to another.

A generator `name(n, *, …, seed)` returns lists (X, y); `name_table`, with the same arguments, returns them as
a `Table`, so that training need not know where a table came from. `BUILT_IN` is what the command line offers.

The iris table is the one of R. A. Fisher, 1936, "The use of multiple measurements in taxonomic problems",
Annals of Eugenics 7(2), 179–188 (measured by E. Anderson), in centimetres. Widespread copies, the one of the
UCI repository among them, differ from the paper in two setosa samples. Here, as in R and scikit-learn, they
are as printed: the 35th is 4.9, 3.1, 1.5, 0.2 (not …, 0.1) and the 38th is 4.9, 3.6, 1.4, 0.1 (not …, 3.1,
1.5, …).
"""

import math
import operator
import random
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from types import MappingProxyType

from nn.randomness import permutation, seeded
from nn.tables import Table, parse_csv


def iris() -> Table:
    """150 flowers of three species, 50 each: lengths and widths of sepals and petals in cm.

    `rows` is 150 × 4; `targets` are indices into `classes`.

    >>> table = iris()
    >>> table.feature_names
    ('sepal_length', 'sepal_width', 'petal_length', 'petal_width')
    >>> len(table), table.classes, table.rows[0], table.labels[0]
    (150, ('setosa', 'versicolor', 'virginica'), (5.1, 3.5, 1.4, 0.2), 'setosa')
    """
    content = files("nn").joinpath("data").joinpath("iris.csv").read_bytes()
    return parse_csv(content, target="species", source="iris.csv")


def moons(n: int = 200, *, noise: float = 0.1, seed: int = 0) -> tuple[list[list[float]], list[int]]:
    """Points on two interleaving half circles: (X, y), n points [x1, x2] and their labels 0 or 1.

    Label 0 is the upper half circle (cos t, sin t), label 1 the lower one (1 − cos t, ½ − sin t). On each, t
    takes equally spaced values from 0 to π, both ends included (0 alone if there is one point). If n is odd,
    the upper one has one point more. Each coordinate then moves by a normal deviate of standard deviation
    `noise`. The order is drawn from the seed, so that any part of the list is a fair sample of both.

    Raises `ValueError` for n < 2 and for noise that is negative or not finite, `TypeError` for an n or seed
    that is not an int and for noise that is not a number.

    >>> X, y = moons(4, noise=0.0, seed=1)
    >>> sorted([round(x1, 3), round(x2, 3), label] for (x1, x2), label in zip(X, y))
    [[-1.0, 0.0, 0], [0.0, 0.5, 1], [1.0, 0.0, 0], [2.0, 0.5, 1]]
    """
    n, noise, generator = _count(n, least=2), _noise(noise), seeded(seed)
    lower = n // 2
    upper = n - lower
    points = [[math.cos(t), math.sin(t)] for t in _half_turn(upper)]
    points += [[1.0 - math.cos(t), 0.5 - math.sin(t)] for t in _half_turn(lower)]
    labels = [0] * upper + [1] * lower
    order = permutation(n, generator)
    return [[x + noise * _normal(generator) for x in points[i]] for i in order], [labels[i] for i in order]


def moons_table(n: int = 200, *, noise: float = 0.1, seed: int = 0) -> Table:
    """The points of `moons` as a table: features x1 and x2, target moon, classes "0" (upper) and "1" (lower).

    Same arguments, points, order and errors as `moons`.

    >>> table = moons_table(10)
    >>> table.feature_names, table.target_name, table.classes, len(table)
    (('x1', 'x2'), 'moon', ('0', '1'), 10)
    """
    return _labelled_table(*moons(n, noise=noise, seed=seed), target="moon", source="moons")


BUILT_IN: Mapping[str, Callable[[], Table]] = MappingProxyType({"iris": iris, "moons": moons_table})
"""The tables that go by a name, each made by a call without arguments."""


def _labelled_table(
    points: Sequence[Sequence[float]], labels: Sequence[int], *, target: str, source: str
) -> Table:
    """Points [x1, x2, …] and labels 0, 1, … as the table that reading them from a file would give."""
    names = tuple(f"x{number}" for number in range(1, len(points[0]) + 1))
    classes = tuple(str(label) for label in range(max(labels) + 1))
    return Table(names, tuple(map(tuple, points)), target, tuple(labels), classes, source)


def _half_turn(count: int) -> list[float]:
    """`count` equally spaced angles from 0 to π."""
    return [math.pi * i / max(count - 1, 1) for i in range(count)]


def _normal(generator: random.Random) -> float:
    """A standard normal deviate from exactly two draws. 1 − u is in (0, 1], so the logarithm is finite."""
    radius = math.sqrt(-2.0 * math.log(1.0 - generator.random()))
    return radius * math.cos(2.0 * math.pi * generator.random())


def _count(n: object, *, least: int) -> int:
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"n must be an int; it is {n!r}")
    count = operator.index(n)
    if count < least:
        raise ValueError(f"n must be at least {least}; it is {count}")
    return count


def _noise(noise: object) -> float:
    if isinstance(noise, bool) or not isinstance(noise, (int, float)):
        raise TypeError(f"noise must be a number, the standard deviation of each coordinate; it is {noise!r}")
    if not 0.0 <= noise < math.inf:
        raise ValueError(f"noise must be finite and not negative; it is {noise!r}")
    return float(noise)
