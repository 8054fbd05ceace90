"""One operation in any number system: the value of a primitive at some operands, and its partial derivatives there.

What a row states beside its rules is seen to here: the domain, limits where a rule cannot be evaluated, systems that
lack a primitive. What fails is said in the words of ``errors``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from math import nan
from typing import Any

from autograd import lanes
from autograd.eager.watching import noted
from autograd.errors import UnknownSlope, failure, slope_failure, undeclared
from autograd.primitives import Primitive, everywhere


def apply(m: Any, primitive: Primitive, operands: Sequence[Any]) -> Any:
    """The value of a primitive in a number system.

    Raises:
        DomainError, OverflowError: as the number system has it, with primitive and operands named.
        NotImplementedError: the system lacks the primitive, or what a user's primitive is made of; the reason is
            given.
    """
    if not primitive.built_in:
        if primitive.systems is not None and m.NAME not in primitive.systems:
            raise undeclared(primitive, system=m.NAME)
        if not m.LANES and not primitive.domain(*map(m.plain, operands)):
            raise noted(failure(primitive, operands, ValueError("outside the domain")), operands)
        function, arguments = partial(inside_alone, m, primitive), operands
    elif primitive.name in m.LACKS:
        raise NotImplementedError(f"number system {m.NAME} has no {primitive.name}: {m.LACKS[primitive.name]}")
    else:
        function = getattr(m, primitive.name)
        arguments = [list(operands)] if primitive.n_ary else list(operands)
    try:
        return function(*arguments)
    except (ValueError, ArithmeticError) as error:
        raise noted(failure(primitive, operands, error), operands) from error
    except AttributeError as error:
        _refuse_if_lacking(m, primitive.name, error)
        raise


def inside_alone(m: Any, primitive: Primitive, *operands: Any) -> Any:
    """The value of a user's primitive; in a system of many lanes nan in those that are outside of its domain.

    Raises:
        NotImplementedError: the predicate cannot be asked of many lanes at once.
    """
    value = primitive.formula(m, *operands)
    if not m.LANES or primitive.domain is everywhere:
        return value
    try:
        inside = primitive.domain(*operands)
    except (TypeError, ValueError) as error:
        raise NotImplementedError(
            f"the domain of {primitive.name} cannot be asked of many samples at once ({error}); write it with "
            "comparisons, joined by & and | in place of and, or, not and chains"
        ) from error
    return value if inside is True else m.where(inside, value, nan)


def partials(
    m: Any,
    primitive: Primitive,
    z: Any,
    operands: Sequence[Any],
    wanted: Iterable[int],
    shown: Sequence[Any] | None = None,
) -> list[Any]:
    """∂z/∂operand for each wanted argument, with the limits that the row states.

    Args:
        shown: the operands as an error should show them, with their labels.

    Raises:
        DomainError: a partial does not exist at these operands.
        OverflowError: it does, and is too large.
        NotImplementedError: its rule needs a primitive that the system lacks; the reason is given.
    """
    if m.LANES:
        return [partial for partial, _ in lanes.partials(m, primitive, z, operands, wanted)]
    if callable(primitive.partials):
        every = primitive.partials(m, z, list(operands))
        return [every[i] for i in wanted]
    return [_partial(m, primitive, z, operands, i, shown or operands) for i in wanted]


def _partial(m: Any, primitive: Primitive, z: Any, operands: Sequence[Any], argument: int, shown: Sequence[Any]) -> Any:
    own = getattr(m, "PARTIALS", None)
    rule = own[primitive][argument] if own and primitive in own else primitive.rule(argument, m, operands)
    if rule is None:
        return 0
    try:
        return rule(m, z, *operands)
    except UnknownSlope as error:
        noted(error, operands)
        raise
    except (ValueError, ArithmeticError, AttributeError) as error:
        plain = [m.plain(operand) for operand in operands]
        try:
            for limit in primitive.limits_of(argument):
                if limit.at(*plain):
                    return lanes.at_limit(m, limit, primitive, operands)
        except ValueError as unknown:  # an infinite slope where there is no infinity; an interval around the end point
            raise noted(slope_failure(primitive, argument, shown), operands) from unknown
        if isinstance(error, AttributeError):
            _refuse_if_lacking(m, f"the slope of {primitive.name}", error)
            raise
        failed = slope_failure(primitive, argument, shown, too_large=isinstance(error, OverflowError))
        raise noted(failed, operands) from error


def _refuse_if_lacking(m: Any, what: str, error: AttributeError) -> None:
    """Say so if the attribute that was not there is a primitive which the number system lacks."""
    name, lacks = m.NAME, m.LACKS
    if error.obj is m and error.name in lacks:
        raise NotImplementedError(
            f"{what} needs {error.name}, which number system {name} lacks: {lacks[error.name]}"
        ) from error


def differentiable(primitive: Primitive, argument: int) -> bool:
    """Whether there is a partial with respect to an argument."""
    return callable(primitive.partials) or primitive.partials[argument] is not None
