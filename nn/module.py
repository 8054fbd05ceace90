"""``Module``: whatever holds parameters, and can name, count and zero them.

A parameter is a ``Value`` that a module holds as an attribute, directly, in a list, tuple or dict, or in a module
inside. Nothing registers anything: the walk looks at what is there when it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from autograd import Value
from nn.checks import numbers_by_path
from nn.held import values_in
from nn.interrupts import assign


class Module:
    """A holder of parameters; subclass it, and give Values, lists of them and modules as attributes.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Value(1.0), Value(0.0)
    >>> [name for name, _ in Line().named_parameters()]
    ['slope', 'offset']
    >>> Line(), Line().state_dict()
    (Line(2 parameters), {'slope': 1.0, 'offset': 0.0})
    """

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Every parameter once, with its path: ``model.<path>`` is an expression that gives it."""
        paths: list[str] = []
        values = values_in(self, Module, paths)
        return zip(paths, values, strict=True)

    def parameters(self) -> list[Value]:
        """Every parameter once, in the order of the attributes."""
        if type(self).named_parameters is not Module.named_parameters:
            return [value for _, value in self.named_parameters()]
        return values_in(self, Module)

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0.0."""
        assign(found := self.parameters(), "grad", [0.0] * len(found))

    def state_dict(self) -> dict[str, float]:
        """The number of every parameter, by its path."""
        return {path: parameter.data for path, parameter in self.named_parameters()}

    def load_state_dict(self, numbers: Mapping[str, float]) -> None:
        """Write the numbers that ``state_dict`` of a module of the same architecture gave into the parameters.

        Raises:
            ValueError, TypeError: a number is missing, is one too many, or is not finite; nothing is written then.
        """
        found = numbers_by_path(parameters := dict(self.named_parameters()), numbers)
        assign([parameters[path] for path in found], "data", found.values())

    def __call__(self, x: Any) -> Any:
        """The output for one sample."""
        raise NotImplementedError

    def _describe(self) -> str:
        """What the repr tells before the number of parameters."""
        return ""

    def __repr__(self) -> str:
        count = len(self.parameters())
        parts = [self._describe(), f"{count} parameter{'' if count == 1 else 's'}"]
        return f"{type(self).__name__}({', '.join(filter(None, parts))})"
