"""Data sets: the facts of the paper, the geometry as documented, the same points for ever."""

import csv
import io
import math
import random
from statistics import fmean, pstdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn import datasets
from nn.datasets import BUILT_IN, iris, moons, moons_table
from nn.tables.preparation import train_test_split
from nn.tables.reading import parse_csv


def test_iris_is_the_table_of_the_paper() -> None:
    table = iris()
    assert table.classes == ("setosa", "versicolor", "virginica")
    assert table.targets == (0,) * 50 + (1,) * 50 + (2,) * 50
    # Setosa and versicolor: table II of the paper. With the two wrong samples, setosa's would be
    # 5.006, 3.418, 1.464, 0.244.
    means = [(5.006, 3.428, 1.462, 0.246), (5.936, 2.770, 4.260, 1.326), (6.588, 2.974, 5.552, 2.026)]
    for index, expected in enumerate(means):
        rows = table.rows[50 * index : 50 * index + 50]
        assert [fmean(column) for column in zip(*rows, strict=True)] == pytest.approx(expected, abs=1e-9)


def test_iris_has_the_two_samples_as_printed() -> None:
    rows = iris().rows
    assert rows[34] == (4.9, 3.1, 1.5, 0.2)
    assert rows[37] == (4.9, 3.6, 1.4, 0.1)


def test_iris_has_one_decimal_everywhere() -> None:
    assert all(x == round(x, 1) for row in iris().rows for x in row)


def on_its_half_circle(point: list[float], label: int) -> bool:
    """Whether the point is on the arc that the documentation draws for its label."""
    x1, x2 = point
    if label == 1:
        x1, x2 = 1.0 - x1, 0.5 - x2
    return math.isclose(math.hypot(x1, x2), 1.0, rel_tol=1e-15) and x2 >= -1e-15


@given(st.integers(2, 60), st.integers())
def test_moons_without_noise_lie_on_the_half_circles(n: int, seed: int) -> None:
    X, y = moons(n, noise=0.0, seed=seed)
    assert len(X) == len(y) == n
    assert (y.count(0), y.count(1)) == ((n + 1) // 2, n // 2)
    assert all(on_its_half_circle(point, label) for point, label in zip(X, y, strict=True))
    assert all(type(x) is float for point in X for x in point)
    assert set(map(type, y)) == {int}


def test_moons_are_equally_spaced_from_end_to_end() -> None:
    X, y = moons(10, noise=0.0)
    for label, centre in ((0, (0.0, 0.0)), (1, (1.0, 0.5))):
        sign = 1.0 - 2.0 * label
        points = [point for point, other in zip(X, y, strict=True) if other == label]
        angles = sorted(math.atan2(abs(sign * (x2 - centre[1])), sign * (x1 - centre[0])) for x1, x2 in points)
        assert angles == pytest.approx([math.pi * i / 4 for i in range(5)], abs=1e-12)


def test_noise_is_normal_with_the_given_deviation() -> None:
    X, _ = moons(20_000, noise=0.25, seed=5)
    clean, _ = moons(20_000, noise=0.0, seed=5)  # the same order: it is drawn before the noise
    for axis in (0, 1):
        moved = [a[axis] - b[axis] for a, b in zip(X, clean, strict=True)]
        assert fmean(moved) == pytest.approx(0.0, abs=0.01)  # 5.6 standard errors
        assert pstdev(moved) == pytest.approx(0.25, rel=0.025, abs=0.0)  # 5 standard errors
        assert fmean(abs(x) < 0.25 for x in moved) == pytest.approx(0.6827, abs=0.0165)  # 5 standard errors


def test_moons_of_a_seed_stay_the_same() -> None:
    X, y = moons(6, seed=0)
    assert y == LABELS_OF_SEED_0
    for point, expected in zip(X, POINTS_OF_SEED_0, strict=True):
        assert point == pytest.approx(expected, abs=1e-14)  # cos, sin and log are the platform's
    assert moons(6, seed=0) == (X, y)
    assert moons(6, seed=1) != (X, y)


# Written down once: a version of Python that gives other numbers breaks a promise of its documentation.
LABELS_OF_SEED_0 = [1, 1, 0, 1, 0, 0]
POINTS_OF_SEED_0 = [
    [-0.05753580276639963, 0.4014727458103005],
    [1.7815909857986874, 0.502966842961374],
    [-1.000441589325687, 0.21804137540288937],
    [1.1489377938321512, -0.5108905427834586],
    [-0.08626500353260336, 1.0911596011142641],
    [0.9181507137286782, 0.21614984187363093],
]


def test_the_global_generator_is_left_alone() -> None:
    random.seed(1)
    state = random.getstate()
    moons(10)
    assert random.getstate() == state


def test_any_part_of_the_moons_is_a_sample_of_both() -> None:
    _, y = moons(200)
    assert all(5 <= sum(y[start : start + 20]) <= 15 for start in range(0, 200, 20))


@pytest.mark.parametrize("n", [1, 0, -3])
def test_too_few_points(n: int) -> None:
    with pytest.raises(ValueError, match=f"n must be at least 2; it is {n}"):
        moons(n)


@pytest.mark.parametrize("noise", [-0.1, math.nan, math.inf])
def test_impossible_noise(noise: float) -> None:
    with pytest.raises(ValueError, match=f"noise must be finite and not negative; it is {noise}"):
        moons(noise=noise)


@pytest.mark.parametrize("make", [moons, moons_table])
@pytest.mark.parametrize(
    "arguments", [{"n": 2.0}, {"n": True}, {"n": "9"}, {"noise": "0.1"}, {"noise": True}, {"seed": None}]
)
def test_arguments_of_the_wrong_kind(make: object, arguments: dict[str, object]) -> None:
    (name,) = arguments
    with pytest.raises(TypeError, match=f"{name} must be a"):
        make(**arguments)  # type: ignore[operator]


def test_moons_as_a_table() -> None:
    X, y = moons(50, noise=0.2, seed=3)
    table = moons_table(50, noise=0.2, seed=3)
    assert [list(row) for row in table.rows] == X
    assert list(table.targets) == y
    assert table.labels == tuple(map(str, y))


def test_a_table_of_moons_is_what_its_file_would_give() -> None:
    table = moons_table(30)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*table.feature_names, table.target_name])
    writer.writerows([*row, label] for row, label in zip(table.rows, table.labels, strict=True))
    assert parse_csv(text.getvalue().encode(), target="moon") == table


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_table_can_be_split(name: str) -> None:
    table = BUILT_IN[name]()
    train, test = train_test_split(table)
    assert len(train) + len(test) == len(table)
    assert len(test) == pytest.approx(0.2 * len(table), abs=len(table.classes or "1") / 2)
    if table.classes is not None:
        assert set(train.targets) == set(test.targets) == set(range(len(table.classes)))


@pytest.mark.parametrize(
    ("make", "first", "targets"),
    [
        (datasets.circles, [1.03669104753295, -0.0111971321173182], [0, 0, 0, 1, 1]),
        (datasets.xor, [-0.260089666903841, 0.207840077192389], [1, 1, 0, 1, 1]),
        (datasets.spirals, [-0.148321142900193, 0.283076568536154], [0, 0, 0, 1, 1]),
        (datasets.blobs, [1.11007314259884, -0.0335913963519546], [0, 2, 1, 0, 1]),
        (
            datasets.linear,
            [-0.524070745816217, 0.0884584505919037],
            [-0.960600286848278, -0.416222925403822, 1.9552896184697, -2.02637356810013, 0.0620677803454509],
        ),
    ],
)
def test_a_seed_means_the_same_points_everywhere(make: Any, first: list[float], targets: list[float]) -> None:
    X, y = make(5, seed=3)
    assert X[0] == pytest.approx(first, abs=1e-13)
    assert y == pytest.approx(targets, abs=1e-13)


@pytest.mark.parametrize("make", [datasets.circles, datasets.xor, datasets.spirals, datasets.blobs, datasets.linear])
def test_what_every_generator_keeps(make: Any) -> None:
    X, y = make(31, seed=2)
    assert len(X) == len(y) == 31
    assert make(31, seed=2) == (X, y)
    assert make(31, seed=4) != (X, y)
    assert all(type(x) is float for row in X for x in row)
    with pytest.raises(ValueError, match="n must be at least"):
        make(0)
    with pytest.raises(ValueError, match="noise must be finite and not negative"):
        make(10, noise=-1.0)
    with pytest.raises(TypeError, match="seed must be an int"):
        make(10, seed=0.5)


def test_what_the_generators_refuse() -> None:
    with pytest.raises(ValueError, match="inner must be between 0 and 1"):
        datasets.circles(10, inner=1.0)
    with pytest.raises(ValueError, match="arms must be at least 1; it is 0"):
        datasets.spirals(10, arms=0)
    with pytest.raises(ValueError, match="n must be at least 3; it is 2"):
        datasets.blobs(2, centres=3)
    with pytest.raises(TypeError, match="centres must be an int"):
        datasets.blobs(2, centres=1.5)  # type: ignore[arg-type]


def test_a_linear_data_set_adds_left_to_right() -> None:
    """Python's own sum rounds otherwise since 3.12."""
    weights = [1e16, 1.0, -1e16, 3.0]
    rows, y = datasets.linear(20, weights=weights, offset=0.0, noise=0.0, seed=1)
    for row, target in zip(rows, y, strict=True):
        total = 0.0
        for w, x in zip(weights, row, strict=True):
            total += w * x
        assert target == total
