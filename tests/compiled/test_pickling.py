"""Compiled functions in pickles and in other processes."""

import multiprocessing
import os
import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import RecordingError, Value
from autograd.compiled.function import Compiled
from autograd.cotangents import Term
from autograd.loops.recorder import Body
from autograd.primitives import TABLE
from tests.compiled.processes import output_of, run
from tests.compiled.replays import BACKENDS

X = np.array([1.0, 2.0, 3.0])
SHARED = Value(2.0, "shared")


def at_the_top(x: Value) -> Any:
    return SHARED * x * x if x > 0 else SHARED * x


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_pickle_has_programs_and_leaves(backend: str) -> None:
    w = Value(0.5)
    step = autograd.compile(lambda x: w * x, params=[w], backend=backend, reduce="sum")
    step.value_and_grad(X)
    again = pickle.loads(pickle.dumps(step))
    value, grads = again.value_and_grad(X)
    assert (value, grads.tolist(), again.recordings) == (3.0, [6.0], 1)
    again.params[0].data = 2.0
    assert again.value_and_grad(X)[0] == 12.0
    assert step.value_and_grad(X)[0] == 3.0
    with pytest.raises(RecordingError, match=r"could not be pickled with its recordings.*top of a module"):
        again(np.ones((2, 2)))
    objective = autograd.objective(lambda x: w * x[0] * x[1], backend=backend)
    objective([1.0, 2.0])
    value, gradient = pickle.loads(pickle.dumps(objective))([3.0, 4.0])
    assert (value, gradient.tolist()) == (6.0, [2.0, 1.5])


def test_a_pickle_keeps_count() -> None:
    step = autograd.compile(lambda x: 2.0 * x if x > 1.5 else x, backend="numpy")
    step(X[1:])
    step(X[:1])
    again = pickle.loads(pickle.dumps(step))
    assert again(X[1:]).tolist() == step(X[1:]).tolist() == [4.0, 6.0]
    assert str(again.report()).splitlines()[0] == str(step.report()).splitlines()[0]
    assert str(again.report()).startswith("2 recordings of <lambda>, 2 guards missed\n  values: ")


@pytest.mark.parametrize("look", [Compiled.report, pickle.dumps], ids=["report", "pickle"])
def test_who_looks_waits_for_a_call_that_is_under_way(look: Any) -> None:
    called, proceed = threading.Event(), threading.Event()

    def f(x: Value) -> Value:
        called.set()
        assert proceed.wait(60)
        return 2.0 * x

    step = autograd.compile(f, backend="numpy")
    looked: list[Any] = []
    threads = [threading.Thread(target=step, args=(X,)), threading.Thread(target=lambda: looked.append(look(step)))]
    threads[0].start()
    assert called.wait(60)
    threads[1].start()
    threads[1].join(0.05)
    assert not looked  # it would have been there, 0.05 s being a hundred times what it takes
    proceed.set()
    for thread in threads:
        thread.join(60)
    found = looked[0] if look is Compiled.report else pickle.loads(looked[0])
    assert found.recordings == 1


def test_what_was_never_called_pickles_if_its_function_does() -> None:
    again = pickle.loads(pickle.dumps(autograd.compile(at_the_top)))
    assert again(X).tolist() == [2.0, 8.0, 18.0]
    with pytest.raises(RecordingError, match="could not be pickled"):
        pickle.loads(pickle.dumps(autograd.compile(lambda x: x)))(X)


def test_leaves_of_a_pickle_and_of_the_code_are_never_mixed() -> None:
    step = autograd.compile(at_the_top, params=[SHARED])
    step.value_and_grad(X)
    again = pickle.loads(pickle.dumps(step))
    assert again.value_and_grad(X)[1].tolist() == [14 / 3]
    with pytest.raises(RecordingError, match=r"came back from a pickle with leaves of its own.*'shared'"):
        again.value_and_grad(-X)


def test_models_come_back_with_their_parameters() -> None:
    model = nn.MLP(1, [2, 1])
    scores = autograd.compile(model)
    before = scores(X[:, None])
    again, other = pickle.loads(pickle.dumps((scores, model)))
    assert again(X[:, None]).tolist() == before.tolist()
    for parameter in other.parameters():
        parameter.data = 0.0
    assert again(X[:, None]).tolist() == [0.0] * 3
    assert again([1.0]) == 0.0  # recorded anew, for other arguments


def test_a_pickle_runs_in_a_new_process(tmp_path: Path) -> None:
    w = Value(0.5)
    step = autograd.compile(lambda x: w * x, params=[w], reduce="sum")
    step.value_and_grad(X)
    path = tmp_path / "step"
    path.write_bytes(pickle.dumps(step))
    code = (
        "import pickle, numpy as np\n"
        f"with open({str(path)!r}, 'rb') as file:\n    step = pickle.load(file)\n"
        "print(step.value_and_grad(np.array([1.0, 2.0, 3.0]))[0], step.report().programs[0].cached)"
    )
    assert output_of(run(code)) == "3.0 True"


def works_in_a_worker(step: Any) -> Any:
    return step.value_and_grad(np.arange(5000.0))[0]


def test_worker_processes() -> None:
    w = Value(0.5)
    step = autograd.compile(lambda x: w * x, params=[w], threads=2)
    here = works_in_a_worker(step)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        # A worker that cannot read its task says nothing.
        assert pool.apply_async(works_in_a_worker, (step,)).get(timeout=60) == here


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only POSIX forks")
def test_a_forked_process_has_threads_of_its_own() -> None:
    code = (
        "import os, warnings, autograd, numpy as np\n"
        "warnings.simplefilter('ignore', DeprecationWarning)\n"
        "x = np.arange(5000.0)\n"
        "f = autograd.compile(lambda x: x * 2.0, threads=2, backend='machine')\n"
        "f(x)\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(0 if f(x)[4999] == 9998.0 else 1)\n"
        "print(os.waitpid(child, 0)[1])\n"
    )
    assert output_of(run(code)) == "0"


def set_item(items: Any, place: int, new: Any) -> None:
    items[place] = new


FORGED: dict[str, Any] = {
    "an operand beyond all slots": lambda trace: set_item(trace.program.operands, 0, 10**8),
    "an operand before all slots": lambda trace: set_item(trace.program.operands, 0, -(10**8)),
    "an operand that is its own": lambda trace: set_item(trace.program.operands, 0, trace.program.first_instruction),
    "places of operands": lambda trace: set_item(trace.program.starts, 1, 10**8),
    "an opcode": lambda trace: set_item(trace.program.opcodes, 0, 60_000),
    "another primitive": lambda trace: setattr(trace.program, "primitives", (TABLE["clip"],) * 9),
    "more inputs": lambda trace: setattr(trace.program, "inputs", 50),
    "no inputs": lambda trace: setattr(trace.program, "inputs", -1),
    "an output of the program": lambda trace: setattr(trace.program, "outputs", (10**9,)),
    "an output": lambda trace: set_item(trace.outputs, 0, 10**9),
    "an order": lambda trace: set_item(trace.order, 0, 10**9),
    "an order upside down": lambda trace: trace.order.reverse(),
    "terms of no slot": lambda trace: trace.terms.update({10**9: [Term(trace.order[0])]}),
    "terms from nowhere": lambda trace: trace.terms.update({0: [Term(10**9)]}),
    "terms under nothing": lambda trace: trace.terms.update({0: [Term(trace.order[0], ((10**9, True),))]}),
    "terms that are none": lambda trace: trace.terms.update({0: [3]}),
    "an argument": lambda trace: set_item(trace.arguments, 0, 77),
    "no argument": lambda trace: set_item(trace.arguments, 0, -1),
    "a leaf": lambda trace: set_item(trace.leaves, 0, 3.0),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_pickle_says_so(name: str) -> None:
    step = autograd.compile(at_the_top, params=[SHARED], backend="numpy")
    step.value_and_grad(X)
    (recordings,) = step._runs.recordings.values()
    FORGED[name](recordings.kept[0].trace)
    with pytest.raises(ValueError, match=r"^a (program|recording) in this pickle is damaged: "):
        pickle.loads(pickle.dumps(step))


def test_a_forged_loop_says_so() -> None:
    step = autograd.compile(
        lambda x: autograd.scan(lambda c, e: (c * e, c), x, [x] * 9, unroll=False)[0], backend="numpy"
    )
    step(X)
    (recordings,) = step._runs.recordings.values()
    (body,) = [row.formula for row in recordings.kept[0].trace.program.primitives if isinstance(row.formula, Body)]
    for attribute, forged, said in (
        ("steps", 10**9, "does not fit its operands"),
        ("carries", -1, "damaged"),
        ("elements", 7, "inputs and 2 outputs"),
        ("order", [3000], "there is not"),
        ("terms", {0: [Term(3000)]}, "there is not"),
        ("terms", [3], "damaged"),
    ):
        right = getattr(body, attribute)
        setattr(body, attribute, forged)
        with pytest.raises(ValueError, match=said):
            pickle.loads(pickle.dumps(step))
        setattr(body, attribute, right)
    assert pickle.loads(pickle.dumps(step))(X).tolist() == step(X).tolist()
