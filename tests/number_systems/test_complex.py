"""What the complex system promises for a derivative by complex step, beyond what the table's points show."""

import math

import pytest

from autograd.number_systems import complex_


@pytest.mark.parametrize("y", [1.2, -3.0, 1e200])
@pytest.mark.parametrize("x", [2e-42, -2e-42, 1e-100])
def test_atan2_keeps_a_slope_that_is_small_beside_the_other(y: float, x: float) -> None:
    """∂atan2/∂y is x / (x² + y²): next to the axis it is tiny, and must not drown in the rounding of the angle."""
    h = 2.0**-70 * abs(y)
    slope = complex_.atan2(complex(y, h), x).imag / h
    assert slope == pytest.approx(x / y / y, rel=1e-14, abs=0.0)


def test_atan2_of_large_numbers_does_not_overflow() -> None:
    z = complex_.atan2(complex(1.5e308, 1e290), complex(1.5e308))
    assert z.real == pytest.approx(math.pi / 4)
    assert z.imag == pytest.approx(1e290 / 3e308)
