"""Gradients kept within bounds between ``backward()`` and ``step()``; in ``fit``, ``clip_value`` and ``clip_norm``."""

from __future__ import annotations

import math
from collections.abc import Iterable

from autograd import Value
from nn.checks import within
from nn.interrupts import assign


def clip_grad_value(parameters: Iterable[Value], bound: float) -> None:
    """Move every gradient into -bound … bound.

    >>> p, q = Value(1.0), Value(2.0)
    >>> p.grad, q.grad = -5.0, 0.5
    >>> clip_grad_value([p, q], 1.0)
    >>> p.grad, q.grad
    (-1.0, 0.5)

    Raises:
        ValueError: the bound is not positive.
    """
    within("the bound of clip_grad_value", bound, 0.0, open_below=True)
    found = list(parameters)
    assign(found, "grad", [bound if p.grad > bound else -bound if p.grad < -bound else p.grad for p in found])


def clip_grad_norm(parameters: Iterable[Value], bound: float) -> float:
    """√(Σ g²) of all gradients together before, above which they are all scaled by the one factor that makes it bound.

    It may be infinite where no gradient is; they are scaled all the same.

    >>> p, q = Value(1.0), Value(2.0)
    >>> p.grad, q.grad = 3.0, 4.0
    >>> clip_grad_norm([p, q], 1.0), round(p.grad, 12), round(q.grad, 12)
    (5.0, 0.6, 0.8)

    Raises:
        ValueError: the bound is not positive.
    """
    within("the bound of clip_grad_norm", bound, 0.0, open_below=True)
    found = list(parameters)
    total = math.hypot(*(p.grad for p in found))
    if total > bound:
        down = 2.0**-64 if math.isinf(total) else 1.0  # the norm of finite gradients may be too large for a float
        scaled_total = math.hypot(*(p.grad * down for p in found))
        # In this order nothing overflows, and an infinite gradient makes nan: told.
        assign(found, "grad", [p.grad * down / scaled_total * bound for p in found])
    return total
