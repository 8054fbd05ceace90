"""``Value``: one number, the operation that made it, and the gradient that flows back to it.

A node holds no closures, and a graph has no reference cycle, so that memory returns as soon as the last reference goes.
Two operands sit in two slots, not in a tuple: that is one tracked object a node for the garbage collector, and a third
of its time (measured); ``.parents`` shows them as the ordered tuple they are.

Time is one counter, ``nodes.now``: writing a leaf moves it on, a node notes when it was born. So ``backward()`` knows
when a leaf was written after a node had used its old number.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from math import nan
from numbers import Number
from typing import Any, Never, final

from autograd import errors, interpret, turns
from autograd.copying import Copying
from autograd.eager import nodes, watching
from autograd.eager.makers import Makers
from autograd.eager.operands import (
    Condition,
    Passive,
    fixed,
    in_short,
    kind_of,
    number_of,
    plain,
    refuse_if_recorded,
    refuse_text,
)  # fmt: skip
from autograd.eager.pull_backs import PullBacks
from autograd.eager.unrolled import in_order
from autograd.errors import DomainError
from autograd.number_systems.arithmetic import BINARY, COMPARISONS, UNARY, Arithmetic
from autograd.numpy_names import NumPyNames
from autograd.other_words import OtherWords, refuse_keywords
from autograd.primitives import TABLE, Primitive
from autograd.reaching import reaches_a_leaf
from autograd.turns import TURN, UNDER_WAY, WAITED_FOR

__all__ = [
    "MAKERS",
    "Condition",
    "Value",
    "active_nodes",
    "backward_order",
    "constant",
    "detach",
    "maker",
    "node_of",
    "plain",
    "refuse_if_stale",
    "where",
]


@final
class Value(Arithmetic, NumPyNames, OtherWords, Copying):
    """A number that remembers how it was made.

    ``data`` is the number, ``grad`` the derivative that the last ``backward()`` left (0.0 before), ``primitive`` the
    row of the table that made it (``None`` for a leaf), ``parents`` its operands in order: Values, Conditions, and
    plain numbers as they are. ``label`` names it in pictures, derivations and errors.

    >>> x = Value(3.0, "x")
    >>> y = x * x + 2 * x
    >>> y.backward()
    >>> y.data, x.grad
    (15.0, 8.0)

    Raises:
        TypeError: ``data`` is not a real number.
    """

    # _x and _y are the operands of a unary or binary node. For more, _x is their tuple, and what a node of an n-ary
    # primitive holds stands in ``unrolled``; only such a node has _which, and a recorded ``where``, for which of its
    # branches were functions.
    __slots__ = ("_data", "_grad", "_moment", "_which", "_x", "_y", "label", "primitive")

    def __init__(self, data: float, label: str = "", _children: None = None, _op: None = None) -> None:
        if not isinstance(label, str) or _children is not None or _op is not None:
            raise TypeError(_HOW_TO_MAKE_ONE)
        number = plain(data)
        if number is None:
            raise TypeError(f"a Value holds one real number, not {kind_of(data)}{_hint_for(data)}")
        self._data: float = number
        self._grad: float = 0.0
        self.primitive: Primitive | None = None
        self._x: Any = None
        self._y: Any = None
        self.label = label
        self._moment = 0

    def __init_subclass__(cls) -> Never:
        raise TypeError(
            "Value cannot be subclassed: walks know it by its class; hold a Value in your own object instead"
        )

    def _apply(self, name: str, *operands: Any) -> Any:
        if name in _WITH_CONSTANTS:
            numbers = zip(TABLE[name].arguments[1:], operands[1:], strict=True)
            return MAKERS[name](operands[0], *[fixed(name, argument, x) for argument, x in numbers])
        return MAKERS[name](*operands)

    @property
    def data(self) -> float:
        """The number. Writing it is for leaves; graphs built before the write refuse to run backward."""
        if watching.watch is not None:
            refuse_if_recorded(self, "the number of")
        return self._data

    @data.setter
    def data(self, number: float) -> None:
        if self._x is not None:
            raise AttributeError(
                f"{in_short(self)} was computed by {self.primitive.name}; only a leaf's data can be written. "  # type: ignore[union-attr]
                "Write the leaves and run the expression again, or make a leaf of its number: Value(value.data)."
            )
        if watching.watch is not None:
            refuse_if_recorded(self, "the number of", "written")
        new = plain(number)
        if new is None:
            raise TypeError(f"data must be a real number, not {kind_of(number)}; write value.data = other.data")
        nodes.now += 1
        self._moment = nodes.now
        self._data = new

    @property
    def grad(self) -> float:
        """The derivative that ``backward()`` left; leaves add up over calls. ``None``, written, is 0.0."""
        if watching.watch is not None:
            refuse_if_recorded(self, "the gradient of")
        return self._grad

    @grad.setter
    def grad(self, number: float | None) -> None:
        if watching.watch is not None:
            refuse_if_recorded(self, "the gradient of", "written")
        if number.__class__ is not float:
            new = 0.0 if number is None else plain(number)
            if new is None:
                raise TypeError(
                    f"grad must be a real number or None, not {kind_of(number)}; write value.grad = other.data"
                )
            number = new
        self._grad = number

    @property
    def parents(self) -> tuple[Any, ...]:
        """The operands in order; empty for a leaf."""
        operands = self._operands()
        for operand in operands:
            if operand.__class__ is Passive:
                return tuple([p.value if p.__class__ is Passive else p for p in operands])
        return operands

    @parents.setter
    def parents(self, others: Any) -> Never:
        self._refuse_to_write("parents")

    @property
    def _prev(self) -> tuple[Value, ...]:
        """The Values among ``parents``, each once, as micrograd has them: a walk may ask each for its own."""
        return tuple(dict.fromkeys([parent for parent in self.parents if parent.__class__ is Value]))

    @_prev.setter
    def _prev(self, others: Any) -> Never:
        self._refuse_to_write("_prev")

    @property
    def _op(self) -> str:
        """The symbol of the primitive, or its name; empty for a leaf. So micrograd has it."""
        row = self.primitive
        return "" if row is None else row.symbol or row.name

    @_op.setter
    def _op(self, symbol: Any) -> Never:
        self._refuse_to_write("_op")

    def _refuse_to_write(self, name: str) -> Never:
        raise AttributeError(
            f"{name} of {in_short(self)} cannot be set, since a node stays what it was made of; write node(data, "
            "parents, partials) for a node over others, and label for a name in pictures"
        )

    def operands(self) -> tuple[Any, ...]:
        """The parents as they take part: one without a derivative (a branch not taken) is wrapped as ``Passive``."""
        if watching.watch is not None and self.primitive is _WHERE:
            refuse_if_recorded(self, "the branch taken by")
        return self._operands()

    def _operands(self) -> tuple[Any, ...]:
        x, y = self._x, self._y
        if x is None:
            return ()
        if x.__class__ is tuple:
            return in_order(x, y)
        return (x,) if y is None else (x, y)

    def backward(self, seed: float = 1.0, **others: Never) -> None:
        """Add ``seed · ∂self/∂leaf`` to the ``.grad`` of every leaf; nodes between get theirs afresh.

        Leaves accumulate over calls, so that several losses add up; set ``.grad = 0.0`` (``None`` is 0.0) or use
        ``zero_grad`` between steps.

        Raises:
            StaleGraphError: a leaf's data was written after a node had used it; nothing was added yet.
            DomainError, OverflowError: a slope on the way does not exist or is too large. What was added before stays,
                as after Ctrl-C, so zero the gradients before going on.
        """
        if others:
            refuse_keywords(others)
        if seed.__class__ is not float:
            number = plain(seed)
            if number is None:
                raise TypeError(
                    f"seed must be a real number, not {kind_of(seed)}; for derivatives as Values use gradients()"
                )
            seed = number
        if watching.watch is not None:
            refuse_if_recorded(self, "the gradient that backward() leaves below")
        if UNDER_WAY and not TURN._is_owned():
            turns.wait(self)
        with TURN:
            if UNDER_WAY:
                turns.refuse_to_share_nodes(self)
            before = len(UNDER_WAY)
            try:
                UNDER_WAY.append(self)
                self._send_back(seed)
                if WAITED_FOR:
                    raise WAITED_FOR[0]
            finally:  # in which no signal is looked for: nothing is called
                del UNDER_WAY[before:]
                if not before:
                    del WAITED_FOR[:]

    def _send_back(self, start: float) -> None:
        if self._x is None:
            self._grad += start
            return
        order, zero, born_now = self._inner_nodes_with_fresh_gradients()
        if not born_now:
            reached = set(active_nodes([self]))
            refuse_if_stale([node for node in order if node in reached])
        self._grad = start
        _PULL_BACKS.loop(self, order, zero)

    def _inner_nodes_with_fresh_gradients(self) -> tuple[list[Value], float, bool]:
        """All nodes that are not leaves and that a derivative may reach, parents first, each with a gradient of zero.

        What a ``where`` did not take is among them, so that sums are rounded in the same order whatever it takes. The
        second result is that zero, the third True if all were born since a leaf was written last. A gradient that
        *is* this walk's own zero marks a node that was entered, and then one that nothing has flowed to: no set is
        needed, and none is built.
        """
        now, born_now = nodes.now, True
        zero = 0.0 * now  # another object each time
        order: list[Value] = []
        stack: list[Any] = []
        add, push, pop = order.append, stack.append, stack.pop
        done: set[int] = set()  # tuples of operands that are all in the order; the neurons of a layer share them
        node: Any = self
        while node is not None:
            node._grad = zero
            if node._moment is not now:
                born_now = False
            x, y = node._x, node._y
            if x.__class__ is not tuple:
                if y.__class__ is Value and y._x is not None and y._grad is not zero:
                    push(node)
                    push(None)
                    if x.__class__ is Value and x._x is not None and x._grad is not zero:
                        push(x)
                    node = y
                    continue
                if x.__class__ is Value and x._x is not None and x._grad is not zero:
                    push(node)
                    push(None)
                    node = x
                    continue
                add(node)
            else:
                push(node)
                push((id(x), id(y)))
                push(None)
                for held in (x, y):
                    if held is None or id(held) in done:
                        continue
                    for parent in held:
                        if parent.__class__ is Passive and node.primitive is _WHERE:
                            parent = parent.value
                        if parent.__class__ is Value and parent._x is not None and parent._grad is not zero:
                            push(parent)
            node = None
            while stack:
                above = pop()
                if above is None:  # all parents of the node below are in the order
                    above = pop()
                    if above.__class__ is tuple:  # and so are those in these tuples
                        done.update(above)
                        above = pop()
                    add(above)
                elif above._grad is not zero:
                    node = above
                    break
        return order, zero, born_now

    def stale_leaf(self) -> Value | None:
        """The first leaf among the parents that was written after this node had used it for more than its number."""
        for parent in self._operands():
            if parent.__class__ is Value and parent._x is None and parent._moment > self._moment:
                return parent
        return None

    def detach(self) -> Value:
        """The same number, through which no derivative flows.

        The node remembers where it came from, for pictures and for evaluation at other numbers; a leaf that forgets its
        history is ``Value(v.data)``.

        >>> x = Value(3.0)
        >>> y = x * x.detach()
        >>> y.backward()
        >>> x.grad
        3.0
        """
        return _OF_VALUES.detach(self)  # type: ignore[no-any-return]

    # Where Python would take a number and drop the gradient, or compare what is not comparable.

    def __eq__(self, other: object) -> bool:
        if other.__class__ is Value:
            return self is other
        return self._never_a_number(other, "==")  # type: ignore[no-any-return]

    def __ne__(self, other: object) -> bool:
        if other.__class__ is Value:
            return self is not other
        return self._never_a_number(other, "!=")  # type: ignore[no-any-return]

    def _never_a_number(self, other: object, sign: str) -> Any:
        if isinstance(other, Number) or getattr(other, "ndim", None) == 0:  # NumPy's bool is no Number
            raise TypeError(
                f"{in_short(self)} {sign} {other!r:.200} would compare a node with a number; "
                f"write value.data {sign} {other!r:.200}"
            )
        return NotImplemented

    __hash__ = object.__hash__

    def __bool__(self) -> Never:
        raise TypeError(
            f"the truth of {in_short(self)} is not defined; write value.data != 0, or compare it: value > 0"
        )

    def __float__(self) -> Never:
        raise errors.gradient_dropped(in_short(self))

    def __int__(self) -> Never:
        raise TypeError(
            f"int({in_short(self)}) would drop the gradient; write int(value.data) for the number, or floor(value)"
        )

    def __round__(self, digits: int | None = None) -> Value:
        if digits is None:
            return MAKERS["rint"](self)  # type: ignore[no-any-return]
        raise TypeError(
            f"round({in_short(self)}, {digits!s:.20}) would drop the gradient; write round(value.data, {digits!s:.20}) "
            f"for the number, or f'{{value:.{digits!s:.20}f}}' to print it"
        )

    def __trunc__(self) -> Value:
        return where(self < 0, lambda: MAKERS["ceil"](self), lambda: MAKERS["floor"](self))  # type: ignore[no-any-return]

    def __index__(self) -> Never:
        raise TypeError(
            f"{in_short(self)} is no index, since an index is an integer; write take(rows, value) in place of "
            "rows[value], which replays follow, or int(value.data) for the number of now"
        )

    def as_integer_ratio(self) -> Never:
        """Refused: what ``fractions`` and ``statistics`` ask a number for, and work without its gradient."""
        raise errors.gradient_dropped(in_short(self))

    def __format__(self, spec: str) -> str:
        refuse_text(self)
        return format(self._data, spec) if spec else repr(self)

    def __repr__(self) -> str:
        refuse_text(self)
        parts = [repr(self._data)]
        if self.label:
            parts.append(repr(self.label))
        if self.primitive is not None:
            parts.append(f"primitive={self.primitive.name}")
        return f"Value({', '.join([*parts, f'grad={self._grad!r}'])})"


def backward_order(output: Value, until: Iterable[Value] = ()) -> list[Value]:
    """The nodes that ``backward()`` of this output visits, from the last to the first; no leaves among them.

    What a ``where`` did not take is among them, in the place that is right if it is taken at other numbers.

    Args:
        until: nodes that count as leaves.
    """
    order: list[Value] = []
    entered: set[Value] = set(until)
    stack: list[Any] = [output]
    push, pop = stack.append, stack.pop
    while stack:
        node = pop()
        if node is None:
            order.append(pop())
            continue
        x, y = node._x, node._y
        if x is None or node in entered:
            continue
        entered.add(node)
        push(node)
        push(None)
        # In the order in which they are held: it decides how sums round.
        for held in (x, y):
            if held.__class__ is Value:
                push(held)
            elif held.__class__ is tuple:
                for parent in held:
                    if parent.__class__ is Passive and node.primitive is _WHERE:
                        parent = parent.value
                    if parent.__class__ is Value:
                        push(parent)
    return order


def active_nodes(outputs: Iterable[Value], until: Container[Value] = ()) -> list[Value]:
    """The nodes that a derivative of the outputs passes through: no leaves, nothing detached, no branch not taken."""
    seen: set[Value] = set()
    stack = list(outputs)
    while stack:
        node = stack.pop()
        if node._x is not None and node not in seen and node not in until:
            seen.add(node)
            stack += [operand for operand in node._operands() if operand.__class__ is Value]
    return list(seen)


def refuse_if_stale(nodes: Sequence[Value]) -> None:
    """Raise StaleGraphError if a leaf was written after one of these nodes had used it."""
    for node in nodes:
        leaf = node.stale_leaf()
        if leaf is not None and node.primitive is not None:
            raise errors.StaleGraphError(
                f"the leaf {in_short(leaf)} was written after {node.primitive.name} had used it, "
                "so old and new numbers would mix. Run the expression again after writing, or run backward before it."
            )


_HOW_TO_MAKE_ONE = (
    "Value(data, label) makes a leaf, and label is a text; write node(data, parents, partials) for a node over others"
)


def _hint_for(x: Any) -> str:
    if x.__class__ is Value:
        return "; it is a Value already: use it, or detach() for a constant"
    if hasattr(x, "__len__") and not isinstance(x, str | bytes):
        return "; make one Value per number: [Value(x) for x in numbers]"
    return ""


def _partials(m: Any, primitive: Primitive, z: Any, operands: Sequence[Any], wanted: Sequence[int]) -> list[Any]:
    """The partials of a node; nan for one that does not exist and from which nothing flows on to a leaf."""
    shown = [operand.value if operand.__class__ is Passive else operand for operand in operands]
    try:
        return interpret.partials(m, primitive, z, [number_of(operand) for operand in operands], wanted, shown)
    except (DomainError, OverflowError):
        asked = [i for i in wanted if reaches_a_leaf(operands[i])]
        if len(asked) == len(wanted):
            raise
    found = dict(zip(asked, _partials(m, primitive, z, operands, asked), strict=True)) if asked else {}
    return [found.get(i, nan) for i in wanted]


_WHERE = TABLE["where"]
#: The methods whose arguments are constants.
_WITH_CONSTANTS = {
    row.name for row in TABLE.values() if row.constants and row.constants == row.arguments[1 : row.arity]
}
_PULL_BACKS = PullBacks(Value, number_of, _partials)
_OF_VALUES = Makers(Value)

#: Name of a built-in primitive → the function on Values and plain numbers.
MAKERS: dict[str, Callable[..., Any]] = {name: _OF_VALUES.maker(row) for name, row in TABLE.items()}


def maker(primitive: Primitive) -> Callable[..., Any]:
    """The function that applies a primitive to Values and plain numbers; an n-ary one takes tuples."""
    return MAKERS[primitive.name] if primitive.built_in else _OF_VALUES.maker(primitive)


def constant(x: float) -> Value:
    """A Value that is a plain number and no leaf: for arguments and results of transforms."""
    return _OF_VALUES.constant(x)  # type: ignore[no-any-return]


def node_of(data: float, primitive: Primitive, operands: Sequence[Any]) -> Value:
    """A node of a primitive over these operands whose number is known."""
    return _OF_VALUES.node_of(data, primitive, operands)  # type: ignore[no-any-return]


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
    return _OF_VALUES.where(condition, x, y)


def detach(x: Any) -> Any:
    """The same number, through which no derivative flows; a plain number is returned as it is.

    >>> detach(Value(2.0)).data
    2.0
    """
    return _OF_VALUES.detach(x)


# The operators that Arithmetic spells out, replaced by functions without its detour, which nearly doubles their time.
for _operator, _name in BINARY.items():
    setattr(Value, f"__{_operator}__", _OF_VALUES.operator(TABLE[_name]))
    setattr(Value, f"__r{_operator}__", _OF_VALUES.reflected(TABLE[_name]))
for _operator, _name in (UNARY | COMPARISONS).items():
    setattr(Value, f"__{_operator}__", MAKERS[_name])
for _name, _row in TABLE.items():
    if not _row.n_ary and not _row.constants:
        for _method in (_name, *_row.aliases):
            if hasattr(Arithmetic, _method):
                setattr(Value, _method, MAKERS[_name])
