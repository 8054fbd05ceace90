"""What a compiled function tells of itself: its recordings, back ends, and guards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from autograd.compiled.backends.choice import Choice
from autograd.compiled.backends.replay import Replay
from autograd.compiled.programs import loops
from autograd.compiled.recording.guards import Guard
from autograd.program import Program


class ProgramReport(NamedTuple):
    """One program and how it runs."""

    what: str
    #: Instructions over samples, and those that are the same for all.
    operations: int
    shared_operations: int
    #: Numbers that the program holds: inputs, constants and results.
    slots: int
    sample_inputs: int
    backend: str
    reason: str
    #: Seconds until native code could be called, and whether it came from the disk.
    compile_seconds: float
    cached: bool
    #: How many numbers native code takes in a register, and why: ``numbers`` and ``reason``; ``None`` on NumPy.
    width: Any
    #: The comparisons that must come out as recorded: ``x < 0.5 is True (model.py:14)``; one that was asked in a branch
    #: of ``where`` only for samples that take it.
    guards: tuple[str, ...]
    #: What runs it; ``program`` and ``ir`` show what it holds.
    replay: Replay

    @property
    def program(self) -> Program:
        """The program that is replayed: outputs are the values, then the guards' truths, then the derivatives.

        >>> import numpy as np
        >>> from autograd import Value, compile, tanh
        >>> w = Value(0.5)
        >>> step = compile(lambda x: tanh(w * x), params=[w], backend="numpy")
        >>> _ = step.value_and_grad(np.array([1.0, 2.0]))
        >>> print(step.report().programs[0].program)
        inputs %0 … %1
        %2 = mul %0 %1
        %3 = tanh %2
        %4 = sech2 %2
        %5 = mul %1 %4
        outputs %3 %5
        """
        return self.replay.plan.program

    def ir(self, function: str = "") -> str:
        """The machine code as LLVM's text: the whole module, or one of its functions.

        ``"block"`` is the program itself, over a vector of samples at a time; ``"run"`` calls it for all of them.

        Raises:
            ValueError: this program runs on another back end, or its module has no such function.
        """
        module: str | None = getattr(self.replay, "ir", None)
        if module is None:
            raise ValueError(
                f"{self.backend} has no machine code for this program alone; compile with backend='machine'"
            )
        if not function:
            return module
        texts = [f"define{text}" for text in f"\n{module}".split("\ndefine")[1:]]
        found = {text.partition("(")[0].rpartition("@")[2]: text.partition("\n}")[0] + "\n}" for text in texts}
        if function not in found:
            raise ValueError(f"the module has no function {function!r:.200}; it has {', '.join(found)}")
        return found[function]

    def __str__(self) -> str:
        head = (
            f"{self.what}: {_count(self.operations, 'operation')} over {_count(self.sample_inputs, 'sample input')}, "
            f"{self.shared_operations} shared, {_count(self.slots, 'slot')}; {self.backend}, because {self.reason}"
        )
        lines = [head]
        if self.compile_seconds:
            how = "loaded from the cache" if self.cached else "compiled"
            lines.append(f"  {how} in {self.compile_seconds:.3f} s")
        if self.width is not None:
            lines.append(f"  {self.width}")
        lines += [f"  guard: {guard}" for guard in self.guards]
        return "\n".join(lines)


class Report(NamedTuple):
    """Everything recorded so far."""

    name: str
    recordings: int
    #: Replays that would have gone another way than recorded, so that another recording was taken or made.
    guards_missed: int
    programs: tuple[ProgramReport, ...]

    def __str__(self) -> str:
        head = f"{_count(self.recordings, 'recording')} of {self.name}, {_count(self.guards_missed, 'guard')} missed"
        return "\n".join([head, *(f"  {line}" for program in self.programs for line in str(program).splitlines())])


def described(what: str, choice: Choice, guards: Sequence[Guard]) -> ProgramReport:
    """The report of a plan on its back end."""
    replay = choice.replay
    plan = replay.plan
    program = plan.program
    over_samples = sum(plan.varying[program.first_instruction :])
    return ProgramReport(
        what,
        over_samples + loops.written_out(program),
        len(program) - over_samples,
        program.first_instruction + len(program),
        sum(plan.varying[: program.inputs]),
        replay.name,
        choice.reason,
        replay.compile_seconds,
        replay.is_cached,
        replay.width,
        tuple([_in_words(guard) for guard in guards]),
        replay,
    )


def _in_words(guard: Guard) -> str:
    line = f" ({guard.line})" if guard.line else ""
    if guard.else_wrong:
        return f"else an error: {guard.else_wrong}{line}"
    return f"{guard.text} is {guard.outcome}{line}{', in a branch of where' if guard.within else ''}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
