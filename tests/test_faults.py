"""Faults amid whatever changes state: afterwards all is as before it, or as after it, and every switch is back.

Ctrl-C comes wherever Python looks for it; errors of memory come at our calls, errors of the system at the system's, but
in what restores. A few moments of each operation are tried, chosen by a seed; ``make thorough`` tries many more. Real
signals, at any moment, are sent to processes of their own.
"""

from __future__ import annotations

import gc
import math
import os
import queue
import random
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

import autograd
import nn
from autograd import Value, locks, record_lines
from autograd.compiled.backends.native import jit
from autograd.compiled.backends.reduction import CHUNK
from autograd.compiled.recording import workers
from autograd.eager import garbage, nodes, watching
from nn.training.history import History
from tests.compiled.processes import output_of, run
from tests.faults import (
    Outcome,
    failing_at,
    failing_in_threads_at,
    interrupted_at,
    signal_handlers,
    starting_no_thread_from,
)  # fmt: skip
from tests.test_imports import public_names

IS_THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"

#: How many events of the profiler an operation's moments may take together, of each kind of fault; and how many moments
#: there are at least.
EVENTS, LEAST = (200_000, 20) if IS_THOROUGH else (12_000, 4)

#: An operation on things of its own, and what holds of them after an outcome.
Case = tuple[Callable[[], Any], Callable[[Outcome], None]]

X = np.linspace(-1.0, 1.0, 5)


def switches() -> dict[str, Any]:
    """All that an operation may change for a while, and has to put back."""
    free: list[bool] = []

    def look() -> None:
        for lock in filter(None, [jit._LOCK, *[reference() for reference in locks._LOCKS]]):
            free.append(lock.acquire(blocking=False))
            if free[-1]:
                lock.release()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return {
        "the collector": gc.isenabled(),
        "the hook of nodes": nodes.hook,
        "the watch": watching.watch,
        "handlers of signals": signal_handlers(),
        "NumPy's warnings": np.geterr(),
        "Python's warnings": list(warnings.filters),
        "mpmath's digits": mpmath.mp.dps,
        "who hands work to threads": [
            vars(owner)[name] for owner, name, _ in workers.replacements(watching.Watch(), of_others=True)
        ],
        "locks are free": all(free),
        "open files": len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0,
    }


# Eager operations


def leaves() -> list[Value]:
    made = [Value(0.25 * i - 0.5, f"w{i}") for i in range(4)]
    for i, leaf in enumerate(made):
        leaf.grad = 3.0 - i
    return made


def changing(make: Callable[[], tuple[Callable[[], Any], Callable[[], Any]]]) -> Callable[[], Case]:
    """The case of an operation whose state can be read: it is that of before or of after."""

    def case() -> Case:
        operation, state = make()
        operation()
        after = state()
        operation, state = make()
        before = state()

        def check(outcome: Outcome) -> None:
            assert state() in (before, after)
            assert outcome.raised is not None or state() == after

        return operation, check

    return case


def step_of(optimizer: type[Any], **options: Any) -> Callable[[], Any]:
    def make() -> Any:
        parameters = leaves()
        made = optimizer(parameters, **options)
        made.step()
        state = {name: x for name, x in vars(made).items() if name != "parameters"}

        def read() -> Any:
            state.update({name: x for name, x in vars(made).items() if name != "parameters"})
            return [p.data for p in parameters], {n: [*x] if isinstance(x, list) else x for n, x in state.items()}

        return made.step, read

    return changing(make)


def of_leaves(operate: Callable[[list[Value]], Any]) -> Callable[[], Case]:
    def make() -> Any:
        found = leaves()
        return lambda: operate(found), lambda: [(leaf.data, leaf.grad) for leaf in found]

    return changing(make)


def of_a_model(operate: Callable[[Any], Any]) -> Callable[[], Case]:
    def make() -> Any:
        model = nn.MLP(2, [2, 1])
        for parameter in model.parameters():
            parameter.grad = 2.0
        return lambda: operate(model), lambda: [(p.data, p.grad) for p in model.parameters()]

    return changing(make)


def loaded(model: Any) -> None:
    model.load_state_dict({path: number + 1.0 for path, number in model.state_dict().items()})


def pulled_back() -> Case:
    """Gradients may have been added in part, as the documentation says: set to zero, they are right the next time."""
    x, y = Value(0.5), Value(2.0)
    z = (x * y).exp() + autograd.dot([x, y], [y, x])
    z.backward()
    expected = [x.grad, y.grad]

    def check(outcome: Outcome) -> None:
        autograd.zero_grad(z)
        z.backward()
        assert [x.grad, y.grad] == expected

    autograd.zero_grad(z)
    return z.backward, check


def with_lines() -> Case:
    def operation() -> Any:
        with record_lines(), record_lines(raise_nonfinite=True):
            return Value(1.0) * 2.0

    def check(outcome: Outcome) -> None:
        assert autograd.line_of(Value(1.0) * 2.0) == ""

    return operation, check


def transformed() -> Case:
    w = Value(2.0)
    w.grad = 7.0

    def check(outcome: Outcome) -> None:
        assert w.grad == 7.0
        assert outcome.raised is not None or [x.data for x in outcome.result] == [pytest.approx(2.0 * math.e), 0.0]

    return lambda: autograd.grad(lambda x: (w * x[0]).exp() + 0.0 * x[1])([0.5, 1.0]), check


def checked() -> Case:
    w = Value(2.0)
    w.grad = 7.0

    def check(outcome: Outcome) -> None:
        assert w.grad == 7.0
        assert outcome.raised is not None or outcome.result

    return lambda: autograd.check_grads(lambda x: w * x * x, 0.5), check


def many_digits() -> Case:
    return lambda: autograd.evaluate(Value(0.5).exp() * 2.0, "mpmath", digits=80), lambda outcome: None


# Recorded functions


def step(backend: str) -> Any:
    w = Value(0.75)
    return autograd.compile(
        lambda x: autograd.where(x > 0.0, w * x.exp(), autograd.tanh(x * w)), params=[w], reduce="sum", backend=backend
    )


@cache
def sums(backend: str) -> tuple[float, list[float]]:
    value, gradient = step(backend).value_and_grad(X)
    return value, gradient.tolist()


def recorded(backend: str) -> Callable[[], Case]:
    """A function recorded, compiled and run; whatever happened, the next call gives the right bits."""

    def case() -> Case:
        made, expected = step(backend), sums(backend)

        def check(outcome: Outcome) -> None:
            for value, gradient in [made.value_and_grad(X), *([outcome.result] if outcome.raised is None else [])]:
                assert (value, gradient.tolist()) == expected
            folder = Path(os.environ["VALUEGRAD_CACHE"])
            assert not list(folder.glob("new-*"))
            for path in folder.glob("*.o"):
                path.unlink()

        return lambda: made.value_and_grad(X), check

    return case


def in_threads(backend: str) -> Callable[[], Case]:
    """The same of a function that is called with threads."""
    many = np.resize(X, 4 * CHUNK)

    def make(threads: int) -> Any:
        w = Value(0.75)
        return autograd.compile(
            lambda x: autograd.tanh(x * w), params=[w], reduce="sum", backend=backend, threads=threads
        )

    def case() -> Case:
        made, alone = make(2), make(1)

        def check(outcome: Outcome) -> None:
            value, gradient = alone.value_and_grad(many)
            for found in [made.value_and_grad(many), *([outcome.result] if outcome.raised is None else [])]:
                assert (found[0], found[1].tolist()) == (value, gradient.tolist())

        return lambda: made.value_and_grad(many), check

    return case


@cache
def worker() -> queue.SimpleQueue[Callable[[], Any]]:
    """What a thread is asked through that does one job after the other."""
    jobs: queue.SimpleQueue[Callable[[], Any]] = queue.SimpleQueue()

    def work() -> None:
        while True:
            jobs.get()()

    threading.Thread(target=work, daemon=True).start()
    return jobs


def recorded_with_a_worker() -> Case:
    """The same of a function for which a thread works that was there before."""

    def f(x: Any) -> Any:
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        jobs.put(lambda: done.put(w * x if w > 0.0 else x))
        return done.get()

    jobs, w = worker(), Value(0.75)
    made = autograd.compile(f, backend="numpy")

    def check(outcome: Outcome) -> None:
        for result in [made(X), *([outcome.result] if outcome.raised is None else [])]:
            assert result.tolist() == [0.75 * x for x in X.tolist()]

    return lambda: made(X), check


def looped(backend: str) -> Callable[[], Case]:
    """The same of a function with a loop that stays one."""
    expected: list[Any] = []

    def make() -> Any:
        w = Value(0.75)
        return autograd.compile(
            lambda x: autograd.scan(lambda c, e: (c * w + e, None), x, [x, 0.5, x * x, x] * 3, unroll=False)[0],
            params=[w], reduce="sum", backend=backend,
        )  # fmt: skip

    def case() -> Case:
        made = make()
        if not expected:
            value, gradient = make().value_and_grad(X)
            expected.append((value, gradient.tolist()))

        def check(outcome: Outcome) -> None:
            for value, gradient in [made.value_and_grad(X), *([outcome.result] if outcome.raised is None else [])]:
                assert (value, gradient.tolist()) == expected[0]
            assert autograd.scan(lambda c, e: (c + e, c), 1.0, [2.0, 3.0]) == (6.0, [1.0, 3.0])

        return lambda: made.value_and_grad(X), check

    return case


def minimized() -> Case:
    made = autograd.objective(lambda x: (x[0] * x[1]).exp() + x[0] ** 2, backend="numpy")

    def check(outcome: Outcome) -> None:
        assert made.hessian([0.0, 2.0]).tolist() == [[6.0, 1.0], [1.0, 0.0]]

    return lambda: made.hessian([0.0, 2.0]), check


# What is declared, rests, or is saved


def declared() -> Case:
    """A primitive of one's own, through all the systems that it is tried in, used, and used again."""

    def operation() -> Any:
        @autograd.primitive(partials=[lambda m, z, x: m.exp(x) * 2], symbol="δ")
        def twice(m: Any, x: Any) -> Any:
            return m.exp(x) * 2

        x = Value(0.0)
        y = twice(x)
        y.backward()
        return y.data, x.grad, autograd.grad(autograd.grad(twice))(0.0)

    rows = dict(autograd.TABLE)

    def check(outcome: Outcome) -> None:
        assert outcome.raised is not None or outcome.result == (2.0, 2.0, 2.0)
        assert dict(autograd.TABLE) == rows
        assert operation() == (2.0, 2.0, 2.0)

    return operation, check


def rested() -> Case:
    @autograd.collector_at_rest()
    def call() -> None:
        assert not gc.isenabled()

    def operation() -> Any:
        with autograd.collector_at_rest():
            call()
            with autograd.collector_at_rest():
                return gc.isenabled()

    def check(outcome: Outcome) -> None:
        assert not garbage._resting
        assert outcome.raised is not None or outcome.result is False

    return operation, check


def saved() -> Case:
    """The file is the old one or the new one, and alone."""
    place = Path(os.environ["VALUEGRAD_CACHE"], "saved")
    place.mkdir(exist_ok=True)
    path, model = place / "model.json", nn.MLP(2, [2, 1], seed=1)
    nn.MLP(1, [1], seed=2).save(path)
    old = path.read_bytes()
    model.save(path)
    new = path.read_bytes()
    path.write_bytes(old)

    def check(outcome: Outcome) -> None:
        assert path.read_bytes() in (old, new)
        assert outcome.raised is not None or path.read_bytes() == new
        assert list(place.iterdir()) == [path]

    return lambda: model.save(path), check


def shown() -> Case:
    x = Value(0.5, "x")
    y = (x * x).tanh()

    def check(outcome: Outcome) -> None:
        assert outcome.raised is not None or outcome.result
        assert (x.grad, y.grad) == (0.0, 0.0)

    return lambda: (autograd.draw(y).source, autograd.step_through(y).html, str(autograd.derive(y, x))), check


def reading(read: Callable[[Value, Value, Value], Any]) -> Callable[[], Case]:
    """What reads a graph leaves it as it is."""

    def case() -> Case:
        x, y = Value(0.5, "x"), Value(2.0, "y")
        z = (x * y).exp() + x
        x.grad = 7.0

        def check(outcome: Outcome) -> None:
            assert (x.data, x.grad, y.grad, z.grad) == (0.5, 7.0, 0.0, 0.0)
            assert z.data == math.e + 0.5

        return lambda: read(x, y, z), check

    return case


def derivatives(x: Value, y: Value, z: Value) -> Any:
    def f(v: Any) -> Any:
        return v[0] * v[1] * y

    return (
        autograd.gradients(z, [x, y]), autograd.value_and_grad(f)([1.0, 2.0]), autograd.hessian(f)([1.0, 2.0]),
        autograd.jacobian(lambda v: [f(v), v[0]])([1.0, 2.0]), autograd.jvp(f, [[1.0, 2.0]], [[1.0, 0.0]]),
        autograd.vjp(f, [1.0, 2.0]), autograd.hvp(f)([1.0, 2.0], [1.0, 0.0]),
    )  # fmt: skip


def examined(x: Value, y: Value, z: Value) -> Any:
    return (
        autograd.rounding_error(z), autograd.find_nonfinite(z), autograd.explain(z, x), autograd.check_graph(z),
        autograd.verify_formula("∂C/∂X = W", C=x * y, X=x, W=y).holds,
    )  # fmt: skip


def diagnosed() -> Case:
    model = nn.MLP(2, [2, 1], seed=1)
    for parameter in model.parameters():
        parameter.grad = 2.0
    weights = model.state_dict()

    def check(outcome: Outcome) -> None:
        assert model.state_dict() == weights
        assert all(p.grad == 2.0 for p in model.parameters())

    return lambda: nn.diagnose(model, ROWS, TARGETS), check


def predicted() -> Case:
    """Many rows, for which the model is recorded and known again."""
    rows = [[0.01 * i, 1.0 - 0.02 * i] for i in range(100)]
    model = nn.MLP(2, [2, 1], seed=1)
    expected = [model(row).data for row in rows]

    def check(outcome: Outcome) -> None:
        found = [model.predict(rows), *([outcome.result] if outcome.raised is None else [])]
        assert all(np.allclose(one, expected, rtol=1e-12, atol=0.0) for one in found)

    return lambda: model.predict(rows), check


# Training


ROWS, TARGETS = [[0.0, 1.0], [1.0, -1.0], [0.5, 0.5], [2.0, 0.0]], [0.0, 1.0, 1.0, 0.0]
EPOCHS = 3


def options(compile: bool) -> dict[str, Any]:
    return {
        "loss": "mse", "epochs": EPOCHS, "batch_size": 2, "progress": False, "validation": (ROWS, TARGETS),
        "metrics": ["r2"], "penalty": nn.L2(0.01), "clip_norm": 10.0, "keep_best": True,
        "schedule": nn.schedules.Cosine(EPOCHS), "compile": compile,
    }  # fmt: skip


class Noting(nn.Adam):
    """An optimizer that notes the weights and its means after each of its steps, and before the first."""

    def __init__(self, parameters: Any) -> None:
        super().__init__(parameters, learning_rate=0.05)
        self.seen: list[tuple[list[float], list[float]]] = []
        self.note()

    def note(self) -> None:
        self.seen.append(([p.data for p in self.parameters], [*self.means, *self.squares]))

    def step(self) -> None:
        super().step()
        self.note()


@cache
def whole_steps() -> list[tuple[list[float], list[float]]]:
    model = nn.MLP(2, [2, 1], seed=1)
    optimizer = Noting(model.parameters())
    nn.fit(model, ROWS, TARGETS, optimizer=optimizer, **options(compile=False))
    return optimizer.seen


def is_even(history: History) -> bool:
    measured = [history.validation_losses, history.metrics.get("r2", []), history.validation_metrics.get("r2", [])]
    entries = [history.losses, history.learning_rates, history.seconds, history.penalties, *measured]
    return {len(entry) for entry in entries} == {history.epochs}


def trained(compile: bool) -> Callable[[], Case]:
    """Ctrl-C never leaves ``fit``; its weights are those of a whole step, of the best epoch in the end."""

    def case() -> Case:
        model = nn.MLP(2, [2, 1], seed=1)
        optimizer = nn.Adam(model.parameters(), learning_rate=0.05)

        def check(outcome: Outcome) -> None:
            seen, weights = whole_steps(), [p.data for p in model.parameters()]
            steps = [i for i, (known, _) in enumerate(seen) if np.allclose(weights, known, rtol=1e-9, atol=0.0)]
            assert len(steps) == 1, outcome
            means = [*optimizer.means, *optimizer.squares]
            assert np.allclose(means, seen[optimizer.steps][1], rtol=1e-9, atol=0.0)
            assert optimizer.learning_rate == 0.05
            if outcome.raised is None or optimizer.steps:  # it had begun
                assert all(p.grad == 0.0 for p in model.parameters())
            if isinstance(outcome.raised, KeyboardInterrupt):  # before its first line, or behind its last
                assert outcome.where.endswith(("fit", "<lambda>", "storm"))
                assert outcome.where != "fit" or optimizer.steps == 0
            assert all(is_even(training.history) for training in trainings)
            if outcome.raised is None:
                history = outcome.result
                assert is_even(history)
                assert steps[0] == 2 * (history.best_epoch or 0) or not history.best_epoch
                assert history.interrupted or history.epochs == EPOCHS

        trainings: list[Any] = []
        chosen = {**options(compile), "callbacks": [trainings.append]}
        return lambda: nn.fit(model, ROWS, TARGETS, optimizer=optimizer, **chosen), check

    return case


def looped_by_hand(epochs: bool) -> Callable[[], Case]:
    """``compiled_step``: weights and means of a whole step, from which the next epoch goes on as an eager one does."""
    X, y = np.array(ROWS), np.array(TARGETS)

    def made() -> Any:
        model = nn.MLP(2, [2, 1], seed=1)
        return model, nn.Adam(model.parameters(), learning_rate=0.05)

    def state(model: Any, optimizer: Any) -> list[float]:
        return [*[p.data for p in model.parameters()], *optimizer.means, *optimizer.squares]

    def eager(model: Any, optimizer: Any, seen: list[list[float]]) -> None:
        for first in range(0, 4, 2 if epochs else 4):
            optimizer.zero_grad()
            rows = slice(first, first + (2 if epochs else 4))
            nn.cost(model, ROWS[rows], TARGETS[rows], "mse").backward()
            optimizer.step()
            seen.append(state(model, optimizer))

    def case() -> Case:
        model, optimizer = made()
        step = nn.compiled_step(model, "mse", optimizer, batch_size=2)
        take = step.epoch if epochs else step
        twin = made()
        seen = [state(*twin)]
        eager(*twin, seen)

        def check(outcome: Outcome) -> None:
            assert np.allclose(state(model, optimizer), seen[optimizer.steps], rtol=1e-9, atol=1e-15), outcome
            assert outcome.raised is not None or optimizer.steps == len(seen) - 1
            other = made()
            other[0].load_state_dict(model.state_dict())
            other[1].means[:], other[1].squares[:] = optimizer.means, optimizer.squares
            other[1].steps = optimizer.steps
            eager(*other, [])
            take(X, y)
            assert np.allclose(state(model, optimizer), state(*other), rtol=1e-9, atol=1e-15)

        return lambda: take(X, y), check

    return case


def stepped(f: Any, penalty: Any, X: Any, y: Any, rows: Any, size: int) -> list[tuple[float, ...]]:
    """What ``descended`` is to find after each step, by eager ones: number, state, totals of losses and penalties."""
    numbers, state, total, penalties = 0.5, 0.0, 0.0, 0.0
    seen = [(numbers, state, total, penalties)]
    for first in range(0, len(rows), size):
        w = Value(numbers)
        cost = autograd.mean([f(w, float(X[i]), float(y[i])) for i in rows[first : first + size]])
        added = Value(0.0) if penalty is None else penalty(w)
        (cost + added).backward()
        numbers, state = numbers - 0.125 * w.grad, state + w.grad
        total, penalties = total + cost.data * size, penalties + added.data
        seen.append((numbers, state, total, penalties))
    return seen


def descended(
    backend: str = "auto",
    *,
    size: int = 1,
    threads: int = 1,
    f: Callable[[Value, Any, Any], Any] = lambda w, a, b: (w * a - b) ** 2,
    penalty: Callable[[Value], Any] | None = None,
    gathered: bool = False,
) -> Callable[[], Case]:
    """``descent``: numbers, states, counts, losses and penalties are those of whole steps."""
    steps = 5
    X, y = np.resize([1.0, -1.0, 0.5, 2.0], steps * size), np.resize([0.0, 1.0, 0.5, -1.0, 0.25], steps * size)
    order = random.Random(0).sample(range(steps * size), steps * size) if gathered else None

    def rule(m: Any, p: Any, g: Any, state: Any, rate: Any, step: Any, settings: Any) -> Any:
        return p - rate * g, (state[0] + g,)

    expected: list[Any] = []

    def case() -> Case:
        if not expected:
            expected.append(stepped(f, penalty, X, y, order or range(steps * size), size))
        w, seen = Value(0.5), expected[0]
        made = autograd.descent(
            lambda a, b: f(w, a, b), [w], rule, backend=backend, threads=threads,
            penalty=None if penalty is None else lambda: penalty(w), penalty_may_change=True,
        )  # fmt: skip
        made.begin([[0.0]], 0)

        def operation() -> Any:
            ran = made.run(made.batches(X, y, order), size, rate=0.125)
            made.write()
            return ran

        def check(outcome: Outcome) -> None:
            begun, ran = made.steps, made.ran
            assert (ran.steps, ran.samples) == (begun, begun * size)
            assert len(ran.penalties) == (begun if penalty is not None else 0)
            assert outcome.raised is not None or begun == steps
            if not outcome.came:
                native = [known[3] for known in made._natively.values() if known[3] is not None]
                assert [*map(len, [one._workers for one in native])] == [threads - 1] * len(native)
                assert bool(native) == (backend == "auto")
            made.obey()
            found = [made.numbers[0], made.states[0][0], ran.total, sum(ran.penalties)]
            assert np.allclose(found, seen[begun], rtol=1e-12, atol=1e-15), outcome
            assert np.isclose(w.data, [number for number, *_ in seen], rtol=1e-12, atol=0.0).any()
            made.write()
            assert w.data == made.numbers[0]

        return operation, check

    return case


CASES: dict[str, Callable[[], Case]] = {
    "SGD.step": step_of(nn.SGD, momentum=0.5),
    "RMSprop.step": step_of(nn.RMSprop, momentum=0.5),
    "Adagrad.step": step_of(nn.Adagrad),
    "Adam.step": step_of(nn.Adam),
    "AdamW.step": step_of(nn.AdamW),
    "optimizer.zero_grad": of_leaves(lambda found: nn.SGD(found).zero_grad()),
    "zero_grad": of_leaves(lambda found: autograd.zero_grad({"all": found})),
    "clip_grad_value": of_leaves(lambda found: nn.clip_grad_value(found, 0.5)),
    "clip_grad_norm": of_leaves(lambda found: nn.clip_grad_norm(found, 0.5)),
    "model.zero_grad": of_a_model(lambda model: model.zero_grad()),
    "load_state_dict": of_a_model(loaded),
    "data": of_leaves(lambda found: setattr(found[0], "data", 9.0)),
    "backward": pulled_back,
    "record_lines": with_lines,
    "grad": transformed,
    "check_grads": checked,
    "evaluate": many_digits,
    "collector_at_rest": rested,
    "primitive": declared,
    "show": shown,
    "differentiate": reading(derivatives),
    "examine": reading(examined),
    "save": saved,
    "diagnose": diagnosed,
    "predict": predicted,
    "scan, numpy": looped("numpy"),
    "scan, interpreter": looped("interpreter"),
    "scan, machine": looped("machine"),
    "descent, numpy": descended("numpy"),
    "descent, native": descended(),
    "descent, guards": descended(f=lambda w, a, b: (w * a - b) ** 2 if a > 0.0 else w * w * b),
    "descent, threads": descended(size=2 * CHUNK, threads=2),
    "descent, gathered": descended(size=2, gathered=True),
    "descent, penalty": descended(penalty=lambda w: w * w * 0.25),
    "descent, all": descended(
        size=2 * CHUNK,
        threads=2,
        gathered=True,
        penalty=lambda w: abs(w) * 0.25,
        f=lambda w, a, b: autograd.tanh(w * a - b) if w > 0.25 else (w * a - b) ** 2,
    ),
    "compiled_step": looped_by_hand(False),
    "compiled_step.epoch": looped_by_hand(True),
    "compile, numpy": recorded("numpy"),
    "compile, interpreter": recorded("interpreter"),
    "compile, machine": recorded("machine"),
    "compile, a worker": recorded_with_a_worker,
    "interpreter, threads": in_threads("interpreter"),
    "machine, threads": in_threads("machine"),
    "objective": minimized,
    "fit": trained(False),
    "fit, compiled": trained(True),
}

FAULTS: dict[str, Callable[[int, Callable[[], Any]], Outcome]] = {
    "Ctrl-C": interrupted_at,
    "memory": lambda moment, operation: failing_at(moment, operation, MemoryError),
    "system": lambda moment, operation: failing_at(moment, operation, OSError),
}


#: Each public name that changes something, for a while or for good, and where that is tried.
CHANGING = {
    "Value": ("data", "backward"), "assert_grads": ("check_grads",), "check_grads": ("check_grads",),
    "check_graph": ("examine",), "collector_at_rest": ("collector_at_rest",),
    "compile": (
        "compile, numpy", "compile, interpreter", "compile, machine", "compile, a worker", "interpreter, threads",
        "machine, threads",
    ),
    "derive": ("show",),
    "descent": (
        "descent, numpy", "descent, native", "descent, guards", "descent, threads", "descent, gathered",
        "descent, penalty", "descent, all",
    ),
    "draw": ("show",), "evaluate": ("evaluate",),
    "explain": ("examine",), "find_nonfinite": ("examine",), "grad": ("grad",), "gradients": ("differentiate",),
    "hessian": ("differentiate",), "hvp": ("differentiate",), "jacobian": ("differentiate",),
    "jvp": ("differentiate",), "map": ("scan, numpy",), "objective": ("objective",), "primitive": ("primitive",),
    "record_lines": ("record_lines",), "rounding_error": ("examine",),
    "scan": ("scan, numpy", "scan, interpreter", "scan, machine"), "step_through": ("show",),
    "value_and_grad": ("differentiate",), "verify_formula": ("examine",), "vjp": ("differentiate",),
    "zero_grad": ("zero_grad",),
    "Adagrad": ("Adagrad.step",), "Adam": ("Adam.step",), "AdamW": ("AdamW.step",),
    "CompiledStep": ("compiled_step", "compiled_step.epoch"), "MLP": ("predict", "save"),
    "Module": ("load_state_dict", "model.zero_grad"), "Optimizer": ("optimizer.zero_grad",),
    "RMSprop": ("RMSprop.step",), "SGD": ("SGD.step",), "Sequential": ("predict", "save"), "Training": ("fit",),
    "clip_grad_norm": ("clip_grad_norm",), "clip_grad_value": ("clip_grad_value",),
    "compiled_step": ("compiled_step", "compiled_step.epoch"), "diagnose": ("diagnose",),
    "fit": ("fit", "fit, compiled"),
}  # fmt: skip
#: Those that make something new, or only read.
CHANGING_NOTHING = """
Condition DeclarationError DomainError GradientMismatch GuardError Limit NonFiniteError Primitive Program RecordingError
Report StaleGraphError TABLE find line_of linear log_softmax node norm number_system softmax take variance

ACTIVATIONS Activation Diagnosis History INITIALIZERS L1 L2 LOSSES Layer ModelFileError Neuron NonFiniteLoss
NothingMoved Standardisation Trace bce_with_logits binary_cross_entropy cost cross_entropy half_squared_error hinge
huber load load_csv load_with_extras mae mse train_test_split
"""


def test_every_public_name_that_changes_something_is_tried() -> None:
    names = (public_names() - {row.name for row in autograd.TABLE.values()}) | set(nn.__all__)
    others = set(CHANGING_NOTHING.split())
    assert names == set(CHANGING) | others
    assert not set(CHANGING) & others
    assert {case for cases in CHANGING.values() for case in cases} == set(CASES)


#: What cannot do without the system: it says so.
ASK_THE_SYSTEM = ("save", "show")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled code is written in each case."""
    monkeypatch.setenv("VALUEGRAD_CACHE", str(tmp_path))
    tmp_path.chmod(0o700)


#: What takes steps of a ``descent`` and notes them.
NOTING = ("Descent._step", "Descent._run_natively", "NativeSteps.run", "NativeSteps._note", "Workers.run")


def chosen(functions: list[str], chance: random.Random, name: str) -> set[int]:
    """Some moments of those whose functions these are; for one at least in each function of contexts and of ``fit``,
    and in those that take steps and note them all, or in the short form a few."""
    moments = range(1, len(functions) + 1)
    found = set(chance.sample(moments, min(len(moments), max(LEAST, EVENTS // max(len(moments), 1)))))
    by_function: dict[str, list[int]] = {}
    for moment, function in zip(moments, functions, strict=True):
        if function.endswith(("__enter__", "__exit__")) or (name == "fit" and function.startswith("nn.")):
            by_function.setdefault(function, []).append(moment)
    noting = [moment for moment, function in zip(moments, functions, strict=True) if function.endswith(NOTING)]
    found |= {*(noting if IS_THOROUGH else chance.sample(noting, min(len(noting), 6)))}
    return found | {chance.choice(some) for some in by_function.values()}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", CASES)
def test_all_is_as_before_or_as_after(name: str, fault: str) -> None:
    case, faulty = CASES[name], FAULTS[fault]
    case()[0]()  # what is made once in a process is there
    before = switches()
    operation, check = case()
    whole = faulty(0, operation)
    assert whole.raised is None
    check(whole)
    for moment in chosen(whole.functions, random.Random(name + fault), name):
        operation, check = case()
        outcome = faulty(moment, operation)
        error = {"Ctrl-C": KeyboardInterrupt, "memory": MemoryError, "system": OSError}[fault]
        assert outcome.raised is None or isinstance(outcome.raised, error), outcome
        # The cache of compiled code is never needed.
        assert fault != "system" or outcome.raised is None or name in ASK_THE_SYSTEM, outcome
        where, outcome = outcome.where, outcome._replace(raised=outcome.raised and outcome.raised.with_traceback(None))
        after = switches()
        assert {what: after[what] for what in after if after[what] != before[what]} == {}, (moment, where)
        check(outcome)


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith(("descent", "compiled_step"))])
def test_steps_are_noted_whatever_fails_as_they_are(name: str) -> None:
    for function in NOTING:
        moment, outcome = 0, None
        while outcome is None or (outcome.came and moment < (100 if IS_THOROUGH else 8)):
            moment += 1
            operation, check = CASES[name]()
            outcome = failing_at(moment, operation, MemoryError, function)
            check(outcome._replace(raised=outcome.raised and outcome.raised.with_traceback(None)))


@pytest.mark.parametrize("fault", ["memory", "no thread"])
@pytest.mark.parametrize("name", ["interpreter, threads", "machine, threads", "descent, threads", "descent, all"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_faults_in_threads_of_its_own(name: str, fault: str) -> None:
    case = CASES[name]
    case()[0]()
    before = switches()
    faulty = failing_in_threads_at if fault == "memory" else starting_no_thread_from
    operation, check = case()
    whole = faulty(0, operation)
    assert whole.moments
    moments = range(1, whole.moments + 1)
    firsts = {whole.functions.index(function) + 1 for function in whole.functions}
    for moment in firsts | {*random.Random(name).sample(moments, min(len(moments), 60 if IS_THOROUGH else 8))}:
        operation, check = case()
        outcome = faulty(moment, operation)
        assert outcome.raised is None or isinstance(outcome.raised, MemoryError | RuntimeError), outcome
        outcome = outcome._replace(raised=outcome.raised and outcome.raised.with_traceback(None))
        after = switches()
        assert {what: after[what] for what in after if after[what] != before[what]} == {}, (moment, outcome.where)
        check(outcome)


# Real signals, in processes of their own


def storm(name: str, seconds: float) -> None:
    """Run a case again and again while somebody sends Ctrl-C; after each, all is as it should be."""
    armed: list[bool] = []
    came = 0

    def handler(number: int, frame: Any) -> None:
        nonlocal came
        if armed:
            armed.clear()
            came += 1
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, handler)
    case = CASES[name]
    case()[0]()
    before, end = switches(), time.monotonic() + seconds
    print("ready", flush=True)
    runs = 0
    while time.monotonic() < end or (not came and time.monotonic() < end + 60.0):  # a busy machine sends few
        operation, check = case()
        raised, result, where = None, None, ""
        try:
            armed.append(True)
            result = operation()
            armed.clear()
        except KeyboardInterrupt as error:
            functions = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
            where = [code.co_qualname for code in functions if code.co_name not in ("handler", "_handle")][-1]
            raised = error.with_traceback(None)
        armed.clear()
        after = switches()
        assert {what: after[what] for what in after if after[what] != before[what]} == {}, runs
        check(Outcome(0, raised is not None, raised, result, where, []))
        runs += 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(runs, came, flush=True)


STORMS = ["record_lines", "compile, machine", "fit, compiled"]
if IS_THOROUGH:
    STORMS += ["compile, interpreter", "check_grads", "evaluate", "fit"]


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no Ctrl-C to one process alone")
@pytest.mark.parametrize("name", STORMS)
def test_a_storm_of_ctrl_c(name: str, tmp_path: Path) -> None:
    """llvmlite, interrupted, ended the process with memory freed twice; ``fit`` was left by the error."""
    seconds = 3.0 if IS_THOROUGH else 0.5
    process = run(f"from tests.test_faults import storm; storm({name!r}, {seconds})")
    assert process.stdout.readline() == "ready\n", process.communicate()
    chance = random.Random(name)
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(chance.uniform(0.0, 0.01))
    runs, came = map(int, output_of(process).split())
    assert runs > 0
    assert came > 0
