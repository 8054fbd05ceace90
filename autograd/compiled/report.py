"""What a compiled function tells of itself: its recordings, back ends, and guards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from autograd.compiled.backends import Choice
from autograd.compiled.tracing import Guard


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
    #: The comparisons that must come out as recorded: ``x < 0.5 is True (model.py:14)``.
    guards: tuple[str, ...]

    def __str__(self) -> str:
        head = (
            f"{self.what}: {_count(self.operations, 'operation')} over {_count(self.sample_inputs, 'sample input')}, "
            f"{self.shared_operations} shared; {self.backend}, because {self.reason}"
        )
        lines = [head]
        if self.compile_seconds:
            how = "loaded from the cache" if self.cached else "compiled"
            lines.append(f"  {how} in {self.compile_seconds:.3f} s")
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
    library = getattr(replay, "library", None)
    return ProgramReport(
        what,
        over_samples,
        len(program) - over_samples,
        program.first_instruction + len(program),
        sum(plan.varying[: program.inputs]),
        replay.name,
        choice.reason,
        library.seconds if library is not None else 0.0,
        library.cached if library is not None else False,
        tuple([f"{g.text} is {g.outcome}{f' ({g.line})' if g.line else ''}" for g in guards]),
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
