"""Which back end runs a plan, and why."""

from __future__ import annotations

from autograd.compiled.interpreter import InterpreterReplay
from autograd.compiled.machine import MOST_INSTRUCTIONS, MachineReplay
from autograd.compiled.numpy_replay import NumpyReplay
from autograd.compiled.plan import Plan
from autograd.compiled.replay import Replay

BACKENDS = ("auto", "numpy", "interpreter", "machine")


def replay_for(plan: Plan, backend: str) -> Replay:
    """The plan, ready to run on a back end; ``auto`` chooses."""
    if backend == "numpy":
        return NumpyReplay(plan)
    if backend == "interpreter":
        return InterpreterReplay(plan)
    return MachineReplay(plan)
