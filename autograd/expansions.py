"""``EXPANSIONS``: the textbook's formula of each primitive that is composed of others.

A fused primitive is one node, quick and stable over all floats; its expansion is what it means, for pictures and
derivations. A formula is written over any number system ``m``, as rules are, and may use primitives that have an
expansion themselves. Values agree to rounding where the formula does not overflow: mathematics, not a way to compute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from autograd.primitives import Primitive


def _left_to_right(terms: Sequence[Any], combine: Callable[[Any, Any], Any]) -> Any:
    total = terms[0]
    for term in terms[1:]:
        total = combine(total, term)
    return total


def _added(terms: Sequence[Any]) -> Any:
    return _left_to_right(terms, lambda x, y: x + y)


def _dot(m: Any, xs: Sequence[Any]) -> Any:
    """Operands are x₁ … xₙ, y₁ … yₙ and perhaps a start, which comes first."""
    n = len(xs) // 2
    return _added([*xs[2 * n :], *(xs[i] * xs[n + i] for i in range(n))])


#: Name of a primitive → ``(m, x, …) -> number``; of one with any number of arguments, ``(m, xs)``.
EXPANSIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "square": lambda m, x: x * x,
        "reciprocal": lambda m, x: 1 / x,
        "expm1": lambda m, x: m.exp(x) - 1,
        "log1p": lambda m, x: m.log(1 + x),
        "log2": lambda m, x: m.log(x) / m.log(m.number(2)),
        "log10": lambda m, x: m.log(x) / m.log(m.number(10)),
        "tan": lambda m, x: m.sin(x) / m.cos(x),
        "sinh": lambda m, x: (m.exp(x) - m.exp(-x)) / 2,
        "cosh": lambda m, x: (m.exp(x) + m.exp(-x)) / 2,
        "tanh": lambda m, x: (m.exp(2 * x) - 1) / (m.exp(2 * x) + 1),
        "hypot": lambda m, x, y: m.sqrt(x * x + y * y),
        "gelu": lambda m, x: x * m.erfc(-x / m.sqrt(m.number(2))) / 2,
        "silu": lambda m, x: x * m.sigmoid(x),
        "mish": lambda m, x: x * m.tanh(m.softplus(x)),
        "softplus": lambda m, x: m.log(1 + m.exp(x)),
        "sigmoid": lambda m, x: 1 / (1 + m.exp(-x)),
        "log_sigmoid": lambda m, x: m.log(m.sigmoid(x)),
        "sum": lambda m, xs: _added(xs),
        "prod": lambda m, xs: _left_to_right(xs, lambda x, y: x * y),
        "mean": lambda m, xs: _added(xs) / len(xs),
        "dot": _dot,
        "logsumexp": lambda m, xs: m.log(_added([m.exp(x) for x in xs])),
    }
)


def expansion_of(primitive: Primitive) -> Callable[..., Any] | None:
    """The formula of a primitive; of a user's own, the function that declares it; ``None`` for an elementary one.

    >>> from autograd import find
    >>> expansion_of(find("exp")) is None
    True
    """
    return primitive.forward if primitive.forward is not None else EXPANSIONS.get(primitive.name)
