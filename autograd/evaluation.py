"""``evaluate``: a graph run again in another number system, values and gradients."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from autograd.errors import naming_nodes
from autograd.interpret import pull_back, run_forward
from autograd.nesting import take_apart
from autograd.number_systems import system_of
from autograd.program import flatten
from autograd.value import Value, backward_order


# More than 60 lines: nearly half of them tell what each number system takes and gives.
def evaluate(
    output: Any,
    system: str | ModuleType = "floats",
    *,
    at: Mapping[Value, Any] | None = None,
    digits: int | None = None,
    wrt: Any = None,
) -> Any:
    """The number that the output's graph computes in a number system; with ``wrt``, ``(number, derivatives)``.

    >>> x = Value(2.0)
    >>> y = x.sqrt()
    >>> evaluate(y, "mpmath", digits=30) ** 2 - 2 < 1e-29
    True
    >>> evaluate(y, "arrays", at={x: [1.0, 4.0, 9.0]})
    array([1., 2., 3.])
    >>> evaluate(x * x / 3, "fractions", at={x: "1/2"}, wrt=x)  # exactly
    (Fraction(1, 12), Fraction(1, 3))
    >>> evaluate(1 + x, "intervals", at={x: (1.5, 2.5)})  # between these, whatever x is and however floats are rounded
    Interval(2.5, 3.5)

    Args:
        output: a Value, or nested lists, tuples and dicts of Values (the result has the same shape).
        system: ``floats``, ``values``, ``arrays``, ``complex``, ``fractions`` (rational expressions, exactly),
            ``intervals`` (bounds that hold for all numbers between those given, rounding included), ``mpmath`` (as many
            digits as wanted), ``sympy``, or a module with their functions. Where an angle of ``atan2``
            depends on the sign of a computed zero, ``intervals`` hold both, and ``mpmath`` refuses, as ``sympy`` does
            for any zero.
        at: other numbers for some leaves: whatever the system makes a number of (for ``arrays``, one per sample; for
            ``fractions`` a ``Fraction``, an integer, a float or a text; for ``intervals`` a number or a pair).
            A leaf that the output does not depend on changes nothing.
        digits: decimal digits, for ``mpmath`` (50 unless told).
        wrt: leaves or other nodes of the graph, in any nesting; needs one output. For ``arrays`` the derivatives are
            those of each sample, not their sum.

    Raises:
        DomainError: a primitive has no value there in that system.
        NotImplementedError: the system lacks a primitive of the graph; the reason is given.
    """
    m: Any = system_of(system)
    outputs, build = take_apart(output, "output")
    roots = [o for o in outputs if isinstance(o, Value)]
    program, nodes = flatten(roots)
    other = dict(at or {})
    leaves = nodes[: program.inputs]
    for key in other:
        if not isinstance(key, Value) or key.parents:
            raise ValueError(f"at gives numbers for leaves; {key!r:.200} is not a leaf")
    if digits is not None and digits < 1:
        raise ValueError(f"digits is a number of decimal digits, at least 1; it is {digits}")
    with m.computing(digits), naming_nodes(nodes, roots):
        inputs = [m.number(other[leaf]) if leaf in other else m.number(_of(leaf, m)) for leaf in leaves]
        numbers = run_forward(program, inputs, m)
        slot_of = {node: slot for slot, node in enumerate(nodes) if isinstance(node, Value)}
        value = build([numbers[slot_of[o]] if isinstance(o, Value) else m.number(o) for o in outputs])
        if wrt is None:
            return value
        if len(roots) != 1 or len(outputs) != 1:
            raise ValueError(f"derivatives are of one output; there are {len(outputs)}")
        targets, build_targets = take_apart(wrt, "wrt")
        slots = [slot_of.get(target, -1) if isinstance(target, Value) else -1 for target in targets]
        order = [slot_of[node] for node in backward_order(roots[0])]
        found = pull_back(program, numbers, {slot_of[roots[0]]: m.number(1)}, m, [s for s in slots if s >= 0], order)
        zero = m.zeros_like(value) if m.LANES else m.number(0)  # in the shape of the samples
        return value, build_targets([zero if s < 0 or found[s] is None else found[s] + zero for s in slots])


def _of(leaf: Value, m: Any) -> Any:
    return leaf if m.NAME == "values" else leaf.data
