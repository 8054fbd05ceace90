"""How an operation on Values becomes a node: one function per kind of primitive, over plain numbers as well.

``now`` is time: a counter that writing a leaf moves on, and that each node notes when it is born.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan
from typing import Any

from autograd import errors
from autograd.eager import watching
from autograd.eager.operands import Condition, Passive, kind_of, number_of, plain
from autograd.eager.unrolled import Unrolled, as_stored, in_order, text_of_forward
from autograd.number_systems import floats
from autograd.primitives import TABLE, Primitive

now = 0

#: What makes an empty node; ``record_lines`` puts another in its place, which notes the user's line as well.
_new: Callable[[Any], Any] = object.__new__

#: The operator ``@`` for a Value on the left.
_OPERATOR = """
def make(Value, primitive, general):
    def operator(x, y):
        if y.__class__ is Value:
            data = x._data @ y._data
        elif y.__class__ is float:
            data = x._data @ y
        else:
            return general(x, y)
        node = _new(Value)
        node._data = data
        node.grad = 0.0
        node.primitive = primitive
        node._x = x
        node._y = y
        node.label = ""
        node._moment = now
        return node
    return operator
"""

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


def strange(primitive: Primitive, operands: Sequence[Any]) -> TypeError:
    """What to say of an operand that is neither a Value nor a real number."""
    names = ["xs"] * len(operands) if primitive.n_ary else primitive.arguments
    for name, operand in zip(names, operands, strict=False):
        if not hasattr(operand, "_moment") and plain(operand) is None:
            many = hasattr(operand, "__len__") and not isinstance(operand, str | bytes)
            hint = f"; apply it to each element: [{primitive.name}(v) for v in …]" if many else ""
            return TypeError(f"{primitive.name} takes Values and real numbers; {name} is {kind_of(operand)}{hint}")
    return TypeError(f"{primitive.name} cannot be applied to {operands!r}")


def _watched(branch: Callable[[], Any], condition: Condition, truth: bool, watch: watching.Watch) -> Any:
    """What a branch gives; what it asks meanwhile counts for those samples whose condition has this truth."""
    around = watch.within
    watch.within = (*around, (condition, truth))
    try:
        return branch()
    finally:
        watch.within = around


def _attempted(branch: Callable[[], Any], condition: Condition, truth: bool, watch: watching.Watch) -> Any:
    """The branch not taken, for a replay that takes it; ``None`` if it fails at the numbers of now."""
    asked = len(watch.conditions)
    watch.attempts += 1
    try:
        return _watched(branch, condition, truth, watch)
    except (ValueError, ArithmeticError):
        del watch.conditions[asked:]  # no sample takes it
        return None
    finally:
        watch.attempts -= 1


def _both(condition: Condition, x: Any, y: Any, watch: watching.Watch) -> list[Any]:
    """Both branches, ``x`` first whichever is taken: so what they ask comes in one order at all numbers."""
    found = []
    for branch, truth in ((x, True), (y, False)):
        if callable(branch):
            run = _watched if truth == condition._outcome else _attempted
            branch = run(branch, condition, truth, watch)
        found.append(branch)
    return found


def _without_value(primitive: Primitive, operands: Sequence[Any], error: Exception) -> float:
    """What a primitive gives where it has no value: the error, or nan in a branch that is recorded but not taken, or
    what the watch has for it."""
    watch = watching.watch
    if watch is not None and watch.is_ours() and any(hasattr(o, "_moment") for o in operands):
        if watch.attempts:
            return nan
        if watch.outside_domain is not None:
            return watch.outside_domain(primitive, [number_of(o) for o in operands])
    raise errors.failure(primitive, operands, error) from None


class Recording:
    """The functions that make nodes of one class: that of the Values."""

    def __init__(self, value_class: Any) -> None:
        self.value_class = value_class

    def node(self, data: float, primitive: Primitive, x: Any, y: Any) -> Any:
        """A node born now."""
        node = _new(self.value_class)
        node._data = data
        node.grad = 0.0
        node.primitive = primitive
        node._x = x
        node._y = y
        node.label = ""
        node._moment = now
        return node

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

    # The hot paths below spell out what ``node`` does: a call saved is a fifth of the forward time (measured).

    def unary(self, primitive: Primitive) -> Callable[[Any], Any]:
        """The function of a primitive with one argument."""
        compute, Value = forward(primitive), self.value_class

        def function(x: Any) -> Any:
            try:
                if x.__class__ is Value:
                    data = compute(x._data)
                else:
                    number = plain(x)
                    if number is None:
                        raise strange(primitive, (x,))
                    return compute(number)
            except (ValueError, ArithmeticError) as error:
                data = _without_value(primitive, (x,), error)
            node = _new(Value)
            node._data = data
            node.grad = 0.0
            node.primitive = primitive
            node._x = x
            node._y = None
            node.label = ""
            node._moment = now
            return node

        return function

    def binary(self, primitive: Primitive, *, operator: bool) -> Callable[[Any, Any], Any]:
        """The function of a primitive with two arguments; an operator gives NotImplemented for the unknown."""
        compute, Value = forward(primitive), self.value_class

        def function(x: Any, y: Any) -> Any:
            try:
                if y.__class__ is Value and x.__class__ is Value:
                    data = compute(x._data, y._data)
                elif y.__class__ is float and x.__class__ is Value:
                    data = compute(x._data, y)
                else:
                    left = x._data if x.__class__ is Value else plain(x)
                    right = y._data if y.__class__ is Value else plain(y)
                    if left is None or right is None:
                        if operator:
                            return NotImplemented
                        raise strange(primitive, (x, y))
                    data = compute(left, right)
                    if x.__class__ is not Value:
                        if y.__class__ is not Value:
                            return data
                        x = left
                    if y.__class__ is not Value:
                        y = right
            except (ValueError, ArithmeticError) as error:
                data = _without_value(primitive, (x, y), error)
                x, y = (o if o.__class__ is Value else plain(o) for o in (x, y))
            node = _new(Value)
            node._data = data
            node.grad = 0.0
            node.primitive = primitive
            node._x = x
            node._y = y
            node.label = ""
            node._moment = now
            return node

        return function

    def operator(self, primitive: Primitive) -> Callable[[Any, Any], Any]:
        """The operator for a Value on the left; that of ``+ - *``, which never raise, is written out.

        Computing in place, without a call, saves a seventh of the time of an operation (measured).
        """
        general = self.binary(primitive, operator=True)
        if primitive.name not in ("add", "sub", "mul"):
            return general
        made: dict[str, Any] = {}
        exec(
            compile(_OPERATOR.replace("@", primitive.symbol), f"<operator {primitive.symbol}>", "exec"), globals(), made
        )
        return made["make"](self.value_class, primitive, general)  # type: ignore[no-any-return]

    def reflected(self, primitive: Primitive) -> Callable[[Any, Any], Any]:
        """The operator for a Value on the right: ``2.0 - v``.

        ``0 + v`` with the integer 0 is ``v`` itself, so that Python's ``sum(values)`` makes no phantom node.
        """
        apply = self.binary(primitive, operator=True)
        if primitive.name == "add":
            return lambda self, other: self if other.__class__ is int and other == 0 else apply(other, self)
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
        """The function of a primitive with three arguments or more."""
        compute, Value = forward(primitive), self.value_class

        def function(*operands: Any) -> Any:
            numbers = [operand._data if operand.__class__ is Value else plain(operand) for operand in operands]
            if None in numbers:
                raise strange(primitive, operands)
            try:
                data = compute(*numbers)
            except (ValueError, ArithmeticError) as error:
                data = _without_value(primitive, operands, error)
            if not any(operand.__class__ is Value for operand in operands):
                return data
            kept = tuple([o if o.__class__ is Value else n for o, n in zip(operands, numbers, strict=True)])
            return self.node(data, primitive, kept, None)

        return function

    def any_number(self, primitive: Primitive) -> Callable[..., list[Any]]:
        """The function of an n-ary primitive: a node for each ``x``, with operands as a node holds them.

        All share ``y``, as the neurons of a layer share their inputs; a call for each would take twice as long.
        """
        own, Value = forward(primitive), self.value_class

        def loop(x: tuple[Any, ...], y: tuple[Any, ...] | None) -> Any:
            return own([o._data if o.__class__ is Value else o for o in in_order(x, y)])

        unrolled = Unrolled(primitive, text_of_forward, loop)
        last: dict[int, tuple[bytes, Callable[..., Any]]] = {}  # operands of one count mostly follow one pattern

        def function(xs: Sequence[tuple[Any, ...]], y: tuple[Any, ...] | None = None) -> list[Any]:
            nodes = []
            count = -1
            for x in xs:
                try:
                    if len(x) != count:
                        count = len(x)
                        which, compute = last[count]
                    data = compute(x, y)
                except (AttributeError, KeyError, ValueError, ArithmeticError):
                    data, count = None, -1
                if data.__class__ is not float:
                    data, x, y, which = of_another_pattern(x, y)
                    if not which:
                        nodes.append(data)
                        continue
                node = _new(Value)
                node._data = data
                node.grad = 0.0
                node.primitive = primitive
                node._x = x
                node._y = y
                node._which = which
                node.label = ""
                node._moment = now
                nodes.append(node)
            return nodes

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
                data = _without_value(primitive, operands, error)
            if compute is not loop:
                last[len(x)] = which, compute
            return data, x, y, which

        return function

    def constant(self, x: float) -> Any:
        """A Value that is a plain number and no leaf, so that nobody takes it for a parameter."""
        return self.node(x, _IDENTITY, x, None)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """A node for the choice; see the public function."""
        Value = self.value_class
        known = condition.__class__ is Condition or isinstance(condition, bool | int) or hasattr(condition, "dtype")
        if not known:
            raise TypeError(f"where needs a comparison or a truth value, not {kind_of(condition)}; write x > 0")
        outcome = condition._outcome if condition.__class__ is Condition else bool(condition)
        is_none = x is None or y is None
        watch = watching.watch
        if watch is not None and condition.__class__ is Condition and watch.is_ours():
            x, y = _both(condition, x, y, watch)
        taken, other = (x, y) if outcome else (y, x)
        if callable(taken):
            taken = taken()
        if callable(other):
            other = None
        if taken is None or is_none:
            raise TypeError("where: a branch is None; give a Value, a number, or a function that returns one")
        if other is None and watch is not None:
            bool(condition)  # the branch is not known, so the condition is a guard
        for branch in (taken, other):
            if branch is not None and branch.__class__ is not Value and plain(branch) is None:
                raise strange(_WHERE, (0.0, branch))
        if condition.__class__ is not Condition and taken.__class__ is not Value and other.__class__ is not Value:
            return plain(taken)
        data = taken._data if taken.__class__ is Value else plain(taken)
        taken = taken if taken.__class__ is Value else data
        if other.__class__ is Value:
            other = Passive(other)
        elif other is not None:
            other = plain(other)
        kept = condition if condition.__class__ is Condition else float(outcome)
        assert data is not None
        return self.node(data, _WHERE, (kept, taken, other) if outcome else (kept, other, taken), None)

    def detach(self, x: Any) -> Any:
        """A node through which no derivative flows; see the public function."""
        if x.__class__ is self.value_class:
            return self.node(x._data, _DETACH, Passive(x), None)
        number = plain(x)
        if number is None:
            raise strange(_DETACH, (x,))
        return number

    def function(self, primitive: Primitive) -> Callable[..., Any]:
        """The function of any primitive; of an n-ary one, over its operands as a node holds them."""
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
        return self.unary(primitive) if primitive.arity == 1 else self.binary(primitive, operator=False)
