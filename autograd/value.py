"""``Value``: one number, the operation that made it, and the gradient that flows back to it.

A node is a record without closures, and a graph has no reference cycle, so that memory returns as soon as the last reference
goes. Two operands sit in two slots, not in a tuple: that is one tracked object a node for the garbage collector, and a third
of its time (measured); ``.parents`` shows them as the ordered tuple they are.

Time is one counter, ``_now``: writing a leaf moves it on, a node notes when it was born. So ``backward()`` knows when a leaf
was written after a node had used its old number.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from typing import Any, Never, Self, final

from autograd import errors, interpret
from autograd.arithmetic import BINARY, COMPARISONS, Arithmetic
from autograd.graph import topological_order
from autograd.number_systems import floats
from autograd.primitives import ALIASES, TABLE, Primitive
from autograd.program import Program, flatten
from autograd.pull_backs import PullBacks

_now = 0


def plain(x: Any) -> float | None:
    """A real number as a float; ``None`` for anything else, Values among it."""
    if x.__class__ is float:
        return x  # type: ignore[no-any-return]  # the class was compared, not asked with isinstance, for speed
    return float(x) if isinstance(x, Real) else None


@final
class Condition:
    """The outcome of a comparison, with its two sides; ``if`` uses its truth, ``where`` takes it as a choice."""

    __slots__ = ("outcome", "parents", "primitive")

    def __init__(self, primitive: Primitive, parents: tuple[Any, Any], outcome: bool) -> None:
        self.primitive = primitive
        self.parents = parents
        self.outcome = outcome

    def __bool__(self) -> bool:
        return self.outcome

    def __repr__(self) -> str:
        left, right = (_short(side) for side in self.parents)
        return f"Condition({left} {self.primitive.symbol} {right} is {self.outcome})"


@final
class Passive:
    """An operand that takes part in a node without a derivative: the branch not taken, what was detached."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value


@final
class Value(Arithmetic):
    """A number that remembers how it was made.

    ``data`` is the number, ``grad`` the derivative that the last ``backward()`` left (0.0 before), ``primitive`` the row of
    the table that made it (``None`` for a leaf), ``parents`` its operands in order: Values, Conditions, and plain numbers as
    they are. ``label`` names it in pictures, derivations and errors.

    >>> x = Value(3.0, "x")
    >>> y = x * x + 2 * x
    >>> y.backward()
    >>> y.data, x.grad
    (15.0, 8.0)

    Raises:
        TypeError: ``data`` is not a real number.
    """

    # _x and _y are the operands of a unary or binary node. For more, _x is their tuple and _y tells that all are Values.
    __slots__ = ("_data", "_moment", "_x", "_y", "grad", "label", "primitive")

    def __init__(self, data: float, label: str = "") -> None:
        number = plain(data)
        if number is None:
            raise TypeError(f"a Value holds one real number, not {_kind(data)}{_hint_for(data)}")
        self._data: float = number
        self.grad: float = 0.0
        self.primitive: Primitive | None = None
        self._x: Any = None
        self._y: Any = None
        self.label = label
        self._moment = 0

    def __init_subclass__(cls) -> Never:
        raise TypeError("Value cannot be subclassed: walks know it by its class; hold a Value in your own object instead")

    def _apply(self, name: str, *operands: Any) -> Any:
        return RECORDERS[name](*operands)

    @property
    def data(self) -> float:
        """The number. Writing it is for leaves; graphs built before the write refuse to run backward."""
        return self._data

    @data.setter
    def data(self, number: float) -> None:
        global _now
        if self._x is not None:
            raise AttributeError(
                f"{_short(self)} was computed by {self.primitive.name}; only a leaf's data can be written. "  # type: ignore[union-attr]
                "Write the leaves and run the expression again, or use detach() to get a leaf."
            )
        new = plain(number)
        if new is None:
            raise TypeError(f"data must be a real number, not {_kind(number)}; write value.data = other.data")
        _now += 1
        self._moment = _now
        self._data = new

    @property
    def parents(self) -> tuple[Any, ...]:
        """The operands in order; empty for a leaf."""
        if self._x is None:
            return ()
        if self._x.__class__ is tuple:
            operands = self._x
        else:
            operands = (self._x,) if self._y is None else (self._x, self._y)
        return tuple([p.value if p.__class__ is Passive else p for p in operands])

    def backward(self, seed: float = 1.0) -> None:
        """Add ``seed · ∂self/∂leaf`` to the ``.grad`` of every leaf; nodes between get theirs afresh.

        Leaves accumulate over calls, so that several losses add up; set ``.grad = 0.0`` or use ``zero_grad`` between steps.

        Raises:
            StaleGraphError: a leaf's data was written after a node had used it.
            DomainError: a slope on the way does not exist.
        """
        start = plain(seed)
        if start is None:
            raise TypeError(f"seed must be a real number, not {_kind(seed)}; for derivatives as Values use gradients()")
        if self._x is None:
            self.grad += start
            return
        order = self._inner_nodes_with_fresh_gradients()
        for node in order:
            if node._moment != _now:
                _refuse_if_stale(node)
        self.grad = start
        pull_backs = _PULL_BACKS
        for node in reversed(order):
            try:
                pull_backs[node.primitive](node)  # type: ignore[index]  # inner nodes have a primitive
            except (ValueError, ArithmeticError):
                pull_backs.one_by_one(node)

    def _inner_nodes_with_fresh_gradients(self) -> list[Value]:
        """All nodes that are not leaves and that a derivative reaches, parents first, each with a gradient of zero.

        A gradient that *is* this walk's own zero marks a node that was entered: no set is needed, and none is built.
        """
        zero = float("0")
        order: list[Value] = []
        stack: list[Any] = [self]
        push, pop = stack.append, stack.pop
        while stack:
            node = pop()
            if node is None:  # all parents of the node below are done
                order.append(pop())
                continue
            if node.grad is zero:
                continue
            node.grad = zero
            push(node)
            push(None)
            x = node._x
            if x.__class__ is Value:
                y = node._y
                if y.__class__ is Value and y._x is not None and y.grad is not zero:
                    push(y)
                if x._x is not None and x.grad is not zero:
                    push(x)
            elif x.__class__ is tuple:
                for parent in reversed(x):
                    if parent.__class__ is Value and parent._x is not None and parent.grad is not zero:
                        push(parent)
            else:
                y = node._y
                if y.__class__ is Value and y._x is not None and y.grad is not zero:
                    push(y)
        return order

    def detach(self) -> Value:
        """The same number, through which no derivative flows.

        >>> x = Value(3.0)
        >>> y = x * x.detach()
        >>> y.backward()
        >>> x.grad
        3.0
        """
        return detach(self)

    # Where Python would take a number and drop the gradient, or compare what is not comparable.

    def __eq__(self, other: object) -> bool:
        if other.__class__ is Value:
            return self is other
        if isinstance(other, Real):
            raise TypeError(
                f"{_short(self)} == {other!r} would compare a node with a number; write value.data == {other!r}"
            )
        return NotImplemented

    __hash__ = object.__hash__

    def __bool__(self) -> Never:
        raise TypeError(f"the truth of {_short(self)} is not defined; write value.data != 0, or compare it: value > 0")

    def __float__(self) -> Never:
        called = errors.function_called_on_the_users_line()
        name = ALIASES.get(called, called) if called else None
        if name in TABLE:
            raise TypeError(f"{called} of a plain number would drop the gradient of {_short(self)}; write autograd.{name}")
        raise TypeError(
            f"float({_short(self)}) would drop the gradient; write value.data for the number, "
            "or the engine's function in place of math's (autograd.exp for math.exp)"
        )

    __int__ = __float__

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else repr(self)

    def __repr__(self) -> str:
        parts = [repr(self._data)]
        if self.label:
            parts.append(repr(self.label))
        if self.primitive is not None:
            parts.append(f"primitive={self.primitive.name}")
        return f"Value({', '.join([*parts, f'grad={self.grad!r}'])})"

    # Copies: without recursion, so that depth is no limit.

    def __copy__(self) -> Value:
        return _node(self._data, self.primitive, self._x, self._y, self.label, self.grad, self._moment)

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        for node in topological_order(self):
            if id(node) not in memo:
                memo[id(node)] = _copied(node, memo)
        return memo[id(self)]  # type: ignore[no-any-return]  # the walk has entered it

    def __reduce__(self) -> Any:
        if self._x is None:
            return _leaf, (self._data, self.grad, self.label)
        program, nodes = flatten([self])
        inner = nodes[program.first_instruction :]
        state = [
            None if node.__class__ is Condition else (node._data, node.grad, node.label, _is_stale(node)) for node in inner
        ]
        return _rebuilt, (program, tuple(nodes[: program.inputs]), state, [n.outcome for n in inner if n.__class__ is Condition])


def _short(x: Any) -> str:
    """A Value in an error: its label if it has one, else its number."""
    if x.__class__ is not Value:
        return repr(x)
    return f"{x.label!r} ({x._data!r})" if x.label else f"Value({x._data!r})"


def _kind(x: Any) -> str:
    text = repr(x)
    return f"{type(x).__name__} {text if len(text) <= 40 else text[:37] + '…'}"


def _hint_for(x: Any) -> str:
    if x.__class__ is Value:
        return "; it is a Value already: use it, or detach() for a constant"
    if hasattr(x, "__len__") and not isinstance(x, str | bytes):
        return "; make one Value per number: [Value(x) for x in numbers]"
    return ""


def _number(operand: Any) -> Any:
    """The number of an operand, whatever it is."""
    kind = operand.__class__
    if kind is Value:
        return operand._data
    if kind is Passive:
        return operand.value._data
    return operand.outcome if kind is Condition else operand


def _partials(m: Any, primitive: Primitive, z: Any, operands: Sequence[Any], wanted: Iterable[int]) -> list[Any]:
    return interpret.partials(m, primitive, z, [_number(operand) for operand in operands], wanted)


_PULL_BACKS = PullBacks(Value, _number, _partials)


def _is_stale(node: Value) -> bool:
    return any(p.__class__ is Value and p._moment > node._moment for p in node.parents if not getattr(p, "parents", True))


def _refuse_if_stale(node: Value) -> None:
    for parent in node.parents:
        if parent.__class__ is Value and parent._x is None and parent._moment > node._moment:
            raise errors.StaleGraphError(
                f"the leaf {_short(parent)} was written after {node.primitive.name} had used it, so old and new numbers "  # type: ignore[union-attr]
                "would mix. Run the expression again after writing, or run backward before it."
            )


# Making nodes. Each function below is what one kind of primitive does to Values; plain numbers give plain numbers.

_new = object.__new__


def _node(
    data: float, primitive: Primitive | None, x: Any, y: Any, label: str = "", grad: float = 0.0, moment: int | None = None
) -> Value:
    node = _new(Value)
    node._data = data
    node.grad = grad
    node.primitive = primitive
    node._x = x
    node._y = y
    node.label = label
    node._moment = _now if moment is None else moment
    return node


def _strange(primitive: Primitive, operands: Sequence[Any]) -> TypeError:
    """What to say of an operand that is neither a Value nor a real number."""
    for name, operand in zip(primitive.arguments if not primitive.n_ary else ["xs"] * len(operands), operands, strict=False):
        if operand.__class__ is not Value and plain(operand) is None:
            many = hasattr(operand, "__len__") and not isinstance(operand, str | bytes)
            hint = f"; apply it to each element: [{primitive.name}(v) for v in …]" if many else ""
            return TypeError(f"{primitive.name} takes Values and real numbers; {name} is {_kind(operand)}{hint}")
    return TypeError(f"{primitive.name} cannot be applied to {operands!r}")


def _forward(primitive: Primitive) -> Callable[..., float]:
    """The function on floats that computes a primitive."""
    if primitive.forward is None:
        return getattr(floats, primitive.name)  # type: ignore[no-any-return]
    forward, domain, name = primitive.forward, primitive.domain, primitive.name

    def compute(*numbers: float) -> float:
        if not domain(*numbers):
            raise ValueError("outside the domain")
        result = plain(forward(floats, *numbers))
        if result is None:
            raise TypeError(f"{name} returned {forward(floats, *numbers)!r} for {numbers}; a primitive returns one real number")
        return result

    return compute


def _unary(primitive: Primitive) -> Callable[[Any], Any]:
    compute = _forward(primitive)

    def function(x: Any) -> Any:
        try:
            if x.__class__ is Value:
                data = compute(x._data)
            else:
                number = plain(x)
                if number is None:
                    raise _strange(primitive, (x,))
                return compute(number)
        except (ValueError, ArithmeticError) as error:
            raise errors.failure(primitive, (x,), error) from None
        node = _new(Value)
        node._data = data
        node.grad = 0.0
        node.primitive = primitive
        node._x = x
        node._y = None
        node.label = ""
        node._moment = _now
        return node

    return function


def _binary(primitive: Primitive, *, reflected: bool = False, strict: bool = False) -> Callable[[Any, Any], Any]:
    """The operator of a primitive, or with ``strict`` the public function.

    An operator's first operand is a Value; an unknown second one gives NotImplemented. A function takes plain numbers too
    and raises.
    """
    compute = _forward(primitive)

    def apply(x: Any, y: Any) -> Any:
        try:
            if y.__class__ is Value and x.__class__ is Value:
                data = compute(x._data, y._data)
            elif y.__class__ is float and x.__class__ is Value:
                data = compute(x._data, y)
            else:
                left = x._data if x.__class__ is Value else plain(x)
                right = y._data if y.__class__ is Value else plain(y)
                if left is None or right is None:
                    if strict:
                        raise _strange(primitive, (x, y))
                    return NotImplemented
                data = compute(left, right)
                if x.__class__ is not Value:
                    if y.__class__ is not Value:
                        return data
                    x = left
                if y.__class__ is not Value:
                    y = right
        except (ValueError, ArithmeticError) as error:
            raise errors.failure(primitive, (x, y), error) from None
        node = _new(Value)
        node._data = data
        node.grad = 0.0
        node.primitive = primitive
        node._x = x
        node._y = y
        node.label = ""
        node._moment = _now
        return node

    if reflected:
        return lambda self, other: apply(other, self)
    return apply


def _comparison(primitive: Primitive) -> Callable[[Any, Any], Any]:
    compare = _forward(primitive)

    def apply(x: Any, y: Any) -> Any:
        left = x._data if x.__class__ is Value else plain(x)
        right = y._data if y.__class__ is Value else plain(y)
        if left is None or right is None:
            return NotImplemented
        sides = (x if x.__class__ is Value else left, y if y.__class__ is Value else right)
        return Condition(primitive, sides, compare(left, right))  # type: ignore[arg-type]  # compare returns a bool

    return apply


def record_many(primitive: Primitive, operands: Sequence[Any]) -> Any:
    """A node of an n-ary primitive, or one of three arguments or more; a plain number if no operand is a Value.

    Raises:
        TypeError: an operand is neither a Value nor a real number.
        DomainError, OverflowError: as the primitive has it.
    """
    every = True
    numbers: list[Any] = []
    converted: list[Any] = []
    for operand in operands:
        kind = operand.__class__
        if kind is Value:
            numbers.append(operand._data)
            converted.append(operand)
        else:
            every = False
            number = plain(operand)
            if number is None:
                raise _strange(primitive, operands)
            numbers.append(number)
            converted.append(number)
    compute = _forward(primitive)
    try:
        data = compute(numbers) if primitive.n_ary else compute(*numbers)
    except (ValueError, ArithmeticError) as error:
        raise errors.failure(primitive, operands, error) from None
    if not every and not any(operand.__class__ is Value for operand in converted):
        return data
    if not primitive.n_ary and len(converted) <= 2:
        return _node(data, primitive, *converted, *([None] if len(converted) == 1 else []))
    return _node(data, primitive, tuple(converted), every and bool(converted))


_WHERE = TABLE["where"]
_DETACH = TABLE["detach"]


def where(condition: Any, x: Any, y: Any) -> Any:
    """``x`` if the condition holds, else ``y``; no derivative flows into the branch that is not taken, not even 0·nan.

    A branch may be a function without arguments; it is called only if it is taken, so it need not make sense elsewhere.

    >>> x = Value(-1.0)
    >>> where(x > 0, lambda: x.log(), 0.0).data
    0.0

    Args:
        condition: a comparison of Values, or a plain truth value.
        x, y: Values, numbers, or functions that return one.
    """
    if condition.__class__ is not Condition and not isinstance(condition, bool | int) and not hasattr(condition, "dtype"):
        raise TypeError(f"where needs a comparison or a truth value as its condition, not {_kind(condition)}; write x > 0")
    outcome = bool(condition)
    taken, other = (x, y) if outcome else (y, x)
    if callable(taken):
        taken = taken()
    other = None if callable(other) else other
    for branch in (taken, other):
        if branch is not None and branch.__class__ is not Value and plain(branch) is None:
            raise _strange(_WHERE, (True, taken, 0.0 if other is None else other))
    if condition.__class__ is not Condition and taken.__class__ is not Value and other.__class__ is not Value:
        return plain(taken)
    kept = condition if condition.__class__ is Condition else float(outcome)
    data = taken._data if taken.__class__ is Value else plain(taken)
    taken = taken if taken.__class__ is Value else data
    if other.__class__ is Value:
        other = Passive(other)
    elif other is not None:
        other = plain(other)
    return _node(data, _WHERE, (kept, taken, other) if outcome else (kept, other, taken), False)  # type: ignore[arg-type]


def detach(x: Any) -> Any:
    """The same number, through which no derivative flows; a plain number is returned as it is."""
    if x.__class__ is not Value:
        number = plain(x)
        if number is None:
            raise _strange(_DETACH, (x,))
        return number
    return _node(x._data, _DETACH, Passive(x), None)


def _made(primitive: Primitive) -> Callable[..., Any]:
    if primitive.compares:
        return _comparison(primitive)
    if primitive.n_ary or primitive.arity > 2:
        return lambda *operands: record_many(primitive, operands)
    return _unary(primitive) if primitive.arity == 1 else _binary(primitive, strict=True)


def recorder(primitive: Primitive) -> Callable[..., Any]:
    """The function that applies a primitive to Values and plain numbers; n-ary ones take their operands one by one."""
    return RECORDERS[primitive.name] if primitive.forward is None else _made(primitive)


#: Name of a built-in primitive → the function on Values and plain numbers.
RECORDERS: dict[str, Callable[..., Any]] = {name: _made(row) for name, row in TABLE.items()}
RECORDERS.update(where=where, detach=detach)


def _add_zero(self: Value, other: Any) -> Any:
    """``0 + v`` with the integer 0 is ``v``, so that ``sum(values)`` makes no phantom node."""
    return self if other.__class__ is int and other == 0 else _reflected_add(self, other)


_reflected_add = _binary(TABLE["add"], reflected=True)

# The operators that Arithmetic spells out, replaced by functions without its detour: a quarter of the forward time.
for _operator, _name in BINARY.items():
    setattr(Value, f"__{_operator}__", _binary(TABLE[_name]))
    setattr(Value, f"__r{_operator}__", _binary(TABLE[_name], reflected=True))
for _operator, _name in COMPARISONS.items():
    setattr(Value, f"__{_operator}__", RECORDERS[_name])

# Every primitive of one argument is a method too, under its name and aliases (NumPy's ufuncs call these by their own names).
for _name, _row in TABLE.items():
    if not _row.n_ary and _row.arity == 1 and _name != "neg":
        for _method in (_name, *_row.aliases):
            setattr(Value, _method, RECORDERS[_name])
for _name in ("atan2", "hypot", "maximum", "minimum"):
    for _method in (_name, *TABLE[_name].aliases):
        setattr(Value, _method, RECORDERS[_name])


# Copying and pickling.


def _copied(node: Any, memo: dict[int, Any]) -> Any:
    def of(operand: Any) -> Any:
        if operand.__class__ is Passive:
            return Passive(memo[id(operand.value)])
        return memo[id(operand)] if operand.__class__ is Value or operand.__class__ is Condition else operand

    if node.__class__ is Condition:
        return Condition(node.primitive, tuple(of(p) for p in node.parents), node.outcome)  # type: ignore[arg-type]
    x = tuple(of(p) for p in node._x) if node._x.__class__ is tuple else of(node._x)
    return _node(node._data, node.primitive, x, of(node._y), node.label, node.grad, node._moment)


def _leaf(data: float, grad: float, label: str) -> Value:
    leaf = Value(data, label)
    leaf.grad = grad
    return leaf


def _rebuilt(
    program: Program, leaves: tuple[Value, ...], state: list[tuple[float, float, str, bool] | None], outcomes: list[bool]
) -> Value:
    """The graph of a program over these leaves, with the numbers it had."""
    nodes: list[Any] = [*leaves, *program.constants]
    outcome = iter(outcomes)
    for (primitive, at), kept in zip(program.instructions(), state, strict=True):
        operands = [None if slot < 0 else nodes[slot] for slot in at]
        if kept is None:
            nodes.append(Condition(primitive, (operands[0], operands[1]), next(outcome)))
            continue
        data, grad, label, stale = kept
        if primitive is _DETACH:
            operands[0] = Passive(operands[0])
        elif primitive is _WHERE:
            untaken = 2 if operands[0] else 1
            if operands[untaken].__class__ is Value:
                operands[untaken] = Passive(operands[untaken])
        x, y = _slots_of(primitive, operands)
        # A node that was stale stays so: born before any leaf can have been written.
        nodes.append(_node(data, primitive, x, y, label, grad, -1 if stale else None))
    return nodes[program.outputs[0]]  # type: ignore[no-any-return]


def _slots_of(primitive: Primitive, operands: list[Any]) -> tuple[Any, Any]:
    if primitive.n_ary or len(operands) > 2:
        return tuple(operands), primitive.n_ary and all(p.__class__ is Value for p in operands)
    return operands[0], operands[1] if len(operands) == 2 else None
