"""Words of other engines that a Value does not have: each says what to write instead.

To ``hasattr`` they are not there, so that nobody who asks for an attribute takes a Value for something else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Never

from autograd.eager.operands import in_short
from autograd.primitives import TABLE

_OWN_PARTIALS = (
    "node(data, parents, partials) for a node with partials of your own, or declare a primitive with autograd.primitive"
)


class _Word:
    """An attribute that raises AttributeError, with what to write in place of reading it and of writing it."""

    def __init__(self, to_read: str, to_write: str = "") -> None:
        self.to_read = to_read
        self.to_write = to_write or to_read

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, node: Any, owner: type | None = None) -> Any:
        if node is None:
            return self
        raise AttributeError(f"{in_short(node)} has no {self.name}; write {self.to_read}")

    def __set__(self, node: Any, x: Any) -> Never:
        raise AttributeError(f"{self.name} of {in_short(node)} cannot be set; write {self.to_write}")


class OtherWords:
    """The words of micrograd and of PyTorch, and the primitives that are no methods."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        for name, row in TABLE.items():
            if not hasattr(cls, name):
                call = f"autograd.{name}({', '.join(row.arguments[: row.arity])})"
                if row.n_ary:
                    call = f"autograd.{name}(values), of a list of Values"
                elif row.operator == "neg":
                    call = "-x"
                elif row.arity == 2:
                    call = f"x {row.symbol} y"
                word = _Word(call)
                word.__set_name__(cls, name)
                setattr(OtherWords, name, word)

    _backward = _Word(
        "backward() for all gradients below it, gradients(output, wrt) for those by some nodes, or make a node with "
        "partials of your own: node(data, parents, partials)",
        _OWN_PARTIALS,
    )
    _children = _Word("parents, or _prev for the Values among them", _OWN_PARTIALS)
    children = _Word("parents, or _prev for the Values among them", _OWN_PARTIALS)
    op = _Word("primitive, or _op for its symbol", _OWN_PARTIALS)
    grad_fn = _Word("primitive, and parents for its operands", _OWN_PARTIALS)
    is_leaf = _Word("not value.parents", _OWN_PARTIALS)
    requires_grad = _Word("detach() for a constant; a gradient flows to every other Value")
    zero_grad = _Word("value.grad = 0.0, or zero_grad(values)")
    item = _Word("value.data for the number")
    numpy = _Word("value.data for the number, or numpy.array([value.data for value in values])")
    tolist = _Word("value.data for the number")
    shape = _Word("value.data for the number: a Value is one number, and many are a list of Values")
    T = _Word("[list(column) for column in zip(*rows)] for a list of rows; a Value is one number")
    clone = _Word("identity(value) for a node of its own, detach() for a constant")
    clamp = _Word("clip(low, high)")
    max = _Word("maximum(x, y) of two, or max(values) of a list of Values")
    min = _Word("minimum(x, y) of two, or min(values) of a list of Values")
    var = _Word("variance(values), of a list of Values")
    std = _Word("sqrt(variance(values)), of a list of Values")
    norm = _Word("norm(values), of a list of Values")
    dot = _Word("dot(xs, ys), of two lists of Values")
    softmax = _Word("softmax(values), of a list of Values")
    log_softmax = _Word("log_softmax(values), of a list of Values")


#: What else PyTorch's ``backward`` takes.
_OF_BACKWARD = {
    "retain_graph": "the graph is always kept: write backward()",
    "create_graph": "write gradients(output, wrt) for derivatives that are Values",
    "gradient": "write backward(seed)",
    "inputs": "write gradients(output, wrt) for the derivatives by some nodes",
}


def refuse_keywords(names: Iterable[str]) -> Never:
    """Raise TypeError for keywords that ``backward()`` does not have, with what to write."""
    remedies = [f"backward() takes no {name}; {_OF_BACKWARD.get(name, 'it takes a seed')}" for name in names]
    raise TypeError(". ".join(remedies))
