"""What an error says: primitive, argument, number, label, the user's own line, and the remedy."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import TABLE, DomainError, Primitive, StaleGraphError, Value, record_lines
from autograd.testing.regions import in_domain
from tests.rows import ROWS, is_constant, name_of, special_points

FILE = "test_errors.py"


def line_after_next() -> int:
    """The number of the second line after the one that calls this."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno + 2


def message_of(run: Callable[[], Any], kind: type[BaseException] = DomainError) -> str:
    with pytest.raises(kind) as caught:
        run()
    return str(caught.value)


def test_the_whole_message() -> None:
    z = Value(-2.0, "z1")
    line = line_after_next()
    with pytest.raises(DomainError) as caught:
        autograd.log(z)
    assert str(caught.value) == (
        f"log needs a positive argument; x is -2.0 ('z1') ({FILE}:{line}). Use log1p, clip or where."
    )


def test_the_whole_message_with_the_origin_of_the_operand() -> None:
    w, x = Value(2.0, "w"), Value(1.5, "x")
    line = line_after_next()
    with pytest.raises(DomainError) as caught:
        autograd.log(w * x - 5.0)
    assert str(caught.value) == (
        f"log needs a positive argument; x is -2.0 ({FILE}:{line}). Use log1p, clip or where.\n"
        "where x = sub(mul('w', 'x'), 5.0)"
    )


def test_lines_of_operands_are_told_if_they_are_known() -> None:
    with record_lines():
        line = line_after_next() - 1
        z = Value(2.0, "w") - 4.0
        y = z * 1.0
    message = message_of(lambda: autograd.log(z))
    assert message.startswith(f"log needs a positive argument; x is -2.0 ({FILE}:{line}) ({FILE}:")
    z.label = "z1"
    assert f"x is -2.0 ('z1', {FILE}:{line}) ({FILE}:" in message_of(lambda: autograd.log(z))
    assert message_of(lambda: autograd.log(y)).endswith("\nwhere x = mul('z1', 1.0)")


def test_one_line_is_not_told_twice() -> None:
    with record_lines():
        line = line_after_next()
        with pytest.raises(DomainError) as caught:
            (Value(1.0, "w") - 4.0).sqrt()
    assert str(caught.value).startswith(f"sqrt needs an argument ≥ 0; x is -3.0 ({FILE}:{line}). ")


def test_programs_may_ask_what_failed() -> None:
    z = Value(-2.0, "z1")
    with pytest.raises(DomainError) as domain:
        autograd.log(z)
    assert (domain.value.primitive, domain.value.operands, domain.value.node) == (TABLE["log"], (z,), None)
    with pytest.raises(OverflowError) as large:
        autograd.exp(Value(1000.0))
    assert large.value.primitive is TABLE["exp"]  # type: ignore[attr-defined]
    node = autograd.atan2(z * 0.0, 0.0)
    with pytest.raises(DomainError) as slope:
        (node * 2.0).backward()
    assert slope.value.node is node
    assert slope.value.operands == (node.parents[0], 0.0)


def no_slope(w: Any) -> Any:
    """A function whose second operation has no derivative at 1, three operations below the result."""
    corner = autograd.atan2(w - 1.0, 0.0)
    return (corner * 2.0 + 1.0).tanh()


WAYS: dict[str, Callable[[], Any]] = {
    "backward": lambda: no_slope(Value(1.0, "w")).backward(),
    "grad": lambda: autograd.grad(no_slope)(Value(1.0, "w").data),
    "second derivative": lambda: autograd.grad(autograd.grad(no_slope))(1.0),
    "gradients": lambda: (lambda w: autograd.gradients(no_slope(w), w))(Value(1.0, "w")),
    "vjp": lambda: autograd.vjp(no_slope, 1.0)[1](1.0),
    "jvp": lambda: autograd.jvp(no_slope, (1.0,), (1.0,)),
    "evaluate": lambda: (lambda w: autograd.evaluate(no_slope(w), at={w: 1.0}, wrt=w))(Value(3.0, "w")),
    "mpmath": lambda: (lambda w: autograd.evaluate(no_slope(w), "mpmath", at={w: 1}, wrt=w))(Value(3.0, "w")),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_slope_that_does_not_exist_tells_the_way_to_the_output(way: str) -> None:
    lines = message_of(WAYS[way]).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("atan2 has no derivative with respect to x here; x is ")
    argument = "identity(…)" if way in ("grad", "second derivative", "vjp", "jvp") else "'w'"
    assert lines[1] == f"On the way to the output: atan2(sub({argument}, 1.0), 0.0) → mul → add → tanh"


def test_a_value_that_does_not_exist_at_other_numbers_tells_the_way_to_the_output() -> None:
    w = Value(2.0, "w")
    inner = (w - 1.0).log()
    loss = inner * 2.0
    loss.label = "loss"
    with pytest.raises(DomainError) as caught:
        autograd.evaluate(loss, at={w: 0.5})
    assert str(caught.value).splitlines()[1] == "On the way to the output: log(sub('w', 1.0)) → mul ('loss')"
    assert caught.value.node is inner
    with record_lines():
        line = line_after_next() - 1
        alone = (w - 1.0).log()
    message = message_of(lambda: autograd.evaluate(alone, at={w: 0.5}))
    assert message.endswith(f"On the way to the output: log(sub('w', 1.0)) ({FILE}:{line})")


def test_a_long_way_is_shortened_and_keeps_its_labels() -> None:
    y = autograd.atan2(Value(0.0, "w"), 0.0)
    for i in range(10_000):
        y = y * 1.0
        if i == 5000:
            y.label = "half way"
    message = message_of(y.backward)
    assert message.endswith(
        "On the way to the output: atan2('w', 0.0) → mul → mul → … 4998 more … → mul ('half way') → … 4997 more … "
        "→ mul → mul"
    )


def test_the_way_is_one_that_a_derivative_takes() -> None:
    """A shorter one through a comparison or what was detached explains nothing."""
    corner = autograd.atan2(Value(0.0, "w"), 0.0)
    through = (corner * 1.0).tanh() * 2.0
    for y in (corner.detach() + through, autograd.where(corner < 1.0, through, 0.0)):
        assert "atan2('w', 0.0) → mul → tanh → mul → " in message_of(y.backward)


def test_formulas_of_many_operands_and_of_choices_are_short() -> None:
    x = Value(-1.0, "x")
    chosen = autograd.where(x > 0, lambda: x, -3.0)
    assert message_of(lambda: chosen.log()).endswith("where x = where(greater('x', 0.0), –, -3.0)")
    many = autograd.sum([x] * 50)
    assert message_of(lambda: many.log()).endswith("where x = sum('x', 'x', 'x', … 50 in all)")


LIMITED = [row for row in ROWS if row.needs]


@pytest.mark.parametrize("row", LIMITED, ids=name_of)
def test_every_domain_error_names_everything(row: Primitive) -> None:
    points = list(special_points(row, lambda xs: not in_domain(row, xs))) or [(math.inf,)]
    operands = [x if is_constant(row, i) else Value(x, f"v{i}") for i, x in enumerate(points[0])]
    line = line_after_next()
    with pytest.raises(DomainError) as caught:
        getattr(autograd, row.name)(*operands)
    message = str(caught.value)
    assert message.startswith(f"{row.name} needs {row.needs}; ")
    for i, (name, x) in enumerate(zip(row.arguments, points[0], strict=False)):
        label = "" if is_constant(row, i) else f" ('v{i}')"
        assert f"{name} is {x!r}{label}" in message
    assert f"({FILE}:{line})" in message
    assert message.endswith(row.remedy)
    assert len(row.remedy) > 5


@pytest.mark.parametrize("row", LIMITED, ids=name_of)
def test_every_remedy_names_functions_that_exist(row: Primitive) -> None:
    words = row.remedy.rstrip(".").replace(",", "").replace(" or", "").split()
    if words[0] == "Use":
        assert all(callable(getattr(autograd, word)) for word in words[1:]), row.remedy


def test_plain_numbers_and_methods_and_operators_are_named_alike() -> None:
    x = Value(-2.0)
    runs: list[Callable[[], Any]] = [lambda: autograd.sqrt(-2.0), lambda: x.sqrt(), lambda: autograd.sqrt(x)]
    for run in runs:
        assert message_of(run).startswith("sqrt needs an argument ≥ 0; x is -2.0 (test_errors.py:")
    assert message_of(lambda: x / 0).startswith("div needs a divisor other than zero; x is -2.0, y is 0")
    reflected = message_of(lambda: 1 / Value(0.0, "d"))
    assert reflected.startswith("div needs a divisor other than zero; x is 1, y is 0.0 ('d')")
    assert message_of(lambda: x**0.5).startswith("pow needs a positive base")


def helper_of_the_user(v: Value) -> Value:
    return v.log()


def test_the_line_is_the_innermost_one_of_the_users() -> None:
    line = inspect.getsourcelines(helper_of_the_user)[1] + 1
    assert f"({FILE}:{line})" in message_of(lambda: helper_of_the_user(Value(-1.0)))
    assert f"({FILE}:{line})" in message_of(lambda: autograd.grad(helper_of_the_user)(-1.0))


def test_the_line_inside_of_a_composite_is_the_users() -> None:
    line = line_after_next()
    with pytest.raises(OverflowError) as caught:
        autograd.grad(lambda x: autograd.exp(x))(1000.0)
    assert f"({FILE}:{line})" in str(caught.value)


def test_a_number_too_large_says_so() -> None:
    message = message_of(lambda: autograd.exp(Value(1000.0, "logit")), OverflowError)
    assert message.startswith("exp is too large for a float; x is 1000.0 ('logit') (test_errors.py:")
    assert message.endswith("Use clip, or work with logarithms.")


def test_a_long_list_is_shortened() -> None:
    many = [1.0] * 50
    message = message_of(lambda: autograd.sum([*many, Value(1.0), "x"]), TypeError)
    assert len(message) < 300
    assert "str 'x'" in message


def test_a_slope_that_does_not_exist_is_named_with_its_labels() -> None:
    x, y = Value(0.0, "east"), Value(0.0, "north")
    message = message_of(autograd.atan2(x, y).backward)
    assert message.startswith("atan2 has no derivative with respect to x here; x is 0.0 ('east'), y is 0.0 ('north')")
    assert "Use where" in message
    assert "detach()" in message


#: Functions of a list, and a point where they have a first derivative by a limit.
BY_A_LIMIT: dict[str, tuple[Callable[[Any], Any], list[float], str]] = {
    "hypot": (lambda p: autograd.hypot(p[0], p[1]) ** 2, [0.0, 0.0], "x is 0.0, y is 0.0"),
    "norm": (lambda p: autograd.norm(p) ** 2, [0.0, 0.0], "x is 0.0, y is 0.0"),
    "x**x": (lambda p: p[0] ** p[0], [0.0], "x is 0.0, y is 0.0"),
    "pow": (lambda p: p[0] ** p[1], [0.0, 0.5], "x is 0.0, y is 0.5"),
    "pow at 0": (lambda p: p[0] ** p[1], [0.0, 0.0], "x is 0.0, y is 0.0"),
    "xlogy": (lambda p: autograd.xlogy(p[0], p[1]), [0.0, 0.0], "x is 0.0, y is 0.0"),
}
SECOND_DERIVATIVES: dict[str, Callable[[Callable[[Any], Any], list[float], list[float]], Any]] = {
    "grad of grad": lambda f, p, v: autograd.grad(lambda q: autograd.dot(autograd.grad(f)(q), v))(p),
    "hessian": lambda f, p, v: autograd.hessian(f)(p),
    "hvp": lambda f, p, v: autograd.hvp(f)(p, v),
    "jvp of grad": lambda f, p, v: autograd.jvp(autograd.grad(f), (p,), (v,)),
    "grad of jvp": lambda f, p, v: autograd.grad(lambda q: autograd.jvp(f, (q,), (v,))[1])(p),
    "jvp of jvp": lambda f, p, v: autograd.jvp(lambda q: autograd.jvp(f, (q,), (v,))[1], (p,), (v,)),
}


@pytest.mark.parametrize("way", SECOND_DERIVATIVES)
@pytest.mark.parametrize("name", BY_A_LIMIT)
def test_a_second_derivative_that_does_not_exist_is_refused_in_the_same_words_by_every_way(name: str, way: str) -> None:
    f, point, operands = BY_A_LIMIT[name]
    with pytest.raises(DomainError) as caught:
        SECOND_DERIVATIVES[way](f, point, [1.0] * len(point))
    row = {"norm": "hypot"}.get(name, name if name in TABLE else "pow")
    assert str(caught.value).splitlines()[0] == (
        f"{row} has no further derivative here; {operands}. Use where to choose another formula at this point, or "
        "detach() if no derivative is wanted."
    )


def test_a_slope_too_large_is_not_said_not_to_exist() -> None:
    x = Value(1e-300)
    node = x**-0.9
    node.backward()
    assert x.grad == -math.inf

    @autograd.primitive(partials=[lambda m, z, x: m.exp(x * x)], domain=lambda x: x > 0)
    def steep(m: Any, x: Any) -> Any:
        return m.log(x)

    message = message_of(steep(Value(100.0)).backward, OverflowError)
    assert message.startswith("steep has a slope too large for a float with respect to x; x is 100.0.")


def test_stale_graphs_name_the_leaf_the_operation_and_the_remedy() -> None:
    x = Value(2.0, "weight")
    y = x.tanh()
    x.data = 1.0
    message = message_of(y.backward, StaleGraphError)
    assert message.startswith("the leaf 'weight' (1.0) was written after tanh had used it")
    assert message.endswith("Run the expression again after writing, or run backward before it.")


TAKEN_BY_MATH = [name for name in TABLE if hasattr(math, name) and name not in ("floor", "ceil", "prod", "fsum")]


@pytest.mark.parametrize("name", TAKEN_BY_MATH)
def test_a_function_of_math_says_which_of_ours_to_use(name: str) -> None:
    v = Value(0.5, "v")
    with pytest.raises(TypeError, match=rf"drop the gradient of 'v' \(0\.5\); write autograd\.{name}$"):
        eval(f"math.{name}({', '.join(['v', '2.0'][: TABLE[name].arity])})", {"v": v, "math": math})


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda v: math.fsum([v, 1.0]), r"write autograd\.sum$"),
        (lambda v: math.fabs(v), r"write autograd\.abs$"),
        (lambda v: math.dist([v], [1.0]), r"write autograd\.norm of the differences$"),
        (lambda v: math.isnan(v), r"write math\.isnan\(value\.data\)$"),
        (lambda v: math.gamma(v), r"math\.gamma would drop .* no function of this name; write value\.data"),
    ],
    ids=["fsum", "fabs", "dist", "isnan", "gamma"],
)
def test_functions_of_other_names_and_of_none(use: Callable[[Any], Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        use(Value(0.5))


def test_math_asks_a_value_for_its_floor() -> None:
    assert math.floor(Value(0.5)).data == 0.0  # type: ignore[comparison-overlap]


def test_lists_where_numbers_belong() -> None:
    assert "apply it to each element: [tanh(v) for v in …]" in message_of(lambda: autograd.tanh([1.0]), TypeError)
    assert "write sum([…])" in message_of(lambda: autograd.sum(Value(1.0)), TypeError)


def test_lengths_that_do_not_fit() -> None:
    message = message_of(lambda: autograd.dot([1.0, 2.0], [1.0]), ValueError)
    assert message == "dot needs two lists of one length; they have 2 and 1 numbers"


def test_the_cause_is_not_a_second_traceback() -> None:
    """What a user reads is one error, not Python's "math domain error" above it."""
    with pytest.raises(DomainError) as caught:
        autograd.log(-1.0)
    assert caught.value.__suppress_context__


def test_domain_errors_are_value_errors() -> None:
    assert issubclass(DomainError, ValueError)
    assert issubclass(StaleGraphError, RuntimeError)
    assert issubclass(autograd.DeclarationError, TypeError)


def test_nothing_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = Value(0.0)
        autograd.evaluate(x.sqrt(), "arrays", at={x: np.array([-1.0, 0.0, 1e308])}, wrt=x)


def test_every_row_is_found_by_users() -> None:
    for row in TABLE.values():
        assert row.compares or callable(getattr(autograd, row.name)), row.name


MANY = [1.0] * 1000
HUGE: dict[str, Any] = {
    "list": MANY,
    "Values": [Value(1.0) for _ in range(100)],
    "text": "x" * 10_000,
    "label": Value(2.0, "l" * 10_000),
    "texts": ["x" * 10_000] * 2,
}


def said_by(run: Callable[[], Any]) -> str:
    """The message of the error, if there is one."""
    try:
        run()
    except Exception as error:
        return str(error)
    return ""


#: Without what works for so long a list, and takes its time; and where the operating system says what is wrong.
PUBLIC = [
    (module, name)
    for module in (autograd, nn)
    for name in sorted(set(module.__all__) - {"assert_grads", "check_grads", "load", "load_with_extras"})
    if callable(getattr(module, name))
]


@pytest.mark.parametrize(("module", "name"), PUBLIC, ids=[name for _, name in PUBLIC])
def test_messages_are_short_however_long_what_was_given_is(module: Any, name: str) -> None:
    function = getattr(module, name)
    options = [p.name for p in _parameters(function) if p.kind is p.KEYWORD_ONLY]
    for huge in HUGE.values():
        calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = [((lambda x: x, huge), {}), ((Value(-1.0), huge), {})]
        if huge is not MANY:
            calls += [((huge,), {}), ((huge, huge), {})]
        calls += [((lambda x: x, 1.0), {option: huge}) for option in options]
        for positional, named in calls:
            message = said_by(lambda positional=positional, named=named: function(*positional, **named))
            known = len(", ".join(TABLE)) if name == "find" else 0  # which tells what there is
            assert len(message) < 500 + known, message[:300]


def _parameters(function: Any) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except ValueError:
        return []


def test_messages_of_methods_and_attributes_are_short() -> None:
    for huge in HUGE.values():
        runs: list[Callable[[], Any]] = [
            lambda huge=huge: Value(huge),
            lambda huge=huge: Value(1.0, huge).log() - "x",
            lambda huge=huge: setattr(Value(1.0), "data", huge),
            lambda huge=huge: setattr(Value(1.0), "grad", huge),
            lambda huge=huge: setattr(Value(1.0), "parents", huge),
            lambda huge=huge: round(HUGE["label"], huge),
            lambda huge=huge: HUGE["label"] + huge,
            lambda huge=huge: HUGE["label"] == huge,
            lambda huge=huge: autograd.compile(lambda x: x, wrt=huge),
            lambda huge=huge: autograd.check_grads(lambda x: x, 1.0, order=huge),
            lambda huge=huge: autograd.check_grads(lambda x: x, 1.0, tolerance=huge),
            lambda huge=huge: autograd.check_grads(lambda x: x, 1.0, names=huge),
            lambda huge=huge: autograd.check_grads(lambda x: x, 1.0, allow=huge),
        ]
        for run in runs:
            message = said_by(run)
            assert len(message) < 500, message[:300]
    for refused in (autograd.log, math.sqrt, autograd.atanh, bool, float, int):
        with pytest.raises((TypeError, ValueError)) as caught:
            refused(HUGE["label"] * -1.0 if refused is autograd.log else HUGE["label"])
        assert len(str(caught.value)) < 500
