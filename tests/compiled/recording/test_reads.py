"""Recording sees every number that leaves: what a recorded function reads of a node follows in replays, or raises."""

from __future__ import annotations

import bdb
import copy
import operator
import pickle
import reprlib
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Condition, DomainError, RecordingError, Value, grad, where
from autograd.primitives import TABLE
from tests.compiled.elsewhere import Elsewhere

X = [1.0, 2.0, 3.0]
W = Value(0.5, "w")


def in_a_thread(work: Callable[[], Any]) -> Any:
    """What a function returns that runs in a thread of its own; what it raises dies with the thread."""
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0] if found else 0.0


READS = {
    "pickle": lambda x: pickle.loads(pickle.dumps(x)) * 2.0,
    "pickle of a parameter": lambda x: pickle.loads(pickle.dumps(W)) * x,
    "state": lambda x: x * x.__getstate__()[1]["_data"],
    "format": lambda x: x * float(f"{x:.3f}"),
    "format, nothing said": lambda x: x * len(f"{x}"),
    "repr": lambda x: x * len(repr(x)),
    "str": lambda x: x * len(str(x)),
    "repr in a list": lambda x: x * len(repr([x])),
    "repr of a condition": lambda x: x * len(repr(x > 2.0)),
    "grad of a parameter": lambda x: x * W.grad,
    "grad of a node": lambda x: x * (x * x).grad,
    "data": lambda x: x * x.data,
    "data by name": lambda x: x * operator.attrgetter("data")(x),
    "operands of a choice": lambda x: x * len(where(x > 2.0, x, -x).operands()),
    "operands of a choice of a parameter": lambda x: x * len(where(W > 2.0, W, 1.0).operands()),
    "find_nonfinite": lambda x: (autograd.find_nonfinite(x * x), x)[1],
    "step_through": lambda x: (autograd.step_through(x * x), x)[1],
    "draw": lambda x: (autograd.draw(x * x), x)[1],
    "zero_grad": lambda x: (autograd.zero_grad(W), x)[1],
    "a written gradient": lambda x: (setattr(W, "grad", 1.0), x)[1],
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("of_its_own", [False, True], ids=["here", "in a thread"])
@pytest.mark.parametrize("name", READS)
def test_what_is_read_raises_wherever_it_is_read(name: str, of_its_own: bool) -> None:
    f = READS[name]
    with pytest.raises(
        RecordingError, match=r"was (read|written) \(test_reads\.py:\d+\) while the function is recorded"
    ):
        autograd.compile((lambda x: in_a_thread(lambda: f(x)) + x) if of_its_own else f)(np.array(X))
    assert W.grad == 0.0


def test_operands_follow_unless_there_was_a_choice() -> None:
    assert list(autograd.compile(lambda x: x * len((x + 1.0).operands()))(np.array(X))) == [2.0, 4.0, 6.0]


class _Reads:
    """Reads as it goes, where Python ignores errors."""

    def __init__(self, x: Any) -> None:
        self.x = x

    def __del__(self) -> None:
        read.append(self.x.data)


read: list[float] = []


def _fallen_back(look: Callable[[], float], fallback: Any = Exception) -> float:
    try:
        return look()
    except fallback:
        return 7.0


SWALLOWING: dict[str, Callable[[Any], Any]] = {
    "except Exception": lambda x: x * _fallen_back(lambda: x.data),
    "except RecordingError": lambda x: x * _fallen_back(lambda: x.data, RecordingError),
    "a gradient": lambda x: x * _fallen_back(lambda: W.grad),
    "reprlib": lambda x: x * len(reprlib.repr([x])),
    "__del__": lambda x: (_Reads(x), x * len(read))[1],
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", SWALLOWING)
def test_a_refusal_that_somebody_catches_is_one_still(name: str) -> None:
    """What the function goes on with is of the numbers of now, or of a recording alone."""
    with pytest.raises(RecordingError, match="while the function is recorded"):
        autograd.compile(SWALLOWING[name])(np.array(X))


CATCHING = {
    "log": (lambda x: (x - 2.0).log(), DomainError),
    "power": (lambda x: (x - 2.0) ** 0.5, DomainError),
    "exp": (lambda x: (x * -1e4 + 1e4).exp(), OverflowError),
}


@pytest.mark.parametrize("name", CATCHING)
def test_an_error_that_decides_the_way_is_refused(name: str) -> None:
    """It depends on numbers, and a replay would go the same way at all of them."""
    compute, kind = CATCHING[name]

    def caught(x: Any) -> Any:
        try:
            return compute(x)
        except kind:
            return x * 7.0

    def suppressed(x: Any) -> Any:
        with suppress(kind):
            return compute(x)
        return x * 7.0

    for f in (caught, suppressed):
        assert autograd.compile(f)(3.0) == pytest.approx(compute(Value(3.0)).data, rel=1e-15)
        with pytest.raises(RecordingError, match=r"caught an error and went on.* compare before, .* The error: \w+ "):
            autograd.compile(f)(-3.0)


@autograd.primitive(partials=[lambda m, z, x: 0.5 / z])
def own_root(m: Any, x: Any) -> Any:
    """√x."""
    return m.sqrt(x)


def power(x: Any) -> Any:
    """A power of what is negative at 2, where no slope by the exponent is."""
    return (x - 4.0) ** x


#: What computes a slope, and how it is asked for: none of them has one at 2.
SLOPES = {
    "grad": lambda x: autograd.grad(power)(x),
    "value_and_grad": lambda x: autograd.value_and_grad(power)(x)[1],
    "gradients": lambda x: autograd.gradients(power(x), x),
    "jacobian": lambda x: autograd.jacobian(lambda y: [power(y)])(x)[0],
    "vjp": lambda x: autograd.vjp(power, x)[1](1.0)[0],
    "jvp": lambda x: autograd.jvp(power, (x,), (1.0,))[1],
    "hessian": lambda x: autograd.hessian(power)(x),
    "hvp": lambda x: autograd.hvp(lambda y: power(y[0]))([x], [1.0])[0],
    "a primitive of one's own": lambda x: autograd.grad(lambda y: own_root(y - 2.0))(x),
    "a limit": lambda x: autograd.hessian(lambda y: autograd.norm([y - 2.0, y - 2.0]))(x),
    "in a thread": lambda x: in_a_thread(lambda: caught_in(lambda: autograd.grad(power)(x), x)),
}


def caught_in(compute: Callable[[], Any], x: Any) -> Any:
    """What is computed, or something else where an error says that there is nothing of that."""
    try:
        return compute()
    except (DomainError, OverflowError):
        return x * 7.0


@pytest.mark.parametrize("name", SLOPES)
def test_an_error_of_a_slope_that_decides_the_way_is_refused(name: str) -> None:
    def f(x: Any) -> Any:
        return caught_in(lambda: SLOPES[name](x), x)

    assert autograd.compile(f)(5.0) == pytest.approx(f(Value(5.0)).data, rel=1e-12, abs=1e-15)
    with pytest.raises(
        RecordingError, match=r"caught an error and went on.* compare before, .* The error: \w+ has no "
    ):
        autograd.compile(f)(2.0)


def test_a_branch_that_has_no_slope_at_the_numbers_recorded_with_follows() -> None:
    replay = autograd.compile(lambda x: where(x > 3.0, lambda: caught_in(lambda: grad(power)(x), x), x))
    for x in (2.0, 5.0, 6.0):
        assert replay(x) == pytest.approx(x if x < 3.0 else grad(power)(x), rel=1e-12)


def test_an_error_at_plain_numbers_decides_the_same_way_always() -> None:
    replay = autograd.compile(lambda x: x * caught_in(lambda: grad(power)(2.0), 2.0))
    assert replay(np.array(X)).tolist() == [14.0 * x for x in X]


def test_an_error_that_the_engine_catches_is_none() -> None:
    f = autograd.compile(lambda x: where(x > 2.0, lambda: (x - 2.0).log(), lambda: grad(autograd.norm)([x, x])[0]))
    assert f(np.array([0.0, 3.0])).tolist() == [0.0, 0.0]


LIMITS = [
    name for name, row in TABLE.items() if row.limits and not row.n_ary and row.arity == 1 and not callable(row.limits)
]


@pytest.mark.parametrize("name", LIMITS)
def test_a_slope_recorded_where_it_is_a_limit_follows(name: str) -> None:
    slope = grad(getattr(autograd, name))
    for limit in (x for x in (-1.0, 0.0, 1.0) if any(one.at(x) for one in TABLE[name].limits)):
        replay = autograd.compile(slope)
        for x in (limit, 0.5 * limit, 0.3, limit):
            with suppress(DomainError):
                assert replay(x) == pytest.approx(slope(x), rel=1e-12)


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "deepcopy of a list": lambda x: copy.deepcopy([x])[0],
    "deepcopy in a thread": lambda x: in_a_thread(lambda: copy.deepcopy(x)),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_follows_and_passes_on_no_gradient(name: str) -> None:
    copied = COPIES[name]
    w = Value(3.0, "w")

    def f(x: Any) -> Any:
        return copied(x) * x + copied(w) * w * x + copied(x * x)

    replay = autograd.compile(f)
    for number in (3.0, 5.0):
        w.data = number
        assert replay(np.array(X)).tolist() == [f(x).data for x in map(Value, X)]
        assert autograd.compile(f, wrt=0).value_and_grad(2.0)[1] == grad(f)(2.0).data


def test_a_copied_model_follows_the_parameters() -> None:
    model = nn.MLP(1, [2, 1], seed=1)
    replay = autograd.compile(lambda x: copy.deepcopy(model)([x]))
    for number in (0.5, -2.0):
        model.parameters()[0].data = number
        assert replay(0.3) == pytest.approx(model([Value(0.3)]).data, rel=1e-15)


def chosen_in(run: Callable[[Callable[[], Any]], Any]) -> Callable[[Any], Any]:
    return lambda x: run(lambda: x * 2.0 if x > 2.0 else -x)


def test_a_comparison_in_a_thread_is_a_guard() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()  # its thread was there before
        for run in (in_a_thread, lambda work: pool.submit(work).result()):
            replay = autograd.compile(chosen_in(run))
            assert [replay(x) for x in (1.0, 3.0, 2.0, 4.0)] == [-1.0, 6.0, -2.0, 8.0]
            assert replay.report().recordings == 2


def test_a_comparison_in_a_thread_that_a_branch_starts_is_asked_in_that_branch_alone() -> None:
    def f(x: Any) -> Any:
        return where(x > 0.0, lambda: in_a_thread(lambda: x if x < 10.0 else 10.0 * x), lambda: -x)

    assert autograd.compile(f)(np.array([1.0, -20.0, 2.0, -1.0])).tolist() == [1.0, 20.0, 2.0, 1.0]


def test_a_pool_that_was_there_before_works_for_the_recording() -> None:
    w = Value(3.0, "w")
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        for read in (
            lambda x: w.data,
            lambda x: (w * x).data,
            repr,
            pickle.dumps,
            lambda x: f"{w:.3f}",
            lambda x: w.grad,
        ):
            replay = autograd.compile(lambda x, read=read: (pool.submit(read, x).exception(), x)[1])
            with pytest.raises(RecordingError, match="was read"):
                replay(1.0)
        replay = autograd.compile(lambda x: x * pool.submit(copy.copy, w).result() if pool.submit(lambda: w > 0) else x)
        for number in (3.0, 5.0, -7.0):
            w.data = number
            assert replay(2.0) == 2.0 * number
        replay = autograd.compile(lambda x: x * pool.submit(lambda: 2.0 if w > 0 else 5.0).result())
        for number in (3.0, -7.0):
            w.data = number
            assert replay(1.0) == (2.0 if number > 0 else 5.0)
        assert pool.submit(lambda: w.data).result() == -7.0


def test_a_thread_that_works_for_somebody_else_may_read_nothing_that_comes_from_the_arguments() -> None:
    def others() -> Any:
        a = Value(3.0, "a")
        b = a * a
        b.backward()
        a.data = 4.0
        return b.data, a.grad, repr(a), copy.copy(a).data, copy.deepcopy(b).parents[0].parents, b > 2.0 and 1.0

    with Elsewhere() as pool:
        for read in (lambda x: (x * x).data, repr, pickle.dumps):
            with pytest.raises(RecordingError, match="was read"):
                autograd.compile(lambda x, read=read: (pool.submit(read, x).exception(), x)[1])(1.0)
        seen: list[Any] = []
        assert autograd.compile(lambda x: (seen.append(pool.submit(others).result()), x * 2.0)[1])(1.0) == 2.0
        assert seen == [(9.0, 6.0, "Value(4.0, 'a', grad=6.0)", 4.0, (), 1.0)] * 2


class Seeing(bdb.Bdb):
    """A debugger that prints a name of the function that it steps through."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def user_line(self, frame: Any) -> None:
        if "node" in frame.f_locals and frame.f_code.co_filename == __file__:
            self.seen.append(repr(frame.f_locals["node"]))


def test_debuggers_tracebacks_and_errors_print_a_node() -> None:
    seeing, told = Seeing(), []

    def f(x: Any) -> Any:
        node = x * 2.0
        try:
            raise ValueError("wrong")
        except ValueError as error:
            told.append("".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()))
        with pytest.raises(TypeError, match=r"truth of Value\(2\.0\)"):
            bool(node)
        return node

    assert seeing.runcall(autograd.compile(f), 1.0) == 2.0
    assert "Value(2.0, primitive=mul, grad=0.0)" in seeing.seen
    assert "node = Value(2.0, primitive=mul, grad=0.0)" in told[0]


def without_nodes(said: Any) -> Any:
    """What a result says, nodes left out: they follow."""
    if isinstance(said, Value | Condition):
        return "a node"
    if isinstance(said, dict):
        return {key: without_nodes(one) for key, one in said.items()}
    if isinstance(said, list | tuple | set):
        return [without_nodes(one) for one in said]
    if isinstance(said, float | int | str | bytes | None):
        return said
    slots = [slot for kind in type(said).__mro__ for slot in getattr(kind, "__slots__", ())]
    held = getattr(said, "__dict__", {}) | {slot: getattr(said, slot, None) for slot in slots}
    return type(said).__name__, without_nodes(held)


NOT_CALLED = {"compile", "objective"}  # they record, which is refused by itself
PUBLIC = sorted(
    {
        f"{module.__name__}.{name}"
        for module in (autograd, nn)
        for name in module.__all__
        if callable(getattr(module, name)) and not isinstance(getattr(module, name), type) and name not in NOT_CALLED
    }
)


@pytest.mark.parametrize("name", PUBLIC)
def test_nothing_public_tells_a_number_of_a_node_that_is_recorded(name: str) -> None:
    package, _, attribute = name.partition(".")
    function = getattr({"autograd": autograd, "nn": nn}[package], attribute)
    told: list[list[Any]] = []

    def f(x: Any) -> Any:
        y = where(x > 0.27, x * 2.0, x * 3.0)
        told.append([])
        for arguments in ((y,), ([y],), (y, x), (y, [x]), ([y], [1.0]), ([x, y], 0), ([[x]], [y])):
            try:
                told[-1].append(without_nodes(function(*arguments)))
            except Exception as error:
                told[-1].append(type(error).__name__)
        return y

    for number in (0.25, 0.3):
        try:
            autograd.compile(f)(number)
        except RecordingError:
            told.append(told.pop()[:0])
    runs = [run for run in told if run]
    assert all(run == runs[0] for run in runs)
