"""What users of other engines trip over: a test or more for each, named after it, showing what happens here."""

from __future__ import annotations

import copy
import gc
import inspect
import math
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import autograd
from autograd import DomainError, StaleGraphError, Value, evaluate, grad, gradients, where, zero_grad
from autograd.graph import counts, topological_order
from autograd.pictures.drawing import engines
from autograd.testing import CONTINUOUS, Call, calls, expressions
from tests.pictures.page.step_page import StepPage

ROOT = Path(autograd.__file__).resolve().parent.parent


def run_alone(program: str) -> str:
    """What a program prints, in a Python of its own, so that a crash of the interpreter is a failure of one test."""
    head = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    report = subprocess.run(
        [sys.executable, "-W", "error", "-c", head + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert report.returncode == 0, f"exit {report.returncode}: {report.stderr[-2000:]}"
    return report.stdout


# Depth is no limit.


CHAIN = """
    import copy, gc, pickle, tracemalloc
    from autograd import Value
    gc.disable()
    def chain(n):
        x = y = Value(0.5, "x")
        for i in range(n):
            y = y + x if i % 2 else y * 0.999999
        return x, y
    N = 1_000_000
"""


def test_a_chain_of_a_million_nodes_is_differentiated_and_freed() -> None:
    """Elsewhere: a recursion error at a thousand, and a crash when the graph is freed."""
    out = run_alone(
        CHAIN
        + """
    x, y = chain(N)
    y.backward()
    print(x.grad > 0, y.data > 0)
    del x, y
    print("freed")
    """
    )
    assert out.split() == ["True", "True", "freed"]


def test_a_chain_of_a_million_nodes_is_deep_copied() -> None:
    out = run_alone(
        CHAIN
        + """
    x, y = chain(N)
    z = copy.deepcopy(y)
    del x, y
    z.backward()
    while z.parents: z = z.parents[0]
    print(z.label, z.grad > 0)
    """
    )
    assert out.split() == ["x", "True"]


def test_a_chain_of_a_million_nodes_is_pickled() -> None:
    out = run_alone(
        CHAIN
        + """
    x, y = chain(N)
    text = pickle.dumps(y)
    number = y.data
    del x, y
    z = pickle.loads(text)
    print(z.data == number)
    z.backward()
    while z.parents: z = z.parents[0]
    print(z.label, z.grad > 0)
    """
    )
    assert out.split() == ["True", "x", "True"]


def test_a_deep_chain_has_gradients_derivatives_of_them_and_other_numbers() -> None:
    """A hundred times the depth at which recursion would end."""
    x = y = Value(0.5)
    for i in range(100_000):
        y = y + x if i % 2 else y * 0.999999
    slope = gradients(y, x)
    assert slope.data == evaluate(y, wrt=x)[1]
    assert gradients(slope, x).data == 0.0
    assert autograd.graph.depth(y) == 100_000
    zero_grad(y)


def test_a_sum_of_ten_thousand_terms_in_a_row() -> None:
    terms = [Value(1.0) for _ in range(10_000)]
    total = sum(terms)
    total.backward()
    assert total.data == 10_000.0
    assert {term.grad for term in terms} == {1.0}


def test_a_chain_of_a_million_nodes_is_drawn_as_a_summary() -> None:
    out = run_alone(
        CHAIN
        + """
    import autograd
    x, y = chain(N)
    text = autograd.draw(y).pipe("svg", encoding="utf-8")
    print("1,000,001 nodes" in text, "depth 1,000,000" in text, len(text) < 100_000)
    """
    )
    assert out.split() == ["True", "True", "True"]


# Memory returns without the garbage collector.


@pytest.fixture
def without_collector() -> Any:
    gc.collect()
    gc.freeze()  # what other tests left is not looked through again and again
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


MAKERS = {
    "unary and binary": lambda x, y: (x * y + 1.0).tanh() - y**2,
    "dot": lambda x, y: autograd.dot([x, y], [y, 2.0], start=x),
    "layer": lambda x, y: autograd.sum(autograd.linear([[x, y], [y, x]], [x])),
    "sum prod mean": lambda x, y: autograd.sum([x, 1.0]) + autograd.prod([x, y]) + autograd.mean([x, y]),
    "logsumexp": lambda x, y: autograd.logsumexp([x, y]),
    "softmax": lambda x, y: autograd.softmax([x, y])[0],
    "constants": lambda x, y: autograd.clip(x, 0, 1) * autograd.selu(y),
    "function not called": lambda x, y: where(x > y, x * 2, lambda: y * 3),
    "branch not taken": lambda x, y: where(x < y, x * 2, y * 3),
    "detach": lambda x, y: x * y.detach(),
}
WALKS = {
    "nothing": lambda z, x: None,
    "backward": lambda z, x: z.backward(),
    "deepcopy": lambda z, x: copy.deepcopy(z),
    "pickle": lambda z, x: pickle.loads(pickle.dumps(z)),
    "gradients": lambda z, x: gradients(gradients(z, x), x),
    "evaluate": lambda z, x: evaluate(z, "mpmath", wrt=x),
    "repr": lambda z, x: repr(z),
    "zero_grad": lambda z, x: zero_grad(z),
    "grad": lambda z, x: grad(grad(lambda v: v * v * z))(x),
    "jvp": lambda z, x: autograd.jvp(lambda v: v * z, (x,), (1.0,)),
    "vjp": lambda z, x: autograd.vjp(lambda v: v * z, x)[1](1.0),
}


def garbage_of(make: Any, walk: Any) -> int:
    """What the collector finds after a graph was made, walked and dropped."""
    x, y = Value(0.5, "x"), Value(0.25)
    walk(make(x, y), x)
    del x, y
    return gc.collect()


@pytest.mark.parametrize("make", MAKERS.values(), ids=list(MAKERS))
def test_no_reference_cycles(make: Any, without_collector: None) -> None:
    """Elsewhere: a cycle per node, so that nothing is freed before the collector comes."""
    for name, walk in WALKS.items():
        garbage_of(make, walk)  # what is compiled or cached on first use may leave some, once
        assert garbage_of(make, walk) == 0, name


def test_a_cycle_would_be_noticed(without_collector: None) -> None:
    def looped(z: Any, x: Any) -> None:
        both: list[Any] = [z]
        both.append(both)

    assert garbage_of(MAKERS["dot"], looped) > 0


@pytest.mark.parametrize(
    "failing",
    [
        lambda x: autograd.log(x),
        lambda x: autograd.dot([x], [x, x]),
        lambda x: autograd.tanh([x]),
        lambda x: float(x),
        lambda x: autograd.atan2(x + 1, x * 0 + 0.0 * x).backward("1"),
        lambda x: grad(lambda v: [v, v])(x),
    ],
)
def test_errors_keep_no_graph_alive(failing: Any, without_collector: None) -> None:
    def attempt() -> None:
        x = Value(-1.0) * 1.0
        try:
            failing(x)
        except (ValueError, TypeError):
            return
        raise AssertionError("no error")

    attempt()
    gc.collect()
    attempt()
    assert not [thing for thing in gc.get_objects() if isinstance(thing, Value) and thing.primitive is not None]


def test_a_dropped_graphs_memory_returns() -> None:
    out = run_alone(
        CHAIN
        + """
    chain(1000)[1].backward()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    x, y = chain(100_000)
    y.backward()
    held, _ = tracemalloc.get_traced_memory()
    del x, y
    after, _ = tracemalloc.get_traced_memory()
    print(held - before, after - before)
    """
    )
    held, left = map(int, out.split())
    assert held > 10_000_000
    assert left < held / 1000


def test_at_most_200_bytes_for_a_binary_node() -> None:
    out = run_alone(
        """
    import tracemalloc
    from autograd import Value
    x = y = Value(1.0)
    z = y * x
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(10_000):
        y = y * x
    held, _ = tracemalloc.get_traced_memory()
    print((held - before) / 10_000)
    """
    )
    assert float(out) <= 200.0


# Gradients that add up where they should, and only there.


def test_backward_twice_counts_nothing_double() -> None:
    """Elsewhere: 27, 45, 63 for d(x³) at 3, even with the leaves zeroed."""
    x = Value(3.0)
    y = x * x * x
    for _ in range(3):
        x.grad = 0.0
        y.backward()
        assert x.grad == 27.0


def test_leaves_accumulate_without_zeroing() -> None:
    x = Value(3.0)
    y = x * x * x
    found = []
    for _ in range(3):
        y.backward()
        found.append(x.grad)
    assert found == [27.0, 54.0, 81.0]


def test_grad_never_accumulates() -> None:
    """A notebook cell that is run again gives the same number again."""
    assert [grad(lambda x: x * x)(3.0) for _ in range(3)] == [6.0] * 3
    x = Value(3.0)
    y = x * x
    assert [gradients(y, x).data for _ in range(3)] == [6.0] * 3
    assert x.grad == 0.0


def test_data_edited_between_forward_and_backward_is_refused() -> None:
    """Elsewhere: 10 for 4, a mixture of old and new numbers."""
    x = Value(2.0, "x")
    y = x * x
    x.data = 5.0
    with pytest.raises(StaleGraphError, match=r"'x'.*[Rr]un the expression again"):
        y.backward()


def test_a_training_step_is_no_such_edit() -> None:
    w = Value(0.0)
    for _ in range(100):
        loss = (w - 3.0) ** 2
        w.grad = 0.0
        loss.backward()
        w.data -= 0.1 * w.grad
    assert w.data == pytest.approx(3.0, abs=1e-8)


# Copies.


def test_a_deep_copy_runs_backward() -> None:
    """Elsewhere: zeros, because the copied closures still point at the originals."""
    x = Value(3.0)
    y = x * x
    copied = copy.deepcopy(y)
    copied.backward()
    assert copied.parents[0].grad == 6.0
    assert x.grad == 0.0


def test_a_pickled_graph_runs_backward() -> None:
    loaded = pickle.loads(pickle.dumps(Value(3.0) * 2.0))
    loaded.backward()
    assert loaded.parents[0].grad == 2.0


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
@given(call=calls(expressions(primitives=CONTINUOUS)))
def test_shared_nodes_stay_shared_in_copies(duplicate: Any, call: Call) -> None:
    output, _ = call.function.graph(*call.inputs)
    output.backward()
    copied = duplicate(output)
    before, after = topological_order(output), topological_order(copied)
    assert [(n.data, n.primitive, n.label) for n in before] == [(n.data, n.primitive, n.label) for n in after] or any(
        math.isnan(n.data) for n in before
    )
    assert not set(map(id, before)) & set(map(id, after))
    gradients_before = [n.grad for n in before]
    assert [n.grad for n in after] == pytest.approx(gradients_before, rel=0, abs=0, nan_ok=True)
    zero_grad(copied)
    copied.backward()
    assert [n.grad for n in after] == pytest.approx(gradients_before, rel=0, abs=0, nan_ok=True)


def test_several_roots_copied_together_share_their_leaves() -> None:
    w = Value(2.0)
    first, second = copy.deepcopy([w * 3, w * 4])
    assert first.parents[0] is second.parents[0]


# Graphs that are what the user wrote.


def test_both_operands_of_a_plus_a_are_recorded() -> None:
    a = Value(2.0)
    y = a + a
    assert y.parents == (a, a)
    y.backward()
    assert a.grad == 2.0
    source = autograd.draw(y).source
    assert sum("->" in line for line in source.splitlines()) == 3  # two into the operation, one out of it


@pytest.mark.parametrize(
    ("write", "nodes"),
    [
        (lambda a, b: a + b, {"leaf": 2, "add": 1}),
        (lambda a, b: a - b, {"leaf": 2, "sub": 1}),
        (lambda a, b: a * b, {"leaf": 2, "mul": 1}),
        (lambda a, b: a / b, {"leaf": 2, "div": 1}),
        (lambda a, b: a**b, {"leaf": 2, "pow": 1}),
        (lambda a, b: 1 - b, {"leaf": 1, "sub": 1}),
        (lambda a, b: 1 / b, {"leaf": 1, "div": 1}),
        (lambda a, b: a**2, {"leaf": 1, "pow": 1}),
        (lambda a, b: 2**a, {"leaf": 1, "pow": 1}),
        (lambda a, b: -a, {"leaf": 1, "neg": 1}),
        (lambda a, b: +a, {"leaf": 1}),
        (lambda a, b: a + 1, {"leaf": 1, "add": 1}),
        (lambda a, b: sum([a, b]), {"leaf": 2, "add": 1}),
        (lambda a, b: autograd.sum([a, b]), {"leaf": 2, "sum": 1}),
        (lambda a, b: autograd.dot([a, b], [b, a]), {"leaf": 2, "dot": 1}),
        (lambda a, b: a.tanh(), {"leaf": 1, "tanh": 1}),
    ],
)
def test_no_phantom_nodes(write: Any, nodes: dict[str, int]) -> None:
    """Elsewhere a - b makes five nodes, and 1 - b, a / b, sum([a, b]) make four or five."""
    assert counts(write(Value(2.0), Value(3.0))) == nodes


def test_equal_constants_are_not_merged() -> None:
    """Elsewhere: two leaves of the number 2 become one, with twice the gradient."""
    a, b = Value(2.0), Value(2.0)
    y = a * b + 2.0 * a + 2.0
    for same in (y, pickle.loads(pickle.dumps(y)), copy.deepcopy(y)):
        same.backward()
        assert sorted(leaf.grad for leaf in autograd.graph.leaves(same)) == [2.0, 4.0]


# Powers and their ends.


def test_a_root_of_a_negative_number_is_no_complex_number() -> None:
    for power in (lambda: Value(-8.0) ** (1 / 3), lambda: autograd.pow(-8.0, 1 / 3), lambda: (-8.0) ** Value(1 / 3)):
        with pytest.raises(DomainError, match=r"pow needs a positive base.*cbrt"):
            power()
    assert autograd.cbrt(Value(-8.0)).data == -2.0


@pytest.mark.parametrize(
    ("exponent", "value", "slope"),
    [(0, 1.0, 0.0), (0.5, 0.0, math.inf), (1, 0.0, 1.0), (1.5, 0.0, 0.0), (2, 0.0, 0.0), (3, 0.0, 0.0)],
)
def test_powers_of_zero_have_the_value_and_slope_of_calculus(exponent: float, value: float, slope: float) -> None:
    x = Value(0.0)
    y = x**exponent
    assert y.data == value
    y.backward()
    assert x.grad == slope
    assert grad(lambda v: v**exponent)(0.0) == slope


def test_a_negative_power_of_zero_is_refused() -> None:
    with pytest.raises(DomainError, match="pow needs"):
        Value(0.0) ** -1


def test_number_to_the_value_and_value_to_the_value() -> None:
    x = Value(3.0)
    (2**x).backward()
    assert x.grad == pytest.approx(8 * math.log(2), rel=1e-15, abs=0.0)
    x.grad = 0.0
    (x**x).backward()
    assert x.grad == pytest.approx(27 * (1 + math.log(3)), rel=1e-15, abs=0.0)


ALL_THERE = "exp log tanh sigmoid sqrt sin cos tan asin acos atan sinh cosh abs"


@pytest.mark.parametrize("name", ALL_THERE.split())
def test_the_usual_functions_are_there_as_methods_and_functions(name: str) -> None:
    function = getattr(autograd, name)
    assert function(Value(0.5)).data == getattr(Value(0.5), name)().data == function(0.5)
    assert type(function(0.5)) is float


def test_the_usual_functions_of_two_numbers_are_there() -> None:
    assert autograd.maximum(Value(1.0), 2).data == Value(1.0).maximum(2).data == 2.0
    assert autograd.minimum(1, Value(2.0)).data == 1.0
    assert autograd.atan2(1.0, Value(1.0)).data == math.pi / 4
    assert autograd.hypot(Value(3.0), 4).data == 5.0


# Stability.


@pytest.mark.parametrize("x", [1000.0, -1000.0, 1e308, -1e308, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "log_sigmoid"])
def test_activations_are_stable_at_any_size(name: str, x: float) -> None:
    v = Value(x)
    y = getattr(autograd, name)(v)
    expected = {
        "tanh": math.copysign(1.0, x),
        "sigmoid": float(x > 0),
        "softplus": max(x, 0.0),
        "log_sigmoid": min(x, 0.0),
    }[name]
    assert y.data == expected
    y.backward()
    slope = {"tanh": 0.0, "sigmoid": 0.0, "softplus": float(x > 0), "log_sigmoid": float(x < 0)}[name]
    assert v.grad == slope


def test_logsumexp_and_softmax_are_stable() -> None:
    assert autograd.logsumexp([1000.0, 1000.0]) == 1000.0 + math.log(2)
    assert autograd.logsumexp([-1000.0, -1000.0]) == -1000.0 + math.log(2)
    assert autograd.logsumexp([-math.inf, 0.0]) == 0.0
    assert autograd.logsumexp([-math.inf, -math.inf]) == -math.inf
    assert autograd.softmax([1e308, 0.0]) == [1.0, 0.0]
    assert autograd.log_softmax([1000.0, 0.0]) == [0.0, -1000.0]


@pytest.mark.parametrize(("logit", "target"), [(1000.0, 1.0), (-1000.0, 0.0), (1000.0, 0.0), (-1000.0, 1.0)])
def test_cross_entropy_from_logits_is_stable(logit: float, target: float) -> None:
    z = Value(logit)
    loss = autograd.softplus(z) - target * z
    loss.backward()
    assert loss.data == (0.0 if (logit > 0) == (target > 0) else 1000.0)
    assert z.grad == float(logit > 0) - target


# NumPy and math.


def test_an_array_times_a_value_is_an_array_of_values() -> None:
    """Elsewhere: the whole array is swallowed into one Value."""
    v = Value(2.0)
    for product in (np.array([1.0, 3.0]) * v, v * np.array([1.0, 3.0])):
        assert product.dtype == object
        assert [p.data for p in product] == [2.0, 6.0]
    total = (v - np.array([1.0, 3.0])).sum()
    total.backward()
    assert v.grad == 2.0


def test_an_array_is_no_number() -> None:
    for make in (Value, autograd.tanh, lambda a: autograd.add(Value(1.0), a)):
        with pytest.raises(TypeError):
            make(np.array([1.0, 2.0]))


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64])
def test_numpy_scalars_behave_as_floats(kind: Any) -> None:
    number = kind(1)
    v = Value(3.0)
    assert type(Value(number).data) is float
    for y, slope in [(v * number, 1.0), (number * v, 1.0), (v + number, 1.0), (v**number, 1.0)]:
        assert isinstance(y, Value)
        assert [type(p) for p in y.parents if not isinstance(p, Value)] in ([float], [])
        zero_grad(v)
        y.backward()
        assert v.grad == slope
    assert type(autograd.tanh(number)) is float
    v.data = number
    assert type(v.data) is float


UFUNCS = """
exp log tanh sqrt sin cos arctan arcsin sinh cosh log1p expm1 log2 log10 cbrt square negative absolute floor
"""


@pytest.mark.parametrize("name", UFUNCS.split())
def test_numpys_functions_work_on_arrays_of_values(name: str) -> None:
    leaves = [Value(0.25), Value(0.5)]
    found = getattr(np, name)(np.array(leaves))
    assert [y.data for y in found] == pytest.approx(list(getattr(np, name)(np.array([0.25, 0.5]))), rel=1e-15, abs=0.0)
    found[0].backward()


def test_numpys_functions_of_two_arrays_of_values() -> None:
    a, b = np.array([Value(3.0), Value(1.0)]), np.array([Value(4.0), Value(2.0)])
    assert [v.data for v in np.hypot(a, b)] == [5.0, math.hypot(1, 2)]
    assert [v.data for v in np.arctan2(a, b)] == [math.atan2(3, 4), math.atan2(1, 2)]
    assert [v.data for v in np.maximum(a, b)] == [4.0, 2.0]
    assert (a @ b).data == 14.0
    assert np.dot(a, b).data == 14.0


def test_a_function_of_math_would_drop_the_gradient() -> None:
    with pytest.raises(TypeError, match=r"autograd\.exp"):
        math.exp(Value(1.0))


def test_lists_of_different_lengths_are_refused() -> None:
    """Elsewhere: a neuron given too few inputs is cut short in silence."""
    w = [Value(1.0), Value(2.0), Value(3.0)]
    with pytest.raises(ValueError, match="3 and 2"):
        autograd.dot(w, [1.0, 2.0])
    with pytest.raises(ValueError, match=r"3 weights.*has 2|has 2"):
        autograd.linear([w[:2]], [1.0, 2.0, 3.0])


# Branches.


@pytest.mark.parametrize("x", [-1.0, 0.0])
def test_nan_never_leaks_out_of_the_branch_not_taken(x: float) -> None:
    v = Value(x)
    safe = where(v > 0, lambda: v.log() * v.sqrt(), v * 2)
    safe.backward()
    assert (safe.data, v.grad) == (2 * x, 2.0)
    v = Value(x)
    eager = where(v > 0, (v * math.nan) * 1.0, v * 2)
    eager.backward()
    assert v.grad == 2.0
    assert gradients(eager, v).data == 2.0
    assert grad(lambda u: where(u > 0, u * math.nan, u * 2))(x) == 2.0
    assert grad(grad(lambda u: where(u > 0, u * math.nan, u * u * u)))(x) == 6 * x


# Where a bad number came from.


def test_the_first_bad_operation_is_named_with_line_operands_and_labels() -> None:
    frame = inspect.currentframe()
    assert frame is not None
    x = Value(0.25, "x")
    line = frame.f_lineno + 2
    with pytest.raises(DomainError) as caught:
        (x - 1).log()
    assert f"test_promises.py:{line}" in str(caught.value)
    assert "x is -0.75" in str(caught.value)


def test_a_nan_is_followed_from_the_loss_to_where_it_was_born() -> None:
    frame = inspect.currentframe()
    assert frame is not None
    with autograd.record_lines():
        w, x = Value(1e200, "w"), Value(1e200, "x")
        line = frame.f_lineno + 1
        z = w * x
        loss = (z - z.tanh() * z) * 0.5
        loss.label = "loss"
    born, became_nan = autograd.find_nonfinite(loss).births[:2]
    assert (born.node, born.line, born.reason) == (
        z,
        f"test_promises.py:{line}",
        "1e+200 · 1e+200 is too large for a float",
    )
    assert [node.primitive.name for node in born.path] == ["mul", "sub", "mul"]
    assert "mul('w', 'x')" in str(born)
    assert str(born).endswith(f"mul ('loss', test_promises.py:{line + 1})")
    assert became_nan.reason == "∞ − ∞: inf − inf is nan"
    with autograd.record_lines(raise_nonfinite=True):
        line = frame.f_lineno + 2
        with pytest.raises(autograd.NonFiniteError) as caught:
            w * x
    assert f"(test_promises.py:{line})" in str(caught.value)
    assert "x is 1e+200 ('w'), y is 1e+200 ('x')" in str(caught.value)


# What a check of derivatives says.


def test_a_failed_check_names_input_node_and_line_with_both_numbers_step_and_error() -> None:
    frame = inspect.currentframe()
    assert frame is not None

    @autograd.primitive(partials=[lambda m, z, x: m.cos(x) * 99 / 100])
    def sly_sine(m: Any, x: Any) -> Any:
        return m.sin(x)

    line = frame.f_lineno + 1
    report = autograd.check_grads(lambda x, y: y * sly_sine(x * y).tanh(), 0.5, Value(2.0, "gain"))
    entry = report.worst()[0]
    assert {entry.name for entry in report if entry.verdict == "mismatch"} == {"x", "gain"}
    assert entry.analytic != entry.numeric
    assert 0 < entry.error < 1e-9 * abs(entry.numeric)
    assert entry.step > 0
    (edge,) = report.guilty
    assert (edge.primitive, edge.argument, edge.line) == ("sly_sine", "x", f"test_promises.py:{line}")
    assert edge.analytic == pytest.approx(0.99 * math.cos(1.0))
    assert abs(edge.numeric - math.cos(1.0)) <= edge.error
    for said in ("gain", "mismatch", f"sly_sine (test_promises.py:{line})", "x is 1.0"):
        assert said in str(report)


@pytest.mark.parametrize(
    ("f", "x", "verdict"),
    [
        (autograd.relu, 0.0, "kink"),
        (lambda x: 1e16 + x - 1e16, 1.3, "ill-conditioned"),
        (autograd.log, -1.0, "outside the domain"),
        (autograd.sqrt, 0.0, "not finite"),
    ],
)
def test_kinks_and_ill_conditioning_are_verdicts_of_their_own(f: Any, x: float, verdict: str) -> None:
    (entry,) = autograd.check_grads(f, x)
    assert entry.verdict == verdict


def test_the_tolerance_of_a_check_is_the_error_of_the_difference() -> None:
    """A fixed step of 1e-6 is too large for the first function and too small for the second: both right slopes would
    fail at one per cent, and rules that are half of that off pass elsewhere.
    """
    for f, slope in (
        (lambda x: math.sin(1e6 * x), lambda x: 1e6 * math.cos(1e6 * x)),
        (lambda x: 0.1 * x + 1e8, lambda x: 0.1),
    ):
        fixed = (f(1 + 1e-6) - f(1 - 1e-6)) / 2e-6
        assert abs(fixed - slope(1.0)) > 1e-2 * abs(slope(1.0))
        (entry,) = autograd.check_grads(f, 1.0, grad=slope)
        assert entry.verdict == "agree"
        assert entry.error <= 1e-3 * abs(slope(1.0))
        off = autograd.check_grads(f, 1.0, grad=lambda x, slope=slope: 1.005 * slope(x))
        assert off.entries[0].verdict == "mismatch"


# Nested derivatives.


def number_of(x: Any) -> float:
    return x.data if isinstance(x, Value) else x


def test_perturbations_are_not_confused() -> None:
    """Siskind and Pearlmutter (2005): 1, where confused engines say 2."""
    assert number_of(grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0)) == 1.0
    assert number_of(grad(lambda x: x * grad(lambda y: x * y)(2.0))(1.0)) == 2.0


def test_perturbations_are_not_confused_across_modes() -> None:
    """Nested forward mode (2008), and forward in reverse and reverse in forward."""

    def forward(f: Any) -> Any:
        return lambda x: autograd.jvp(f, (x,), (1.0,))[1]

    for outer in (forward, grad):
        for inner in (forward, grad):
            assert number_of(outer(lambda x, d=inner: x * d(lambda y: x + y)(1.0))(1.0)) == 1.0
            assert number_of(outer(lambda x, d=inner: x * d(lambda y: x * y * y)(x))(2.0)) == 24.0
            assert number_of(outer(lambda x, d=inner: d(lambda y: y**x)(2.0))(3.0)) == pytest.approx(
                4 + 12 * math.log(2), rel=1e-14, abs=0.0
            )


def test_recorded_derivatives_nest_too() -> None:
    x, y = Value(1.0), Value(1.0)
    inner = gradients(x + y, y)
    outer = gradients(x * inner, x)
    assert outer.data == 1.0


def test_the_picture_before_backward_says_that_there_is_no_gradient_yet() -> None:
    """Elsewhere: zeros that look like a bug."""
    y = Value(3.0) * 2.0
    assert "no gradient yet" in autograd.draw(y).source
    y.backward()
    assert "no gradient yet" not in autograd.draw(y).source


# Pictures.


def test_gradients_that_pile_up_are_seen_in_the_picture() -> None:
    x = Value(3.0, "x")
    y = x * x
    y.backward()
    assert "grad 6" in autograd.draw(y).source
    y.backward()
    assert "grad 12" in autograd.draw(y).source


def test_without_the_dot_program_an_svg_is_drawn() -> None:
    """Elsewhere: an error that the program is missing. Here neither it nor pygraphviz is needed."""
    out = run_alone(
        """
    import os
    os.environ["PATH"], sys.modules["pygraphviz"] = "", None
    from autograd import Value, draw
    x = Value(0.5, "x")
    y = (x * x).tanh()
    y.backward()
    picture = draw(y)
    print(picture.pipe("svg")[:4].decode(), *picture._repr_mimebundle_())
    try:
        picture.pipe("png")
    except RuntimeError as error:
        print("valuegrad[viz]" in str(error))
    """
    )
    assert out.split() == ["<svg", "image/svg+xml", "True"]


def test_a_big_graph_is_folded_and_says_so() -> None:
    """Elsewhere: a picture that nobody can read, after minutes or never."""
    x = y = Value(1.0, "x")
    for _ in range(5000):
        y = (y + x) * 0.5
    picture = autograd.draw(y)
    assert len(picture.scene.nodes) < 30
    assert "10,001 nodes are too many to read" in picture.source


def test_layout_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever Graphviz does with far edges: at the limit it is stopped, and the package's own writer draws."""
    values = [Value(0.5, "x")]
    for _ in range(60):
        values.append(values[-1].tanh())
    output = autograd.sum([x * y for x, y in zip(values, reversed(values), strict=True)])
    monkeypatch.setattr(engines, "TIME_LIMIT", 1e-3)
    assert autograd.draw(output).pipe("svg").startswith(b"<svg")
    with pytest.raises(RuntimeError, match=r"took longer than 0\.001 s|is not installed"):
        autograd.draw(output).pipe("png")


def test_the_wrong_order_is_played_beside_the_right_one(browser: Any, tmp_path: Path) -> None:
    """Why a topological order? A page shows what comes of sending a gradient on before all of it has arrived."""
    a, c = Value(2.0, "a"), Value(3.0, "c")
    h = a * c
    h.label = "h"
    page = StepPage(browser.new_page())
    page.watch()
    page.show(autograd.step_through(h + h * a), tmp_path)
    page.frame.get_by_role("switch", name="Wrong order").click()
    page.end()
    right, wrong = page.gradients(), page.gradients(".pane.wrong")
    assert (right["a"], right["c"]) == ("15", "6")
    assert (wrong["a"], wrong["c"]) == ("9", "2")
    assert "too early" in page.box("h", ".pane.wrong")["note"]
    page.page.close()
    page.finish()
