"""What ``rounding_error`` answers: a proven bound, and the nodes whose rounding makes most of it."""

from __future__ import annotations

import math
from math import inf
from typing import NamedTuple

from autograd.provenance.lines import line_of
from autograd.value import Value

#: How many nodes a report spells out.
_MOST_SHOWN = 8


class Contribution(NamedTuple):
    """What the rounding of one node may add to the error of the result."""

    primitive: str
    label: str
    #: ``model.py:14``, for a node made inside of ``record_lines()``.
    line: str
    #: Of the bound, between 0 and 1.
    share: float
    amount: float
    node: Value

    def __str__(self) -> str:
        named = f" '{self.label}'" if self.label else ""
        where = f" ({self.line})" if self.line else ""
        return f"{self.share:6.1%}  {self.primitive}{named} = {self.node.data:.6g}{where}"


class RoundingBound(NamedTuple):
    """A proven bound on the rounding error of a computed number, and the nodes that make it."""

    #: The computed number.
    value: float
    #: |computed - exact| is at most this; infinite where nothing could be proved.
    bound: float
    #: The sum over the nodes of |∂output/∂node| times the bound on the node's own rounding; nan without a bound.
    first_order: float
    #: ``bound / first_order``: the most that all higher orders may add. Infinite if the first order vanishes alone.
    factor: float
    #: Largest first.
    contributions: list[Contribution]
    #: Why there is no bound, and at which node.
    reason: str = ""
    node: Value | None = None

    @property
    def relative(self) -> float:
        """The bound over the size of the computed number."""
        return 0.0 if self.bound == 0.0 else self.bound / math.fabs(self.value) if self.value else inf

    def __str__(self) -> str:
        if self.reason:
            line = line_of(self.node)
            return f"{self.value!r} with an unbounded rounding error: {self.reason}" + (f" ({line})" if line else "")
        if self.bound == 0.0:
            return f"{self.value!r} is exact"
        head = f"{self.value!r} ± {self.bound:.2g} (relative {self.relative:.2g}; first order × {self.factor:.6g})"
        lines = [head, *(f"  {contribution}" for contribution in self.contributions[:_MOST_SHOWN])]
        if len(self.contributions) > _MOST_SHOWN:
            lines.append(f"  … {len(self.contributions)} nodes in all")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from html import escape  # only a notebook asks

        head, *_ = str(self).partition("\n")
        rows = [
            f"<tr><td>{c.share:.1%}</td><td>{escape(c.primitive)}</td><td>{escape(c.label)}</td>"
            f"<td>{c.node.data:.6g}</td><td>{escape(c.line)}</td></tr>"
            for c in self.contributions[:_MOST_SHOWN]
        ]
        titles = "".join(f"<th>{title}</th>" for title in ("share", "primitive", "label", "value", "line"))
        table = f"<table><thead><tr>{titles}</tr></thead><tbody>{''.join(rows)}</tbody></table>" if rows else ""
        return f"<p>{escape(head)}</p>{table}"
