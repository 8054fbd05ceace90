"""``find_nonfinite``: where a nan or an infinity was born that IEEE arithmetic let through, forward and backward.

A number was *born* not finite if what it was made from was finite, or if it is a nan made from no nan: by ∞ − ∞, say.
What only passed it on is not to blame and is not named. Forward, the numbers are those that the graph holds; backward,
the cotangents are computed as ``backward()`` does, outside of ``.grad``.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite, isinf, isnan, nan
from typing import Any, NamedTuple

from autograd import interpret
from autograd.eager.makers import forward
from autograd.eager.operands import Condition, Passive, in_short, number_of, refuse_if_recorded
from autograd.errors import NonFiniteError, operands_in_words
from autograd.graph import topological_order
from autograd.number_systems import floats
from autograd.primitives import TABLE
from autograd.provenance.lines import line_of
from autograd.provenance.paths import path, path_in_words
from autograd.provenance.reasons import what_made, why
from autograd.reaching import reaches_a_leaf
from autograd.rules import is_nothing
from autograd.value import Value, backward_order, refuse_if_stale

#: How many births a report spells out.
MOST = 5

_WHERE = TABLE["where"]


class Birth(NamedTuple):
    """One place where a number that is not finite was born.

    ``direction`` is ``forward`` or ``backward``; ``node`` the operation (or leaf) where it happened; ``argument`` the
    operand whose cotangent it is, ``None`` forward and for a sum of cotangents; ``number`` what was born; ``reason``
    what made it, in words.
    """

    direction: str
    node: Any
    argument: int | None
    number: float
    reason: str
    output: Any

    @property
    def line(self) -> str:
        """The user's line that made the node, if it was made inside of ``record_lines()``."""
        return line_of(self.node)

    @property
    def path(self) -> tuple[Any, ...]:
        """The nodes from this one to the output, both included."""
        return tuple(path(self.node, [self.output]))

    @property
    def what(self) -> str:
        """The operation and its operands: ``mul gave inf; x is 1e+308 ('a'), y is 10.0``."""
        node, primitive = self.node, self.node.primitive
        if primitive is None or (self.argument is None and self.direction == "backward"):
            whose = f"the leaf {in_short(node)}" if primitive is None else f"{primitive.name} {in_short(node)}"
            return whose if self.direction == "forward" else f"the gradient of {whose} is {self.number!r}"
        given = operands_in_words(primitive, node.parents)
        if self.argument is None:
            return f"{primitive.name} gave {self.number!r}; {given}"
        name = f"xs[{self.argument}]" if primitive.n_ary else primitive.arguments[self.argument]
        return f"the gradient through {primitive.name} with respect to {name} is {self.number!r}; {given}"

    def __str__(self) -> str:
        way = self.path
        on_the_way = f"\n  on the way to the output: {path_in_words(way)}" if len(way) > 1 or self.line else ""
        return f"{self.direction}: {self.what}. {_sentence(self.reason)}{on_the_way}"


class NonFiniteReport:
    """Where numbers were born that are not finite; false if all are finite.

    ``births`` are in the order of the computation, forward and then backward; ``leaves`` are those whose gradient is
    not finite.
    """

    __slots__ = ("births", "leaves", "output")

    def __init__(self, output: Value, births: tuple[Birth, ...], leaves: tuple[Value, ...]) -> None:
        self.output = output
        self.births = births
        self.leaves = leaves

    def __bool__(self) -> bool:
        return bool(self.births)

    def raise_if_any(self) -> None:
        """Raise NonFiniteError with the report as its text, if anything was found."""
        if self:
            raise NonFiniteError(str(self))

    def _head(self) -> str:
        if not self:
            return f"the output is {in_short(self.output)}; all numbers on the way to it and back are finite"
        some = ", ".join([in_short(leaf) for leaf in self.leaves[:MOST]])
        more = f", … {len(self.leaves)} in all" if len(self.leaves) > MOST else ""
        through = f"; not finite are the gradients of {some}{more}" if self.leaves else "; all gradients are finite"
        return f"the output is {in_short(self.output)}{through}"

    def __str__(self) -> str:
        more = len(self.births) - MOST
        rest = [f"… and {more} more"] if more > 0 else []
        return "\n".join([self._head(), *map(str, self.births[:MOST]), *rest])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """A table, for a notebook."""
        from html import escape  # wanted in notebooks alone

        rows = "".join(
            f"<tr><td>{b.direction}</td><td>{escape(b.what)}</td><td>{escape(_sentence(b.reason))}</td>"
            f"<td>{escape(b.line)}</td><td>{escape(path_in_words(b.path))}</td></tr>"
            for b in self.births[:MOST]
        )
        more = f"<p>… and {len(self.births) - MOST} more</p>" if len(self.births) > MOST else ""
        names = ("", "what", "why", "line", "on the way to the output")
        head = "".join(f"<th>{name}</th>" for name in names)
        table = f"<table><tr>{head}</tr>{rows}</table>{more}" if self else ""
        return f"<p>{escape(self._head())}</p>{table}"


def find_nonfinite(output: Value) -> NonFiniteReport:
    """Where nan and infinities were born in the output's graph, forward and backward, and what made them.

    >>> a = Value(1e308, "a")
    >>> z = a * 10.0
    >>> print(find_nonfinite(z - z))
    the output is Value(nan); all gradients are finite
    forward: mul gave inf; x is 1e+308 ('a'), y is 10.0. 1e+308 · 10.0 is too large for a float.
      on the way to the output: mul('a', 10.0) → sub
    forward: sub gave nan; x is inf, y is inf. ∞ − ∞: inf − inf is nan.
    >>> bool(find_nonfinite(a * 0.5))
    False

    The report is false if all is finite; ``.births`` tell more, and ``raise_if_any()`` raises NonFiniteError. Inside of
    ``record_lines()`` the nodes know their lines, and so does the report. Branches of ``where`` that were not taken are
    not looked at. ``.grad`` is neither read nor written. Time is linear in the graph.

    Raises:
        StaleGraphError: a leaf was written since, so that it is not known what the graph was computed from.
    """
    if not isinstance(output, Value):
        raise TypeError(f"find_nonfinite looks into the graph of a Value, not {output!r:.60}")
    refuse_if_recorded(output, "the graph of")
    back = _Backward(output)
    refuse_if_stale(back.order)
    order = _used(output)
    births = [Birth("forward", node, None, node._data, reason, output) for node, reason in _forward(order)]
    births += [Birth("backward", node, argument, number, reason, output) for node, argument, number, reason in back]
    return NonFiniteReport(output, tuple(births), tuple(back.leaves()))


def _used(output: Value) -> list[Any]:
    """The Values that the output was computed from, parents first: without branches that were not taken."""
    order = topological_order(output)
    used: set[Any] = {output}
    for node in reversed(order):
        if node in used:
            if node.primitive is _WHERE:
                condition, x, y = node.parents
                taken = x if number_of(condition) else y
                used.update([o for o in (condition, taken) if o.__class__ is not float])
            else:
                used.update([o for o in node.parents if o.__class__ is not float])
    return [node for node in order if node in used and node.__class__ is not Condition]


def _forward(order: list[Any]) -> Iterator[tuple[Any, str]]:
    """The nodes where a number was born that is not finite, and why."""
    for node in order:
        z = node._data
        if isfinite(z):
            continue
        operands = node.operands()
        if not operands:
            yield node, "it was given so"
            continue
        from_nodes = [number_of(o) for o in operands if o.__class__ in (Value, Passive)]
        if not any(map(isnan, from_nodes)) if isnan(z) else all(map(isfinite, from_nodes)):
            constants = [operand for operand in operands if operand.__class__ is float]
            numbers = [number_of(operand) for operand in operands]
            yield node, why(node.primitive, forward(node.primitive), z, numbers, constants)


class _Backward:
    """The walk of ``backward()``, outside of ``.grad``; iterating gives node, argument, number, reason of each birth.

    As there, what nothing flows into has a cotangent of zero and is not asked for its slope.
    """

    def __init__(self, output: Value) -> None:
        self.order = backward_order(output)
        self.cotangents: dict[Value, float] = dict.fromkeys(self.order, 0.0)
        self.cotangents[output] = 1.0
        #: Node → the operation through which the first infinite cotangent came to it.
        self.infinite_through: dict[Any, Any] = {}

    def leaves(self) -> list[Value]:
        """The leaves whose gradient is not finite, once the walk is done."""
        return [node for node, c in self.cotangents.items() if node.primitive is None and not isfinite(c)]

    def __iter__(self) -> Iterator[tuple[Any, int | None, float, str]]:
        cotangents, reached = self.cotangents, set(self.order[-1:])
        for node in reversed(self.order):
            if node not in reached:
                continue
            c = cotangents[node]
            operands = node.operands()
            wanted = [i for i, operand in enumerate(operands) if operand.__class__ is Value]
            numbers = [number_of(operand) for operand in operands]
            for i, partial in zip(wanted, _partials(node, numbers, wanted), strict=True):
                if is_nothing(partial):
                    continue
                reached.add(operands[i])
                if partial.__class__ is str:
                    yield node, i, nan, partial
                    continue
                product = c * partial
                if not isfinite(product):
                    reason = _reason_backward(node, i, c, partial, numbers)
                    if reason:
                        yield node, i, product, reason
                parent = operands[i]
                before = cotangents.get(parent, 0.0)
                total = before + product
                cotangents[parent] = total
                if not isfinite(total):
                    reason = self._reason_of_sum(node, parent, before, product, total)
                    if reason:
                        yield parent, None, total, reason
                    if isinf(total):
                        self.infinite_through.setdefault(parent, node)

    def _reason_of_sum(self, node: Any, parent: Any, before: float, product: float, total: float) -> str:
        """Why a sum of cotangents is not finite, if it is not for one of them."""
        if isnan(total) and isinf(before) and isinf(product):
            first = self.infinite_through[parent].primitive.name
            return f"∞ − ∞: {before!r} flows in through {first}, {product!r} through {node.primitive.name}"
        if isinf(total) and isfinite(before) and isfinite(product):
            return f"{before!r} + {product!r}, the sum of what flows in, is too large for a float"
        return ""


def _partials(node: Any, numbers: list[Any], wanted: list[int]) -> list[Any]:
    """The partials, and for one that does not exist what backward() says of it."""
    primitive, z = node.primitive, node._data
    try:
        return interpret.partials(floats, primitive, z, numbers, wanted)
    except (ValueError, ArithmeticError) as error:
        if len(wanted) == 1 or callable(primitive.partials):
            fails = f"backward() fails: {str(error).partition(';')[0]}"
            operands = node.operands()
            return [
                fails if reaches_a_leaf(operands[i]) else "the slope does not exist; it leads nowhere" for i in wanted
            ]
        return [_partials(node, numbers, [i])[0] for i in wanted]


def _reason_backward(node: Any, argument: int, c: float, partial: float, numbers: list[Any]) -> str:
    """Why a cotangent times a partial is not finite; an empty text if it was not born here."""
    known = [node._data, *[x for x in numbers if x.__class__ is float]]
    if isnan(c):
        return ""
    if isnan(partial):
        if any(isnan(x) for x in known):
            return ""
        return _noticed_backward(node, argument, partial, numbers) or "the slope has no value there"
    if isinf(partial):
        slope = f"the slope is {partial!r} there"
        if all(map(isfinite, known)):
            slope = _noticed_backward(node, argument, partial, numbers) or slope
            return f"{slope}; 0 · ∞: a cotangent of {c!r} times that is nan" if c == 0 else slope
        return f"0 · ∞: a cotangent of {c!r} times a slope of {partial!r} is nan" if c == 0 else ""
    if isinf(c):
        return f"0 · ∞: a cotangent of {c!r} times a slope of {float(partial)!r} is nan" if partial == 0 else ""
    return f"a cotangent of {c!r} times a slope of {partial!r} is too large for a float"


def _noticed_backward(node: Any, argument: int, partial: float, numbers: list[Any]) -> str:
    rule: Any = node.primitive.partials
    if callable(rule):
        return what_made(
            partial, lambda number: rule(floats, number(node._data), [number(x) for x in numbers])[argument]
        )
    return what_made(partial, lambda number: rule[argument](floats, number(node._data), *map(number, numbers)))


def _sentence(text: str) -> str:
    return f"{text if text.startswith('backward()') else text[:1].upper() + text[1:]}."
