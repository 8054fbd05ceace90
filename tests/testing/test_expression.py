"""``expressions``: every formula has a value where it says so, shrinks, and is what its code says."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

import autograd
from autograd import TABLE, Primitive, Value
from autograd.interpret import run_forward
from autograd.number_systems import floats
from autograd.primitives import nowhere
from autograd.program import flatten
from autograd.testing import ALL, CONTINUOUS, SMOOTH, Expression, Step, calls, expressions, points
from autograd.testing.building import LARGE
from autograd.testing.calls_as_code import call, code
from tests.rows import name_of
from tests.testing.test_numbers import FEWER, simplest

SETS = [SMOOTH, CONTINUOUS, ALL]
CHOOSABLE = [TABLE[name] for name in ALL]


def bits(x: Any) -> str:
    return float(x).hex()


def uses_of(f: Expression) -> list[int]:
    """For each step, how many operands use its result."""
    first = len(f.names) + len(f.constants)
    used = [slot for _, slots in f.steps for slot in slots]
    return [used.count(first + k) for k in range(len(f.steps))]


@autograd.primitive(partials=[lambda m, z, x: -1 / (2 * z)], domain=lambda x: x < 0)
def root_of_the_opposite(m: Any, x: Any) -> Any:
    return m.sqrt(-x)


@autograd.primitive(partials=[lambda m, z, x: math.cos(x)], systems=("floats",))
def sine_of_floats(m: Any, x: float) -> float:
    return math.sin(x)


def test_the_sets_of_primitives() -> None:
    assert set(SMOOTH) < set(CONTINUOUS) < set(ALL)
    assert {"add", "div", "log", "dot", "logsumexp"} < set(SMOOTH)
    corners, jumping = set(CONTINUOUS) - set(SMOOTH), {row.name for row in TABLE.values() if row.jumps}
    assert corners == {row.name for row in TABLE.values() if row.kinks is not nowhere} - jumping
    assert {"abs", "hypot", "maximum", "minimum", "clip", "relu", "leaky_relu", "elu", "selu"} <= corners
    assert set(ALL) - set(CONTINUOUS) == jumping | {"where", "detach"}
    assert {"sign", "floor", "ceil", "atan2"} <= jumping


@pytest.mark.parametrize("row", TABLE.values(), ids=name_of)
@FEWER
@given(data=st.data())
def test_the_code_of_a_call_is_the_call(row: Primitive, data: st.DataObject) -> None:
    operands = data.draw(points(row, margin=2**-6))
    written = eval(code(row, list(map(repr, operands))), {"autograd": autograd})
    assert bits(written) == bits(call(row, operands))


@pytest.mark.parametrize("primitives", SETS)
@given(data=st.data())
def test_values_and_derivatives_exist_wherever_the_inputs_may_be(primitives: Any, data: st.DataObject) -> None:
    f, xs = data.draw(calls(expressions(primitives=primitives, max_nodes=12)))
    output, leaves = f.graph(*xs)
    for node in flatten([output])[1]:
        if isinstance(node, Value):
            assert abs(node.data) <= 1.01 * LARGE**2  # a square of what is large stands before the step that needs it
    output.backward()
    assert all(math.isfinite(leaf.grad) for leaf in leaves)


@pytest.mark.parametrize("primitives", [ALL, ("div", "log", "sqrt", "acosh", "pow")])
@settings(max_examples=2 * settings.default.max_examples)
@given(data=st.data())
def test_intervals_prove_that_it_is_defined_wherever_the_inputs_may_be(primitives: Any, data: st.DataObject) -> None:
    """Over the box of all inputs at once; an operation that may be outside its domain somewhere would raise."""
    f = data.draw(expressions(primitives=primitives, max_nodes=12, sharing=1.0))
    result = f.evaluate([(f.min_value, f.max_value)] * len(f.names), "intervals")
    assert math.isfinite(result.low)
    assert math.isfinite(result.high)


@pytest.mark.parametrize("primitives", SETS)
@given(data=st.data())
def test_floats_values_program_and_code_compute_the_same_bits(primitives: Any, data: st.DataObject) -> None:
    f, xs = data.draw(calls(expressions(primitives=primitives)))
    expected = bits(f(*xs))
    assert bits(f.graph(*xs).output.data) == expected
    assert bits(f.evaluate(xs)) == expected
    assert bits(run_forward(f.program, [*xs], floats)[f.program.outputs[0]]) == expected
    namespace: dict[str, Any] = {}
    exec(f.code(), namespace)
    assert bits(namespace["f"](*xs)) == expected
    leaves = [Value(x) for x in xs]
    output = namespace["f"](*leaves)
    assert str(flatten([output])[0]) == str(flatten([f.graph(*xs).output])[0])


@given(calls(expressions(primitives=ALL)))
def test_they_run_in_other_systems(drawn: Any) -> None:
    f, xs = drawn
    many = f.evaluate(xs, "mpmath")
    batch = f.evaluate([np.array([x, x]) for x in xs], "arrays")
    assert np.shape(batch) in ((2,), ())
    if not any(row.jumps or row.name == "where" for row in f.primitives):
        size = max(1.0, *(abs(node.data) for node in flatten([f.graph(*xs).output])[1] if isinstance(node, Value)))
        assert abs(many - f(*xs)) <= 1e-9 * size**2
        assert np.all(np.abs(batch - f(*xs)) <= 1e-9 * size**2)


@given(data=st.data())
def test_bounds_for_the_number_of_nodes(data: st.DataObject) -> None:
    least = data.draw(st.integers(1, 12))
    most = data.draw(st.integers(least, 16))
    primitives = data.draw(st.sampled_from(SETS))
    f = data.draw(expressions(primitives=primitives, min_nodes=least, max_nodes=most))
    assert least <= len(f.steps) <= most
    assert all(uses_of(f)[:-1]), "every result is used"


@given(expressions(primitives=ALL, max_nodes=16, sharing=0))
def test_without_sharing_it_is_a_tree(f: Expression) -> None:
    assert uses_of(f) == [1] * (len(f.steps) - 1) + [0]


def test_with_sharing_results_are_used_again() -> None:
    def part_that_share(sharing: float) -> float:
        shared = []

        @settings(max_examples=200, database=None)
        @given(expressions(min_nodes=6, max_nodes=12, sharing=sharing))
        def look(f: Expression) -> None:
            shared.append(any(n > 1 for n in uses_of(f)))

        look()
        return sum(shared) / len(shared)

    assert part_that_share(0.0) == 0
    assert 0.1 < part_that_share(0.25) < part_that_share(1.0)


@pytest.mark.parametrize("n", [1, 2, 5])
@given(data=st.data())
def test_the_number_of_inputs(n: int, data: st.DataObject) -> None:
    f = data.draw(expressions(inputs=n))
    assert len(f.names) == n
    assert len(f.graph(*[0.5] * n).leaves) == n


@pytest.mark.parametrize("row", CHOOSABLE, ids=name_of)
def test_it_shrinks_to_a_single_primitive(row: Primitive) -> None:
    """What is left beside the primitive is what leads its operand into the domain."""
    f = simplest(expressions(primitives=[row]))
    assert len(f.names) == 1
    assert [step.primitive for step in f.steps].count(row) == 1
    others = {step.primitive.name for step in f.steps if step.primitive is not row}
    assert others <= {"square", "add", "mul", "tanh", "less"}
    assert len(f.steps) <= 4
    assert all(c in (0.0, 0.5, 1.0, 2.0) or (row.example and c in row.example[0]) for c in f.constants)


@pytest.mark.parametrize("name", ["sin", "log", "logsumexp"])
def test_among_all_primitives_too(name: str) -> None:
    f, xs = simplest(calls(expressions(primitives=CONTINUOUS)), lambda drawn: TABLE[name] in drawn.function.primitives)
    assert len(f.steps) <= (3 if name == "log" else 1)
    assert set(xs) <= {0.0}


def test_a_shared_part_is_the_smallest_one() -> None:
    f = simplest(expressions(primitives=["sin", "mul"]), lambda f: any(n > 1 for n in uses_of(f)))
    assert len(f.steps) == 2


@given(calls(expressions(primitives=[root_of_the_opposite, "mul"], inputs=1)))
def test_a_declared_primitive_is_led_into_its_domain(drawn: Any) -> None:
    f, xs = drawn
    assert math.isfinite(f(*xs))


def test_a_primitive_that_no_guard_helps_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="none of root_of_the_opposite can be applied"):
        simplest(expressions(primitives=[root_of_the_opposite], min_value=1, max_value=2, max_nodes=1))
    assert simplest(expressions(primitives=[root_of_the_opposite], min_value=-2, max_value=-1)).steps


@given(calls(expressions(primitives=[sine_of_floats])))
def test_a_primitive_of_math_is_drawn_too(drawn: Any) -> None:
    f, xs = drawn
    assert math.isfinite(f(*xs))


def test_the_code_imports_declared_primitives() -> None:
    f = simplest(expressions(primitives=[sine_of_floats]))
    assert f.code("g").splitlines() == [
        "import autograd",
        f"from {__name__} import sine_of_floats",
        "",
        "def g(x):",
        "    a = sine_of_floats(x)",
        "    return a",
    ]


def test_inputs_that_are_positive_need_no_guard() -> None:
    f = simplest(expressions(primitives=["log"], min_value=0.5, max_value=3))
    assert [step.primitive.name for step in f.steps] == ["log"]


def test_an_expression_is_data() -> None:
    f = simplest(expressions(primitives=["sin", "mul"]), lambda f: len(f.steps) > 1)
    assert pickle.loads(pickle.dumps(f)) == f
    assert hash(f) == hash(pickle.loads(pickle.dumps(f)))
    with pytest.raises(AttributeError):
        f.steps = ()
    with pytest.raises(TypeError, match=r"takes 1 numbers \(x\); 2 were given"):
        f(1.0, 2.0)


def test_many_steps_have_numbered_names() -> None:
    f = Expression(("x",), (), tuple(Step(TABLE["sin"], (k,)) for k in range(30)))
    assert f.code().splitlines()[3:5] == ["    t1 = autograd.sin(x)", "    t2 = autograd.sin(t1)"]
    namespace: dict[str, Any] = {}
    exec(f.code(), namespace)
    assert bits(namespace["f"](1.0)) == bits(f(1.0))


def test_a_failure_prints_the_code() -> None:
    @settings(database=None, phases=[Phase.generate])
    @given(expressions(primitives=["sin"]))
    def fails(f: Expression) -> None:
        raise AssertionError

    with pytest.raises(AssertionError) as failure:
        fails()
    notes = "\n".join(failure.value.__notes__)
    assert "    import autograd\n\n    def f(x):\n        a = autograd.sin(x)\n        return a\n" in notes


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (expressions(primitives=[]), "empty"),
        (expressions(primitives="sin"), "must be a list"),
        (expressions(primitives=3), "must be a list"),  # type: ignore[arg-type]
        (expressions(primitives=["sine"]), "no primitive is called 'sine'"),
        (expressions(primitives=["less"]), "yields no number"),
        (expressions(sharing=1.5), "sharing=1.5"),
        (expressions(sharing="much"), "sharing='much'"),  # type: ignore[arg-type]
        (expressions(max_nodes=0), "max_nodes=0"),
        (expressions(min_nodes=5, max_nodes=3), "above max_nodes"),
        (expressions(inputs=0), "inputs=0"),
        (expressions(inputs=True), "inputs=True"),
        (expressions(min_value=2, max_value=1), "above max_value"),
        (expressions(primitives=["acos"], max_nodes=1), "within 1 nodes"),
        (calls(expressions), "takes a strategy"),  # type: ignore[arg-type]
        (calls(st.integers()), "drew 0"),
    ],
)
def test_bad_arguments(strategy: Any, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        simplest(strategy)


def test_a_batch_is_silent_about_branches_that_make_no_sense() -> None:
    f = Expression(("x",), (), (Step(TABLE["sinc"], (0,)),))
    assert f.evaluate([np.array([0.0, 1.0])], "arrays").tolist() == [1.0, np.sin(1.0)]
