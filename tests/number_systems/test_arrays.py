"""Batches as a number system: what a sample needs is there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value


@pytest.mark.parametrize("at", [0.0, -1.0, np.array([0.0, -2.0])])
def test_a_branch_that_was_never_called_is_needed_only_by_a_sample_that_takes_it(at: Any) -> None:
    x = Value(0.0)
    z = autograd.where(x > 0, lambda: autograd.sqrt(x), lambda: 3 * x)
    value, slope = autograd.evaluate(z, "arrays", at={x: at}, wrt=x)
    assert np.array_equal(value, 3 * np.asarray(at))
    assert np.array_equal(slope, np.full_like(np.asarray(at), 3.0))
    for other in (1.0, np.array([-1.0, 1.0])):
        with pytest.raises(ValueError, match="never called"):
            autograd.evaluate(z, "arrays", at={x: other}, wrt=x)
