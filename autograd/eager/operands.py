"""What may stand among a node's parents beside Values: plain numbers, conditions, and operands without a derivative."""

from __future__ import annotations

from numbers import Real
from typing import Any, final

from autograd import errors
from autograd.eager import watching
from autograd.primitives import Primitive
from autograd.provenance.lines import user_line


def plain(x: Any) -> float | None:
    """A real number as a float; ``None`` for anything else, Values among it."""
    kind = x.__class__
    if kind is float:
        return x  # type: ignore[no-any-return]
    if kind is int or isinstance(x, float):
        return float(x)
    named = (kind.__module__, kind.__name__)
    if isinstance(x, Real):
        return None if named == ("numpy", "timedelta64") else float(x)  # of which NumPy says that it is an integer
    return float(x) if named in _NUMBERS_TOO else None


#: Classes of real numbers that Python does not register as such.
_NUMBERS_TOO = (("numpy", "bool"), ("numpy", "bool_"), ("decimal", "Decimal"))


def fixed(name: str, argument: str, x: Any) -> float:
    """A parameter of a primitive that has no derivative, as a float."""
    number = plain(x)
    if number is not None:
        return number
    if hasattr(x, "_moment"):
        raise TypeError(
            f"{name}: {argument} is a constant without a derivative, but {x!r:.200} is a Value; "
            "pass its .data, or write the formula with maximum, minimum or where"
        )
    raise TypeError(f"{name}: {argument} must be a real number, not {x!r:.200}")


@final
class Condition:
    """The outcome of a comparison, with its two sides; ``if`` uses its truth, ``where`` takes it as a choice."""

    __slots__ = ("_grad", "_outcome", "parents", "primitive")

    _grad: float  #: The mark of one that is recorded, as in a Value; otherwise there is none.

    def __init__(self, primitive: Primitive, parents: tuple[Any, Any], outcome: bool) -> None:
        self.primitive = primitive
        self.parents = parents
        self._outcome = outcome

    @property
    def outcome(self) -> bool:
        """Whether it holds; a function that is being recorded for replay asks for it, and so makes it a guard."""
        watch = watching.watch
        if watch is not None and watch.sees(self):
            return watch.answer(self, self._outcome, user_line())
        return self._outcome

    def __bool__(self) -> bool:
        return self.outcome

    def __repr__(self) -> str:
        refuse_text(self)
        left, right = (in_short(side) for side in self.parents)
        return f"Condition({left} {self.primitive.symbol} {right} is {self._outcome})"


@final
class Passive:
    """An operand that takes part in a node without a derivative: the branch not taken, what was detached."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def number_of(operand: Any) -> Any:
    """The number of an operand, whatever it is; the truth of a condition."""
    kind = operand.__class__
    if kind is Passive:
        return operand.value._data
    if kind is Condition:
        return operand._outcome
    return operand if kind is float or operand is None else getattr(operand, "_data", operand)


def refuse_if_recorded(node: Any, what: str, done: str = "read") -> None:
    """Raise RecordingError if something of a node would leave a function that is being recorded, and stay as it is."""
    watch = watching.watch
    if watch is not None and watch.sees(node):
        raise watch.refusal(errors.frozen(f"{what} {in_short(node)}", done))


def refuse_text(node: Any) -> None:
    """The same of its text, for a method of the node; debuggers, tracebacks and our own errors may print it."""
    watch = watching.watch
    if watch is not None and watch.sees(node) and not watch.prints():
        raise watch.refusal(errors.frozen(f"the text of {in_short(node)}"))


def parents_of(node: Any) -> tuple[Any, ...]:
    """``node.parents``, put together here for a Value with one or two, which takes half the time; a node of any number
    of operands holds them as they are."""
    if node.__class__ is Condition:
        return node.parents
    x = node._x
    if x is None:
        return ()
    if x.__class__ is tuple or x.__class__ is Passive:
        if node.primitive.n_ary:
            return node._operands()  # type: ignore[no-any-return]
        return node.parents  # type: ignore[no-any-return]
    y = node._y
    return (x,) if y is None else (x, y)


def in_short(x: Any) -> str:
    """An operand in an error: its label and number, or its number alone."""
    if not hasattr(x, "label"):
        return shortened(repr(x))
    return f"{shortened(repr(x.label))} ({x._data!r})" if x.label else f"Value({x._data!r})"


def kind_of(x: Any) -> str:
    """Type and text of something that should have been a number."""
    return f"{type(x).__name__} {shortened(repr(x), 40)}"


def shortened(text: str, most: int = 200) -> str:
    """A text for an error, its end left out if it is long."""
    return text if len(text) <= most else text[: most - 3] + "…"
