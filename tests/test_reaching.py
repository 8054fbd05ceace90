"""What a slope that does not exist leads to."""

from __future__ import annotations

import pytest

import autograd
from autograd import Value
from autograd.reaching import reaches_a_leaf


def test_what_is_shared_is_looked_at_once() -> None:
    """Of these sums of a number with itself there are 2⁶⁰ ways down."""
    x = Value(1.5)
    total = autograd.floor(x)
    for _ in range(60):
        total = total + total
    assert not reaches_a_leaf(total)
    ((-2.0) ** (total * 0.0)).backward()
    assert x.grad == 0.0
    for _ in range(3):
        assert reaches_a_leaf(x + total)


def test_a_slope_that_does_not_exist_is_no_end() -> None:
    """Through it something would flow, if it existed."""
    for f in (lambda x: (-2.0) ** ((-1.0) ** x * 1.0), lambda x: (-2.0) ** (x // 1.0 + (-1.0) ** x)):
        with pytest.raises(autograd.DomainError, match="pow has no derivative with respect to y here"):
            f(Value(3.0)).backward()
        with pytest.raises(autograd.DomainError, match="pow has no derivative with respect to y here"):
            autograd.grad(f)(3.0)


def test_what_leads_nowhere_is_false_and_a_leaf_leads_to_itself() -> None:
    x = Value(2.0)
    assert reaches_a_leaf(x) is True
    assert reaches_a_leaf(autograd.ceil(x)) is False
    assert reaches_a_leaf(autograd.where(x > 1.0, x, 2.0)) is True
    assert reaches_a_leaf(autograd.detach(x) * 2.0) is False
