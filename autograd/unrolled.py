"""Primitives of any number of arguments, written out for one pattern of operands: a neuron's ``dot`` without a loop.

A pattern tells which operands are Values, one byte each. Both directions come from what is there already: the forward
function from the float system's own loop, the pull-back from the table's rule, each run over source text. This makes a
neuron of 16 inputs about twice as fast as looping (measured). What is too long, met in too many patterns, or decided by
comparisons keeps its loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.number_systems import floats
from autograd.number_systems.source import Text, Writer, text_of
from autograd.primitives import Primitive

#: Operands beyond which a loop is as good, and patterns of one primitive that are worth compiling.
MOST_OPERANDS = 128
MOST_PATTERNS = 64


def _opened(writer: Writer, which: bytes, operands: str) -> list[Any]:
    """The lines that take the operands apart, and their numbers."""
    writer.line(f"{', '.join(f'X{i}' for i in range(len(which)))}, = {operands}")
    return [Text(f"x{i}" if is_value else f"X{i}", writer) for i, is_value in enumerate(which)]


def _read(writer: Writer, at: int, which: bytes) -> None:
    """Insert the lines that read the numbers which the lines from ``at`` on use."""
    used = " ".join(writer.lines[at:]).replace(",", " ").replace("(", " ").replace(")", " ").split()
    names = [f"x{i}" for i, is_value in enumerate(which) if is_value]
    wanted = set(used).intersection([*names, "z"])
    lines = [f"    {name} = {name.upper()}._data" for name in names if name in wanted]
    writer.lines[at:at] = [*lines, *(["    z = node._data"] if "z" in wanted else [])]


def text_of_forward(primitive: Primitive, which: bytes) -> str | None:
    """The source of ``forward(operands) -> float``; ``None`` if the float function decides by comparing.

    It raises AttributeError for operands of another pattern, or returns something that is not a float.

    >>> from autograd.primitives import find
    >>> print(text_of_forward(find("dot"), b"\\1\\0"))
    def forward(operands):
        X0, X1, = operands
        if X1.__class__ is not float:
            raise AttributeError
        x0 = X0._data
        t1 = x0 * X1
        t2 = 0.0 + t1
        return t2
    """
    writer = Writer()
    numbers = _opened(writer, which, "operands")
    at = len(writer.lines)
    try:
        result = getattr(floats, primitive.name)(numbers)
    except TypeError:
        return None
    writer.line(f"return {text_of(result)}")
    _read(writer, at, which)
    plain = [f"X{i}.__class__ is not float" for i, is_value in enumerate(which) if not is_value]
    if plain:
        writer.lines[at:at] = [f"    if {' or '.join(plain)}:", "        raise AttributeError"]
    return "\n".join(["def forward(operands):", *writer.lines])


def text_of_pull_back(primitive: Primitive, which: bytes) -> str:
    """The source of the pull-back of a node with this pattern.

    >>> from autograd.primitives import find
    >>> print(text_of_pull_back(find("dot"), b"\\1\\0"))
    def pull_back(node):
        c = node.grad
        X0, X1, = node._x
        X0.grad += c * X1
    """
    assert callable(primitive.partials)
    writer = Writer()
    writer.line("c = node.grad")
    numbers = _opened(writer, which, "node._x")
    at = len(writer.lines)
    partials = primitive.partials(writer.m, Text("z", writer), numbers)
    for i, (is_value, partial) in enumerate(zip(which, partials, strict=True)):
        if is_value:
            text = text_of(partial)
            writer.line(f"X{i}.grad += c" if text == "1" else f"X{i}.grad += c * {text}")
    _read(writer, at, which)
    return "\n".join(["def pull_back(node):", *writer.lines])


class Unrolled(dict[bytes, Callable[[Any], Any]]):
    """Pattern → function; each is written and compiled when it is first wanted, or is the loop."""

    def __init__(
        self, primitive: Primitive, text: Callable[[Primitive, bytes], str | None], loop: Callable[[Any], Any]
    ) -> None:
        super().__init__()
        self._primitive = primitive
        self._text = text
        self._loop = loop

    def __missing__(self, which: bytes) -> Callable[[Any], Any]:
        if not 0 < len(which) <= MOST_OPERANDS or len(self) >= MOST_PATTERNS or self._primitive.forward is not None:
            return self._loop
        text = self._text(self._primitive, which)
        if text is None:
            return self._loop
        namespace: dict[str, Any] = {"exp": floats.exp}
        exec(compile(text, f"<{self._primitive.name} of {len(which)}>", "exec"), namespace)
        self[which] = namespace.get("forward") or namespace["pull_back"]
        return self[which]
