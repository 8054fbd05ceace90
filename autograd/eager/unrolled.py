"""Primitives of any number of arguments, written out for one pattern of operands: a neuron's ``dot`` without a loop.

A pattern tells which operands are Values, one byte each. Both directions come from what is there already: the forward
function from the float system's own loop, the pull-back from the table's rule, each run over source text. A neuron of
16 inputs is more than twice as fast as with loops (measured). What is too long, met in too many patterns, or decided by
comparisons keeps its loop.

Such a node holds its operands in ``_x``; ``dot`` holds its first list (and its start) in ``_x`` and its second list in
``_y``, so that the neurons of a layer share one tuple of inputs. ``_which`` is the pattern, in the order of
``.parents``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd.number_systems import floats
from autograd.number_systems.formulas import FloatWriter
from autograd.number_systems.source import Inline, Text, Writer, text_of
from autograd.primitives import TABLE, Primitive

#: Operands beyond which a loop is as good, and patterns of one primitive that are worth compiling.
MOST_OPERANDS = 128
MOST_PATTERNS = 64

_DOT = TABLE["dot"]


def as_stored(primitive: Primitive, operands: Sequence[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...] | None]:
    """The operands as a node holds them: ``_x`` and ``_y``."""
    if primitive is not _DOT:
        return tuple(operands), None
    n = len(operands) // 2
    return (*operands[:n], *operands[2 * n :]), tuple(operands[n : 2 * n])


def in_order(x: tuple[Any, ...], y: tuple[Any, ...] | None) -> tuple[Any, ...]:
    """The operands in the order of ``.parents``, from ``_x`` and ``_y``."""
    return x if y is None else (*x[: len(y)], *y, *x[len(y) :])


def _opened(primitive: Primitive, which: bytes, x: str, y: str) -> list[str]:
    """The lines that take the stored operands apart into X0, X1, …"""
    first, second = as_stored(primitive, [f"X{i}" for i in range(len(which))])
    lists = ((first, x),) if second is None else ((first, x), (second, y))
    # An empty list is taken apart too, so that operands of another pattern are noticed.
    return [f"    ({', '.join(names)}{',' if names else ''}) = {source}" for names, source in lists]


def _numbers(which: bytes, writer: Writer) -> list[Any]:
    return [Text(f"X{i}._data" if is_value else f"X{i}", writer) for i, is_value in enumerate(which)]


def text_of_forward(primitive: Primitive, which: bytes) -> str | None:
    """The source of ``forward(x, y) -> float``; ``None`` if the float function decides by comparing.

    It raises ValueError or AttributeError for operands of another pattern, or returns something that is not a float.

    >>> print(text_of_forward(TABLE["dot"], b"\\1\\0"))
    def forward(x, y):
        (X0,) = x
        (X1,) = y
        if X1.__class__ is not float:
            raise AttributeError
        return (0.0 + (X0._data * X1))
    """
    try:
        result = getattr(floats, primitive.name)(_numbers(which, Inline()))
    except TypeError:
        return None
    lines = _opened(primitive, which, "x", "y")
    plain = [f"X{i}.__class__ is not float" for i, is_value in enumerate(which) if not is_value]
    if plain:
        lines += [f"    if {' or '.join(plain)}:", "        raise AttributeError"]
    return "\n".join(["def forward(x, y):", *lines, f"    return {text_of(result)}"])


def text_of_pull_back(primitive: Primitive, which: bytes) -> str:
    """The source of the pull-back of a node with this pattern.

    >>> print(text_of_pull_back(TABLE["dot"], b"\\1\\1"))
    def pull_back(node):
        c = node._grad
        (X0,) = node._x
        (X1,) = node._y
        X0._grad += c * X1._data
        X1._grad += c * X0._data
    """
    assert callable(primitive.partials)
    writer = FloatWriter()
    partials = primitive.partials(writer.m, Text("node._data", writer), _numbers(which, writer))
    for i, (is_value, partial) in enumerate(zip(which, partials, strict=True)):
        if is_value:
            text = text_of(partial)
            writer.line(f"X{i}._grad += c" if text == "1" else f"X{i}._grad += c * {text}")
    opened = _opened(primitive, which, "node._x", "node._y")
    return "\n".join(["def pull_back(node):", "    c = node._grad", *opened, *writer.lines])


class Unrolled(dict[bytes, Callable[..., Any]]):
    """Pattern → function; each is written and compiled when it is first wanted, or is the loop."""

    def __init__(
        self, primitive: Primitive, text: Callable[[Primitive, bytes], str | None], loop: Callable[..., Any]
    ) -> None:
        super().__init__()
        self._primitive = primitive
        self._text = text
        self._loop = loop

    def __missing__(self, which: bytes) -> Callable[..., Any]:
        if not 0 < len(which) <= MOST_OPERANDS or len(self) >= MOST_PATTERNS:
            return self._loop
        text = self._text(self._primitive, which)
        if text is None:
            self[which] = self._loop
            return self._loop
        made: dict[str, Callable[..., Any]] = {}
        exec(compile(text, f"<{self._primitive.name} of {len(which)}>", "exec"), vars(floats), made)
        (self[which],) = made.values()
        return self[which]
