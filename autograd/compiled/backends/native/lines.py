"""The lines of a native function as they are put together, LLVM instructions as text.

What names an operand of the interpreter's code is a word; how it is made up says ``words``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograd.compiled.backends.reduction import LANES


class Lines:
    """The lines of a function over vectors of so many numbers, and names that are its own.

    Args:
        first: the first of the numbers in its names.
    """

    def __init__(self, width: int, first: int = 0) -> None:
        self.width = width
        self.vector = f"<{width} x double>"
        #: The bytes of a vector, at a multiple of which each begins.
        self.align = 8 * width
        self.lines: list[str] = []
        self.number = first

    def add(self, *lines: str) -> None:
        self.lines += lines

    def name(self, stem: str) -> str:
        self.number += 1
        return f"%{stem}.{self.number}"

    def word(self, at: str, place: int) -> str:
        """A word of the code, as i64."""
        pointer, word, wide = self.name("w"), self.name("w"), self.name("w")
        self.add(
            f"{pointer} = getelementptr i32, ptr {at}, i64 {place}",
            f"{word} = load i32, ptr {pointer}, align 4",
            f"{wide} = sext i32 {word} to i64",
        )
        return wide

    def operand(self, word: str) -> tuple[str, str]:
        """Where an operand begins, and a mask for the number of a vector: of a shared number it is always the first."""
        place, step, pointer = self.name("o"), self.name("o"), self.name("o")
        moves, base, begin = self.name("o"), self.name("o"), self.name("o")
        self.add(
            f"{place} = lshr i64 {word}, 2",
            f"{step}.is = and i64 {word}, 1",
            f"{step} = sub i64 0, {step}.is",
            f"{moves} = trunc i64 {word} to i2",
            f"{moves}.is = icmp slt i2 {moves}, 0",
            f"{base} = select i1 {moves}.is, i64 %base, i64 0",
            f"{begin} = add i64 {place}, {base}",
            f"{pointer} = getelementptr {self.vector}, ptr %memory, i64 {begin}",
        )
        return pointer, step

    def row(self, word: str) -> str:
        """Where an operand begins that does not move."""
        place, pointer = self.name("o"), self.name("o")
        self.add(f"{place} = lshr i64 {word}, 2", f"{pointer} = getelementptr {self.vector}, ptr %memory, i64 {place}")
        return pointer

    def load(self, operand: tuple[str, str], v: str) -> str:
        """Vector ``v`` of an operand."""
        offset, pointer, number = self.name("l"), self.name("l"), self.name("l")
        self.add(
            f"{offset} = and i64 {v}, {operand[1]}",
            f"{pointer} = getelementptr {self.vector}, ptr {operand[0]}, i64 {offset}",
            f"{number} = load {self.vector}, ptr {pointer}, align {self.align}",
        )
        return number

    def lanes_of(self, place: str, part: int) -> tuple[str, str]:
        """Where a part of the lanes of a sum lies, as many as a vector has, and what they are so far."""
        lanes, at, number = self.name("g"), self.name("g"), self.name("g")
        self.add(
            f"{lanes} = getelementptr [{LANES} x double], ptr %lanes, i64 {place}",
            f"{at} = getelementptr {self.vector}, ptr {lanes}, i64 {part}",
            f"{number} = load {self.vector}, ptr {at}, align {self.align}",
        )
        return at, number

    def splat(self, pointer: str, lanes: int) -> str:
        """The number at a place, in all lanes."""
        one, first, all_of = self.name("b"), self.name("b"), self.name("b")
        kind = f"<{lanes} x double>"
        self.add(
            f"{one} = load double, ptr {pointer}, align 8",
            f"{first} = insertelement {kind} poison, double {one}, i64 0",
            f"{all_of} = shufflevector {kind} {first}, {kind} poison, <{lanes} x i32> zeroinitializer",
        )
        return all_of

    def advance(self, pc: str, words: str) -> str:
        """The place in the code after so many words."""
        after = self.name("pc")
        self.add(f"{after} = getelementptr i32, ptr {pc}, i64 {words}")
        return after


def add_product(t: Lines, result: str, total: str, x: str, y: str, fast: bool, lanes: int = 0) -> None:
    """``result = total + x·y``, for vectors of so many lanes; 0: of as many as the function's have."""
    lanes = lanes or t.width
    kind = f"<{lanes} x double>"
    if fast:
        t.add(f"{result} = call {kind} @llvm.fma.v{lanes}f64({kind} {x}, {kind} {y}, {kind} {total})")
        return
    product = t.name("d")
    t.add(f"{product} = fmul {kind} {x}, {y}", f"{result} = fadd {kind} {total}, {product}")


def loop(t: Lines, label: str, before: str) -> str:
    """The head of a loop over the vectors of a block; its counter."""
    v = f"%{label}.v"
    t.add(f"br label %{label}.loop", f"{label}.loop:", f"{v} = phi i64 [0, %{before}], [{v}.next, %{label}.loop]")
    return v


def loop_end(t: Lines, label: str) -> None:
    v = f"%{label}.v"
    t.add(
        f"{v}.next = add i64 {v}, 1",
        f"{v}.more = icmp slt i64 {v}.next, %n",
        f"br i1 {v}.more, label %{label}.loop, label %{label}.end",
        f"{label}.end:",
    )


def sums_over_samples(
    t: Lines,
    label: str,
    before: str,
    part: int,
    begun: Sequence[str],
    factors: Callable[[str], Sequence[tuple[str, str]]],
    fast: bool,
) -> list[str]:
    """Sums of products over the samples of a part of the lanes, in a loop over vectors; of the last group, those that
    are samples are added.

    Args:
        begun: what the sums are so far.
        factors: loads the two factors of each product for a vector.
    """
    each = range(len(begun))
    at, sums = f"%{label}.v", [f"%{label}.s{j}" for j in each]
    t.add(
        f"%{label}.any = icmp slt i64 {part}, %whole",
        f"br i1 %{label}.any, label %{label}.loop, label %{label}.rest",
        f"{label}.loop:",
        f"{at} = phi i64 [{part}, %{before}], [{at}.next, %{label}.loop]",
        *(
            f"{s} = phi {t.vector} [{first}, %{before}], [{s}.next, %{label}.loop]"
            for s, first in zip(sums, begun, strict=True)
        ),
    )
    for s, (x, y) in zip(sums, factors(at), strict=True):
        add_product(t, f"{s}.next", s, x, y, fast)
    t.add(
        f"{at}.next = add i64 {at}, {LANES // t.width}",
        f"{at}.more = icmp slt i64 {at}.next, %whole",
        f"br i1 {at}.more, label %{label}.loop, label %{label}.rest",
        f"{label}.rest:",
        *(
            f"{s}.whole = phi {t.vector} [{first}, %{before}], [{s}.next, %{label}.loop]"
            for s, first in zip(sums, begun, strict=True)
        ),
        f"br i1 %has.rest, label %{label}.last, label %{label}.end",
        f"{label}.last:",
        f"{at}.last = add i64 %whole, {part}",
    )
    for s, (x, y) in zip(sums, factors(f"{at}.last"), strict=True):
        add_product(t, f"{s}.with", f"{s}.whole", x, y, fast)
        t.add(f"{s}.last = select <{t.width} x i1> %is.sample.{part}, {t.vector} {s}.with, {t.vector} {s}.whole")
    t.add(f"br label %{label}.end", f"{label}.end:")
    t.add(*(f"{s}.all = phi {t.vector} [{s}.whole, %{label}.rest], [{s}.last, %{label}.last]" for s in sums))
    return [f"{s}.all" for s in sums]


def store(t: Lines, row: str, v: str, number: str) -> None:
    at = t.name("s")
    t.add(
        f"{at} = getelementptr {t.vector}, ptr {row}, i64 {v}", f"store {t.vector} {number}, ptr {at}, align {t.align}"
    )


def end(t: Lines, label: str, words: str) -> str:
    after = t.advance("%pc", words)
    t.add("br label %fetch")
    return after
