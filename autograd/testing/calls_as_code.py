"""How a user writes a primitive: the call of its public function, and the code of that call.

Both go by the operands in the order of the row. What the code says is what the call does, operator for operator, so
that pasted code computes the same number to the last bit.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Sequence
from typing import Any

import autograd
from autograd import Primitive
from autograd.number_systems.arithmetic import BINARY, COMPARISONS
from autograd.value import maker

#: Primitive → the function behind Python's operator. A power is left out: that of two floats may be complex.
_OPERATORS: dict[str, Callable[..., Any]] = {
    primitive: getattr(operator, name) for name, primitive in {**BINARY, **COMPARISONS}.items() if primitive != "pow"
}


def call(row: Primitive, operands: Sequence[Any]) -> Any:
    """The public function of a row on Values and plain numbers.

    >>> call(autograd.TABLE["dot"], (1.0, 2.0, 3.0, 4.0))
    11.0
    """
    if not row.built_in:
        return maker(row)(*operands)
    if row.name in _OPERATORS:
        return _OPERATORS[row.name](*operands)
    if row.name == "neg":
        return -operands[0]
    function = getattr(autograd, row.name)
    if row.name == "dot":
        n = len(operands) // 2
        return function(operands[:n], operands[n : 2 * n], *operands[2 * n :])
    return function(operands) if row.n_ary else function(*operands)


def apply(m: Any, row: Primitive, operands: Sequence[Any]) -> Any:
    """The value of a row in any namespace that has its function; what that raises is not put into other words."""
    if not row.built_in:
        return row.formula(m, *operands)
    function = getattr(m, row.name)
    return function(list(operands)) if row.n_ary else function(*operands)


def code(row: Primitive, operands: Sequence[str]) -> str:
    """The code of that call.

    >>> code(autograd.TABLE["dot"], ("a", "b", "c", "d", "e"))
    'autograd.dot([a, b], [c, d], e)'
    """
    if row.name in _OPERATORS:
        return f"{operands[0]} {row.symbol} {operands[1]}"
    if row.name == "neg":
        return f"-{operands[0]}"
    name = f"autograd.{row.name}"
    if not row.built_in:
        return f"{row.origin.partition(':')[2].rpartition('.')[2] or row.name}({', '.join(operands)})"
    if row.name == "dot":
        n = len(operands) // 2
        start = f", {operands[-1]}" if len(operands) % 2 else ""
        return f"{name}([{', '.join(operands[:n])}], [{', '.join(operands[n : 2 * n])}]{start})"
    return f"{name}([{', '.join(operands)}])" if row.n_ary else f"{name}({', '.join(operands)})"


def import_line(module: str, name: str) -> str:
    """The line that makes a name of a module known; for a name inside a function, a comment that says where it is.

    >>> import_line("package.module", "f")
    'from package.module import f'
    """
    if "<locals>" in name:
        return f"# {name.rpartition('.')[2]} is defined inside {name.partition('.<locals>')[0]} in {module}"
    top, _, rest = name.partition(".")
    return f"from {module} import {top}" + (f"\n{name.rpartition('.')[2]} = {top}.{rest}" if rest else "")


def file_of(function: Callable[..., Any]) -> str:
    """The name of the file that a function was written in."""
    return os.path.basename(function.__code__.co_filename)


def module_of(function: Callable[..., Any]) -> str:
    """The name under which a function's module can be imported; of the file that is being run, the file's."""
    name = function.__module__
    return os.path.splitext(file_of(function))[0] if name == "__main__" else name


def imports_of(rows: Sequence[Primitive]) -> list[str]:
    """What code that calls these rows has to import: autograd, and users' own primitives."""
    lines = ["import autograd"]
    for row in rows:
        if not row.built_in and row.origin:
            line = import_line(module_of(row.formula), row.origin.partition(":")[2])
            if line not in lines:
                lines.append(line)
    return lines


def print_as_block(printer: Any, text: str) -> None:
    """Print code as Hypothesis and notebooks print an argument: below its name, indented."""
    printer.text("\n" + "\n".join(f"    {line}".rstrip() for line in text.splitlines()) + "\n")
