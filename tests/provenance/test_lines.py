"""``record_lines`` and ``line_of``: the user's line, whatever made the node, and nothing left behind."""

from __future__ import annotations

import copy
import gc
import inspect
import math
import pickle
import sys
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import NonFiniteError, Primitive, StaleGraphError, Value, line_of, record_lines
from autograd.eager import nodes
from autograd.graph import topological_order
from autograd.provenance import lines
from autograd.testing.regions import in_domain
from tests.rows import ROWS, name_of, special_points

FILE = "test_lines.py"


def here(ahead: int = 0) -> str:
    """The line of the caller, or one ``ahead`` of it."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return f"{FILE}:{frame.f_back.f_lineno + ahead}"


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    before = autograd.tanh.__code__
    yield
    assert autograd.tanh.__code__ is before
    assert nodes.hook is nodes.no_hook
    assert type(nodes.now) is int


@pytest.mark.parametrize("row", [row for row in ROWS if not row.compares], ids=name_of)
def test_every_primitive_notes_its_line(row: Primitive) -> None:
    xs = next(iter(special_points(row, lambda xs: in_domain(row, xs))))
    with record_lines():
        node = autograd.value.maker(row)(*_operands(row, xs))
        line = here(-1)
    made = node[0] if row.n_ary else node
    assert line_of(made) == line


def _operands(row: Primitive, xs: Any) -> list[Any]:
    if row.n_ary:
        return [[tuple(Value(x) for x in xs)]] if row.name != "dot" else [[(Value(1.0),)], (Value(2.0),)]
    if row.name == "where":
        return [Value(1.0) > 0, Value(1.0), Value(2.0)]
    return [Value(x) for x in xs]


def test_operators_methods_and_functions() -> None:
    x = Value(0.5)
    with record_lines():
        a, line_a = x * 2.0, here()
        b, line_b = 2.0 - x, here()
        c, line_c = x.tanh(), here()
        d, line_d = autograd.dot([x, a], [b, 1.0]), here()
        e, line_e = -x, here()
        f, line_f = abs(x), here()
        g, line_g = x**2, here()
    nodes = {a: line_a, b: line_b, c: line_c, d: line_d, e: line_e, f: line_f, g: line_g}
    assert {node: line_of(node) for node in nodes} == nodes


def test_a_line_of_an_expression_over_several_lines() -> None:
    x = Value(0.5)
    with record_lines():
        first = here(2)
        z = (
            x.exp()
            + x.log()
        )  # fmt: skip
    exponential, logarithm = z.parents
    assert line_of(exponential) == first
    assert int(line_of(logarithm).split(":")[1]) == int(first.split(":")[1]) + 1


def squared(v: Value) -> Value:
    return v * v


SQUARED = f"{FILE}:{inspect.getsourcelines(squared)[1] + 1}"


def test_the_innermost_line_of_the_users() -> None:
    def yielded() -> Iterator[Value]:
        yield squared(x)

    x = Value(3.0)
    with record_lines():
        nodes = [squared(x), next(yielded()), *[squared(v) for v in [x]], *map(squared, [x]), (lambda: squared(x))()]
        by_lambda = (lambda v: v + 1.0)(x)
        line = here(-1)
        comprehended = [v + 1.0 for v in [x]]
        total = sum([x, x])
    assert {line_of(node) for node in nodes} == {SQUARED}
    assert [line_of(by_lambda), line_of(comprehended[0]), line_of(total)] == [
        line,
        f"{FILE}:{int(line.split(':')[1]) + 2}",
        f"{FILE}:{int(line.split(':')[1]) + 3}",
    ]


def test_inside_of_nn_it_is_the_line_that_called() -> None:
    model = nn.MLP(2, [3, 1])
    with record_lines():
        out = model([0.5, 1.0])
        line = here(-1)
    inner = [node for node in topological_order(out) if node.parents]
    assert inner
    assert {line_of(node) for node in inner} == {line}


def test_inside_of_transforms_it_is_the_users_function() -> None:
    kept = []

    def f(x: Value) -> Value:
        kept.append(x * x)
        return kept[-1]

    with record_lines():
        autograd.grad(f)(2.0)
    assert line_of(kept[0]) == f"{FILE}:{inspect.getsourcelines(f)[1] + 1}"


def test_numpy_functions_over_values() -> None:
    with record_lines():
        made = np.exp(np.array([Value(1.0)], dtype=object))
        line = here(-1)
    assert line_of(made[0]) == line


def test_outside_there_are_no_lines() -> None:
    x = Value(2.0)
    before = x * x
    with record_lines():
        pass
    after = x * x
    assert [line_of(before), line_of(after), line_of(x), line_of(1.0)] == [""] * 4


def run_as(filename: str, source: str, **names: Any) -> dict[str, Any]:
    namespace = {"__name__": "__main__", **names}
    exec(compile(source, filename, "exec"), namespace)
    return namespace


def test_code_that_is_in_no_file() -> None:
    with record_lines():
        made = run_as("<string>", "\ny = x * x", x=Value(2.0))
    assert line_of(made["y"]) == "<string>:2"


def test_a_cell_of_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the compiler that IPython's shells name their cells with."""
    compiler = pytest.importorskip("IPython.core.compilerop").CachingCompiler()
    source = "\n\ny = x * x\n"
    cell = compiler.cache(source, number=3)
    shell = types.SimpleNamespace(compile=compiler)
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: shell)
    with record_lines():
        made = run_as(cell, source, x=Value(2.0))
        other = squared(Value(1.0))
    assert line_of(made["y"]) == "In[3]:3"
    assert line_of(other) == SQUARED
    with pytest.raises(autograd.DomainError, match=r"x is -2\.0 \(In\[3\]:1\)\."):
        run_as(cell, "log(-2.0)", log=autograd.log)


def test_where_ipython_is_imported_and_no_notebook_runs() -> None:
    pytest.importorskip("IPython")
    assert lines.place("/a/b/model.py", 4) == "model.py:4"


def test_nested_and_used_again() -> None:
    x = Value(2.0)
    again = record_lines()
    with again:
        with again:
            a = squared(x)
        b = squared(x)
        with record_lines(raise_nonfinite=True):
            c = squared(x)
        infinite = x * math.inf
    with again:
        d = squared(x)
    assert {line_of(node) for node in (a, b, c, d)} == {SQUARED}
    assert line_of(infinite).startswith(FILE)
    assert line_of(squared(x)) == ""


def test_left_by_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), record_lines():
        raise ZeroDivisionError
    assert line_of(squared(Value(2.0))) == ""


def test_the_outer_context_keeps_refusing() -> None:
    x = Value(1e308)
    with record_lines(raise_nonfinite=True):
        with record_lines(), pytest.raises(NonFiniteError):
            x * 10.0
        with pytest.raises(NonFiniteError):
            x * 10.0
    x * 10.0


def test_contexts_of_threads_that_overlap() -> None:
    """One entered first and left first: the other holds on, and nothing is left when both are gone."""
    first, second = record_lines(), record_lines()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert line_of(squared(Value(2.0))) == SQUARED
    second.__exit__(None, None, None)
    assert line_of(squared(Value(2.0))) == ""


def test_a_thread_started_inside() -> None:
    made: list[Value] = []
    with record_lines():
        thread = threading.Thread(target=lambda: made.append(squared(Value(2.0))))
        thread.start()
        thread.join()
    assert line_of(made[0]) == SQUARED


def test_a_debugger_or_coverage_goes_on() -> None:
    seen: list[int] = []

    def trace(frame: types.FrameType, event: str, argument: object) -> Callable[..., Any]:
        if event == "line" and frame.f_code is squared.__code__:
            seen.append(frame.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with record_lines():
            node = squared(Value(2.0))
            assert sys.gettrace() is trace
    finally:
        sys.settrace(before)
    assert line_of(node) == SQUARED
    assert seen


def test_backward_inside_and_after() -> None:
    x, w = Value(3.0), Value(2.0)
    for _ in range(2):
        with record_lines():
            loss = squared(x) * w
            loss.backward()
            assert (x.grad, w.grad) == (12.0, 9.0)
        loss.backward()
        assert (x.grad, w.grad) == (24.0, 18.0)
        x.grad = w.grad = 0.0


@pytest.mark.parametrize("inside", [True, False], ids=["inside", "after"])
def test_stale_graphs_are_noticed(inside: bool) -> None:
    x = Value(3.0, "x")
    early = squared(x)
    with record_lines():
        node = squared(x)
        if inside:
            x.data = 4.0
            fresh = squared(x)
            assert line_of(fresh) == SQUARED
            fresh.backward()
        other = squared(x)
    if not inside:
        x.data = 5.0
    for stale in [early, node] if inside else [early, node, other]:
        with pytest.raises(StaleGraphError):
            stale.backward()
    if inside:
        other.backward()


def test_a_leaf_written_and_used_on_one_line() -> None:
    x = Value(3.0)
    with record_lines():
        a, _, b = squared(x), setattr(x, "data", 4.0), squared(x)
        b.backward()
        assert x.grad == 8.0
        with pytest.raises(StaleGraphError):
            a.backward()


def test_the_clock_is_the_same_object_again() -> None:
    """Then ``backward()`` of a graph from before sees at once that nothing was written since."""
    before = nodes.now
    with record_lines():
        squared(Value(2.0))
    assert nodes.now is before


def test_copies_keep_their_lines_and_pickles_drop_them() -> None:
    x = Value(3.0, "x")
    with record_lines():
        y = squared(x).tanh()
    copied, deep = copy.copy(y), copy.deepcopy(y)
    assert line_of(copied) == line_of(deep) == line_of(y) != ""
    pickled = pickle.loads(pickle.dumps(y))
    assert line_of(pickled) == ""
    for other in (deep, pickled):
        other.backward()
        assert topological_order(other)[0].grad == autograd.grad(lambda v: squared(v).tanh())(3.0)


def test_a_copy_is_no_operation_that_is_recorded() -> None:
    y = Value(1e200).square().exp()  # infinite, and made before anyone watches
    with record_lines(raise_nonfinite=True):
        for other in (copy.copy(y), copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
            assert (other.data, line_of(other)) == (math.inf, "")


def test_nodes_take_no_more_memory_than_one_moment_a_line() -> None:
    x = Value(1.0)
    with record_lines():
        nodes = [x * 2.0 for _ in range(1000)]
    assert len({id(node._moment) for node in nodes}) == 1


def test_memory_returns() -> None:
    for _ in range(20):  # other tests leave some, and its finalizers more
        if not gc.collect():
            break
    gc.disable()
    try:
        with record_lines():
            y = squared(Value(2.0))
        moment = y._moment
        del y
        holders = sys.getrefcount(moment)
        assert holders == 2  # this variable, and the argument of getrefcount
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_raise_nonfinite_raises_at_the_line() -> None:
    x = Value(1e308, "x")
    with record_lines(raise_nonfinite=True):
        y = x * 1.0
        y_line = here(-1)
        line = here(2)
        with pytest.raises(NonFiniteError) as caught:
            y * 10.0
    assert str(caught.value) == (
        f"mul gave inf; x is 1e+308 ({y_line}), y is 10.0 ({line}): 1e+308 · 10.0 is too large for a float.\n"
        "where x = mul('x', 1.0)"
    )
    infinite = x * 10.0
    assert infinite.data == math.inf


NAN_BY = {
    "operator": lambda x: x * 2.0,
    "reflected": lambda x: 2.0 - x,
    "unary": lambda x: x.tanh(),
    "binary": lambda x: autograd.mul(x, 2.0),
    "three arguments": lambda x: autograd.clip(x, 0.0, 1.0),
    "n-ary": lambda x: autograd.sum([x, 1.0]),
    "dot": lambda x: autograd.dot([x, 1.0], [1.0, 2.0]),
    "where": lambda x: autograd.where(True, x, 1.0),
    "detach": lambda x: x.detach(),
}


@pytest.mark.parametrize("kind", NAN_BY)
def test_raise_nonfinite_sees_every_way_to_make_a_node(kind: str) -> None:
    with record_lines(raise_nonfinite=True):
        NAN_BY[kind](Value(0.5))
        with pytest.raises(NonFiniteError, match=r"gave nan; .*is nan"):
            NAN_BY[kind](Value(math.nan))


def test_raise_nonfinite_inside_of_a_second_derivative() -> None:
    """The rules run over Values too; what they meet must not be taken for the want of a derivative."""
    x = Value(1e-160)
    y = 1.0 / x
    with record_lines(raise_nonfinite=True), pytest.raises(NonFiniteError, match=r"gave -?inf"):
        autograd.gradients(y, x)
