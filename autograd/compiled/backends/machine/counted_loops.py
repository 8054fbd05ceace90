"""Counted loops among the lines of a function: labels, steps, and numbers that are carried from step to step."""

from __future__ import annotations

from collections.abc import Sequence

from autograd.number_systems.llvm.emitter import Emitter


class CountedLoops:
    """Writes loops into an emitter's lines.

    Args:
        block: the name of the basic block that lines go to at first.
    """

    def __init__(self, emitter: Emitter, block: str) -> None:
        self._emitter = emitter
        #: The name of the basic block that lines go to now.
        self.block = block

    def begin(self, first: int | str) -> CountedLoop:
        """The head of a loop; lines go into its body now."""
        label = self._emitter.name()[1:]
        step = f"%{label}.step"
        self._emitter.lines += [
            f"br label %{label}",
            f"{label}:",
            f"{step} = phi i64 [{first}, %{self.block}], [{step}.next, %{label}.back]",
        ]
        loop = CountedLoop(label, step, self.block, len(self._emitter.lines))
        self.block = label
        return loop

    def carry(self, loop: CountedLoop, names: Sequence[str], firsts: Sequence[str], following: Sequence[str]) -> None:
        """Numbers that a loop carries: their names in its body, and what they are at first and at the next step."""
        kind = self._emitter.number_type
        self._emitter.lines[loop.head : loop.head] = [
            f"{name} = phi {kind} [{first}, %{loop.before}], [{after}, %{loop.label}.back]"
            for name, first, after in zip(names, firsts, following, strict=True)
        ]

    def end(self, loop: CountedLoop, by: int, last: int | str) -> None:
        """The end of a loop; lines come after it now.

        Args:
            last: the step that is the last one.
        """
        step, label = loop.step, loop.label
        self._emitter.lines += [
            f"br label %{label}.back",
            f"{label}.back:",
            f"{step}.next = add i64 {step}, {by}",
            f"{step}.more = icmp ne i64 {step}, {last}",
            f"br i1 {step}.more, label %{label}, label %{label}.end",
            f"{label}.end:",
        ]
        self.block = f"{label}.end"


class CountedLoop:
    """A loop that was begun: ``step`` counts its steps."""

    def __init__(self, label: str, step: str, before: str, head: int) -> None:
        self.label = label
        self.step = step
        #: The basic block that it is entered from, and the place of its first line.
        self.before = before
        self.head = head
