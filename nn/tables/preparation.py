"""What training does to a table: split it into training and test rows, and standardise its columns."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from nn.randomness import permutation, seeded
from nn.tables.cells import TableError, fail, quoted
from nn.tables.table import Table


def train_test_split(table: Table, *, test: float = 0.2, seed: int = 0) -> tuple[Table, Table]:
    """Two tables, training and test: every row is in one of them, in an order drawn from the seed.

    When classifying, the share ``test`` is taken from each class by itself, rounded to whole rows (halves up),
    at least one row of each class on either side. In regression the same holds for the table as a whole. A seed means
    the same split on every version of Python.

    >>> table = Table(("x",), tuple((float(i),) for i in range(10)), "kind", (0, 1) * 5, ("a", "b"))
    >>> train, test = train_test_split(table, test=0.4)
    >>> sorted(train.labels), sorted(test.labels)
    (['a', 'a', 'a', 'b', 'b', 'b'], ['a', 'a', 'b', 'b'])

    Raises:
        TableError: a class (or the table) has fewer than two rows, or ``test`` is not between 0 and 1.
        TypeError: the seed is not an int.
    """
    if not 0.0 < test < 1.0:
        what = f"the share of test rows is {test!r}"
        fail(table.source, what, "choose a number between 0 and 1, such as 0.2")
    order = permutation(len(table), seeded(seed))
    if len(table) < 2:
        what = f"a split needs 2 rows and there are {len(table)}"
        fail(table.source, what, "add rows", column=table.target_name)
    groups: dict[float, list[int]] = {}
    for row in order:
        groups.setdefault(0 if table.classes is None else table.targets[row], []).append(row)
    tested: set[int] = set()
    for target in sorted(groups):
        group = groups[target]
        if len(group) < 2:
            name = quoted((table.classes or ())[int(target)])
            line = table.lines[group[0]] if table.lines else None
            what = f"class {name} has 1 row, too few for a training and a test part"
            remedy = "add rows of this class, or delete it"
            fail(table.source, what, remedy, line=line, column=table.target_name)
        size = min(max(math.floor(len(group) * test + 0.5), 1), len(group) - 1)
        tested.update(group[:size])
    train = table.select(row for row in order if row not in tested)
    return train, table.select(row for row in order if row in tested)


@dataclass(frozen=True, slots=True)
class Standardisation:
    """Each column shifted and scaled to mean 0 and standard deviation 1 over the rows it was fitted on.

    Fit it on the training rows only: statistics of the test rows would leak into training. The deviation is
    that of the rows themselves (divided by their number, not by one less). A column that is constant, or is
    so but for rounding (by the criterion of scikit-learn: its variance is at most n·ε·variance + (n·ε·mean)², ε =
    2⁻⁵²), gets deviation 1, so that it becomes 0, or next to it, and its rounding is not blown up.

    >>> scale = Standardisation.fit([(1.0, 7.0), (3.0, 7.0)])
    >>> scale
    Standardisation(means=(2.0, 7.0), deviations=(1.0, 1.0))
    >>> scale.apply([(1.0, 7.0), (5.0, 8.0)])
    [[-1.0, 0.0], [3.0, 1.0]]
    >>> Standardisation.from_dict(scale.to_dict()) == scale
    True
    """

    means: tuple[float, ...]
    deviations: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.means) != len(self.deviations):
            what = f"{len(self.means)} means but {len(self.deviations)} deviations"
            raise TableError(f"{what}; a standardisation has one each per column")
        for number, (mean, deviation) in enumerate(zip(self.means, self.deviations, strict=True), start=1):
            if not (math.isfinite(mean) and 0.0 < deviation < math.inf):
                what = f"column {number} has mean {mean!r} and deviation {deviation!r}"
                raise TableError(f"{what}; both must be finite and the deviation positive")

    @classmethod
    def fit(cls, rows: Sequence[Sequence[float]]) -> Self:
        """The standardisation of these rows.

        Raises:
            TableError: no rows, rows of unequal length, or a number that is not finite.
        """
        if not rows:
            raise TableError("no rows to standardise; give at least one")
        _check_rows(rows, len(rows[0]))
        moments = [_mean_and_deviation(column) for column in zip(*rows, strict=True)]
        return cls(tuple(mean for mean, _ in moments), tuple(deviation for _, deviation in moments))

    def apply(self, rows: Sequence[Sequence[float]]) -> list[list[float]]:
        """(x − mean) / deviation for each number: a new list of lists.

        Raises:
            TableError: a row of the wrong length, a number that is not finite, or a result that overflows.
        """
        _check_rows(rows, len(self.means))
        scales = tuple(zip(self.means, self.deviations, strict=True))
        results = [[(x - mean) / scale for x, (mean, scale) in zip(row, scales, strict=True)] for row in rows]
        for number, (row, result) in enumerate(zip(rows, results, strict=True)):
            for column, value in enumerate(result):
                if not math.isfinite(value):
                    what = f"row {number}, column {column + 1}: {row[column]!r} overflows when standardised"
                    raise TableError(f"{what}; it is too far from the training rows")
        return results

    def to_dict(self) -> dict[str, list[float]]:
        """The same as plain JSON: {"means": […], "deviations": […]}. JSON keeps every float exactly."""
        return {"means": list(self.means), "deviations": list(self.deviations)}

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """The standardisation that ``to_dict`` wrote.

        Raises:
            TableError: it is anything else.
        """
        columns: list[tuple[float, ...]] = []
        for name in ("means", "deviations"):
            values = data.get(name) if isinstance(data, Mapping) else None
            if not isinstance(values, list) or not all(map(_is_plain_number, values)):
                raise TableError(f"a standardisation needs {name!r:.200}, a list of numbers; is the file damaged?")
            columns.append(tuple(map(float, values)))
        return cls(*columns)


def _is_plain_number(value: object) -> bool:
    return isinstance(value, float) or (type(value) is int and abs(value) <= 2**53)  # not True, not 10**400


def _check_rows(rows: Sequence[Sequence[float]], width: int) -> None:
    for number, row in enumerate(rows):
        if len(row) != width:
            what = f"row {number} has {len(row)} numbers where {width} belong"
            raise TableError(f"{what}; rows must be of equal length")
        for column, value in enumerate(row, start=1):
            if not math.isfinite(value):
                what = f"row {number}, column {column}: {value!r} is not finite"
                raise TableError(f"{what}; give finite numbers")


def _mean_and_deviation(column: Sequence[float]) -> tuple[float, float]:
    """Mean and population deviation, scaled by a power of two on the way so that nothing finite overflows."""
    if min(column) == max(column):  # not left to arithmetic: (0.1 + 0.1 + 0.1) / 3 is not 0.1
        return float(column[0]), 1.0
    exponent = math.frexp(max(map(abs, column)))[1]
    scaled = [math.ldexp(x, -exponent) for x in column]
    mean = math.fsum(scaled) / len(scaled)
    variance = math.fsum((x - mean) * (x - mean) for x in scaled) / len(scaled)
    if variance <= _variance_of_rounding(mean, variance, len(scaled)):
        return math.ldexp(mean, exponent), 1.0
    return math.ldexp(mean, exponent), math.ldexp(math.sqrt(variance), exponent) or 1.0


def _variance_of_rounding(mean: float, variance: float, n: int) -> float:
    """How large a variance may come of rounding alone: the criterion of scikit-learn's ``StandardScaler``.

    A computed variance σ² is off by at most n·ε·σ² + (n·ε·mean)², ε the distance from 1 to the next float (Chan, Golub
    and LeVeque, "Algorithms for computing the sample variance", 1983). What is no larger may be that of a constant.
    """
    epsilon = sys.float_info.epsilon
    return n * epsilon * variance + (n * mean * epsilon) ** 2
