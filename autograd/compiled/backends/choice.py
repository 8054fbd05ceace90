"""Which back end runs a plan, and why."""

from __future__ import annotations

import importlib
import warnings
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np

from autograd.compiled.backends.machine.layers import LEAST_WEIGHTS
from autograd.compiled.backends.numpy_.recorded_loops import LoopsOnNumpy
from autograd.compiled.backends.numpy_.replay import NumpyReplay
from autograd.compiled.backends.replay import Replay
from autograd.compiled.programs import loops
from autograd.compiled.programs.plan import Plan
from autograd.eager.garbage import collector_at_rest
from autograd.locks import importing
from autograd.number_systems.formulas import used_by
from autograd.primitives import TABLE
from autograd.provenance import lines

BACKENDS = ("auto", "numpy", "interpreter", "machine")

#: Varying instructions of a program that is worth compiling for itself: some 0.05 ms each.
MOST_INSTRUCTIONS = 4000

#: The same of a program that has layers besides: some 0.25 ms each up to here, since their numbers lie in memory, and
#: up to 0.8 ms beyond.
MOST_BESIDE_LAYERS = 1000

#: What layers are made of, dots and what a dot is made of: all else is left for straight code.
_OF_LAYERS = frozenset(["dot", *used_by(TABLE["dot"], rounded=True)])

#: Samples from which on compiling takes less time than it saves: of an instruction 0.05 to 0.25 ms, and 0.1 to 0.2 ns
#: for each sample.
WORTH_COMPILING = 750_000

#: Operands of all steps together, for each instruction to compile, from which on a loop at a single point is worth
#: compiling: some 0.5 ms each that save 5 ns for each operand, so that it pays after five hundred calls.
WORTH_COMPILING_A_LOOP = 200

_MODULES = {
    "interpreter": ("autograd.compiled.backends.interpreter.replay", "InterpreterReplay"),
    "machine": ("autograd.compiled.backends.machine.replay", "MachineReplay"),
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
        raise ValueError(f"backend is one of {', '.join(BACKENDS)}, not {options.backend!r:.200}")
    if not isinstance(options.threads, int) or options.threads < 1:
        raise ValueError(f"threads is a whole number, at least 1, not {options.threads!r:.200}")
    expected = options.expected_samples
    if expected is not None and (not hasattr(expected, "__index__") or expected < 0):
        raise ValueError(f"expected_samples is a whole number or None, not {expected!r:.200}")
    return options


class Choice(NamedTuple):
    """A plan, ready to run, and why on this back end."""

    replay: Replay
    reason: str


def choose(plan: Plan, options: Options) -> Choice:
    """The plan on a back end; ``auto`` chooses one that can run it.

    Raises:
        ImportError: llvmlite cannot be loaded, and the back end that was asked for needs it; a ModuleNotFoundError if
            it is not installed.
        NotImplementedError: the back end that was asked for lacks a primitive of the program.
    """
    backend = options.backend
    if backend == "numpy":
        return Choice(_on_numpy(plan, options), "asked for")
    lack = _lack()
    if backend != "auto":
        if lack is not None:
            kind = ModuleNotFoundError if lack.cause is None else ImportError
            message = f"the back end {backend!r} needs llvmlite, which {lack.reason}: {lack.remedy}"
            raise kind(message, name="llvmlite") from lack.cause
        with collector_at_rest():
            return Choice(_native(plan, backend, options), "asked for")
    if lack is not None:
        _say_once(f"llvmlite {lack.reason}, so recorded functions run on NumPy: {lack.remedy}")
        return Choice(_on_numpy(plan, options), f"llvmlite {lack.reason}")
    try:
        with collector_at_rest():
            return _best_native(plan, options)
    except NotImplementedError as error:
        return Choice(_on_numpy(plan, options), str(error))


def _best_native(plan: Plan, options: Options) -> Choice:
    """Machine code where that is worth its compiling, or else the interpreter."""
    instructions, expected_samples = sum(plan.varying[plan.program.first_instruction :]), options.expected_samples
    if not instructions:
        reason = "no operation differs from sample to sample"
    elif expected_samples is not None and expected_samples < WORTH_COMPILING:
        reason = f"{expected_samples} samples in all, fewer than {WORTH_COMPILING}"
    else:
        of_bodies, least = loops.written_out(plan.program), _least_straight(plan)
        if _is_loop_of_few_steps(plan, instructions + of_bodies):
            reason = f"a single point, and fewer than {WORTH_COMPILING_A_LOOP} operands an instruction in all steps"
            return Choice(_native(plan, "interpreter", options), reason)
        with importing():
            machine = importlib.import_module("autograd.compiled.backends.machine.replay")
        try:
            if least + of_bodies > MOST_INSTRUCTIONS:  # to look for layers would be in vain
                raise machine.TooLongError(instructions, has_layers=False)
            most, most_beside = MOST_INSTRUCTIONS - of_bodies, MOST_BESIDE_LAYERS - of_bodies
            replay = machine.MachineReplay(
                plan, options.threads, fast=options.fast, most=most, most_beside_layers=most_beside
            )
            return Choice(replay, _budget(replay.straight + of_bodies, "at most", has_layers=replay.has_layers))
        except machine.TooLongError as error:
            reason = _budget(error.instructions + of_bodies, "more than", has_layers=error.has_layers)
    return Choice(_native(plan, "interpreter", options), reason)


def _is_loop_of_few_steps(plan: Plan, instructions: int) -> bool:
    """Whether nothing differs by sample, so that what is to be compiled belongs to loops, and their steps are few for
    that."""
    at_a_point = not any(plan.varying[: plan.program.inputs])
    return at_a_point and loops.size(plan.program) < WORTH_COMPILING_A_LOOP * instructions


def _least_straight(plan: Plan) -> int:
    """The instructions that differ by sample and are of no layer for sure, and of nothing that is done with each neuron
    of one: where there are too few weights for a layer worth loops."""
    if plan.program.inputs - sum(plan.varying[: plan.program.inputs]) >= LEAST_WEIGHTS:
        return 0
    counted = np.array([row.name not in _OF_LAYERS for row in plan.program.primitives], bool)
    varying = np.array(plan.varying[plan.program.first_instruction :], bool)
    return int(np.count_nonzero(counted[np.array(plan.program.opcodes, np.intp)[varying]]))


def _budget(instructions: int, relation: str, *, has_layers: bool) -> str:
    if has_layers:
        return f"{instructions} instructions besides layers, {relation} {MOST_BESIDE_LAYERS}"
    return f"{instructions} instructions, {relation} {MOST_INSTRUCTIONS}"


class _Lack(NamedTuple):
    """Why there is no native code, and what helps."""

    reason: str
    remedy: str
    cause: Exception | None = None


def _lack() -> _Lack | None:
    """Why llvmlite cannot be used; ``None`` where it can."""
    if find_spec("llvmlite") is None:
        return _Lack("is not installed", "pip install 'valuegrad[fast]'")
    try:
        with importing():
            importlib.import_module("autograd.compiled.backends.native.jit")
    except (ImportError, OSError) as error:  # a shared library that is broken, or made for another system
        reason = f"is installed but cannot be loaded ({type(error).__name__}: {error})"
        return _Lack(reason, "pip install --force-reinstall llvmlite", error)
    return None


def _say_once(text: str) -> None:
    """Warn at the user's line, once in a process: the text is the same for all functions."""
    if text in _SAID:
        return
    _SAID.add(text)
    frame = lines.user_frame()
    if frame is None:  # called by no line of Python's
        warnings.warn(text, RuntimeWarning, stacklevel=2)
        return
    # What ``warn`` does with a ``stacklevel``; but how many frames of the engine's lie between depends on the call.
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    module = frame.f_globals.get("__name__")
    warnings.warn_explicit(text, RuntimeWarning, frame.f_code.co_filename, frame.f_lineno, module, registry)


def _on_numpy(plan: Plan, options: Options) -> Replay:
    return LoopsOnNumpy(plan) if loops.has_loops(plan.program) else NumpyReplay(plan, fast=options.fast)


def _native(plan: Plan, backend: str, options: Options) -> Replay:
    module, name = _MODULES[backend]
    with importing():
        replay = getattr(importlib.import_module(module), name)
    return replay(plan, options.threads, fast=options.fast)  # type: ignore[no-any-return]
