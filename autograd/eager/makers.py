"""How an operation on Values becomes a node: the maker of each primitive, a function over Values and plain numbers.

What a maker does where it is fast stands in ``nodes``, as text; here is what is asked less often, and which primitive
gets which.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Never

from autograd.eager.choices import maker_of_choices
from autograd.eager.nodes import IN_PLACE, strange, without_value, written
from autograd.eager.operands import Condition, Passive, kind_of, plain
from autograd.eager.unrolled import Unrolled, as_stored, in_order, text_of_forward
from autograd.number_systems import floats
from autograd.primitives import TABLE, Primitive

_IDENTITY = TABLE["identity"]
_WHERE = TABLE["where"]
_DETACH = TABLE["detach"]


def forward(primitive: Primitive) -> Callable[..., Any]:
    """The function on floats that computes a primitive."""
    if primitive.built_in:
        return getattr(floats, primitive.name)  # type: ignore[no-any-return]
    own, domain, name = primitive.formula, primitive.domain, primitive.name

    def compute(*numbers: float) -> float:
        if not domain(*numbers):
            raise ValueError("outside the domain")
        result = own(floats, *numbers)
        number = plain(result)
        if number is None:
            raise TypeError(f"{name} returned {kind_of(result)} for {numbers}; a primitive returns one real number")
        return number

    return compute


def _refuse(primitive: Primitive, operands: Sequence[Any]) -> Never:
    raise strange(primitive, operands)


def _not_implemented(primitive: Primitive, operands: Sequence[Any]) -> Any:
    """What Python takes from an operator that does not know the other operand."""
    return NotImplemented


class Makers:
    """The makers of nodes of one class: that of the Values."""

    def __init__(self, value_class: Any) -> None:
        self.value_class = value_class
        #: ``(data, primitive, x, y) -> node``, the operands as a node holds them.
        self.node: Callable[[float, Primitive, Any, Any], Any] = written("node", value_class)
        self.where = maker_of_choices(value_class, self.node)

    def node_of(self, data: float, primitive: Primitive, operands: Sequence[Any]) -> Any:
        """A node over operands in the order of ``.parents``."""
        # The class is asked: a node of many operands would put their tuple together for the answer.
        kept = [o if hasattr(o.__class__, "parents") else plain(o) for o in operands]
        if primitive.n_ary or len(kept) > 2:
            node = self.node(data, primitive, *as_stored(primitive, kept))
        else:
            node = self.node(data, primitive, kept[0], kept[1] if len(kept) == 2 else None)
        if primitive.n_ary:
            node._which = bytes([o.__class__ is self.value_class for o in kept])
        return node

    def maker(self, primitive: Primitive) -> Callable[..., Any]:
        """The maker of any primitive; that of an n-ary one takes operands as a node holds them."""
        if primitive is _WHERE:
            return self.where
        if primitive is _DETACH:
            return self.detach
        if primitive.compares:
            return self.comparison(primitive)
        if primitive.n_ary:
            return self.any_number(primitive)
        if primitive.arity > 2:
            return self.fixed(primitive)
        if primitive.arity == 2:
            return self.binary(primitive, _refuse)
        return written("unary", self.value_class, primitive, forward(primitive))

    def binary(self, primitive: Primitive, unknown: Callable[..., Any]) -> Callable[[Any, Any], Any]:
        """The maker of a primitive with two arguments; ``unknown`` answers where one of them is no number."""
        return written("binary", self.value_class, primitive, forward(primitive), unknown)

    def operator(self, primitive: Primitive) -> Callable[[Any, Any], Any]:
        """The operator for a Value on the left."""
        if primitive.operator == "pow":
            return written("power", self.value_class, primitive, forward(primitive), _not_implemented)
        general = self.binary(primitive, _not_implemented)
        if primitive.symbol not in IN_PLACE:
            return general
        return written(primitive.symbol, self.value_class, primitive, general)

    def reflected(self, primitive: Primitive) -> Callable[[Any, Any], Any]:
        """The operator for a Value on the right: ``2.0 - v``.

        ``0 + v`` with the integer 0 is ``v`` itself, so that Python's ``sum(values)`` makes no phantom node.
        """
        apply = self.binary(primitive, _not_implemented)
        if primitive.name == "add":
            return lambda self, other: self if other.__class__ is int and other == 0 else apply(other, self)
        if primitive.operator == "pow":

            def power(self: Any, other: Any, modulus: Any = None) -> Any:  # Python hands on a modulus, from 3.14 on
                return apply(other, self) if modulus is None else apply(other, self) % modulus

            return power
        return lambda self, other: apply(other, self)

    def comparison(self, primitive: Primitive) -> Callable[[Any, Any], Any]:
        """The function of a comparison: a Condition, or a truth value of plain numbers."""
        compare, Value = forward(primitive), self.value_class

        def function(x: Any, y: Any) -> Any:
            left = x._data if x.__class__ is Value else plain(x)
            right = y._data if y.__class__ is Value else plain(y)
            if left is None or right is None:
                return NotImplemented
            outcome = compare(left, right)
            if x.__class__ is not Value and y.__class__ is not Value:
                return outcome
            return Condition(
                primitive, (x if x.__class__ is Value else left, y if y.__class__ is Value else right), outcome
            )

        return function

    def fixed(self, primitive: Primitive) -> Callable[..., Any]:
        """The maker of a primitive with three arguments or more."""
        compute, Value = forward(primitive), self.value_class

        def function(*operands: Any) -> Any:
            numbers = [operand._data if operand.__class__ is Value else plain(operand) for operand in operands]
            if None in numbers:
                raise strange(primitive, operands)
            try:
                data = compute(*numbers)
            except (ValueError, ArithmeticError) as error:
                data = without_value(primitive, operands, error)
            if not any(operand.__class__ is Value for operand in operands):
                return data
            kept = tuple([o if o.__class__ is Value else n for o, n in zip(operands, numbers, strict=True)])
            return self.node(data, primitive, kept, None)

        return function

    def any_number(self, primitive: Primitive) -> Callable[..., list[Any]]:
        """The maker of an n-ary primitive: a node for each ``x``, with operands as a node holds them.

        All share ``y``, as the neurons of a layer share their inputs; a call for each would take twice as long.
        """
        own, Value = forward(primitive), self.value_class

        def loop(x: tuple[Any, ...], y: tuple[Any, ...] | None) -> Any:
            return own([o._data if o.__class__ is Value else o for o in in_order(x, y)])

        unrolled = Unrolled(primitive, text_of_forward, loop)
        last: dict[int, tuple[bytes, Callable[..., Any]]] = {}  # operands of one count mostly follow one pattern

        def of_another_pattern(x: tuple[Any, ...], y: tuple[Any, ...] | None) -> tuple[Any, Any, Any, bytes]:
            operands = in_order(x, y)
            which = bytes([operand.__class__ is Value for operand in operands])
            kept: Sequence[Any] = operands
            if 0 in which:
                kept = [o if is_value else plain(o) for o, is_value in zip(operands, which, strict=True)]
                if any(operand is None for operand in kept):  # "in" would ask each Value whether it equals None
                    raise strange(primitive, operands)
            try:
                if 1 not in which:
                    return own(kept), x, y, b""
                if kept is not operands and any(a is not b for a, b in zip(kept, operands, strict=True)):
                    x, y = as_stored(primitive, kept)
                compute = unrolled[which]
                data = compute(x, y)
            except (ValueError, ArithmeticError) as error:
                data = without_value(primitive, operands, error)
            if compute is not loop:
                last[len(x)] = which, compute
            return data, x, y, which

        return written("n-ary", Value, primitive, last, of_another_pattern)

    def constant(self, x: float) -> Any:
        """A Value that is a plain number and no leaf, so that nobody takes it for a parameter."""
        return self.node(x, _IDENTITY, x, None)

    def detach(self, x: Any) -> Any:
        """A node through which no derivative flows; see the public function."""
        if x.__class__ is self.value_class:
            return self.node(x._data, _DETACH, Passive(x), None)
        number = plain(x)
        if number is None:
            raise strange(_DETACH, (x,))
        return number
