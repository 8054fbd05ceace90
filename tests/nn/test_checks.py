"""What people give to the package: numbers of any kind are taken, and what is none is named."""

import math
from typing import Any

import pytest

import nn
from nn.checks import finite, listed, whole, within

ROWS = [[0.5, -1.0], [2.0, 0.25]]


def test_numpy_scalars_are_numbers() -> None:
    import numpy as np

    model = nn.MLP(2, np.array([2, 1]))
    sgd = nn.SGD(model.parameters(), np.float32(0.5))
    assert sgd.learning_rate == 0.5
    assert nn.fit(model, ROWS, [0.0, 1.0], loss="mse", optimizer=sgd, epochs=np.int64(2), progress=False).epochs == 2


class Three:
    """An int of some other kind."""

    def __index__(self) -> int:
        return 3


@pytest.mark.parametrize("number", [3, Three()])
def test_whole_numbers_of_any_kind(number: Any) -> None:
    assert whole("n", number) == 3


@pytest.mark.parametrize(
    ("number", "error", "message"),
    [
        (1, ValueError, "n must be at least 2; it is 1"),
        (2.0, TypeError, "n must be an int; it is 2.0"),
        (True, TypeError, "n must be an int; it is True"),
        ("2", TypeError, "n must be an int; it is '2'"),
    ],
)
def test_what_is_no_whole_number(number: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        whole("n", number, least=2)


def test_bounds_are_told() -> None:
    assert within("r", 0, 0.0, 1.0) == 0.0
    with pytest.raises(ValueError, match="r must be finite, above 0 and below 1; it is 0"):
        within("r", 0, 0.0, 1.0, open_below=True)
    with pytest.raises(ValueError, match=r"r must be finite, at least 0 and below 1; it is 1\.0"):
        within("r", 1.0, 0.0, 1.0)
    with pytest.raises(TypeError, match="r must be a number; it is None"):
        within("r", None, 0.0)


@pytest.mark.parametrize("number", [math.nan, math.inf, 10**400])
def test_what_is_not_finite(number: Any) -> None:
    with pytest.raises(ValueError, match="give finite numbers"):
        finite(number, "X[0]")


@pytest.mark.parametrize("numbers", [[1.0, 2.0], (1.0, 2.0), iter([1.0, 2.0])])
def test_lists_of_any_kind(numbers: Any) -> None:
    assert listed(numbers) == [1.0, 2.0]
