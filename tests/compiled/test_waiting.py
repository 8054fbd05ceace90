"""Nobody waits in vain: not a forked process for a thread that it has not, nor a thread for one that waits for it."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import RecordingError, Value
from autograd.compiled import waiting
from autograd.compiled.prepared import Prepared
from tests.compiled.elsewhere import Elsewhere
from tests.compiled.processes import output_of, run

X = np.array([1.0, 2.0])

#: A process that forks while a thread is amid something; the child compiles, and uses what the parent had.
FORK = """
import gc, os, signal, threading, warnings
import numpy as np
import autograd, nn
from autograd import Value
from autograd.eager import nodes, watching

warnings.simplefilter("ignore", DeprecationWarning)
os.environ["VALUEGRAD_CACHE"] = ""
X, start = np.array([1.0, 2.0]), threading.Thread.start
shared = autograd.compile(lambda x: x * 2.0, backend="machine")
assert shared(X).tolist() == [2.0, 4.0]
model = nn.MLP(1, [1], seed=0)
step = nn.compiled_step(model, "mse", nn.SGD(model.parameters(), 0.1))
amid, go_on = threading.Event(), threading.Event()

def compiles():
    for k in range(1_000_000):
        c = 0.1 * k
        autograd.compile(lambda x: (x * c).exp() * c + c, backend="machine")(X)
        amid.set()

def records():
    def f(x):
        amid.set()
        go_on.wait()
        return x * 3.0
    autograd.compile(f)(X)

def calls():
    with shared._lock:
        amid.set()
        go_on.wait()

def goes_back():
    def slope(m, z, x):
        amid.set()
        go_on.wait()
        return 1.0
    @autograd.primitive(partials=[slope])
    def same(m, x):
        return x + 0
    same(Value(1.0) * 2.0).backward()

def takes_steps():
    with step._lock:
        amid.set()
        go_on.wait()

def notes_lines():
    with autograd.record_lines():
        amid.set()
        go_on.wait()

threading.Thread(target=WORK, daemon=True).start()
amid.wait()
for _ in range(TIMES):
    child = os.fork()
    if not child:
        signal.alarm(20)
        assert watching.watch is None and threading.Thread.start is start
        assert shared(X).tolist() == [2.0, 4.0]
        c = 7.0
        assert autograd.compile(lambda x: x + c, backend="machine")(X).tolist() == [8.0, 9.0]
        x = Value(3.0)
        (x * x).backward()
        assert x.grad == 6.0
        assert gc.isenabled() and nodes.hook is nodes.no_hook
        assert step(X[:, None], X) > step(X[:, None], X) > 0.0
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
os._exit(0)
"""

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="only POSIX forks")


@forks
@pytest.mark.parametrize("work", ["compiles", "records", "calls", "goes_back", "notes_lines", "takes_steps"])
def test_a_fork_while_a_thread_is_amid_something(work: str) -> None:
    """While one compiles, the moment decides: most of these children hung."""
    times = 12 if work == "compiles" else 1
    output = output_of(run(FORK.replace("WORK", work).replace("TIMES", str(times))))
    assert output.split() == ["0"] * times


FIRST = """
import os, signal, sys, threading, time, warnings
import autograd

warnings.simplefilter("ignore", DeprecationWarning)
thread = threading.Thread(target=lambda: autograd.compile(lambda x: (x * 2.0).tanh())([1.0]))
thread.start()
time.sleep(DELAY)
child = os.fork()
if not child:
    signal.alarm(20)
    os._exit(0 if autograd.compile(lambda x: x[0] * 3.0)([1.0]) == 3.0 else 3)
print(os.waitpid(child, 0)[1])
thread.join()
"""


@forks
@pytest.mark.parametrize("delay", [0.0, 0.001, 0.01, 0.05, 0.1])
def test_a_fork_while_a_thread_compiles_for_the_first_time_and_imports(delay: float) -> None:
    """The child waited for ever for modules that nobody went on to import."""
    assert output_of(run(FIRST.replace("DELAY", str(delay)).replace("(x * 2.0)", "(x[0] * 2.0)"))) == "0"


@forks
def test_a_fork_amid_of_one_s_own_recording_goes_on_with_it() -> None:
    code = (
        "import os, warnings, numpy as np, autograd\n"
        "warnings.simplefilter('ignore', DeprecationWarning)\n"
        "def f(x):\n"
        "    global child\n"
        "    child = os.fork() if child is None else child\n"
        "    return x * 2.0 if x > 0.0 else x\n"
        "child = None\n"
        "assert autograd.compile(f)(np.ones(2)).tolist() == [2.0, 2.0]\n"
        "if not child:\n"
        "    os._exit(0)\n"
        "print(os.waitpid(child, 0)[1])\n"
    )
    assert output_of(run(code)) == "0"


def waits_for(call: Any, pool: Elsewhere, found: list[Any]) -> Any:
    """A function that waits for a call in a thread that was there before, and notes what came of it."""

    def f(x: Any) -> Any:
        try:
            found.append(pool.submit(call).result())
        except RecordingError as error:
            found.append(error)
        return x * 2.0

    return f


@pytest.mark.parametrize("which", ["another", "the same"])
def test_a_recorded_function_that_waits_for_a_recording(which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waited for a thread that waited for it."""
    monkeypatch.setattr(waiting, "PATIENCE", 0.2)
    other = autograd.compile(lambda x: x * 3.0)
    found: list[Any] = []
    with Elsewhere() as pool:
        made: Any = autograd.compile(
            waits_for(lambda: (other if which == "another" else made)(X), pool, found), backend="numpy"
        )
        assert made(X).tolist() == [2.0, 4.0]
    assert [str(error).partition(" waits for a function that another thread records")[2] != "" for error in found]
    assert all(isinstance(error, RecordingError) for error in found)
    assert other(X).tolist() == [3.0, 6.0]


def test_a_call_of_what_is_recorded_already_waits_for_nothing() -> None:
    other = autograd.compile(lambda x: x * 3.0)
    other(X)
    found: list[Any] = []
    with Elsewhere() as pool:
        made = autograd.compile(waits_for(lambda: other(X).tolist(), pool, found), backend="numpy")
        assert made(X).tolist() == [2.0, 4.0]
    assert found
    assert all(numbers == [3.0, 6.0] for numbers in found)


def test_two_threads_record_one_after_the_other() -> None:
    """The one that waits gets its turn, also where that takes longer than a look."""
    recording, w, found = threading.Event(), Value(2.0), []

    def slow(x: Any) -> Any:
        recording.set()
        for _ in range(20_000):
            x = x + w
        return x

    first, second = autograd.compile(slow, backend="interpreter"), autograd.compile(lambda x: x + w)
    thread = threading.Thread(target=lambda: found.append(first(X).tolist()))
    thread.start()
    recording.wait()
    assert second(X).tolist() == [3.0, 4.0]
    thread.join()
    assert found == [[40_001.0, 40_002.0]]


@pytest.mark.parametrize("amid", ["arguments", "samples", "repeated"])
def test_a_handler_that_calls_what_it_interrupts(amid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It put its own numbers in the place of those that were computed with, in silence."""
    w = Value(2.0)
    made = autograd.compile(lambda x: x * w, params=[w], reduce="sum", backend="interpreter")
    assert made.value_and_grad(X)[0] == 6.0
    native = made.report().programs[0].replay
    place, name = {
        "arguments": (Prepared, "refresh"), "samples": (native, "check_count"), "repeated": (native, "start")
    }[amid]  # fmt: skip
    known, refused = getattr(place, name), []

    def handler(*of: Any) -> None:
        with pytest.raises(RuntimeError, match="is called amid of its own call, by a handler of a signal perhaps"):
            made.value_and_grad(10.0 * X)
        refused.append(True)

    def sending(*args: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return known(*args)

    before = signal.signal(signal.SIGINT, handler)
    try:
        monkeypatch.setattr(place, name, sending)
        assert made.value_and_grad(X.copy() if amid == "samples" else X)[0] == 6.0
    finally:
        signal.signal(signal.SIGINT, before)
    assert refused
