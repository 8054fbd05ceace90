"""``Expression``: a formula as data, which can be called, recorded, run in any number system, and printed as code.

It is drawn by ``expressions`` and never changes. Its slots are those of a ``Program``: inputs, then constants, then
one per step; a step uses only slots before it.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple, final

from autograd import Primitive, Program, Value
from autograd.number_systems import system_of
from autograd.testing import calls_as_code

#: Names of results in code, but for those that read like a number or like the function.
_LETTERS = "abcdeghijkmnpqrstuvw"


class Step(NamedTuple):
    """One primitive, applied to earlier slots."""

    primitive: Primitive
    operands: tuple[int, ...]


class Graph(NamedTuple):
    """The output of a recorded expression, and the leaf of each input."""

    output: Value
    leaves: list[Value]


@final
@dataclass(frozen=True)
class Expression:
    """A function of some numbers, as steps of primitives over inputs and constants.

    Call it with Values, with floats, or with both; ``evaluate`` runs it in a number system, ``graph`` records it, and
    ``print`` shows it as Python. ``program`` is its flat form.

    >>> import autograd
    >>> f = Expression(("x",), (2.0,), (Step(autograd.TABLE["sin"], (0,)), Step(autograd.TABLE["mul"], (2, 1))))
    >>> print(f)
    import autograd
    <BLANKLINE>
    def f(x):
        a = autograd.sin(x)
        b = a * 2.0
        return b
    >>> f(0.0), f.evaluate([0.0], "mpmath")
    (0.0, mpf('0.0'))
    >>> output, (x,) = f.graph(0.0)
    >>> output.backward()
    >>> x.grad
    2.0
    """

    #: The names of the inputs.
    names: tuple[str, ...]
    constants: tuple[float, ...]
    steps: tuple[Step, ...]
    #: Between these all inputs have a value and derivatives; the strategy ``calls`` draws from there.
    min_value: float = -2.0
    max_value: float = 2.0

    def __call__(self, *numbers: Any) -> Any:
        """The last step's result: a Value if one of the numbers is a Value, else a float."""
        return self._run(calls_as_code.call, numbers, self.constants)

    def evaluate(self, numbers: Sequence[Any], system: str | ModuleType | Any = "floats") -> Any:
        """The result in a number system: its name, its module, or any namespace with functions named as the primitives.

        A function of any number of arguments takes one list; numbers are converted by the namespace's ``number``, if it
        has one.
        """
        m: Any = system_of(system) if isinstance(system, str) else system
        number = getattr(m, "number", _unchanged)

        def apply(row: Primitive, operands: list[Any]) -> Any:
            return calls_as_code.apply(m, row, operands)

        # Over a batch both branches of a choice are computed, wherever they make sense.
        with m.computing() if getattr(m, "LANES", False) else nullcontext():
            return self._run(apply, [number(x) for x in numbers], [number(x) for x in self.constants])

    def graph(self, *numbers: float) -> Graph:
        """The expression recorded at these numbers: ``(output, leaves)``, the leaves labelled by the inputs' names."""
        self._check(numbers)
        leaves = [Value(x, name) for x, name in zip(numbers, self.names, strict=True)]
        return Graph(self(*leaves), leaves)

    @property
    def program(self) -> Program:
        """The flat form, with all inputs, be they used or not."""
        known: dict[Primitive, int] = {}
        opcodes = array("H", [known.setdefault(row, len(known)) for row, _ in self.steps])
        operands = array("i", [slot for _, slots in self.steps for slot in slots])
        starts = array("I", [0])
        for _, slots in self.steps:
            starts.append(starts[-1] + len(slots))
        output = len(self.names) + len(self.constants) + len(self.steps) - 1
        constants = array("d", self.constants)
        return Program(tuple(known), opcodes, starts, operands, constants, len(self.names), (output,))

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        """The rows in use, each once, in the order of their first step."""
        return tuple(dict.fromkeys(row for row, _ in self.steps))

    def code(self, name: str = "f") -> str:
        """A Python function with one line per step, and the imports that it needs."""
        rows = self.primitives
        return "\n".join([*calls_as_code.imports_of(rows), "", *self._lines(name)])

    def _lines(self, name: str) -> list[str]:
        taken = {
            name,
            *self.names,
            *(calls_as_code.code(row, ()).partition("(")[0] for row in self.primitives if row.origin),
        }
        letters = [letter for letter in _LETTERS if letter not in taken]
        if len(self.steps) > len(letters):
            letters = [f"t{i}" for i in range(1, len(self.steps) + 1)]
        texts = [*self.names, *map(repr, self.constants), *letters]
        first = len(self.names) + len(self.constants)
        lines = [f"def {name}({', '.join(self.names)}):"]
        for slot, (row, slots) in enumerate(self.steps, start=first):
            lines.append(f"    {texts[slot]} = {calls_as_code.code(row, [texts[s] for s in slots])}")
        return [*lines, f"    return {texts[first + len(self.steps) - 1]}"]

    def __str__(self) -> str:
        return self.code()

    def __repr__(self) -> str:
        return self.code()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        calls_as_code.print_as_block(printer, self.code())

    def _run(self, apply: Any, numbers: Sequence[Any], constants: Sequence[Any]) -> Any:
        self._check(numbers)
        known = [*numbers, *constants]
        for row, slots in self.steps:
            known.append(apply(row, [known[slot] for slot in slots]))
        return known[-1]

    def _check(self, numbers: Sequence[Any]) -> None:
        if len(numbers) != len(self.names):
            raise TypeError(
                f"the expression takes {len(self.names)} numbers ({', '.join(self.names)}); {len(numbers)} were given"
            )


def input_names(count: int) -> tuple[str, ...]:
    """x, y, z; or x1, x2, … where there are more."""
    return ("x", "y", "z")[:count] if count <= 3 else tuple(f"x{i + 1}" for i in range(count))


def _unchanged(x: Any) -> Any:
    return x
