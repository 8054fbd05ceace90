"""What a compiled function takes and gives back: shapes, types, special numbers, and errors that say what to do."""

import math
from collections import namedtuple
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

import autograd
from autograd import Value
from autograd.compiled.programs.building import LONG_DOT
from tests.compiled.replays import BACKENDS, bits, eagerly, tree_sum

X = np.arange(1.0, 7.0).reshape(3, 2)
Y = np.array([1.0, 2.0, 3.0])

Pair = namedtuple("Pair", ["left", "right"])


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_an_empty_batch(backend: str) -> None:
    w = Value(2.0)
    for threads in (1, 2):

        def step(reduce: str | None, threads: int = threads) -> Any:
            f = autograd.compile(
                lambda x: w * x + w, params=[w], wrt=0, reduce=reduce, backend=backend, threads=threads
            )
            return f.value_and_grad(np.zeros(0))

        with pytest.raises(ValueError, match="the mean of <lambda> over no samples is not defined"):
            step("mean")
        value, (grads, slopes) = step("sum")
        assert (value, grads.tolist(), slopes.shape) == (0.0, [0.0], (0,))
        values, (grads, slopes) = step(None)
        assert (values.shape, grads.shape, slopes.shape) == ((0,), (0, 1), (0,))
    assert autograd.compile(lambda x: [x, w], backend=backend)(np.zeros(0)).shape == (0, 2)
    assert autograd.compile(lambda x: w / 0.5, reduce="sum", backend=backend).value_and_grad(np.zeros(0))[0] == 0.0


@pytest.mark.parametrize("samples", [1, 2, 3, 5, 63, 64, 65, 1023, 1025, 20_001])
def test_any_number_of_samples(backend: str, samples: int) -> None:
    w = Value(0.7)
    x = np.random.default_rng(0).standard_normal(samples)
    values, grads = autograd.compile(lambda x: (w - x) * x, params=[w], reduce=None, backend=backend).value_and_grad(x)
    assert bits(values) == bits((0.7 - x) * x)
    assert bits(grads[:, 0]) == bits(x + 0.0)
    for threads in (1, 3):
        step = autograd.compile(lambda x: (w - x) * x, params=[w], reduce="sum", backend=backend, threads=threads)
        value, grads = step.value_and_grad(x)
        assert bits([value, *grads]) == bits([tree_sum(((0.7 - x) * x).tolist()), tree_sum(x.tolist())])
        alone = autograd.compile(lambda x: x * x, params=[], reduce="sum", backend=backend, threads=threads)
        assert bits(alone.value_and_grad(x)[0]) == bits(tree_sum((x * x).tolist()))  # one sum alone


def strided(x: Any) -> Any:
    wide = np.zeros((2 * len(x), 3, *x.shape[1:]))
    wide[::2, 1] = x
    return wide[::2, 1]


def read_only(x: Any) -> Any:
    y = x.copy()
    y.setflags(write=False)
    return y


@pytest.mark.parametrize(
    "kind",
    [
        np.asfortranarray, strided, read_only, lambda x: x[::-1][::-1], lambda x: x.astype(">f8"),
        lambda x: x.astype(np.float32), lambda x: x.astype(np.int16), lambda x: x.astype(np.uint8),
        lambda x: x.astype(np.longdouble), lambda x: x.astype(np.float16),
    ],
)  # fmt: skip
def test_any_kind_of_array(backend: str, kind: Any) -> None:
    step = autograd.compile(lambda x, y: x[0] * y - x[1], wrt=(0, 1), reduce=None, backend=backend)
    for _ in range(2):
        values, (by_x, by_y) = step.value_and_grad(kind(X), kind(Y))
        assert values.tolist() == (X[:, 0] * Y - X[:, 1]).tolist()
        assert by_x.tolist() == [[1, -1], [2, -1], [3, -1]]
        assert by_y.tolist() == [1, 3, 5]


def test_bool_arrays_and_fields_of_records(backend: str) -> None:
    double = autograd.compile(lambda x: 2.0 * x, backend=backend)
    assert double(np.array([True, False])).tolist() == [2.0, 0.0]
    records = np.array([(1, 2.0), (3, 4.0)], dtype=[("a", "i1"), ("b", "f8")])
    assert double(records["b"]).tolist() == [4.0, 8.0]  # nine bytes apart
    assert double(np.broadcast_to(np.array([3.0]), (4,))).tolist() == [6.0] * 4


def test_float32_is_what_comes_back(backend: str) -> None:
    w = Value(0.1)
    step = autograd.compile(
        lambda x, k: w * x * k, params=[w], wrt=(0, 1), reduce=None, dtype="float32", backend=backend
    )
    values, (grads, (by_x, by_k)) = step.value_and_grad(Y.astype(np.float32), 2.0)
    for found, exact in ((values, 0.2 * Y), (grads[:, 0], 2 * Y), (by_x, [0.2] * 3), (by_k, 0.1 * Y)):
        assert found.dtype == np.float32
        assert found.tolist() == np.asarray(exact).astype(np.float32).tolist()
    assert step(Y, 2.0).dtype == np.float32
    means = autograd.compile(lambda x: w * x, params=[w], dtype="float32", backend=backend).value_and_grad(Y)
    assert means[1].dtype == np.float32


def test_nan_and_infinity_go_through(backend: str) -> None:
    w = Value(2.0)
    x = np.array([1.0, math.nan, math.inf, -math.inf, 0.0])
    step = autograd.compile(lambda x: w * x * x - x, params=[w], wrt=0, reduce=None, backend=backend)
    values, (grads, slopes) = step.value_and_grad(x)
    expected = eagerly(lambda x: w * x * x - x, [(a,) for a in x.tolist()], [w])
    assert bits(values) == bits(expected.values)
    assert bits(grads) == bits(expected.by_params)
    assert bits(slopes) == bits(expected.by_arguments)
    # Where the engine raises, IEEE arithmetic has an answer.
    inverse = autograd.compile(lambda x: 1.0 / x, backend=backend)(np.array([2.0, 0.0, -0.0, math.inf]))
    assert bits(inverse) == bits([0.5, math.inf, -math.inf, 0.0])


def test_the_first_sample_need_not_have_a_value(backend: str) -> None:
    roots = autograd.compile(lambda x: x.sqrt(), backend=backend)(np.array([-1.0, 4.0, -4.0, 9.0]))
    assert bits(roots) == bits([math.nan, 2.0, math.nan, 3.0])


#: Functions of one number, and numbers at which they have no value or no slope, or one too large for a float.
WITHOUT_VALUES: list[tuple[Any, list[float]]] = [
    (autograd.log, [-1.0, 0.0]),
    (autograd.sqrt, [-1.0]),
    (lambda x: 1.0 / x - 1.0, [0.0, -0.0]),
    (lambda x: autograd.exp(x) - 1.0, [1000.0]),
    (lambda x: x**0.5, [-8.0]),
    (lambda x: autograd.logsumexp([x.log(), x]), [-1.0]),
    (lambda x: 2.0 * x if autograd.exp(x) > 5.0 else x, [1000.0]),  # decided by an infinity
    (lambda x: 2.0 * x if x.log() > 5.0 else x, [-1.0, 0.0]),  # by nan, which is never more
    (lambda x: autograd.where(x.log() > 0.0, lambda: x.log(), lambda: 3.0 * x), [-1.0]),
    (autograd.grad(autograd.log), [0.0]),
    (autograd.grad(autograd.sqrt), [0.0, -1.0]),
    (autograd.grad(autograd.asin), [1.0, 2.0]),
    (lambda x: autograd.scan(lambda c, _: (c.log(), c), x, length=4, unroll=False)[0], [-1.0, 0.5]),
]


@pytest.mark.parametrize("case", range(len(WITHOUT_VALUES)))
def test_outside_the_domain_it_is_ieee_arithmetic_whatever_came_before(case: int, backend: str) -> None:
    """Where eager code raises, compiled code gives nan or an infinity, whether it was recorded there or elsewhere."""
    f, numbers = WITHOUT_VALUES[case]
    for number in numbers:
        batch = np.full(12, number)  # more than the samples tried for a value
        options: dict[str, Any] = {"wrt": 0, "reduce": None, "backend": backend}
        used_elsewhere = autograd.compile(f, **options)
        used_elsewhere(0.75)
        found = []
        for compiled in (autograd.compile(f, **options), used_elsewhere):
            found.append((compiled(number), *compiled.value_and_grad(number)))
            values, slopes = compiled.value_and_grad(batch)
            assert bits([found[-1][1:]] * 12) == bits(np.column_stack([values, slopes]))
        assert bits(found[:1]) == bits(found[1:])


def test_samples_that_have_no_value_decide_as_ieee_comparisons_do(backend: str) -> None:
    f = autograd.compile(lambda x: x if x.log() < 0.0 else 2.0 * x, backend=backend)
    assert f(np.full(9, -1.0)).tolist() == [-2.0] * 9  # nan < 0.0 is false
    with pytest.raises(autograd.GuardError, match="is False for some samples and True for 1 of 2"):
        f(np.array([-1.0, 0.5]))


def test_no_samples_need_no_value(backend: str) -> None:
    """Nothing is known of the samples to come, so the function is recorded at 1.0, where it may have no value."""
    for reduce, value, shape in (("sum", 0.0, (0,)), (None, [], (0,))):
        found, slopes = autograd.compile(
            lambda x: autograd.log(x - 2.0), wrt=0, reduce=reduce, backend=backend
        ).value_and_grad(np.zeros(0))
        assert np.asarray(found).tolist() == value
        assert slopes.shape == shape
    w = Value(-1.0)
    total, grads = autograd.compile(lambda x: x * w.log(), params=[w], reduce="sum", backend=backend).value_and_grad(
        np.zeros(0)
    )
    assert (total, grads.tolist()) == (0.0, [0.0])


def test_a_primitive_of_ones_own_has_no_value_outside_its_domain_either(backend: str) -> None:
    @autograd.primitive(partials=[lambda m, z, x: 0.5 / z], domain=lambda x: x > 1.0)
    def root_above_one(m: Any, x: Any) -> Any:
        return m.sqrt(x - 1.0)

    f = autograd.compile(lambda x: root_above_one(x) * 2.0, backend=backend)
    assert bits(f(np.full(9, -1.0))) == bits([math.nan] * 9)
    assert f(np.array([2.0, 5.0])).tolist() == [2.0, 4.0]


def test_outside_its_domain_a_primitive_of_ones_own_is_nan_whatever_its_formula_gives(backend: str) -> None:
    @autograd.primitive(partials=[lambda m, z, x: 2.0], domain=lambda x: (x > 1.0) | (x < -1.0))
    def twice(m: Any, x: Any) -> Any:
        return 2.0 * x

    f = autograd.compile(twice, wrt=0, reduce=None, backend=backend)
    values, slopes = f.value_and_grad(np.array([2.0, 0.5, -3.0]))
    assert bits(values) == bits([4.0, math.nan, -6.0])
    assert bits(slopes) == bits([2.0, math.nan, 2.0])


def test_a_domain_that_cannot_be_asked_of_many_samples_is_refused(backend: str) -> None:
    @autograd.primitive(partials=[lambda m, z, x: 2.0], domain=lambda x: 0.0 < x < 1.0)
    def inside(m: Any, x: Any) -> Any:
        return 2.0 * x

    with pytest.raises(NotImplementedError, match=r"domain of inside .* joined by & and \| in place of and"):
        autograd.compile(inside, backend=backend)(np.array([0.5]))


def test_plain_numbers_without_a_value_are_still_an_error(backend: str) -> None:
    """What goes wrong at all samples alike is a mistake in the function, and is named."""
    with pytest.raises(autograd.DomainError, match=r"log needs a positive argument; x is -1\.0"):
        autograd.compile(lambda x: x * autograd.log(-1.0), backend=backend)(np.array([1.0, 2.0]))


@pytest.mark.parametrize("points", [[(0.0, 0.0), (3.0, 4.0)], [(3.0, 4.0), (0.0, 0.0)]])
def test_a_limit_holds_at_its_point_and_at_no_other(points: Any, backend: str) -> None:
    """hypot has the slope 0 at the tip, where its rule says 0/0."""
    f = autograd.compile(lambda x, y: list(autograd.gradients(autograd.hypot(x, y), [x, y])), backend=backend)
    assert [f(*point) for point in points] == [[0.0, 0.0] if point == (0.0, 0.0) else [0.6, 0.8] for point in points]
    assert f(*map(np.array, zip(*points, strict=True))).tolist() == [f(*point) for point in points]


def test_numbers_are_shared_by_all_samples(backend: str) -> None:
    f = autograd.compile(lambda x, k: x * k * k, wrt=(0, 1), backend=backend)
    value, (by_x, by_k) = f.value_and_grad(Y, 3.0)
    assert (value, by_x.tolist(), by_k) == (18.0, [3.0, 3.0, 3.0], 12.0)
    each = autograd.compile(lambda x, k: x * k * k, wrt=1, reduce=None, backend=backend)
    assert each.value_and_grad(Y, 3.0)[1].tolist() == [6.0, 12.0, 18.0]
    assert each.value_and_grad(Y, 2)[1].tolist() == [4.0, 8.0, 12.0]
    assert each.recordings == 1


def test_nesting(backend: str) -> None:
    def f(data: Any, pair: Any) -> Any:
        return data["a"] * data["b"][0][1] + pair.left * pair.right[1][0]

    step = autograd.compile(f, wrt=(0, 1), reduce="sum", backend=backend)
    cube = np.arange(12.0).reshape(3, 2, 2)
    data, pair = {"a": Y, "b": [X]}, Pair(2.0, cube)
    value, (by_data, by_pair) = step.value_and_grad(data, pair)
    assert value == (Y * X[:, 1]).sum() + 2 * cube[:, 1, 0].sum()
    assert by_data["a"].tolist() == X[:, 1].tolist()
    assert by_data["b"][0].tolist() == [[0.0, y] for y in Y]
    assert isinstance(by_pair, Pair)
    assert by_pair.left == cube[:, 1, 0].sum()
    assert by_pair.right.shape == (3, 2, 2)
    assert by_pair.right[:, 1, 0].tolist() == [2.0] * 3
    assert by_pair.right.sum() == 6.0


def f_of_results(kind: str) -> Any:
    w = Value(2.0)
    return {
        "constant": lambda x: 3.0, "input": lambda x: x, "leaf": lambda x: w, "shared": lambda x: w * w,
        "twice": lambda x: [x, x, w, w], "tuple": lambda x: (x, 1), "nested": lambda x: [[x], [2 * x]],
        "dict": lambda x: {"a": x, "b": [w]}, "none": lambda x: [], "pair": lambda x: Pair(x, -x),
    }[kind]  # fmt: skip


def test_results_of_any_shape(backend: str) -> None:
    def run(kind: str) -> Any:
        return autograd.compile(f_of_results(kind), backend=backend)(Y)

    assert run("constant").tolist() == [3.0] * 3
    assert run("input").tolist() == Y.tolist()
    assert run("leaf").tolist() == [2.0] * 3
    assert run("shared").tolist() == [4.0] * 3
    assert run("twice").tolist() == [[y, y, 2.0, 2.0] for y in Y]
    assert run("tuple").tolist() == [[y, 1.0] for y in Y]
    assert [[a.tolist() for a in part] for part in run("nested")] == [[[1, 2, 3]], [[2, 4, 6]]]
    found = run("dict")
    assert found["a"].tolist() == Y.tolist()
    assert found["b"][0].tolist() == [2.0] * 3
    assert run("none").shape == (3, 0)
    assert run("pair").right.tolist() == (-Y).tolist()
    assert autograd.compile(f_of_results("pair"), backend=backend)(1.5) == Pair(1.5, -1.5)


def test_gradients_of_odd_functions(backend: str) -> None:
    w = Value(2.0)

    def grad(f: Any, *args: Any, **options: Any) -> Any:
        return autograd.compile(f, reduce="sum", backend=backend, **options).value_and_grad(*args)

    assert grad(lambda x: 3.0, Y, wrt=0)[1].tolist() == [0.0] * 3
    assert grad(lambda x: x, Y, wrt=0)[1].tolist() == [1.0] * 3
    value, grads = grad(lambda x: w, Y, params=[w])
    assert (value, grads.tolist()) == (6.0, [3.0])
    assert grad(lambda x, y: x, Y, Y, wrt=1)[1].tolist() == [0.0] * 3
    assert grad(lambda: w * w, params=[w])[0] == 4.0
    assert grad(lambda x: w * w, 1.0, params=[w])[1].tolist() == [4.0]
    assert grad(lambda x: w * 1.0, np.zeros((3, 0)), wrt=0)[1].shape == (3, 0)


def test_long_dots_and_sums(backend: str) -> None:
    n = 40 * LONG_DOT
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((70, n))
    weights = [Value(x) for x in rng.standard_normal(n)]
    loss = lambda x: autograd.square(autograd.dot(weights, x)) - autograd.sum(weights) * autograd.dot(x, x, 1.0)  # noqa: E731
    expected = eagerly(lambda *x: loss(x), samples.tolist(), weights)
    step = autograd.compile(loss, params=weights, wrt=0, reduce=None, backend=backend)
    values, (grads, slopes) = step.value_and_grad(samples)
    assert bits(values) == bits(expected.values)
    assert bits(grads) == bits(expected.by_params)
    assert bits(slopes) == bits(expected.by_arguments)
    totals = autograd.compile(loss, params=weights, reduce="sum", backend=backend).value_and_grad(samples)[1]
    assert bits(totals) == bits([tree_sum([row[i] for row in expected.by_params]) for i in range(n)])


def test_a_dot_of_zeros_has_the_engines_sign(backend: str) -> None:
    for n in (1, LONG_DOT):
        f = autograd.compile(lambda x: autograd.dot(x, [-1.0] * len(x)), backend=backend)
        assert bits(f(np.zeros((3, n)))) == bits([0.0] * 3)


@pytest.mark.parametrize("backend", ["numpy", "interpreter"])
def test_a_deep_program(backend: str) -> None:
    def deep(x: list[Value]) -> Any:
        z = x[0]
        for _ in range(250 * settings().max_examples):  # 5,000, and 100,000 in the thorough profile
            z = z * 0.999 + x[1]
        return z

    value, gradient = autograd.objective(deep, 2, backend=backend)(np.array([1.0, 0.5]))
    output = deep([a := Value(1.0), b := Value(0.5)])
    output.backward()
    assert bits([value, *gradient]) == bits([output.data, a.grad, b.grad])


def test_a_wide_program(backend: str) -> None:
    n = 3000
    f = autograd.objective(lambda x: autograd.sum([a * a for a in x]), n, backend=backend)
    x = np.linspace(-1, 1, n)
    value, gradient = f(x)
    assert value == pytest.approx(float(x @ x), rel=1e-12, abs=0.0)
    assert gradient.tolist() == (2 * x).tolist()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: autograd.compile(lambda x: x)("a"), TypeError, "argument 0 of <lambda> is str; expected numbers"),
        (lambda: autograd.compile(lambda x: x)(None), TypeError, "argument 0 of <lambda> is NoneType"),
        (lambda: autograd.compile(lambda x: x)(Value(1.0)), TypeError, "is Value; give its number"),
        (lambda: autograd.compile(lambda x: x)({"a": [1.0, "b"]}), TypeError, r"argument 0 of <lambda>\['a'\]\[1\]"),
        (lambda: autograd.compile(lambda x: x)(Y * 1j), TypeError, "an array of complex128"),
        (lambda: autograd.compile(lambda x: x)(np.array(["a"])), TypeError, "an array of <U1"),
        (lambda: autograd.compile(lambda x, y: x)(Y, X[:2]), ValueError, "argument 1 .* has 2 samples, .* 0 .* has 3"),
        (lambda: autograd.compile(lambda x, y: x)(Y), TypeError, "missing 1 required positional argument: 'y'"),
        (lambda: autograd.compile(lambda x: x[2])(X), IndexError, "list index out of range"),
        (lambda: autograd.compile(lambda x: [x, x]).value_and_grad(Y), TypeError, "one number; <lambda> returned 2"),
        (lambda: autograd.compile(lambda x: x, wrt=1).value_and_grad(Y), TypeError, "wrt is 1, but .* 1 arguments"),
        (lambda: autograd.compile(lambda x: x, wrt="x"), TypeError, "wrt is the position of an argument"),
        (lambda: autograd.compile(lambda x: x, reduce="max"), ValueError, "reduce is 'mean', 'sum' or None"),
        (lambda: autograd.compile(lambda x: x, dtype="int32"), TypeError, "dtype is float64 or float32"),
        (lambda: autograd.compile(lambda x: x, backend="gpu"), ValueError, "backend is one of auto, numpy"),
        (lambda: autograd.compile(lambda x: x, threads=0), ValueError, "threads is a whole number, at least 1"),
        (lambda: autograd.compile(lambda x: x, expected_samples="a"), ValueError, "expected_samples is a whole number"),
        (lambda: autograd.compile(lambda x: x, params=Value(1.0)), TypeError, "params is a list of leaves"),
        (lambda: autograd.compile(lambda x: x, params=[Value(1.0) * 2]), TypeError, "params holds leaves"),
        (lambda: autograd.compile(3), TypeError, "compile takes a function, not 3"),
        (lambda: autograd.objective(lambda x: x[0], n=2)([1.0]), ValueError, r"takes 2 numbers.*\(1,\)"),
        (lambda: autograd.objective(lambda x: x)([1.0]), TypeError, "one output|one number"),
    ],
)
def test_errors_say_what_is_wrong(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_numbers_of_any_kind() -> None:
    f = autograd.compile(lambda x: 2.0 * x)
    for number in (1.5, np.float32(1.5), np.array(1.5), np.float64(1.5)):
        assert f(number) == 3.0
    assert f(True) == 2.0
    assert autograd.compile(lambda x: x[0] + x[1])([np.array(1.0), 2]) == 3.0
    assert f.recordings == 1
