"""llvmlite is called by one thread at a time, uninterrupted, and by handlers of signals too."""

from __future__ import annotations

import gc
import random
import signal
import traceback
from typing import Any

import numpy as np
import pytest

import autograd
from autograd.compiled.backends.native import cache, jit
from tests.faults import interrupted_at

X = np.array([1.0, 2.0])


def machine_code(constant: float) -> Any:
    made = autograd.compile(lambda x: x * constant, backend="machine")
    assert made(X).tolist() == (X * constant).tolist()
    return made


@pytest.mark.parametrize("name", ["SIGINT", "SIGALRM", "SIGWINCH"])
@pytest.mark.parametrize("amid", ["key_of", "read", "write"])
def test_a_handler_that_compiles_amid_of_a_compilation(name: str, amid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waited for the lock that its own thread held. Some signals wait themselves, others' handlers are nested."""
    if not hasattr(signal, name):
        pytest.skip(f"there is no {name} on this system")
    monkeypatch.setenv("VALUEGRAD_CACHE", "")
    machine_code(1.5)
    number, known, compiled = getattr(signal, name), getattr(cache, amid), []

    def sending(*args: Any) -> Any:
        if not compiled:
            compiled.append(None)
            signal.raise_signal(number)
        return known(*args)

    before = signal.signal(number, lambda *of: compiled.append(machine_code(2.5)))
    try:
        monkeypatch.setattr(cache, amid, sending)
        machine_code(3.5)
    finally:
        signal.signal(number, before)
    assert len(compiled) == 2
    assert compiled[1](X).tolist() == [2.5, 5.0]


def test_code_that_is_used_no_more_is_given_back() -> None:
    """By the next compilation: so llvmlite is never called from wherever an object goes."""
    machine_code(0.5)
    gc.collect()
    machine_code(0.5)
    loaded = len(jit._HANDLES)
    made = [machine_code(0.5 + k) for k in range(5)]
    assert len(jit._HANDLES) >= loaded + 4
    function = made[0].report().programs[0].replay._run
    del made
    gc.collect()
    machine_code(0.5)
    assert len(jit._HANDLES) <= loaded + 2
    assert function.library._addresses  # its code stays as long as it can be called


def test_nothing_interrupts_llvmlite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever Ctrl-C comes, it is raised when llvmlite has returned."""
    monkeypatch.setenv("VALUEGRAD_CACHE", "")

    def load() -> Any:
        return jit.load("define i32 @f() {\n ret i32 1\n}", "f")

    load()
    moments = interrupted_at(0, load).moments
    raised = 0
    for moment in random.Random(5).sample(range(1, moments + 1), min(moments, 60)):
        outcome = interrupted_at(moment, load)
        error = outcome.raised
        assert outcome.came
        if error is not None:
            raised += 1
            files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
            assert not [file for file in files if "llvmlite" in file], outcome
    assert raised > 30
