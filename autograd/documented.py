"""Functions with the types and the documentation that their rows give them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, cast, overload

from autograd.primitives import TABLE, Primitive
from autograd.value import MAKERS, Value

Number = Value | float


class Unary(Protocol):
    """A function of one number."""

    @overload
    def __call__(self, x: Value, /) -> Value: ...
    @overload
    def __call__(self, x: float, /) -> float: ...


class Binary(Protocol):
    """A function of two numbers."""

    @overload
    def __call__(self, x: Value, y: Number, /) -> Value: ...
    @overload
    def __call__(self, x: float, y: Value, /) -> Value: ...
    @overload
    def __call__(self, x: float, y: float, /) -> float: ...


class OfMany(Protocol):
    """A function of any number of numbers."""

    def __call__(self, values: Iterable[Any], /) -> Any: ...


def documented(name: str) -> Callable[[Any], Any]:
    """A decorator that gives a function the name and the documentation of its row."""
    return lambda function: _documented(function, TABLE[name])


def _documented(function: Any, primitive: Primitive) -> Any:
    function.__name__ = function.__qualname__ = primitive.name
    function.__module__ = "autograd.primitive_functions"
    lines = [f"{primitive.summary[:1].upper()}{primitive.summary[1:]}.", ""]
    if primitive.example:
        arguments, value = primitive.example
        call = f"{primitive.name}({', '.join(map(repr, arguments))})"
        lines += [f">>> round({call}, 6)", repr(value), ""]
    if primitive.needs:
        lines += ["Raises:", f"    DomainError: without {primitive.needs}."]
    if primitive.n_ary:
        lines += ["Raises:", "    ValueError: there are none."]
    function.__doc__ = "\n".join(lines)
    return function


def unary(name: str) -> Unary:
    """The function of a row with one argument."""
    return cast(Unary, _documented(MAKERS[name], TABLE[name]))


def binary(name: str) -> Binary:
    """The function of a row with two arguments."""
    return cast(Binary, _documented(MAKERS[name], TABLE[name]))


def of_many(name: str) -> OfMany:
    """The function of a row with any number of arguments."""
    return cast(OfMany, _documented(lambda values: MAKERS[name]((some(name, values),))[0], TABLE[name]))


def listed(name: str, values: Any) -> tuple[Any, ...]:
    """The numbers that a function of many takes.

    Raises:
        TypeError: this is no list.
    """
    try:
        return tuple(values)
    except TypeError:
        raise TypeError(f"{name} takes a list of numbers, not {values!r:.200}; write {name}([…])") from None


def some(name: str, values: Iterable[Any]) -> tuple[Any, ...]:
    """The same, where there must be one at least."""
    found = listed(name, values)
    if not found:
        raise ValueError(f"{name} of no numbers is not defined; check the list before the call")
    return found
