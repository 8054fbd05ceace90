"""What all samples share, or a whole plan at a single point: an interpreter of its own for every native back end.

Groups of equal operations run over the rows of one array, four rows at a time; NumPy would take a microsecond or more
for each group.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from autograd.compiled.backends.levels import ROWS, Levels
from autograd.compiled.backends.memory import address
from autograd.compiled.backends.native.jit import Library, load
from autograd.compiled.backends.native.lines import Lines, add_product, end
from autograd.compiled.backends.native.operations import arity, body, operations
from autograd.number_systems.llvm import kernels
from autograd.number_systems.llvm.emitter import Emitter

#: The operations that are no primitives of a fixed number of operands.
END, SUM, DOT = range(3)

#: Groups whose code is made at once.
_AT_ONCE = 1 << 16


@cache
def library() -> Library:
    """The code, loaded once in a process: ``point(numbers, code)`` runs a code over the rows of numbers."""
    return load(_text(), "point")


class SharedCode:
    """The code of a plan's uniform groups.

    Raises:
        NotImplementedError: native code lacks a primitive of theirs.
    """

    def __init__(self, levels: Levels) -> None:
        self._words = _code_of(levels)
        self._point = library().function("point", ctypes.c_void_p, ctypes.c_void_p)
        #: The addresses of the function, and of its code.
        self.entry = library().address("point"), address(self._words)

    def __call__(self, uniform: Any) -> None:
        """Compute the rows of the uniform array."""
        self._point(address(uniform), self.entry[1])


def _text() -> str:
    """``operation, count of fours, first row of the result, rows of x …, rows of y …``, until an ``END``."""
    emitter = Emitter(ROWS, kernels.call)
    t = Lines(ROWS, 2_000_000)
    t.add("define void @point(ptr noalias %numbers, ptr noalias %code) {", "entry:", "br label %fetch", "fetch:")
    code = Lines(ROWS, 3_000_000)
    nexts = [(f"op.{name}", _operation(emitter, code, name)) for name in operations()]
    nexts += [("op.sum", _sum(code)), ("op.dot", _dot(code))]
    cases = [f"i32 {number}, label %op.{name}" for name, number in (operations() | {"sum": SUM, "dot": DOT}).items()]
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
    return "\n".join([*sorted(emitter.declarations), *emitter.functions.values(), *t.lines])


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


def _dot(t: Lines) -> str:
    """``dot, count of fours, first row of the result, pairs, rows of x1 …, of x2 …, of y1 …, of y2 …, of the starts``:
    each start + x1·y1 + x2·y2 + …, left to right."""
    t.add("op.dot:")
    fours, first, pairs = (t.word("%pc", i) for i in (1, 2, 3))
    t.add(
        "%dot.rows = getelementptr i32, ptr %pc, i64 4",
        f"%dot.n = shl i64 {fours}, 2",
        f"%dot.words = mul i64 %dot.n, {pairs}",
        "%dot.ys = getelementptr i32, ptr %dot.rows, i64 %dot.words",
        "%dot.starts = getelementptr i32, ptr %dot.ys, i64 %dot.words",
        "br label %op.dot.loop",
        "op.dot.loop:",
        "%dot.v = phi i64 [0, %op.dot], [%dot.v.next, %op.dot.store]",
        "%dot.start.at = getelementptr i32, ptr %dot.starts, i64 %dot.v",
    )
    start = _four_rows(t, "%dot.start.at")
    t.add(
        "br label %op.dot.pair",
        "op.dot.pair:",
        "%dot.at = phi i64 [%dot.v, %op.dot.loop], [%dot.at.next, %op.dot.pair]",
        f"%dot.total = phi {t.vector} [{start}, %op.dot.loop], [%dot.more, %op.dot.pair]",
        "%dot.x.at = getelementptr i32, ptr %dot.rows, i64 %dot.at",
        "%dot.y.at = getelementptr i32, ptr %dot.ys, i64 %dot.at",
    )
    x, y = _four_rows(t, "%dot.x.at"), _four_rows(t, "%dot.y.at")
    add_product(t, "%dot.more", "%dot.total", x, y, fast=False)
    t.add(
        "%dot.at.next = add i64 %dot.at, %dot.n",
        "%dot.go = icmp slt i64 %dot.at.next, %dot.words",
        "br i1 %dot.go, label %op.dot.pair, label %op.dot.store",
        "op.dot.store:",
        f"%dot.place = add i64 {first}, %dot.v",
        "%dot.to = getelementptr double, ptr %numbers, i64 %dot.place",
        f"store {t.vector} %dot.more, ptr %dot.to, align 32",
        f"%dot.v.next = add i64 %dot.v, {ROWS}",
        "%dot.again = icmp slt i64 %dot.v.next, %dot.n",
        "br i1 %dot.again, label %op.dot.loop, label %op.dot.end",
        "op.dot.end:",
        "%dot.twice = shl i64 %dot.words, 1",
        "%dot.all = add i64 %dot.twice, %dot.n",
        "%dot.length = add i64 %dot.all, 4",
    )
    return end(t, "op.dot", "%dot.length")


def _code_of(levels: Levels) -> Any:
    """The code of the uniform groups: a group that is no multiple of four repeats one of its members."""
    members, bounds, first_rows = levels.ranges[0]
    sizes, leaders = np.diff(bounds), members[bounds[:-1]] - levels.first
    opcodes = levels.opcodes[leaders]
    is_sum = opcodes == len(levels.names) - 1
    counts = levels.starts[leaders + 1] - levels.starts[leaders]
    counts[is_sum] = [len(levels.sums[slot]) for slot in (leaders[is_sum] + levels.first).tolist()]
    padded = np.where(is_sum, 1, sizes + -sizes % ROWS)
    here = _operation_of_each(levels.names, opcodes)[opcodes]
    is_dot = here == DOT
    heads = 3 + is_dot
    ends = np.cumsum(heads + counts * padded)
    at = ends - counts * padded
    code = np.full(ends[-1] + 1 if len(ends) else 1, END, np.int32)
    code[at - heads] = here
    code[at - heads + 1] = np.where(is_sum, first_rows, padded // ROWS)
    code[at - heads + 2] = np.where(is_sum, counts, first_rows)
    code[at[is_dot] - 1] = counts[is_dot] // 2
    for place, slot in zip(at[is_sum].tolist(), (leaders[is_sum] + levels.first).tolist(), strict=True):
        code[place : place + len(levels.sums[slot])] = levels.row_of[levels.sums[slot]]
    for g in np.flatnonzero(is_dot).tolist():
        slots = members[bounds[g] + np.minimum(np.arange(padded[g]), sizes[g] - 1)]
        operands = levels.operands[levels.starts[slots - levels.first] + np.arange(counts[g])[:, None]]
        code[at[g] : at[g] + operands.size] = levels.row_of[operands].reshape(-1)
    few = ~(is_sum | is_dot)
    for start in range(0, len(sizes), _AT_ONCE):
        some = start + np.flatnonzero(few[start : start + _AT_ONCE])
        for argument in range(counts[some].max(initial=0)):
            group = some[counts[some] > argument]
            group, within = np.repeat(group, padded[group]), _count_up(padded[group])
            slots = members[bounds[group] + np.where(within < sizes[group], within, 0)]
            operands = levels.operands[levels.starts[slots - levels.first] + argument]
            code[at[group] + argument * padded[group] + within] = levels.row_of[operands]
    return code


def _operation_of_each(names: Sequence[str], opcodes: Any) -> Any:
    """The interpreter's operation of each opcode that is used; the last name is that of long sums."""
    known = operations() | {"dot": DOT}
    missing = sorted({names[opcode] for opcode in np.unique(opcodes).tolist() if opcode < len(names) - 1} - set(known))
    if missing:
        raise NotImplementedError(f"native code has no {missing[0]}")
    return np.array([*(known.get(name, END) for name in names[:-1]), SUM])


def _count_up(sizes: Any) -> Any:
    """0, 1, … up to each size, one after the other."""
    return np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
