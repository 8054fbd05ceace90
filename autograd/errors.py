"""What goes wrong, said so that the remedy is plain: primitive, argument, number, label, and the user's own line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from autograd.primitives import ALIASES, TABLE, Primitive
from autograd.provenance.calls import function_called
from autograd.provenance.lines import line_of, user_line
from autograd.provenance.paths import origins, path, path_in_words

_Error = TypeVar("_Error", bound=Exception)


class DomainError(ValueError):
    """A primitive was asked for a value, or a slope, where it has none.

    ``primitive`` and ``operands`` say of what; ``node`` is the node of the graph where it happened, ``None`` while the
    graph is made. The OverflowError of a primitive has the same attributes.
    """

    primitive: Primitive | None = None
    operands: tuple[Any, ...] = ()
    node: Any = None


class UnknownSlope(DomainError):
    """A limit was asked for its slope, of which the row says nothing."""


class NonFiniteError(RuntimeError):
    """An operation gave nan or an infinity where that is refused: see ``record_lines`` and ``find_nonfinite``."""

    # No ArithmeticError: the walks take those of a number system for the want of a value, and say so in its place.


class GuardError(RuntimeError):
    """Samples of one batch decide a comparison differently, so one recorded program cannot serve them all."""


class RecordingError(TypeError):
    """A function cannot be recorded for replay: it would freeze a number, or leave no graph."""


class StaleGraphError(RuntimeError):
    """A leaf was written after a node that used it was made, so old and new numbers would mix."""


#: What stands for a function of ``math``, ``numpy`` or ``statistics`` that has another name in the engine, or none.
_INSTEAD = {
    "dist": "autograd.norm of the differences",
    "fabs": "autograd.abs",
    "fmean": "autograd.mean",
    "fsum": "autograd.sum",
    "pstdev": "autograd.sqrt(autograd.variance(…))",
    "pvariance": "autograd.variance",
    "stdev": "autograd.sqrt(autograd.variance(…, ddof=1))",
    "sumprod": "autograd.dot",
    "variance": "autograd.variance(…, ddof=1)",
}


def gradient_dropped(x: str) -> TypeError:
    """What to raise when a function that knows plain numbers alone asks a Value, in short ``x``, for its number."""
    called = function_called()
    module, _, name = called.rpartition(".")
    if module not in ("math", "cmath", "numpy", "statistics"):
        return TypeError(
            f"{name if module == 'builtins' and name else 'float'}({x}) would drop the gradient; write value.data for "
            "the number, or the engine's function in place of math's (autograd.exp for math.exp)"
        )
    row = ALIASES.get(name, name)
    instead = _INSTEAD.get(name) or (f"autograd.{row}" if row in TABLE else "")
    if instead:
        return TypeError(f"{name} of a plain number would drop the gradient of {x}; write {instead}")
    if name.startswith("is"):
        return TypeError(f"{called} asks a plain number, not {x}; write {called}(value.data)")
    return TypeError(
        f"{called} would drop the gradient of {x}, and autograd has no function of this name; write value.data for the "
        "number, compose it of autograd's functions, or declare it with autograd.primitive"
    )


def describe(name: str, operand: Any, here: str = "") -> str:
    """``x is -2.0 ('z1', model.py:14)``: an operand, its number, its label, and the line that made it if not here."""
    if not hasattr(operand, "label"):
        huge = isinstance(operand, int) and abs(operand) > 10**20
        return f"{name} is {f'an integer of {operand.bit_length()} bits' if huge else repr(operand)}"
    line = line_of(operand)
    known = [f"'{operand.label:.80}'"] if operand.label else []
    known += [line] if line and line != here else []
    return f"{name} is {operand._data!r}" + (f" ({', '.join(known)})" if known else "")


def _names(primitive: Primitive, operands: Sequence[Any]) -> Sequence[str]:
    return [f"xs[{i}]" for i in range(len(operands))] if primitive.n_ary else primitive.arguments


def operands_in_words(primitive: Primitive, operands: Sequence[Any], here: str = "") -> str:
    """The operands of a failed operation, a long list shortened."""
    parts = [describe(n, o, here) for n, o in zip(_names(primitive, operands), operands, strict=False)]
    if len(parts) > 4:
        parts = [*parts[:4], f"… {len(parts)} in all"]
    return ", ".join(parts)


def _about(error: _Error, primitive: Primitive, operands: Sequence[Any]) -> _Error:
    """The error, with what programs may ask it; a further line says how its operands were made, if they are nodes."""
    made = origins(_names(primitive, operands), operands)
    if made:
        error.args = (f"{error}\nwhere {made}",)
    vars(error).update(primitive=primitive, operands=tuple(operands), node=None)
    return error


def at_slot(error: Exception, slot: int) -> None:
    """Note the slot of the program where a walk failed, for whoever knows the nodes: see ``naming_nodes``."""
    vars(error).setdefault("slot", slot)


@contextmanager
def naming_nodes(nodes: Sequence[Any], outputs: Iterable[Any]) -> Iterator[None]:
    """Walks over a program inside of it fail with the way from the node to the output; ``nodes`` has one per slot."""
    try:
        yield
    except (DomainError, OverflowError) as error:
        if "slot" in vars(error):
            say_path(error, nodes[vars(error)["slot"]], outputs)
        raise


def say_path(error: Exception, node: Any, outputs: Iterable[Any]) -> None:
    """Add the way from the node that failed to the output, once."""
    known = vars(error)
    if known.get("node") is None:
        known["node"] = node
        way = path(node, outputs)
        if len(way) > 1 or line_of(node):
            message = str(error).partition("\nwhere ")[0]  # the way begins with how the operands were made
            error.args = (f"{message}\nOn the way to the output: {path_in_words(way)}",)


def failure(primitive: Primitive, operands: Sequence[Any], error: Exception) -> Exception:
    """The exception to raise in place of what a number system raised for these operands."""
    line = user_line()
    where = f" ({line})" if line else ""
    given = operands_in_words(primitive, operands, line)
    if isinstance(error, OverflowError):
        message = f"{primitive.name} is too large for a float; {given}{where}. Use clip, or work with logarithms."
        return _about(OverflowError(message), primitive, operands)
    if primitive.needs:
        message = f"{primitive.name} needs {primitive.needs}; {given}{where}. {primitive.remedy}"
    else:
        message = f"{primitive.name} failed: {error}; {given}{where}."
    return _about(DomainError(message), primitive, operands)


def slope_failure(
    primitive: Primitive, argument: int, operands: Sequence[Any], *, too_large: bool = False, of_limit: bool = False
) -> Exception:
    """The exception for a partial that does not exist at these operands, or is too large for a float; or, of a limit,
    for its own partial.

    Of a limit no argument is named: forward and reverse mode would meet another one first.
    """
    name = primitive.arguments[argument] if not primitive.n_ary else f"xs[{argument}]"
    given = operands_in_words(primitive, operands)
    if too_large:
        message = f"{primitive.name} has a slope too large for a float with respect to {name}; {given}."
        return _about(OverflowError(message), primitive, operands)
    which = "further derivative" if of_limit else f"derivative with respect to {name}"
    message = (
        f"{primitive.name} has no {which} here; {given}. "
        "Use where to choose another formula at this point, or detach() if no derivative is wanted."
    )
    return _about((UnknownSlope if of_limit else DomainError)(message), primitive, operands)


def undeclared(primitive: Primitive, *, system: str = "", so: str = "") -> NotImplementedError:
    """What to raise where a primitive is not declared for a number system, or for none: it has no formula then."""
    if not primitive.systems:
        return NotImplementedError(f"{primitive.name} has no formula{so}. {primitive.remedy}")
    other = f", not {system}" if system else ""
    return NotImplementedError(f"{primitive.name} is declared for {', '.join(primitive.systems)} only{other}{so}")


def nonfinite(primitive: Primitive, operands: Sequence[Any], number: float, reason: str) -> NonFiniteError:
    """The exception for an operation that gave nan or an infinity, for a reason."""
    line = user_line()
    where = f" ({line})" if line else ""
    given = operands_in_words(primitive, operands, line)
    error = NonFiniteError(f"{primitive.name} gave {number!r:.200}; {given}{where}: {reason}.")
    return _about(error, primitive, operands)


def frozen(what: str, done: str = "read") -> RecordingError:
    """What to raise when a function that is being recorded reads a number that would stay as it is now, or writes one.

    A replay computes, and does nothing else.
    """
    line = user_line()
    remedy = (
        "which would freeze it. Keep to Values: comparisons and where for choices, grad or gradients for derivatives, "
        "detach() for constants."
        if done == "read"
        else "which no replay would do again. Write leaves between calls."
    )
    where = f" ({line})" if line else ""
    return RecordingError(f"{what} was {done}{where} while the function is recorded for replay, {remedy}")
