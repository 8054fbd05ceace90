"""Eager = NumPy = interpreter = machine code: values and gradients, bit for bit where IEEE 754 says what they are."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd
from autograd import TABLE, Primitive, Value
from autograd.graph import topological_order
from autograd.testing import SMOOTH, Expression, Step, calls, expressions, mlps
from autograd.testing.regions import constants_of
from autograd.value import maker
from tests.compiled.replays import BACKENDS, IEEE, bits, eagerly, runs_natively, tree_sum

Rows = Sequence[tuple[float, ...]]

#: One sample, fewer than a vector, a whole vector, a tail, a block and a tail.
SIZES = (1, 2, 3, 4, 7, 67)


@st.composite
def batches(draw: st.DrawFn, functions: st.SearchStrategy[Any]) -> tuple[Any, Rows]:
    """A function, and points from where it is defined, again and again until there are as many samples as drawn."""
    function, first = draw(calls(functions))
    number = st.floats(function.min_value, function.max_value, allow_subnormal=False)
    others = draw(st.lists(st.tuples(*[number] * len(first)), max_size=4))
    size = draw(st.sampled_from(SIZES))
    points = [first, *others]
    return function, [points[i % len(points)] for i in range(size)]


def columns_of(rows: Rows) -> list[Any]:
    return [np.array(column) for column in zip(*rows, strict=True)]


def is_sum(found: float, numbers: Sequence[float]) -> bool:
    """Whether it is the documented sum; what is the same for all samples may have been multiplied instead."""
    allowed = [*bits(tree_sum(numbers))]
    if len(set(bits(numbers))) == 1:
        allowed += bits(numbers[0] * len(numbers))
    return bits(found)[0] in allowed


def check_per_sample(f: Any, rows: Rows, params: Sequence[Value], backends: Sequence[str], **options: Any) -> None:
    expected = eagerly(f, rows, params)
    for backend in backends:
        wrt = range(len(rows[0]))
        step = autograd.compile(f, params=params, wrt=wrt, reduce=None, backend=backend, **options)
        values, (by_params, by_arguments) = step.value_and_grad(*columns_of(rows))
        assert bits(values) == bits(expected.values), backend
        assert bits(by_params) == bits(expected.by_params), backend
        assert bits(np.stack(by_arguments, axis=1)) == bits(expected.by_arguments), backend
        assert bits(autograd.compile(f, backend=backend, **options)(*columns_of(rows))) == bits(expected.values)


@given(batches(expressions(primitives=IEEE)))
def test_each_sample_is_the_eager_one_to_the_last_bit(batch: tuple[Expression, Rows]) -> None:
    f, rows = batch
    check_per_sample(f, rows, (), BACKENDS)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "row", [row for row in TABLE.values() if row.never_minus_zero and not row.compares], ids=lambda row: row.name
)
def test_what_is_never_minus_zero_is_so_on_every_back_end(row: Primitive, backend: str) -> None:
    """Where a value is zero, some operands are zero, one, or so large that it underflows."""
    some = (0.0, -0.0, 1.0, -1.0, 0.5, 5e-324, -5e-324, 800.0, -800.0, 1e308, -1e308, np.inf, -np.inf)
    columns = [np.array(column) for column in zip(*itertools.product(some, repeat=row.arity), strict=True)]
    found = autograd.compile(lambda *xs: maker(row)(*xs), backend=backend)(*columns)
    assert not np.any((found == 0.0) & np.signbit(found))


@given(batches(expressions(primitives=IEEE, inputs=3)), st.integers(1, 2))
def test_parameters_are_the_same_for_all_samples(batch: tuple[Expression, Rows], arguments: int) -> None:
    f, rows = batch
    params = [Value(x) for x in rows[0][arguments:]]
    check_per_sample(lambda *xs: f(*xs, *params), [row[:arguments] for row in rows], params, BACKENDS)


@given(batches(expressions(primitives=IEEE, inputs=3)), st.integers(1, 2))
def test_sums_are_the_documented_tree_on_every_back_end(batch: tuple[Expression, Rows], arguments: int) -> None:
    f, rows = batch
    params = [Value(x) for x in rows[0][arguments:]]
    samples = [row[:arguments] for row in rows]

    def loss(*xs: Any) -> Any:
        return f(*xs, *params)

    expected = eagerly(loss, samples, params)
    found = []
    for backend in BACKENDS:
        value, grads = autograd.compile(loss, params=params, reduce="sum", backend=backend).value_and_grad(
            *columns_of(samples)
        )
        assert is_sum(value, expected.values), backend
        for i, total in enumerate(grads):
            assert is_sum(total, [row[i] for row in expected.by_params]), backend
        found.append((bits(value), bits(grads)))
        mean, slopes = autograd.compile(loss, params=params, backend="numpy").value_and_grad(*columns_of(samples))
        for total, average in ((value, mean), *zip(grads, slopes, strict=True)):
            assert average == pytest.approx(total / len(rows), rel=1e-15, nan_ok=True, abs=0.0)  # one rounding, or none
    assert found[0] == found[1] == found[2]


@settings(max_examples=max(5, settings().max_examples // 4))
@given(
    batches(mlps(activations=("relu", "leaky_relu", "identity"), max_width=10)),
    st.sampled_from(["mean", "sum", None]),
)
def test_networks(batch: tuple[Any, Rows], reduce: str | None) -> None:
    network, rows = batch
    params = [Value(x) for x in network.parameters]

    def output(*xs: Any) -> Any:
        return network(*xs, parameters=params)

    check_per_sample(output, rows, params, BACKENDS)
    found = []
    for backend in BACKENDS:
        value, grads = autograd.compile(output, params=params, reduce=reduce, backend=backend).value_and_grad(
            *columns_of(rows)
        )
        found.append((bits(value), bits(grads)))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("backend", BACKENDS)
@given(calls(expressions(primitives=IEEE)))
def test_a_single_point(backend: str, call: Any) -> None:
    f, xs = call
    expected = eagerly(f, [xs])
    step = autograd.compile(f, wrt=range(len(xs)), backend=backend)
    value, grads = step.value_and_grad(*xs)
    assert bits(value) == bits(expected.values)
    assert bits(grads) == bits(expected.by_arguments)
    objective = autograd.objective(lambda vector: f(*vector), backend=backend)
    value, gradient = objective(np.array(xs))
    assert (bits(value), bits(gradient)) == (bits(expected.values), bits(expected.by_arguments))


# Functions that are no IEEE operations: a proof says how far rounding may have moved the eager number.

#: The proof counts on the C library, with 1 to 6 ulp a function; kernels are within 2 ulp and NumPy's functions within
#: 4, so what a replay loses is at most four times as much, and both together five.
TIMES = 5

#: Half an ulp of 1.
EPS = 2.0**-53


def check_within_rounding(backend: str, f: Any, rows: Rows) -> None:
    """Each sample's value and gradient within what rounding may do; where nothing can be proved, nothing is said."""
    step = autograd.compile(f, wrt=range(len(rows[0])), reduce=None, backend=backend)
    values, gradients = step.value_and_grad(*columns_of(rows))
    for i, row in enumerate(rows):
        leaves = [Value(x) for x in row]
        output = f(*leaves)
        if not isinstance(output, Value):
            assert values[i] == output
            continue
        computed = [values[i], *(gradient[i] for gradient in gradients)]
        for number, eager in zip(computed, [output, *autograd.gradients(output, leaves)], strict=True):
            exact_enough = eager.data if isinstance(eager, Value) else eager
            bound = autograd.rounding_error(eager).bound if isinstance(eager, Value) else 0.0
            # An operation that happens to be exact at the eager numbers is rounded at numbers one ulp away.
            nodes = topological_order(eager) if isinstance(eager, Value) else []
            largest = max((abs(node.data) for node in nodes if isinstance(node, Value)), default=0.0)
            assert not abs(number - exact_enough) > TIMES * bound + 4 * EPS * largest, (backend, i)


@pytest.mark.parametrize("backend", BACKENDS)
@given(batches(expressions(primitives=SMOOTH)))
def test_smooth_functions_agree_within_rounding(backend: str, batch: tuple[Expression, Rows]) -> None:
    f, rows = batch
    assume(backend == "numpy" or runs_natively(f.primitives))
    check_within_rounding(backend, f, rows)


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=max(5, settings().max_examples // 4))
@given(batches(mlps(activations=("tanh", "sigmoid", "softplus", "silu", "mish", "elu", "selu"), outputs=1)))
def test_networks_agree_within_rounding(backend: str, batch: tuple[Any, Rows]) -> None:
    network, rows = batch
    assume(backend == "numpy" or runs_natively(network.activations))
    check_within_rounding(backend, network, rows)


def test_every_primitive_runs_where_it_has_a_kernel_and_on_numpy_otherwise() -> None:
    """``auto`` takes NumPy, with the reason, for what native code lacks; asked for by name, native code says so."""
    for row in autograd.TABLE.values():
        if row.n_ary or row.compares or constants_of(row) or row.name == "where":
            continue
        f = Expression(("x", "y", "z")[: row.arity], (), (Step(row, tuple(range(row.arity))),))
        args = [np.full(5, 1.5 if row.name == "acosh" else 0.5)] * row.arity
        expected = f(*[x[0] for x in args])
        step = autograd.compile(f)
        assert step(*args) == pytest.approx(expected, rel=1e-14, abs=0.0)
        if runs_natively([row]):
            assert step.report().programs[0].backend == (
                "machine" if row.name not in ("identity", "detach") else "interpreter"
            )
        else:
            assert step.report().programs[0].backend == "numpy"
            assert row.name in step.report().programs[0].reason
            with pytest.raises(NotImplementedError, match=row.name):
                autograd.compile(f, backend="machine")(*args)
