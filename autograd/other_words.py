"""Words of other engines that a Value does not have: each says what to write instead.

To ``hasattr`` they are not there, so that nobody who asks for an attribute takes a Value for something else.
"""

from __future__ import annotations

from typing import Any, Never

from autograd.eager.operands import in_short

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
    """The words of micrograd and of PyTorch."""

    __slots__ = ()

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
