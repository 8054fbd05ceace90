"""Data to learn from that is always at hand: Fisher's iris, and points drawn from a seed.

Every generator here is pure Python and returns the same points on every version of Python: chance comes from
``random.Random(seed).random()`` alone, whose stream Python's documentation promises to keep. It makes no such
promise for ``gauss``, so normal deviates are made here from two draws (Box and Muller, 1958). What remains is
``cos``, ``sin``, ``log`` of the platform's C library, which may differ in the last bit from one system to another.

A generator ``name(n, *, …, seed)`` returns lists (X, y); ``moons_table``, with the same arguments, returns them as
a ``Table``, so that training need not know where a table came from. ``BUILT_IN`` is what the command line offers.

The iris table is the one of R. A. Fisher, 1936, "The use of multiple measurements in taxonomic problems",
Annals of Eugenics 7(2), 179–188 (measured by E. Anderson), in centimetres. Widespread copies, the one of the
UCI repository among them, differ from the paper in two setosa samples. Here, as in R and scikit-learn, they
are as printed: the 35th is 4.9, 3.1, 1.5, 0.2 (not …, 0.1) and the 38th is 4.9, 3.6, 1.4, 0.1 (not …, 3.1,
1.5, …).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.resources import files
from types import MappingProxyType

from nn.checks import whole
from nn.randomness import permutation, seeded
from nn.tables.reading import parse_csv
from nn.tables.table import Table


def iris() -> Table:
    """150 flowers of three species, 50 each: lengths and widths of sepals and petals in cm.

    ``rows`` is 150 × 4; ``targets`` are indices into ``classes``.

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
    ``noise``. The order is drawn from the seed, so that any part of the list is a fair sample of both.

    >>> X, y = moons(4, noise=0.0, seed=1)
    >>> sorted([round(x1, 3), round(x2, 3), label] for (x1, x2), label in zip(X, y))
    [[-1.0, 0.0, 0], [0.0, 0.5, 1], [1.0, 0.0, 0], [2.0, 0.5, 1]]

    Raises:
        ValueError: n is below 2, or the noise is negative or not finite.
        TypeError: n or the seed is not an int, or the noise is not a number.
    """
    n, noise, generator = whole("n", n, least=2), _noise(noise), seeded(seed)
    lower = n // 2
    upper = n - lower
    points = [[math.cos(t), math.sin(t)] for t in _half_turn(upper)]
    points += [[1.0 - math.cos(t), 0.5 - math.sin(t)] for t in _half_turn(lower)]
    labels = [0] * upper + [1] * lower
    return _shuffled(points, labels, noise, generator)


def moons_table(n: int = 200, *, noise: float = 0.1, seed: int = 0) -> Table:
    """The points of ``moons`` as a table: features x1 and x2, target moon, classes "0" (upper) and "1" (lower).

    Same arguments, points, order and errors as ``moons``.

    >>> table = moons_table(10)
    >>> table.feature_names, table.target_name, table.classes, len(table)
    (('x1', 'x2'), 'moon', ('0', '1'), 10)
    """
    return _labelled_table(*moons(n, noise=noise, seed=seed), target="moon", source="moons")


def circles(
    n: int = 200, *, noise: float = 0.1, inner: float = 0.5, seed: int = 0
) -> tuple[list[list[float]], list[int]]:
    """Points on two circles about the origin: (X, y), label 0 on that of radius 1, label 1 on that of radius ``inner``.

    On each, the angles are equally spaced; if n is odd, the outer one has one point more. Noise, order and errors are
    those of ``moons``; an ``inner`` that is not between 0 and 1 is a ``ValueError``.

    >>> X, y = circles(4, noise=0.0, seed=1)
    >>> sorted([round(x1, 3) + 0.0, label] for (x1, x2), label in zip(X, y))
    [[-1.0, 0], [-0.5, 1], [0.5, 1], [1.0, 0]]
    """
    n, noise, generator = whole("n", n, least=2), _noise(noise), seeded(seed)
    if not 0.0 < inner < 1.0:
        raise ValueError(f"inner must be between 0 and 1, the radius of the inner circle; it is {inner!r:.200}")
    places = [
        (radius, 2.0 * math.pi * i / count)
        for radius, count in ((1.0, n - n // 2), (inner, n // 2))
        for i in range(count)
    ]
    labels = [0] * (n - n // 2) + [1] * (n // 2)
    return _shuffled([[r * math.cos(t), r * math.sin(t)] for r, t in places], labels, noise, generator)


def xor(n: int = 200, *, noise: float = 0.0, seed: int = 0) -> tuple[list[list[float]], list[int]]:
    """Points of the square -1 … 1: (X, y), label 1 where one coordinate is positive and the other is not, else 0.

    Points are drawn evenly from the square, then moved by noise, the label being kept. Errors are those of ``moons``.

    >>> X, y = xor(100)
    >>> all(label == ((x1 > 0.0) != (x2 > 0.0)) for (x1, x2), label in zip(X, y))
    True
    """
    n, noise, generator = whole("n", n), _noise(noise), seeded(seed)
    points = [[2.0 * generator.random() - 1.0, 2.0 * generator.random() - 1.0] for _ in range(n)]
    labels = [int((x1 > 0.0) != (x2 > 0.0)) for x1, x2 in points]
    return _shuffled(points, labels, noise, generator)


def spirals(
    n: int = 200, *, noise: float = 0.05, arms: int = 2, turns: float = 1.0, seed: int = 0
) -> tuple[list[list[float]], list[int]]:
    """Points on arms that wind out from the origin to radius 1: (X, y), the label being the number of the arm, from 0.

    Arm k begins in the direction k/arms of a whole turn; radius and angle grow together, in equal steps, over ``turns``
    turns. The first arms have one point more where n is no multiple of ``arms``. Noise, order and errors are those of
    ``moons``.

    >>> X, y = spirals(90, arms=3, noise=0.0)
    >>> [y.count(arm) for arm in range(3)], round(max(math.hypot(*point) for point in X), 12)
    ([30, 30, 30], 1.0)
    """
    arms = whole("arms", arms)
    n, noise, generator = whole("n", n, least=arms), _noise(noise), seeded(seed)
    points, labels = [], []
    for arm in range(arms):
        count = n // arms + (arm < n % arms)
        for i in range(1, count + 1):
            angle = 2.0 * math.pi * (turns * i / count + arm / arms)
            points.append([i / count * math.cos(angle), i / count * math.sin(angle)])
            labels.append(arm)
    return _shuffled(points, labels, noise, generator)


def blobs(n: int = 200, *, noise: float = 0.3, centres: int = 3, seed: int = 0) -> tuple[list[list[float]], list[int]]:
    """Points scattered normally about centres: (X, y), the label being the number of the centre, from 0.

    The centres are equally spaced on the circle of radius 1, the first one at (1, 0); ``noise`` is the standard
    deviation of each coordinate. The first centres have one point more where n is no multiple of their number. Order
    and errors are those of ``moons``.

    >>> X, y = blobs(7, centres=2, noise=0.0)
    >>> sorted(set(y)), y.count(0), X[y.index(0)]
    ([0, 1], 4, [1.0, 0.0])
    """
    centres = whole("centres", centres)
    n, noise, generator = whole("n", n, least=centres), _noise(noise), seeded(seed)
    labels = [i % centres for i in range(n)]
    points = [[math.cos(2.0 * math.pi * k / centres), math.sin(2.0 * math.pi * k / centres)] for k in labels]
    return _shuffled(points, labels, noise, generator)


def linear(
    n: int = 200, *, noise: float = 0.1, weights: Sequence[float] = (2.0, -1.0), offset: float = 0.5, seed: int = 0
) -> tuple[list[list[float]], list[float]]:
    """Numbers to regress: (X, y), y = w·x + offset + noise · a standard normal deviate, x evenly from -1 … 1.

    Each x has as many numbers as there are weights. Errors are those of ``moons``.

    >>> X, y = linear(3, noise=0.0, weights=[2.0], offset=1.0)
    >>> [target == 2.0 * x + 1.0 for (x,), target in zip(X, y)]
    [True, True, True]
    """
    n, noise, generator = whole("n", n), _noise(noise), seeded(seed)
    X = [[2.0 * generator.random() - 1.0 for _ in weights] for _ in range(n)]
    y = []
    for row in X:
        total = 0.0
        for w, x in zip(weights, row, strict=True):  # not Python's sum, which rounds otherwise from 3.12 on
            total += w * x
        y.append(total + offset + noise * _normal(generator))
    return X, y


def _as_table(generator: Callable[[], tuple[list[list[float]], list[int]]], *, target: str) -> Table:
    return _labelled_table(*generator(), target=target, source=generator.__name__)


def _linear_table() -> Table:
    X, y = linear()
    return Table(("x1", "x2"), tuple(map(tuple, X)), "y", tuple(y), None, "linear")


#: The tables that go by a name, each made by a call without arguments.
BUILT_IN: Mapping[str, Callable[[], Table]] = MappingProxyType(
    {
        "iris": iris,
        "moons": moons_table,
        "circles": partial(_as_table, circles, target="circle"),
        "xor": partial(_as_table, xor, target="either"),
        "spirals": partial(_as_table, spirals, target="arm"),
        "blobs": partial(_as_table, blobs, target="blob"),
        "linear": _linear_table,
    }
)


def _shuffled(
    points: list[list[float]], labels: list[int], noise: float, generator: random.Random
) -> tuple[list[list[float]], list[int]]:
    """The points in an order drawn from the generator, each coordinate then moved by noise."""
    order = permutation(len(points), generator)
    return [[x + noise * _normal(generator) for x in points[i]] for i in order], [labels[i] for i in order]


def _labelled_table(points: Sequence[Sequence[float]], labels: Sequence[int], *, target: str, source: str) -> Table:
    """Points [x1, x2, …] and labels 0, 1, … as the table that reading them from a file would give."""
    names = tuple(f"x{number}" for number in range(1, len(points[0]) + 1))
    classes = tuple(str(label) for label in range(max(labels) + 1))
    return Table(names, tuple(map(tuple, points)), target, tuple(labels), classes, source)


def _half_turn(count: int) -> list[float]:
    """``count`` equally spaced angles from 0 to π."""
    return [math.pi * i / max(count - 1, 1) for i in range(count)]


def _normal(generator: random.Random) -> float:
    """A standard normal deviate from exactly two draws. 1 − u is in (0, 1], so the logarithm is finite."""
    radius = math.sqrt(-2.0 * math.log(1.0 - generator.random()))
    return radius * math.cos(2.0 * math.pi * generator.random())


def _noise(noise: object) -> float:
    if isinstance(noise, bool) or not isinstance(noise, (int, float)):
        raise TypeError(f"noise must be a number, the standard deviation of each coordinate; it is {noise!r:.200}")
    if not 0.0 <= noise < math.inf:
        raise ValueError(f"noise must be finite and not negative; it is {noise!r:.200}")
    return float(noise)
