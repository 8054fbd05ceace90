"""What the steps of a loop keep: a pair of carry and result, and the shapes of carry, element and result."""

from __future__ import annotations

from typing import Any

from autograd.nesting import take_apart
from autograd.value import Value


def pair(returned: Any, step: int) -> tuple[Any, Any]:
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        raise TypeError(f"a step of scan returns (carry, result); step {step} returned {returned!r:.200}")
    return returned[0], returned[1]


#: Stands for a number in a shape.
_NUMBER = 0


class Shapes:
    """The shapes of carry, element and result, which stay the same from step to step."""

    def __init__(self, init: Any) -> None:
        self._carry = _shape_of(init, "init")
        self._element: Any = None
        self._result: Any = None

    def check(self, step: int, carry: Any, element: Any, result: Any) -> None:
        """Raise ValueError if one is another than in the first step."""
        if step == 0:
            self._element, self._result = _shape_of(element, "element 0"), _shape_of(result, "the result of step 0")
        if _has_shape(carry, self._carry) and _has_shape(result, self._result) and _has_shape(element, self._element):
            return
        trees, shapes = (carry, element, result), (self._carry, self._element, self._result)
        for what, tree, shape in zip(("carry", "element", "result"), trees, shapes, strict=True):
            self._refuse(step, what, tree, shape)

    def element(self, step: int, element: Any) -> list[Any]:
        """The numbers of an element. Raises ValueError if it has another shape than in the first step."""
        if not _has_shape(element, self._element):
            self._refuse(step, "element", element, self._element)
        return take_apart(element, f"element {step}", none=True)[0]

    def _refuse(self, step: int, what: str, tree: Any, shape: Any) -> None:
        """Raise ValueError if a tree has not this shape, seen closely."""
        found = _shape_of(tree, f"the {what} of step {step}")
        if found != shape:
            raise ValueError(
                f"the {what} of step {step} of a scan has another shape than that of the first: {found}, not {shape}"
            )


def _has_shape(tree: Any, shape: Any) -> bool:
    """Whether a tree has a shape, as far as that is seen at a glance, in a tenth of the time of a full look."""
    kind = tree.__class__
    if kind is Value or kind is float:
        return shape is _NUMBER
    if tree is None:
        return shape is None
    if (kind is tuple or kind is list) and kind is shape.__class__ and len(tree) == len(shape):
        for part, inside in zip(tree, shape, strict=True):  # noqa: SIM110 - a generator takes twice as long
            if not _has_shape(part, inside):
                return False
        return True
    return False


def _shape_of(tree: Any, what: str) -> Any:
    """The nesting of a tree, for comparison."""
    scalars, build = take_apart(tree, what, none=True)
    return build([_NUMBER] * len(scalars))
