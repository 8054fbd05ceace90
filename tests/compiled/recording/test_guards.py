"""Branches: what ``where`` does not take leaves no trace, what ``if`` decides is guarded, never wrong in silence."""

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd
from autograd import GuardError, Value, where
from autograd.compiled.recording.recordings import MOST_RECORDINGS
from tests.compiled.replays import BACKENDS, bits, eagerly

SAMPLES = np.array([-2.0, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0])


def check_against_eager(f: Any, backend: str, samples: Any = SAMPLES, tolerance: float = 0.0) -> None:
    expected = eagerly(f, [(x,) for x in samples.tolist()])
    values, gradient = autograd.compile(f, wrt=0, reduce=None, backend=backend).value_and_grad(samples)
    if not tolerance:
        assert bits(values) == bits(expected.values)
        assert bits(gradient) == bits(expected.by_arguments)
    else:
        assert values == pytest.approx(expected.values, rel=tolerance, abs=0.0)
        assert gradient == pytest.approx([slope for (slope,) in expected.by_arguments], rel=tolerance, abs=0.0)


# where


def reciprocal_or_zero(x: Value) -> Value:
    return where(x * x > 0, lambda: 1.0 / x, 0.0)


def root_or_line(x: Value) -> Value:
    return where(x > 0, lambda: x.sqrt() * 3.0, lambda: 2.0 * x)


def nested(x: Value) -> Value:
    return where(x > 0, lambda: where(x > 0.75, lambda: x.sqrt(), lambda: 1.0 / x), lambda: (-x + 1.0).sqrt())


def shared_by_both(x: Value) -> Value:
    """The reciprocal is wanted by a branch and by a branch of a branch."""
    inverse = where(x * x > 0, lambda: 1.0 / x, 7.0)
    return where(x > 0, inverse * x, where(x < -1.5, inverse, 3.0))


def nan_times_zero(x: Value) -> Value:
    """The branch not taken is 0 · inf: its slopes are nan."""
    safe = where(x > 0, x, 1.0)
    return where(x > 0, safe * safe, (x - x) * 2.0)


def infinite_slope(x: Value) -> Value:
    """At 0 the slope of the branch not taken is infinite, and 0 · inf is nan."""
    return where(x > 0, lambda: x.sqrt(), lambda: x * x)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "f", [reciprocal_or_zero, root_or_line, nested, shared_by_both, nan_times_zero, infinite_slope]
)
def test_nothing_leaks_from_the_branch_not_taken(f: Any, backend: str) -> None:
    check_against_eager(f, backend)


Formula = Any

FORMULAS = st.recursive(
    st.sampled_from([("x",), ("y",)]) | st.sampled_from([-2.0, -0.5, 0.0, 0.5, 3.0]).map(lambda c: ("number", c)),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["add", "sub", "mul", "div"]), inner, inner),
        st.tuples(st.just("sqrt"), inner),
        st.tuples(st.just("where"), inner, inner, inner, inner),
    ),
    max_leaves=12,
)


def computed(formula: Formula, x: Value, y: Value) -> Any:
    """The formula; whatever has no value somewhere is kept from there by ``where`` alone."""
    name, *parts = formula
    if name in "xy":
        return x if name == "x" else y
    if name == "number":
        return parts[0] + 0.0 * x  # a Value, so that comparisons are recorded
    if name == "where":
        one, other = computed(parts[0], x, y), computed(parts[1], x, y)
        return where(one < other, lambda: computed(parts[2], x, y), lambda: computed(parts[3], x, y))
    operands = [computed(part, x, y) for part in parts]
    return getattr(autograd, name)(*operands)


@given(FORMULAS, st.lists(st.tuples(*[st.sampled_from([-2.0, -0.5, 0.0, 0.5, 1.0, 3.0])] * 2), min_size=1, max_size=7))
def test_random_choices_between_formulas_with_holes(formula: Formula, points: list[tuple[float, float]]) -> None:
    rows, expected = [], []
    for row in points:
        try:
            found = eagerly(lambda x, y: computed(formula, x, y), [row])
        except (ArithmeticError, ValueError):
            continue  # no value, or no slope, on the way that is taken
        rows.append(row)
        expected.append((found.values[0], *found.by_arguments[0]))
    assume(rows)
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    for backend in BACKENDS:
        step = autograd.compile(lambda x, y: computed(formula, x, y), wrt=(0, 1), reduce=None, backend=backend)
        values, slopes = step.value_and_grad(*columns)
        assert bits(np.column_stack([values, *slopes])) == bits(expected), backend


@pytest.mark.parametrize("backend", BACKENDS)
def test_log_of_a_negative_number_is_kept_out(backend: str) -> None:
    # One function of the C library, whose kernel is within 2 ulp, and one product.
    check_against_eager(
        lambda x: where(x > 0, lambda: autograd.log(x) * x, lambda: x * x), backend, tolerance=4 * 2**-52
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_sums_over_samples_are_not_spoiled_either(backend: str) -> None:
    w = Value(2.0)
    step = autograd.compile(lambda x: where(x > 0, lambda: w / x, lambda: w * x), params=[w], backend=backend)
    value, grads = step.value_and_grad(SAMPLES)
    expected = eagerly(lambda x: where(x > 0, lambda: w / x, lambda: w * x), [(x,) for x in SAMPLES.tolist()], [w])
    assert value == pytest.approx(math.fsum(expected.values) / 7, rel=1e-15, abs=0.0)
    assert grads[0] == pytest.approx(math.fsum(g for (g,) in expected.by_params) / 7, rel=1e-15, abs=0.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_branch_that_has_no_value_while_recording_becomes_a_guard(backend: str) -> None:
    def f(x: Value) -> Value:
        return where(x > 0, x * 2.0, lambda: x * math.log(-1.0))

    compiled = autograd.compile(f, backend=backend)
    assert compiled(np.array([1.0, 2.0])).tolist() == [2.0, 4.0]
    assert any("> 0 is True" in guard for program in compiled.report().programs for guard in program.guards)
    with pytest.raises(GuardError, match=r"> 0 .*test_guards.py:\d+.* is True for some samples .*\(samples 1\)"):
        compiled(np.array([1.0, -1.0]))


def test_a_condition_asked_for_its_outcome_is_a_guard() -> None:
    f = autograd.compile(lambda x: x if (x > 1.5).outcome else 2.0 * x)
    assert f(np.array([2.0, 3.0])).tolist() == [2.0, 3.0]
    with pytest.raises(GuardError):
        f(np.array([1.0, 3.0]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_take(backend: str) -> None:
    table = [Value(10.0), Value(20.0), Value(30.0)]
    f = autograd.compile(lambda i, x: autograd.take(table, i) * x, params=table, reduce=None, backend=backend)
    values, grads = f.value_and_grad(np.array([2, 0, 1, 2]), np.array([1.0, 2.0, 3.0, 4.0]))
    assert values.tolist() == [30.0, 20.0, 60.0, 120.0]
    assert grads.tolist() == [[0, 0, 1], [2, 0, 0], [0, 3, 0], [0, 0, 4]]


OUTSIDE = r"take: the index is not one of 0 … 2 \(test_guards\.py:\d+\)"


@pytest.mark.parametrize("index", [-1.0, 2.6, 3.0, float("inf"), float("nan")])
def test_an_index_outside_is_refused_eagerly(index: float) -> None:
    with pytest.raises(IndexError, match=r"take: \S+ is not one of 0 … 2"):
        autograd.take([1.0, 2.0, 3.0], Value(index))
    assert autograd.where(Value(0.0) > 1.0, lambda: autograd.take([1.0], Value(index)), 5.0).data == 5.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_index_outside_is_refused_and_its_samples_are_named(backend: str) -> None:
    f = autograd.compile(lambda i, x: autograd.take([1.0, 2.0, 3.0], i) * x, backend=backend)
    ones = np.ones(6)
    with pytest.raises(IndexError, match=OUTSIDE + r", for 2 of 6 \(samples 3, 4\)$"):
        f(np.array([0, 1, 2, 3, -1, 2]), ones)
    with pytest.raises(IndexError, match=OUTSIDE + r", for 6 of 6 \(samples 0, 1, 2, 3, 4 …\)$"):
        f(7.0 * ones, ones)
    assert f(np.array([0, 1, 2]), ones[:3]).tolist() == [1.0, 2.0, 3.0]
    for call in (f, f.at_points.hessian, lambda i, x: f.at_points.jvp((i, x), (0.0, 1.0))):
        with pytest.raises(IndexError, match=OUTSIDE + "$"):
            call(5.0, 1.0)
        call(2.0, 1.0)
    assert f.report().programs[0].guards[0].startswith("else an error: take: the index is not one of 0 … 2")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("first", [0.0, 7.0])
def test_a_take_in_a_branch_that_is_not_taken_is_no_error(first: float, backend: str) -> None:
    f = autograd.compile(
        lambda i: where(i < 2.5, lambda: autograd.take([1.0, 2.0, 3.0], i), lambda: -i), backend=backend
    )
    assert f(np.array([first, 1.0, 9.0])).tolist() == [1.0 if first < 2.5 else -first, 2.0, -9.0]
    with pytest.raises(IndexError, match=OUTSIDE + r", for 1 of 2 \(samples 2\)$"):
        f(np.array([first + 9.0, 1.0, -3.0]))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("unroll", [None, False, True])
def test_take_within_a_loop(unroll: bool | None, backend: str) -> None:
    """An index that all steps share is asked around the loop; of one that changes the entry is nan in a loop that stays
    one."""
    f = autograd.compile(
        lambda i, xs: autograd.scan(lambda c, x: (c * autograd.take([1.0, 2.0, 3.0], i), x), 1.0, xs, unroll=unroll)[0],
        backend=backend,
    )
    assert f(2.0, [1.0] * 4) == 81.0
    with pytest.raises(IndexError, match=OUTSIDE):
        f(3.0, [1.0] * 4)
    g = autograd.compile(
        lambda xs: autograd.scan(
            lambda c, x: (c + autograd.take([1.0, 2.0, 3.0], 0.0 * c + x), c), 0.0, xs, unroll=unroll
        )[0],
        backend=backend,
    )
    assert g([2.0, 0.0, 1.0]) == 6.0
    if unroll is False:
        assert np.isnan(g([0.0, 3.0, 1.0]))
        return
    with pytest.raises(IndexError, match=OUTSIDE):
        g([0.0, 3.0, 1.0])


@pytest.mark.parametrize("backend", BACKENDS)
def test_take_of_rows(backend: str) -> None:
    rows = [[Value(10.0 * i + j) for j in range(3)] for i in range(4)]
    params = [x for row in rows for x in row]
    f = autograd.compile(lambda i: autograd.sum(autograd.take(rows, i)), params=params, reduce=None, backend=backend)
    values, grads = f.value_and_grad(np.array([3, 0]))
    assert values.tolist() == [93.0, 3.0]
    assert grads.tolist() == [[0.0] * 9 + [1.0] * 3, [1.0] * 3 + [0.0] * 9]
    assert [x.data for x in autograd.take(rows, Value(2.0))] == [20.0, 21.0, 22.0]
    with pytest.raises(ValueError, match=r"take needs rows of one length; these have \[1, 2\] numbers"):
        autograd.take([[1.0, 2.0], [3.0]], Value(1.0))


# Comparisons that Python asked for in a branch of where.


def own_way_in_each_branch(x: Value) -> Any:
    """Each branch of ``where`` decides by itself how it goes on."""

    def above() -> Any:
        root = x.sqrt()
        return root if root < 1.5 else 2.0 * root

    return where(x > 0, above, lambda: x * x if x < -1.5 else -x)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("samples", [[1.0, -2.0, 2.0, -3.0], [-2.0, 1.0], [9.0, -1.0, 16.0], [-1.0, -0.5, 4.0]])
def test_a_branch_is_guarded_for_those_who_take_it(samples: list[float], backend: str) -> None:
    check_against_eager(own_way_in_each_branch, backend, np.array(samples))


def test_the_error_counts_those_who_take_the_branch() -> None:
    f = autograd.compile(own_way_in_each_branch)
    with pytest.raises(GuardError, match=r"a sqrt < 1.5 .* is False .* True for 1 of 3 \(samples 1\).*where\("):
        f(np.array([-2.0, 1.0, -3.0, 4.0, 9.0]))


class Decides:
    """A function whose comparisons name arguments that nest."""

    def __call__(self, x: Any, table: Any, data: Any, pair: Any, *more: Any) -> Any:
        limit = Value(9.0, "limit")
        asked = [x < limit, table[1][0] < 7.5, data["a"][0] < 7.5, pair[1][2] < 7.5, more[1] < 7.5, Value(7.0) < x]
        return x if all(map(bool, asked[:-1])) and not asked[-1] else -x


GUARDS = ["x < limit", "table[1][0] < 7.5", "data['a'][0] < 7.5", "pair[1][2] < 7.5", "more[1] < 7.5", "a leaf < x"]


@pytest.mark.parametrize("place", range(6))
def test_guards_name_the_arguments_that_they_compare(place: int) -> None:
    f = autograd.compile(Decides(), backend="numpy")
    columns = np.ones((2, 6))
    x, table, data, pair, more, _ = columns.T

    def call() -> Any:
        return f(
            x, np.stack([columns[:, :1], table[:, None]], axis=1), {"a": [data]},
            (0.5, np.stack([x, x, pair], axis=1)), 1.0, more,
        )  # fmt: skip

    assert call().tolist() == [1.0, 1.0]
    guards = f.report().programs[0].guards
    assert [guard.split(" is ")[0] for guard in guards] == GUARDS
    columns[1, place] = 10.0
    if place == 5:
        x[1] = 7.5  # over 7, and the last to be asked
    with pytest.raises(GuardError, match=rf"Decides: the comparison {re.escape(GUARDS[place])} \(.*\(samples 1\)"):
        call()


def test_a_function_that_does_not_tell_its_parameters() -> None:
    def f(x: Any, y: Any) -> Any:
        return y if x[1] < 0.5 else -y

    f.__signature__ = "none"  # type: ignore[attr-defined]  # inspect refuses it, as it does some functions in C
    with pytest.raises(GuardError, match=r"f: the comparison argument 0\[1\] < 0\.5 \("):
        autograd.compile(f, backend="numpy")(np.array([[0.0, 0.0], [0.0, 1.0]]), 1.0)


def test_a_report_tells_which_guards_are_of_a_branch() -> None:
    f = autograd.compile(own_way_in_each_branch, backend="numpy")
    f(np.array([1.0, -2.0]))
    above, below = f.report().programs[0].guards
    assert above.startswith("a sqrt < 1.5 is True")
    assert above.endswith("in a branch of where")
    assert below.startswith("x < -1.5 is True")
    assert below.endswith("in a branch of where")


@pytest.mark.parametrize(
    "make", [lambda f: autograd.compile(lambda x: f(x[0])), lambda f: autograd.objective(lambda x: f(x[0])).value]
)
def test_single_points_are_recorded_again_only_for_a_branch_that_they_take(make: Any) -> None:
    f = make(own_way_in_each_branch)
    points = [[x] for x in (1.0, -2.0, 2.0, -3.0, 9.0, -1.0, 4.0, -2.0)]
    assert [f(x) for x in points] == [own_way_in_each_branch(Value(x)).data for (x,) in points]
    assert getattr(f, "__self__", f).recordings <= 4


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_loop_in_a_branch_is_guarded_for_those_who_take_it(backend: str) -> None:
    w = Value(2.0)

    def f(x: Value) -> Any:
        def looped() -> Any:
            def step(total: Value, _: None) -> tuple[Any, None]:
                return total * where(total > 0, lambda: w if w > 1 else x, 1.0), None

            return autograd.scan(step, x if x > 0 else -x, length=3, unroll=False)[0]

        return where(x < 4, looped, lambda: -x if x > 8 else x)

    check_against_eager(f, backend, np.array([1.0, 3.0, 9.0, 10.0]))


#: A number of a sample, less than a constant or not.
QUESTIONS = st.tuples(st.sampled_from("xy"), st.sampled_from([-1.0, 0.0, 0.75]))
ANSWERS: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([("sqrt", "x"), ("sqrt", "y"), ("reciprocal", "x"), ("square", "y"), ("identity", "x")]),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["where", "if"]), QUESTIONS, inner, inner), st.tuples(st.just("add"), inner, inner)
    ),
    max_leaves=8,
)


def answered(tree: Any, numbers: dict[str, Value], asked: dict[str, bool], place: str = "") -> Any:
    """The number of a tree of choices; the truths that ``if`` got are noted by their places."""
    name, *parts = tree
    if name not in ("where", "if", "add"):
        return getattr(autograd, name)(numbers[parts[0]])
    branches = [lambda i=i: answered(parts[i], numbers, asked, f"{place}{i}") for i in range(-2, 0)]
    if name == "add":
        return branches[0]() + branches[1]()
    condition = numbers[parts[0][0]] < parts[0][1]
    if name == "where":
        return where(condition, *branches)
    truth = asked[place] = bool(condition)
    return branches[0 if truth else 1]()


@settings(max_examples=5 * settings().max_examples)
@given(
    st.tuples(st.just("where"), QUESTIONS, *[st.tuples(st.just("if"), QUESTIONS, ANSWERS, ANSWERS)] * 2),
    st.lists(st.tuples(*[st.sampled_from([-2.0, -0.5, 0.5, 3.0])] * 2), min_size=1, max_size=4),
    st.sampled_from(BACKENDS),
)
def test_samples_must_agree_where_they_ask_and_nowhere_else(
    tree: Any, points: list[tuple[float, float]], backend: str
) -> None:
    rows, expected = [], []
    truths: dict[str, set[bool]] = {}
    for row in points:
        asked: dict[str, bool] = {}
        try:
            found = eagerly(lambda x, y, asked=asked: answered(tree, {"x": x, "y": y}, asked), [row])
        except ValueError:
            continue  # no value on the way that is taken
        rows.append(row)
        expected.append((found.values[0], *found.by_arguments[0]))
        for place, truth in asked.items():
            truths.setdefault(place, set()).add(truth)
    assume(rows)
    step = autograd.compile(lambda x, y: answered(tree, {"x": x, "y": y}, {}), wrt=(0, 1), reduce=None, backend=backend)
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    if any(len(found) > 1 for found in truths.values()):
        with pytest.raises(GuardError, match="so no single branch is right"):
            step.value_and_grad(*columns)
    else:
        values, slopes = step.value_and_grad(*columns)
        assert bits(np.column_stack([values, *slopes])) == bits(expected)


# Comparisons that Python asked for.


def test_a_barrier_option_is_not_priced_by_the_branch_of_the_first_path() -> None:
    """A down-and-out call, path by path. Recorded with ``if``, every path would be taken for one that survives."""
    rng = np.random.default_rng(0)
    paths, steps = 400, 12
    noise = rng.standard_normal((paths, steps))
    volatility, strike, barrier = Value(0.4), 100.0, 95.0

    def with_if(shocks: list[Value]) -> Any:
        price: Any = Value(100.0)
        for shock in shocks:
            price = price * (1.0 + volatility * shock * (1 / steps) ** 0.5)
            if price < barrier:
                return 0.0 * price
        return autograd.relu(price - strike)

    def with_where(shocks: list[Value]) -> Any:
        price: Any = Value(100.0)
        alive: Any = 1.0
        for shock in shocks:
            price = price * (1.0 + volatility * shock * (1 / steps) ** 0.5)
            alive = where(price < barrier, 0.0, alive)
        return alive * autograd.relu(price - strike)

    eager = [with_if([Value(x) for x in row]).data for row in noise.tolist()]
    survives = next(i for i, x in enumerate(eager) if x > 0)
    noise[[0, survives]] = noise[[survives, 0]]
    true_price = math.fsum(eager) / paths
    frozen = np.maximum(100.0 * np.prod(1 + 0.4 * noise * (1 / steps) ** 0.5, axis=1) - strike, 0.0).mean()
    assert frozen > 1.2 * true_price  # what a branch frozen by the first path would make of it
    with pytest.raises(GuardError, match=r"with_if: the comparison a mul < 95 \(.*test_guards.py.*Write the choice"):
        autograd.compile(with_if)(noise)
    for backend in BACKENDS:
        prices = autograd.compile(with_where, backend=backend)(noise)
        assert prices.mean() == pytest.approx(true_price, rel=1e-13, abs=0.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_single_point_is_recorded_again(backend: str) -> None:
    f = autograd.compile(lambda x: x * x if x > 0 else -x, wrt=0, backend=backend)
    for x in (3.0, -3.0, 2.0, -2.0):
        assert f.value_and_grad(x) == ((x * x, 2 * x) if x > 0 else (-x, -1.0))
    assert f.report().recordings == 2
    assert f.report().guards_missed == 3  # the first at a point of the other side, and at each turn since
    assert len(f.report().programs) == 2


def test_a_batch_that_goes_the_other_way_is_recorded_again() -> None:
    f = autograd.compile(lambda x: x * x if x > 0 else -x)
    assert f(np.array([1.0, 2.0])).tolist() == [1.0, 4.0]
    assert f(np.array([-1.0, -2.0])).tolist() == [1.0, 2.0]
    assert f(np.array([3.0, 2.0])).tolist() == [9.0, 4.0]
    assert f.recordings == 2


def test_the_ways_are_bounded() -> None:
    def steps(x: Value) -> Any:
        count = 0
        while x > 1:
            x = x * 0.5
            count += 1
        return x + count

    f = autograd.compile(steps)
    objective = autograd.objective(lambda x: steps(x[0]))
    for k in range(MOST_RECORDINGS):
        assert f(1.5 * 2.0**k) == 0.75 + k + 1
        assert objective.value([1.5 * 2.0**k]) == 0.75 + k + 1
    assert f(1.5) == 1.75
    assert f.recordings == objective.recordings == MOST_RECORDINGS
    for call in (lambda: f(1e9), lambda: objective.value([1e9])):
        with pytest.raises(GuardError, match="recorded 16 times"):
            call()


def test_errors_name_the_comparison_the_samples_and_the_remedy() -> None:
    def clipped(x: Value) -> Any:
        return x if x < 0.5 else 0.5

    with pytest.raises(GuardError) as caught:
        autograd.compile(clipped)(np.array([0.0, 1.0, 0.25, 2.0]))
    for part in ("clipped", "< 0.5", "test_guards.py:", "2 of 4", "samples 1, 3", "where(condition, a, b)"):
        assert part in str(caught.value)


def test_a_parameter_may_decide_for_all() -> None:
    w = Value(1.0)
    f = autograd.compile(lambda x: x * w if w > 0 else x - w, params=[w])
    X = np.array([1.0, 2.0])
    assert f.value_and_grad(X)[1].tolist() == [1.5]
    w.data = -1.0
    value, grads = f.value_and_grad(X)
    assert (value, grads.tolist()) == (2.5, [-1.0])


@pytest.mark.parametrize("backend", BACKENDS)
def test_max_and_sorted_are_guarded(backend: str) -> None:
    largest = autograd.compile(lambda x: max(x), backend=backend)
    ordered = autograd.compile(lambda x: sorted(x), backend=backend)
    X = np.array([[1.0, 3.0, 2.0], [0.0, 5.0, 4.0]])
    assert largest(X).tolist() == [3.0, 5.0]
    assert ordered(X).tolist() == [[1, 2, 3], [0, 4, 5]]
    assert largest(X[:, ::-1]).tolist() == [3.0, 5.0]
    assert ordered(-X).tolist() == [[-3, -2, -1], [-5, -4, 0]]
    with pytest.raises(GuardError, match=r"of max and min with maximum\(a, b\) and minimum\(a, b\)"):
        largest(np.array([[1.0, 3.0, 2.0], [6.0, 5.0, 4.0]]))


def test_nan_fails_a_guard_that_held() -> None:
    f = autograd.compile(lambda x: x if x < 1 else x * 0.0)
    assert f(np.array([0.5, 0.25])).tolist() == [0.5, 0.25]
    with pytest.raises(GuardError, match="samples 1"):
        f(np.array([0.5, np.nan]))
