"""What goes wrong, said so that the remedy is plain: primitive, argument, number, label, and the user's own line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.lines import line_of, user_frame, user_line
from autograd.primitives import Primitive


class DomainError(ValueError):
    """A primitive was asked for a value, or a slope, where it has none."""


class NonFiniteError(RuntimeError):
    """An operation gave nan or an infinity where that is refused: see ``record_lines`` and ``find_nonfinite``."""

    # No ArithmeticError: the walks take those of a number system for the want of a value, and say so in its place.


class RecordingError(TypeError):
    """A function cannot be recorded for replay: it would freeze a number, or leave no graph."""


class StaleGraphError(RuntimeError):
    """A leaf was written after a node that used it was made, so old and new numbers would mix."""


def function_called_on_the_users_line() -> str | None:
    """The function of module ``math`` or the like that the user's line calls, if one can be seen there."""
    import linecache  # these two cost 10 ms, and are wanted only when something went wrong
    import re

    frame = user_frame()
    if frame is None:
        return None
    text = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    match = re.search(r"\b(?:math|cmath|numpy|np)\.(\w+)\s*\(", text)
    return match.group(1) if match else None


def describe(name: str, operand: Any) -> str:
    """``x is -2.0 ('z1', model.py:14)``: an operand, its number, its label, and the line that made it if known."""
    if not hasattr(operand, "label"):
        huge = isinstance(operand, int) and abs(operand) > 10**20
        return f"{name} is {f'an integer of {operand.bit_length()} bits' if huge else repr(operand)}"
    known = ", ".join([f"'{operand.label}'"] * bool(operand.label) + [line_of(operand)] * bool(line_of(operand)))
    return f"{name} is {operand._data!r}" + (f" ({known})" if known else "")


def operands_in_words(primitive: Primitive, operands: Sequence[Any]) -> str:
    """The operands of a failed operation, a long list shortened."""
    names = primitive.arguments if not primitive.n_ary else tuple(f"xs[{i}]" for i in range(len(operands)))
    parts = [describe(n, o) for n, o in zip(names, operands, strict=False)]
    if len(parts) > 4:
        parts = [*parts[:4], f"… {len(parts)} in all"]
    return ", ".join(parts)


def failure(primitive: Primitive, operands: Sequence[Any], error: Exception) -> Exception:
    """The exception to raise in place of what a number system raised for these operands."""
    line = user_line()
    where = f" ({line})" if line else ""
    given = operands_in_words(primitive, operands)
    if isinstance(error, OverflowError):
        return OverflowError(
            f"{primitive.name} is too large for a float; {given}{where}. Use clip, or work with logarithms."
        )
    if primitive.needs:
        return DomainError(f"{primitive.name} needs {primitive.needs}; {given}{where}. {primitive.remedy}")
    return DomainError(f"{primitive.name} failed: {error}; {given}{where}.")


def slope_failure(
    primitive: Primitive, argument: int, operands: Sequence[Any], *, order: str = "derivative", too_large: bool = False
) -> Exception:
    """The exception for a partial that does not exist at these operands, or is too large for a float."""
    name = primitive.arguments[argument] if not primitive.n_ary else f"xs[{argument}]"
    given = operands_in_words(primitive, operands)
    if too_large:
        return OverflowError(f"{primitive.name} has a slope too large for a float with respect to {name}; {given}.")
    return DomainError(
        f"{primitive.name} has no {order} with respect to {name} here; {given}. "
        "Use where to choose another formula at this point, or detach() if no derivative is wanted."
    )


def nonfinite(primitive: Primitive, operands: Sequence[Any], number: float) -> NonFiniteError:
    """The exception for an operation that gave nan or an infinity."""
    line = user_line()
    where = f" ({line})" if line else ""
    return NonFiniteError(f"{primitive.name} gave {number!r}; {operands_in_words(primitive, operands)}{where}.")


def frozen(what: str) -> RecordingError:
    """What to raise when a function that is being recorded reads a number that would stay as it is now."""
    line = user_line()
    return RecordingError(
        f"{what} was read{f' ({line})' if line else ''} while the function is recorded for replay, which would freeze it. "
        "Keep to Values: comparisons and where for choices, grad or gradients for derivatives, detach() for constants."
    )
