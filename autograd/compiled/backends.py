"""Which back end runs a plan, and why."""

from __future__ import annotations

import importlib
import warnings
from importlib.util import find_spec
from typing import NamedTuple

from autograd.compiled import loops
from autograd.compiled.numpy_loops import LoopsOnNumpy
from autograd.compiled.numpy_replay import NumpyReplay
from autograd.compiled.plan import Plan
from autograd.compiled.replay import Replay

BACKENDS = ("auto", "numpy", "interpreter", "machine")

#: Varying instructions of a program that is worth compiling for itself: some 0.15 ms each, and more beyond.
MOST_INSTRUCTIONS = 4000

#: Weights of layers beyond which the interpreter, which takes four neurons at a time, is faster than straight code.
MOST_PRODUCTS = 1000

#: Samples from which on compiling takes less time than it saves: 0.15 ms an instruction against 0.2 ns for each sample.
WORTH_COMPILING = 750_000

_MODULES = {
    "interpreter": ("autograd.compiled.interpreter", "InterpreterReplay"),
    "machine": ("autograd.compiled.machine", "MachineReplay"),
}
_SAID: set[str] = set()


class Options(NamedTuple):
    """What a user chose of how to run."""

    backend: str = "auto"
    threads: int = 1
    expected_samples: int | None = None
    #: Contraction and reassociation are allowed.
    fast: bool = False


DEFAULTS = Options()


def checked(options: Options) -> Options:
    """The options, if they are what they must be.

    Raises:
        ValueError: one is not; it is named.
    """
    if options.backend not in BACKENDS:
        raise ValueError(f"backend is one of {', '.join(BACKENDS)}, not {options.backend!r}")
    if not isinstance(options.threads, int) or options.threads < 1:
        raise ValueError(f"threads is a whole number, at least 1, not {options.threads!r}")
    expected = options.expected_samples
    if expected is not None and (not hasattr(expected, "__index__") or expected < 0):
        raise ValueError(f"expected_samples is a whole number or None, not {expected!r}")
    return options


class Choice(NamedTuple):
    """A plan, ready to run, and why on this back end."""

    replay: Replay
    reason: str


def choose(plan: Plan, options: Options) -> Choice:
    """The plan on a back end; ``auto`` chooses one that can run it.

    Raises:
        ModuleNotFoundError: llvmlite is not installed, and the back end that was asked for needs it.
        NotImplementedError: the back end that was asked for lacks a primitive of the program.
    """
    backend, expected_samples = options.backend, options.expected_samples
    if backend == "numpy":
        return Choice(_on_numpy(plan, options), "asked for")
    if backend != "auto":
        if find_spec("llvmlite") is None:
            raise ModuleNotFoundError(f"the back end {backend!r} needs llvmlite: pip install 'valuegrad[fast]'")
        return Choice(_native(plan, backend, options), "asked for")
    if find_spec("llvmlite") is None:
        if "llvmlite" not in _SAID:
            _SAID.add("llvmlite")
            warnings.warn(
                "llvmlite is not installed, so recorded functions run on NumPy: pip install 'valuegrad[fast]'",
                RuntimeWarning,
                stacklevel=2,
            )
        return Choice(_on_numpy(plan, options), "llvmlite is not installed")
    instructions = sum(plan.varying[plan.program.first_instruction :]) + loops.written_out(plan.program)
    if not instructions:
        chosen, reason = "interpreter", "no operation differs from sample to sample"
    elif expected_samples is not None and expected_samples < WORTH_COMPILING:
        chosen, reason = "interpreter", f"{expected_samples} samples in all, fewer than {WORTH_COMPILING}"
    elif plan.products > MOST_PRODUCTS:
        chosen, reason = "interpreter", f"{plan.products} weights, more than {MOST_PRODUCTS}: it takes whole layers"
    elif instructions <= MOST_INSTRUCTIONS:
        chosen, reason = "machine", f"{instructions} instructions, at most {MOST_INSTRUCTIONS}"
    else:
        chosen, reason = "interpreter", f"{instructions} instructions, more than {MOST_INSTRUCTIONS}"
    try:
        return Choice(_native(plan, chosen, options), reason)
    except NotImplementedError as error:
        return Choice(_on_numpy(plan, options), str(error))


def _on_numpy(plan: Plan, options: Options) -> Replay:
    return LoopsOnNumpy(plan) if loops.has_loops(plan.program) else NumpyReplay(plan, fast=options.fast)


def _native(plan: Plan, backend: str, options: Options) -> Replay:
    module, name = _MODULES[backend]
    return getattr(importlib.import_module(module), name)(plan, options.threads, fast=options.fast)  # type: ignore[no-any-return]
