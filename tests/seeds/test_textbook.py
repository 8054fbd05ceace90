"""The comparison that the tests of the systems rest on rejects what is wrong; drawn matrices are what they claim."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from autograd import Value
from tests.checks import EPS
from tests.seeds.textbook import ROUNDINGS, assert_close, column, matrices, numbers, sigma, sigma_prime


def test_a_difference_beyond_the_bound_is_rejected() -> None:
    assert_close([Value(1.0), Value(2.0)], [1.0 + ROUNDINGS * EPS, 2.0])
    for wrong in ([1.0 + 2 * ROUNDINGS * EPS, 2.0], [1.0, -2.0], [1.0, float("nan")]):
        with pytest.raises(AssertionError, match="is not"):
            assert_close([Value(1.0), Value(2.0)], wrong)


def test_numbers_in_another_shape_are_rejected() -> None:
    for wrong in (1.0, [[1.0]], [1.0, 1.0], column([1.0])):
        with pytest.raises(AssertionError, match="the shapes are"):
            assert_close([Value(1.0)], wrong)


def test_the_size_is_that_of_each_number() -> None:
    assert_close([0.0, 1e9], [0.0, 1e9 + 1e-6], [1.0, 1e9])
    with pytest.raises(AssertionError, match="is not"):
        assert_close([0.0, 1e9], [1e-6, 1e9], [1.0, 1e9])


@given(matrices(3, 4, 0.5), matrices(4, 2))
def test_products_of_drawn_matrices_are_exact(left: Any, right: Any) -> None:
    exact = [[sum(Fraction(a) * Fraction(b) for a, b in zip(row, b, strict=True)) for b in right.T] for row in left]
    assert (left @ right).tolist() == [[float(x) for x in row] for row in exact]
    assert all(Fraction(float(x)) == x for row in exact for x in row)


def test_the_slope_of_sigma_is_the_quotient_of_differences() -> None:
    z, h = np.linspace(-5.0, 5.0, 41), 1e-5
    assert np.abs(sigma_prime(z) - (sigma(z + h) - sigma(z - h)) / (2 * h)).max() < 1e-9
    assert numbers(Value(2.5)) == 2.5
