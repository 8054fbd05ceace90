"""A report tells what was recorded and how it runs, and shows the program and the machine code themselves."""

import re
from importlib.util import find_spec

import numpy as np
import pytest

import autograd
from autograd import Value, tanh
from autograd.compiled.function import Compiled
from autograd.interpret import run_forward
from autograd.number_systems import floats

runs_natively = pytest.mark.skipif(find_spec("llvmlite") is None, reason="needs llvmlite")

X = np.array([0.5, -1.0, 2.0, 0.25, 3.0])


def neuron(backend: str, *, fast: bool = False) -> tuple[Compiled, list[Value]]:
    w, b = Value(0.5, "w"), Value(-0.25, "b")
    step = autograd.compile(lambda x: tanh(w * x + b), params=[w, b], backend=backend, fast=fast)
    return step, [w, b]


def test_the_program_computes_what_the_call_returns() -> None:
    step, _ = neuron("numpy")
    value, grads = step.value_and_grad(X)
    (report,) = step.report().programs
    assert len(report.program) == report.operations + report.shared_operations
    assert report.program.first_instruction + len(report.program) == report.slots
    assert len(report.program.outputs) == 3
    runs = [run_forward(report.program, [0.5, x, -0.25], floats) for x in X]
    parts = [[numbers[slot] for slot in report.program.outputs] for numbers in runs]
    assert np.mean(parts, axis=0) == pytest.approx([value, *grads], rel=1e-15, abs=0.0)


def test_there_is_one_program_for_values_and_one_for_gradients() -> None:
    step, _ = neuron("numpy")
    assert step.report().programs == ()
    step(X)
    step.value_and_grad(X)
    what = {program.what: str(program.program) for program in step.report().programs}
    assert set(what) == {"values", "gradient"}
    assert len(what["values"].splitlines()) < len(what["gradient"].splitlines())


def test_back_ends_without_machine_code_say_so() -> None:
    step, _ = neuron("numpy")
    step(X)
    with pytest.raises(ValueError, match=r"numpy has no machine code .*; compile with backend='machine'"):
        step.report().programs[0].ir()


@runs_natively
def test_machine_code_can_be_read() -> None:
    step, _ = neuron("machine")
    step.value_and_grad(X)
    (report,) = step.report().programs
    block = report.ir("block")
    assert block.startswith("define internal void @block(")
    assert block.endswith("\n}")
    assert block.count("\ndefine") == 0
    assert len(re.findall(r"call .* @tanh", block)) == 1
    products = [name for name, _ in report.program.instructions() if name.name == "mul"]
    assert len(re.findall(rf"= fmul <{report.width.numbers} x double>", block)) == len(products)
    module = report.ir()
    assert block in module
    assert report.ir("run") in module
    with pytest.raises(ValueError, match=r"the module has no function 'main'; it has .*block, run"):
        report.ir("main")


@runs_natively
@pytest.mark.parametrize("fast", [False, True])
def test_the_code_shown_is_the_code_that_runs(monkeypatch: pytest.MonkeyPatch, fast: bool) -> None:
    from autograd.compiled.backends.machine import replay

    loaded = []
    original = replay.load
    monkeypatch.setattr(replay, "load", lambda text, *rest: loaded.append(text) or original(text, *rest))
    step, _ = neuron("machine", fast=fast)
    step(X)
    assert loaded == [step.report().programs[0].ir()]
    assert (" contract " in step.report().programs[0].ir("block")) is fast


@runs_natively
def test_the_interpreter_has_no_code_of_its_own_for_a_program() -> None:
    step, _ = neuron("interpreter")
    step(X)
    with pytest.raises(ValueError, match="interpreter has no machine code for this program alone"):
        step.report().programs[0].ir()
