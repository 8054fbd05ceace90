"""A user's own primitive is like a built-in one; what is wrong fails at once and says why. Nodes with given slopes."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import (
    DeclarationError,
    DomainError,
    Limit,
    Value,
    check_grads,
    check_graph,
    evaluate,
    grad,
    gradients,
    hessian,
    jvp,
    node,
    primitive,
)
from autograd.number_systems import javascript, mathml


@primitive(partials=[lambda m, z, x: m.exp(-x * x) * (1 - 2 * x * x)], symbol="∩")
def bump(m: Any, x: Any) -> Any:
    """x·exp(-x²): up and down again."""
    return x * m.exp(-x * x)


@primitive(
    partials=[lambda m, z, x, y, p: x / z, lambda m, z, x, y, p: y * p * p / z, None],
    domain=lambda x, y, p: p > 0,
    needs="p > 0",
    remedy="Use abs.",
    kinks=lambda x, y, p: (x == 0) & (y == 0),
    limits=[Limit(0, lambda x, y, p: (x == 0) & (y == 0), 0.0)],
)
def ellipse(m: Any, x: Any, y: Any, p: Any) -> Any:
    return m.sqrt(x * x + p * p * y * y)


@primitive(partials=[lambda m, z, x: math.cos(x)], systems=["floats"])
def floats_only(m: Any, x: Any) -> Any:
    return math.sin(x)


class Holder:
    @staticmethod
    @primitive(partials=[lambda m, z, x: 3 * m.square(x)])
    def cube(m: Any, x: Any) -> Any:
        return m.square(x) * x


@given(x=st.floats(-2, 2))
def test_value_and_gradient(x: float) -> None:
    v = Value(x)
    y = bump(v)
    assert y.data == bump(x) == x * math.exp(-x * x)
    y.backward()
    assert v.grad == pytest.approx((1 - 2 * x * x) * math.exp(-x * x), rel=1e-14, abs=1e-15)


def test_it_looks_like_a_built_in_one() -> None:
    y = bump(Value(1.0))
    assert y.primitive is bump.primitive
    assert (y.primitive.name, y.primitive.symbol, y.primitive.summary) == (
        "bump",
        "∩",
        "x·exp(-x²): up and down again.",
    )
    assert bump.__name__ == "bump"
    assert bump.__doc__ == "x·exp(-x²): up and down again."
    assert "∩" in autograd.draw(y).source
    assert repr(y).startswith("Value(0.36787944117144233, primitive=bump")


def test_it_takes_plain_numbers_and_expressions() -> None:
    assert type(bump(2)) is float
    x = Value(0.5)
    y = bump(x * 2 + 1) * 3 - bump(x)
    y.backward()
    expected = grad(lambda v: 3 * bump(v * 2 + 1) - bump(v))(0.5)
    assert x.grad == pytest.approx(expected, rel=1e-15, abs=0.0)


def test_higher_order_and_forward_mode() -> None:
    x = 0.7
    e = math.exp(-x * x)
    assert grad(grad(bump))(x) == pytest.approx((4 * x**3 - 6 * x) * e, rel=1e-14, abs=0.0)
    assert grad(grad(grad(bump)))(x) == pytest.approx((-8 * x**4 + 24 * x**2 - 6) * e, rel=1e-14, abs=0.0)
    assert jvp(bump, (x,), (2.0,))[1] == pytest.approx(2 * grad(bump)(x), rel=1e-15, abs=0.0)
    assert hessian(lambda v: ellipse(v[0], v[1], 1.0))([3.0, 4.0])[0] == pytest.approx(
        [0.128, -0.096], rel=1e-13, abs=0.0
    )


def test_other_number_systems() -> None:
    x = Value(0.7)
    y = bump(x)
    assert float(evaluate(y, "mpmath")) == pytest.approx(y.data, rel=1e-15, abs=0.0)
    assert evaluate(y, "complex", at={x: 0.7 + 1e-30j}).imag / 1e-30 == pytest.approx(
        grad(bump)(0.7), rel=1e-14, abs=0.0
    )
    batch = np.array([0.1, 0.7])
    value, slope = evaluate(y, "arrays", at={x: batch}, wrt=x)
    assert value == pytest.approx([bump(b) for b in batch], rel=1e-15, abs=0.0)
    assert slope == pytest.approx([grad(bump)(b) for b in batch], rel=1e-14, abs=0.0)


def test_constant_arguments_domain_and_limits() -> None:
    x, y = Value(3.0), Value(2.0)
    z = ellipse(x, y, 2.0)
    z.backward()
    assert (z.data, x.grad, y.grad) == (5.0, 0.6, 1.6)
    assert z.parents == (x, y, 2.0)
    with pytest.raises(DomainError, match=r"^ellipse needs p > 0; x is 3\.0, y is 2\.0, p is -1\.0 .*Use abs\.$"):
        ellipse(x, y, -1.0)
    with pytest.raises(TypeError, match="ellipse: p has no derivative; pass a plain number"):
        ellipse(x, y, Value(2.0))
    tip = Value(0.0)
    ellipse(tip, 0.0, 1.0).backward()
    assert tip.grad == 0.0
    with pytest.raises(DomainError, match="ellipse has no derivative with respect to y"):
        ellipse(0.0, Value(0.0), 1.0).backward()


def test_a_primitive_for_some_systems_only() -> None:
    x = Value(0.5)
    y = floats_only(x)
    y.backward()
    assert x.grad == math.cos(0.5)
    with pytest.raises(NotImplementedError, match="floats_only is declared for floats only, not arrays"):
        evaluate(y, "arrays")


def test_the_number_of_arguments_is_checked() -> None:
    with pytest.raises(TypeError, match=r"bump takes 1 arguments \(x\); 2 were given"):
        bump(1.0, 2.0)
    with pytest.raises(TypeError, match="bump takes Values and real numbers; x is str 'a'"):
        bump("a")


def test_it_is_pickled_by_its_qualified_name() -> None:
    x = Value(0.7, "x")
    y = bump(x) + Holder.cube(x)
    for again in (pickle.loads(pickle.dumps(y)), copy.deepcopy(y)):
        assert again.data == y.data
        again.backward()
        leaf = autograd.graph.leaves(again)[0]
        assert leaf.grad == pytest.approx(grad(bump)(0.7) + 3 * 0.49, rel=1e-14, abs=0.0)
        assert again.parents[0].primitive is bump.primitive
    assert pickle.loads(pickle.dumps(Holder.cube.primitive)) is Holder.cube.primitive


def test_one_that_nobody_can_find_again_says_so_when_pickled_or_loaded() -> None:
    @primitive(partials=[lambda m, z, x: 2 * x])
    def local(m: Any, x: Any) -> Any:
        return x * x

    y = local(Value(3.0))
    with pytest.raises((pickle.PicklingError, AttributeError), match="local"):
        pickle.loads(pickle.dumps(y))


RULE = lambda m, z, x: 1  # noqa: E731 - a rule is one line


def one(m: Any, x: Any) -> Any:
    return x * 1


@pytest.mark.parametrize(
    ("partials", "words"),
    [
        ([], r"one has 1 arguments \(x\) but 0 partials"),
        ([RULE, RULE], r"one has 1 arguments \(x\) but 2 partials"),
        (RULE, r"partials is a list with one rule per argument \(x\)"),
        ([None], "one has no partial at all"),
        ([1.0], r"the partial with respect to x is 1\.0; it must be a function"),
        ([lambda x: 1], r"the partial with respect to x must take \(m, z, x\)"),
        ([lambda m, z, x, y: 1], r"the partial with respect to x must take \(m, z, x\)"),
        ([lambda m, z, x: None], "the partial with respect to x returns nothing"),
        ([lambda m, z, x: m.tanhh(x)], "the partial with respect to x uses a function that number systems do not have"),
        ([lambda m, z, x: math.cos(x)], r"the partial with respect to x cannot be run in every number system"),
        ([lambda m, z, x: 1 if x > 0 else 0], r"cannot be run in every number system: .*m\.where"),
        ([lambda m, z, x: x == 0], r"cannot be run in every number system: .*m\.where"),
        ([lambda m, z, x: x[0]], "cannot be run in every number system"),
    ],
)
def test_a_wrong_partial_fails_at_once(partials: Any, words: str) -> None:
    with pytest.raises(DeclarationError, match=words):
        primitive(partials=partials)(one)


def without_arguments(m: Any) -> Any:
    return m.pi


def with_any_number(m: Any, *xs: Any) -> Any:
    return xs[0]


def with_a_keyword(m: Any, *, x: Any) -> Any:
    return x


def tanh(m: Any, x: Any) -> Any:
    return x


def arctan(m: Any, x: Any) -> Any:
    return x


def returns_nothing(m: Any, x: Any) -> Any:
    x * 2


def calls_math(m: Any, x: Any) -> Any:
    return math.sin(x)


def misspelt(m: Any, x: Any) -> Any:
    return m.sinn(x)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (without_arguments, "without_arguments needs the number system and at least one argument"),
        (with_any_number, "with_any_number takes a fixed number of positional arguments"),
        (with_a_keyword, "with_a_keyword takes a fixed number of positional arguments"),
        (tanh, "tanh is built in; give your primitive another name"),
        (arctan, "arctan is built in"),
        (lambda m, x: x, "made of a function defined with def"),
        (returns_nothing, "the function returns nothing"),
        (calls_math, "the function cannot be run in every number system"),
        (misspelt, "the function uses a function that number systems do not have"),
        (3, "made of a function defined with def"),
    ],
)
def test_a_wrong_function_fails_at_once(function: Any, words: str) -> None:
    with pytest.raises(DeclarationError, match=words):
        primitive(partials=[RULE])(function)


def test_a_result_that_is_no_number_is_refused() -> None:
    @primitive(partials=[RULE], systems=["floats"])
    def strange(m: Any, x: Any) -> Any:
        return "2"

    with pytest.raises(TypeError, match=r"strange returned .*'2'.* a primitive returns one real number"):
        strange(Value(1.0))


def test_an_error_inside_the_function_is_not_swallowed() -> None:
    @primitive(partials=[RULE], systems=["floats"])
    def broken(m: Any, x: Any) -> Any:
        raise LookupError("a bug of the user's")

    with pytest.raises(LookupError, match="a bug of the user's"):
        broken(Value(1.0))


def product(x: Any, y: Any) -> Any:
    """x·y, with partials that are numbers."""
    return node(x.data * y.data, [x, y], [y.data, x.data])


def product_of_values(x: Any, y: Any) -> Any:
    """The same, with partials that are Values."""
    return node(x.data * y.data, [x, y], [y, x])


products = pytest.mark.parametrize("times", [product, product_of_values])


@products
@given(x=st.floats(-2, 2), y=st.floats(-2, 2))
def test_a_given_node_passes_its_partials_on(times: Any, x: float, y: float) -> None:
    for f in (times, lambda x, y: x * y):
        a, b = Value(x), Value(y)
        (f(a, b) * a + 1.0).backward()
        assert (a.grad, b.grad) == (2 * (x * y), x * x)  # twice what was rounded once, be it subnormal
    assert grad(lambda a, b: times(a, b) * a, (0, 1))(x, y) == (a.grad, b.grad)
    assert jvp(lambda a, b: times(a, b) * a, (x, y), (1.0, 10.0)) == jvp(lambda a, b: a * b * a, (x, y), (1.0, 10.0))


def test_a_given_node_is_a_node() -> None:
    x, y = Value(2.0, "x"), Value(3.0, "y")
    z = product(x, y)
    assert repr(z) == "Value(6.0, primitive=node, grad=0.0)"
    assert z.parents == (x, y, 3.0, 2.0)
    assert node(np.float32(6.0), np.array([x, 3.0]), np.array([3.0, 2.0])).parents == (x, 3.0, 3.0, 2.0)
    assert sum(line.endswith("-> n3") for line in str(autograd.draw(z).source).splitlines()) == 4
    with autograd.record_lines():
        assert autograd.line_of(product(x, y)).startswith("test_custom.py:")
    x.data = 1.0
    with pytest.raises(autograd.StaleGraphError, match="written after node had used it"):
        z.backward()


def test_partials_that_are_values_have_derivatives() -> None:
    assert hessian(lambda p: product_of_values(p[0], p[1]) * p[0])([2.0, 3.0]) == [[6.0, 4.0], [4.0, 0.0]]
    cubed = lambda x: node(x.data**3, [x], [3 * x * x])  # noqa: E731
    assert grad(grad(grad(cubed)))(2.0) == 6.0
    scaled = lambda x: node(3.0 * x.data, [x], [Value(3.0)]) ** 2  # noqa: E731
    assert grad(grad(scaled))(2.0).data == 18.0  # a Value, as the partial is a leaf that it depends on


def test_a_partial_that_is_a_number_has_none() -> None:
    x, y = Value(2.0, "x"), Value(3.0, "y")
    slope = gradients(product(x, y), x)
    assert slope.data == 3.0
    words = r"node\('x' \(2\.0\), 'y' \(3\.0\)\) was given the plain number 3\.0 as a partial, of which no derivative"
    with pytest.raises(DomainError, match=words):
        gradients(slope, x)
    with pytest.raises(DomainError, match="Give partials as Values made of its parents"):
        slope.backward()
    with pytest.raises(DomainError, match="was given the plain number"):
        hessian(lambda p: product(p[0], p[1]) + p[0])([2.0, 3.0])


@products
def test_a_given_node_is_copied_and_pickled(times: Any) -> None:
    x, y = Value(2.0, "x"), Value(3.0, "y")
    z = times(x, y) ** 2
    for again in (pickle.loads(pickle.dumps(z)), copy.deepcopy(z)):
        again.backward()
        inner = again.parents[0]
        assert (again.data, inner.parents[0].grad, inner.parents[1].grad) == (36.0, 36.0, 24.0)
        assert inner.primitive is z.parents[0].primitive


@pytest.mark.parametrize("system", autograd.number_systems.SYSTEMS)
def test_a_given_node_cannot_be_evaluated_at_other_numbers(system: str) -> None:
    x = Value(2.0)
    with pytest.raises(
        NotImplementedError, match=r"node has no formula\. It knows its number and its slopes where it was"
    ):
        evaluate(product(x, x), system, at={x: 3.0})


def test_a_given_node_cannot_be_compiled() -> None:
    z = product(Value(2.0), Value(3.0))
    with pytest.raises(autograd.RecordingError, match=r"node\(1\.0, …\) was made while .* Declare a primitive with"):
        autograd.compile(lambda x: node(1.0, [x], [2.0]))(2.0)
    with pytest.raises(NotImplementedError, match="node has no formula, so it cannot be compiled"):
        autograd.compile(lambda x: x * z)(2.0)


def test_a_given_node_is_checked_by_its_function() -> None:
    assert check_grads(lambda x, y: product(x, y) * x, 2.0, 3.0).ok
    assert check_grads(lambda x, y: product_of_values(x, y) * x, 2.0, 3.0, order=3).ok
    wrong = check_grads(lambda x: node(x.data**3, [x], [2 * x.data**2]) ** 2, 2.0)
    assert [entry.verdict for entry in wrong.entries] == ["mismatch"]
    assert "have no formula" in str(wrong)
    constant = check_grads(lambda x: node(x.data**3, [x], [(3 * x * x).detach()]), 2.0, order=2)
    assert [(entry.order, entry.verdict) for entry in constant.entries] == [(1, "agree"), (2, "mismatch")]
    whole = check_graph(product(Value(2.0), Value(3.0)) ** 2)
    assert whole.ok
    assert "have no formula" in str(whole)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda x: node(x, [x], [1.0]), TypeError, r"data must be a real number, not Value .*; write its \.data"),
        (lambda x: node("1", [x], [1.0]), TypeError, "data must be a real number, not str '1'"),
        (lambda x: node(1.0, [x], []), ValueError, "one partial per parent; there are 0 for 1"),
        (lambda x: node(1.0, [x], ["a"]), TypeError, "partial 0 must be a Value or a real number, not str 'a'"),
        (lambda x: node(1.0, [x, None], [1.0, 1.0]), TypeError, "parent 1 must be a Value or a real number"),
        (lambda x: node(1.0, x, [1.0]), TypeError, "parents is a list with one entry per parent, not Value"),
        (lambda x: node(1.0, [x], 1.0), TypeError, "partials is a list with one entry per parent, not float"),
        (lambda x: node(1.0, [2.0], [1.0]), TypeError, r"no parent is a Value; a leaf is made by Value\(1\.0\)"),
        (lambda x: node(1.0, [], []), TypeError, "no parent is a Value"),
    ],
)
def test_a_node_given_wrongly_says_why(call: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        call(Value(2.0))


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
@pytest.mark.parametrize("place", ["function", "partial"])
def test_what_is_no_fault_of_a_declaration_comes_out_as_itself(error: type[BaseException], place: str) -> None:
    def fails(*_: Any) -> Any:
        raise error

    rule = fails if place == "partial" else lambda m, z, x: 1
    with pytest.raises(error):

        @primitive(partials=[rule])
        def same(m: Any, x: Any) -> Any:
            return fails() if place == "function" else x + 0


def test_an_error_of_memory_is_not_said_of_a_formula() -> None:
    """What a page or a pickle cannot hold is left out there; what there was no memory for is not."""
    failing = [False]

    def slope(m: Any, z: Any, x: Any) -> Any:
        if failing[0]:
            raise MemoryError
        return 2 * x

    @primitive(partials=[slope])
    def power(m: Any, x: Any) -> Any:
        return x * x

    class Heavy:
        def __call__(self, x: Any) -> Any:
            return x * 2.0

        def __reduce__(self) -> Any:
            raise MemoryError

    failing[0] = True
    with pytest.raises(MemoryError):
        javascript.kernel(power.primitive, 1)
    with pytest.raises(MemoryError):
        mathml.formulas(power.primitive, 1)
    with pytest.raises(MemoryError):
        pickle.dumps(autograd.compile(Heavy()))
