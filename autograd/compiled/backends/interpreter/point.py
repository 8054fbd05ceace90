"""The interpreter for what all samples share, or at a single point: equal operations over rows, and long sums."""

from __future__ import annotations

from autograd.compiled.backends.interpreter.lines import Lines, end
from autograd.compiled.backends.interpreter.operations import arity, body, operations
from autograd.compiled.backends.interpreter.words import SUM
from autograd.compiled.backends.levels import ROWS
from autograd.number_systems.llvm.emitter import Emitter


def point(emitter: Emitter) -> str:
    """``operation, count of fours, first row of the result, rows of x …, rows of y …``, until an ``END``."""
    t = Lines(ROWS, 2_000_000)
    t.add("define void @point(ptr noalias %numbers, ptr noalias %code) {", "entry:", "br label %fetch", "fetch:")
    code = Lines(ROWS, 3_000_000)
    nexts = [(f"op.{name}", _operation(emitter, code, name)) for name in operations()]
    nexts.append(("op.sum", _sum(code)))
    cases = [f"i32 {number}, label %op.{name}" for name, number in (operations() | {"sum": SUM}).items()]
    arrivals = ", ".join(["[%code, %entry]", *(f"[{pc}, %{label}.end]" for label, pc in nexts)])
    t.add(
        f"%pc = phi ptr {arrivals}",
        "%op = load i32, ptr %pc, align 4",
        f"switch i32 %op, label %done [{' '.join(cases)}]",
        *code.lines,
        "done:",
        "ret void",
        "}",
    )
    return "\n".join(t.lines)


def _operation(emitter: Emitter, code: Lines, name: str) -> str:
    """The loop over the fours of a group."""
    label = f"op.{name}"
    v = f"%{label}.v"
    code.add(f"{label}:")
    fours, first = code.word("%pc", 1), code.word("%pc", 2)
    rows = code.name("r")
    code.add(
        f"{rows} = getelementptr i32, ptr %pc, i64 3",
        f"%{label}.n = shl i64 {fours}, 2",
        f"br label %{label}.loop",
        f"{label}.loop:",
        f"{v} = phi i64 [0, %{label}], [{v}.next, %{label}.loop]",
    )
    numbers = []
    for i in range(arity(name)):
        begin, at, here = (code.name("i") for _ in range(3))
        code.add(
            f"{begin} = mul i64 %{label}.n, {i}",
            f"{at} = add i64 {begin}, {v}",
            f"{here} = getelementptr i32, ptr {rows}, i64 {at}",
        )
        numbers.append(_four_rows(code, here))
    result = body(emitter, name, code, numbers)
    place, to = code.name("q"), code.name("q")
    code.add(
        f"{place} = add i64 {first}, {v}",
        f"{to} = getelementptr double, ptr %numbers, i64 {place}",
        f"store {code.vector} {result}, ptr {to}, align 32",
        f"{v}.next = add i64 {v}, {ROWS}",
        f"{v}.more = icmp slt i64 {v}.next, %{label}.n",
        f"br i1 {v}.more, label %{label}.loop, label %{label}.end",
        f"{label}.end:",
    )
    words, length = code.name("q"), code.name("q")
    code.add(f"{words} = mul i64 %{label}.n, {arity(name)}", f"{length} = add i64 {words}, 3")
    return end(code, label, length)


def _four_rows(code: Lines, here: str) -> str:
    """The numbers of the four rows that stand there, as one vector."""
    vector = "poison"
    for lane in range(ROWS):
        row = code.word(here, lane)
        where, x, joined = (code.name("x") for _ in range(3))
        code.add(
            f"{where} = getelementptr double, ptr %numbers, i64 {row}",
            f"{x} = load double, ptr {where}, align 8",
            f"{joined} = insertelement {code.vector} {vector}, double {x}, i64 {lane}",
        )
        vector = joined
    return vector


def _sum(t: Lines) -> str:
    """``sum, row of the result, count, rows …``: two numbers or more, added one after the other."""
    t.add("op.sum:")
    out, count = t.word("%pc", 1), t.word("%pc", 2)
    t.add("%sum.rows = getelementptr i32, ptr %pc, i64 3")
    row, at, first = t.word("%sum.rows", 0), t.name("q"), t.name("q")
    t.add(f"{at} = getelementptr double, ptr %numbers, i64 {row}", f"{first} = load double, ptr {at}, align 8")
    t.add(
        "br label %op.sum.loop",
        "op.sum.loop:",
        "%sum.i = phi i64 [1, %op.sum], [%sum.next, %op.sum.loop]",
        f"%sum.total = phi double [{first}, %op.sum], [%sum.more, %op.sum.loop]",
        "%sum.at = getelementptr i32, ptr %sum.rows, i64 %sum.i",
    )
    row = t.word("%sum.at", 0)
    t.add(
        f"%sum.p = getelementptr double, ptr %numbers, i64 {row}",
        "%sum.x = load double, ptr %sum.p, align 8",
        "%sum.more = fadd double %sum.total, %sum.x",
        "%sum.next = add i64 %sum.i, 1",
        f"%sum.go = icmp slt i64 %sum.next, {count}",
        "br i1 %sum.go, label %op.sum.loop, label %op.sum.end",
        "op.sum.end:",
        f"%sum.to = getelementptr double, ptr %numbers, i64 {out}",
        "store double %sum.more, ptr %sum.to, align 8",
        f"%sum.words = add i64 {count}, 3",
    )
    return end(t, "op.sum", "%sum.words")
