"""What people give to the package, checked: numbers within bounds, lists, rows of samples, parameters to move.

Lists may be tuples, NumPy arrays or pandas objects, which are known by ``tolist`` and ``to_numpy``, so that neither
package is imported. Every error names the argument, what it is, and what to write.
"""

from __future__ import annotations

import math
import operator
import reprlib
from collections.abc import Mapping
from numbers import Real
from typing import Any

from autograd import Value

_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxlong = _BRIEF.maxother = 60
_BRIEF.maxlevel = 2


def brief(x: Any) -> str:
    """The repr of whatever a file holds, short and quick to make, however long or deep it is."""
    return _BRIEF.repr(x)


def listed(x: Any) -> list[Any]:
    """A list of what a list, tuple, NumPy array or pandas object holds, NumPy's numbers becoming Python's."""
    if hasattr(x, "tolist"):
        return x.tolist()  # type: ignore[no-any-return]
    if hasattr(x, "to_numpy"):
        return x.to_numpy().tolist()  # type: ignore[no-any-return]  # a frame's own list is that of its columns
    if not hasattr(x, "__iter__"):
        raise TypeError(f"expected a list of numbers, not {x!r:.200}; write [{x!r:.200}]")
    return list(x)


def listed_or_one(x: Any) -> list[Any]:
    """A list of what a list holds, or of the one number that it is."""
    return listed(x) if hasattr(x, "__len__") else [x]


def list_of(values: Any, name: str, holds: str) -> list[Any]:
    """The list that an argument is, not looked into.

    Raises:
        TypeError: it is none; the message has the argument's name, and what such a list holds.
    """
    if not hasattr(values, "__iter__") or isinstance(values, str | bytes | dict):
        raise TypeError(f"{name} must be a list of {holds}, not {values!r:.200}")
    return listed(values)


def sample_rows(X: Any) -> list[list[Any]]:
    """The samples as lists, not looked into.

    Raises:
        TypeError: X is no list of samples, or one of them no list of numbers.
    """
    rows = []
    for i, sample in enumerate(list_of(X, "X", "samples")):
        if not hasattr(sample, "__len__") or isinstance(sample, str | bytes | dict):
            raise TypeError(
                f"X[{i}] is {sample!r:.200}; a sample is a list of numbers, so write [[x], …] for one feature"
            )
        rows.append(listed(sample))
    return rows


def finite(number: Any, place: str, *, or_bool: bool = True) -> float:
    """The number as a float; True and False count as numbers, 1 and 0, unless told otherwise.

    Raises:
        TypeError, ValueError: it is no number, or not a finite one.
    """
    is_bool: bool = isinstance(number, bool)
    if not isinstance(number, Real) or (is_bool and not or_bool):
        raise TypeError(f"{place} is {brief(number)}, not a number")
    try:
        exact = float(number)
    except OverflowError:  # an int beyond all floats
        exact = math.inf
    if not math.isfinite(exact):
        raise ValueError(f"{place} is {number!r:.60}; give finite numbers")
    return exact


def numbers_by_path(parameters: Mapping[str, Value], numbers: Mapping[str, Any]) -> dict[str, float]:
    """The number for each parameter, by its path.

    Raises:
        ValueError, TypeError: one is missing, is one too many, or is not finite.
    """
    if missing := parameters.keys() - numbers.keys():
        raise ValueError(f"there is no number for the parameter {min(missing)}; is it of another architecture?")
    if foreign := numbers.keys() - parameters.keys():
        raise ValueError(f"the model has no parameter {min(foreign):.60}; is its architecture another one?")
    return {path: finite(number, f"the parameter {path}", or_bool=False) for path, number in numbers.items()}


def within(name: str, number: Any, low: float, high: float = math.inf, *, open_below: bool = False) -> float:
    """The number itself, between two bounds, the upper not among them, the lower only unless it is open.

    Raises:
        ValueError, TypeError: it is not between them, or no number.
    """
    if isinstance(number, bool) or not isinstance(number, Real):
        raise TypeError(f"{name} must be a number; it is {number!r:.200}")
    value = float(number)
    if not (low < value < high or (value == low and not open_below)):
        bounds = f"{'above' if open_below else 'at least'} {low:g}{f' and below {high:g}' if high < math.inf else ''}"
        raise ValueError(f"{name} must be finite, {bounds}; it is {number!r:.200}")
    return value


def whole(name: str, number: Any, *, least: int = 1) -> int:
    """The number itself, an int of any kind from ``least`` on.

    Raises:
        TypeError, ValueError: it is not an int, or below.
    """
    if isinstance(number, bool) or not hasattr(number, "__index__"):
        raise TypeError(f"{name} must be an int; it is {number!r:.200}")
    if (count := operator.index(number)) < least:
        raise ValueError(f"{name} must be at least {least}; it is {count}")
    return count


def wrong_number_of_inputs(who: str, expected: int, given: int) -> ValueError:
    """The error to raise when a neuron or a layer is called with a list of another length."""
    plural = "" if expected == 1 else "s"
    return ValueError(f"{who} has {expected} input{plural}, but was given {given} number{'' if given == 1 else 's'}")


def leaves(parameters: Any) -> list[Value]:
    """The parameters to move, each once.

    Raises:
        TypeError, ValueError: it is no list of them, it is empty, or one is no leaf or is there twice.
    """
    if not hasattr(parameters, "__iter__"):
        raise TypeError(f"an optimizer takes a list of Values, not {parameters!r:.200}; write model.parameters()")
    found = list(parameters)
    if not found:
        raise ValueError("there are no parameters to optimize; give model.parameters()")
    for i, p in enumerate(found):
        if not isinstance(p, Value) or p.parents:
            raise TypeError(f"an optimizer moves leaves; parameter {i} is {p!r:.200}. Write model.parameters()")
    if len(set(found)) != len(found):
        raise ValueError("a parameter is listed twice and would be moved twice; list each once")
    return found
