"""What native code is called through: one function ``run`` over a table of addresses, for samples of any number.

It takes samples in groups of eight, in the chunks and lanes that ``reduction`` documents; a last group of fewer is
computed on a padded copy, of which only the lanes that are samples count. It returns whether the sum of a chunk is not
finite. The text around the back ends' own function ``block`` is the same for all; one that leaves the lanes alone that
are no samples is called once for a few groups and the last, all copied, instead of twice.

A call runs some groups of samples, which may end or go on within a chunk: its lanes keep what they have so far, and
are added up once its last group is done. So a run of any length can be cut into stretches, at the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.compiled.backends.memory import address, aligned
from autograd.compiled.backends.reduction import CHUNK, LANES
from autograd.number_systems import arrays

#: Groups of samples in a chunk.
GROUPS = CHUNK // LANES

#: Bytes that the sums of the chunks of one round may take. A round takes milliseconds, so starting it costs nothing.
ROUND_BYTES = 8 << 20

#: The entries of the table of addresses and counts.
FIELDS = (
    "columns", "strides", "uniform", "lanes", "sums", "outputs", "samples",
    "tail_columns", "tail_strides", "tail_outputs", "tail_lanes",
    "first_group", "last_group", "column_count", "summed", "kept", "code", "shared", "memory", "vectors",
    "together", "counted",
)  # fmt: skip


#: The lanes of a sum as one vector, and their numbers.
_ALL_LANES = f"<{LANES} x double>"
_COUNTED = f"<{', '.join(f'i64 {lane}' for lane in range(LANES))}>"
_SUMS = f"%v0{''.join(f'.{1 << step}' for step in range(LANES.bit_length() - 1))}"
_COUNTS, _INDEX = f"<{LANES} x i64>", f"<{LANES} x i32>"


def field(name: str, kind: str = "ptr") -> str:
    """The lines that load an entry of the table."""
    place = FIELDS.index(name)
    return f"""  %{name}.at = getelementptr i64, ptr %table, i64 {place}
  %{name} = load {kind}, ptr %{name}.at, align 8"""


#: The head of the function that a back end writes, for groups of samples from the first one up to the last.
HEAD = (
    "define internal void @block(ptr %table, ptr noalias %columns, ptr noalias %strides, ptr noalias %lanes, "
    "ptr noalias %outputs, i64 %first, i64 %last) {"
)


def _sums_of_lanes() -> str:
    """The lines that add up the lanes of as many sums as there are lanes, in pairs: two vectors become one at each
    step, which has half the numbers of both, until one has the sums."""
    lines, vectors, step = [], [f"%v{i}" for i in range(LANES)], 1
    for i, v in enumerate(vectors):
        lines += [
            f"{v}.sum = add i64 %a, {i}",
            f"{v}.at = getelementptr {_ALL_LANES}, ptr %lanes, i64 {v}.sum",
            f"{v} = load {_ALL_LANES}, ptr {v}.at, align 64",
        ]
    while len(vectors) > 1:
        sums = []
        for x, y in zip(vectors[::2], vectors[1::2], strict=True):
            for first in (0, step):
                lanes = [lane for begin in range(first, LANES, 2 * step) for lane in range(begin, begin + step)]
                runs = zip(*[iter(lanes)] * step, strict=True)  # of one vector and of the other in turn
                which = ", ".join(f"i32 {lane + more}" for run in runs for more in (0, LANES) for lane in run)
                both = f"{_ALL_LANES} {x}, {_ALL_LANES} {y}"
                lines.append(f"{x}.{step}.{first} = shufflevector {both}, {_INDEX} <{which}>")
            lines.append(f"{x}.{step} = fadd {_ALL_LANES} {x}.{step}.0, {x}.{step}.{step}")
            sums.append(f"{x}.{step}")
        vectors, step = sums, 2 * step
    return "\n".join(f"  {line}" for line in lines)


def _in_all_lanes(name: str, number: str) -> str:
    """The lines that lay a count down in all lanes."""
    return f"""  {name}.one = insertelement {_COUNTS} poison, i64 {number}, i64 0
  {name} = shufflevector {_COUNTS} {name}.one, {_COUNTS} poison, {_INDEX} zeroinitializer"""


#: ``block(table, columns, strides, lanes, outputs, first group, last group)`` is to be put before this; strides count
#: doubles from one sample of a column to the next.
TEXT = f"""
define i32 @run(ptr %table) {{
entry:
{field("columns")}
{field("strides")}
{field("lanes")}
{field("sums")}
{field("outputs")}
{field("samples", "i64")}
{field("tail_columns")}
{field("tail_strides")}
{field("tail_outputs")}
{field("tail_lanes")}
{field("first_group", "i64")}
{field("last_group", "i64")}
{field("column_count", "i64")}
{field("summed", "i64")}
{field("kept", "i64")}
{field("together", "i64")}
{field("counted", "i64")}
  %counts.samples = icmp sgt i64 %together, 0
  %lane.bytes = mul i64 %summed, {8 * LANES}
  %groups = udiv i64 %samples, {LANES}
  %rest = and i64 %samples, {LANES - 1}
  %rounded.up = add i64 %samples, {LANES - 1}
  %all.groups = udiv i64 %rounded.up, {LANES}
  %first.chunk = udiv i64 %first_group, {GROUPS}
  br label %chunks
chunks:
  %chunk = phi i64 [%first.chunk, %entry], [%chunk.next, %chunk.end]
  %first = phi i64 [%first_group, %entry], [%full, %chunk.end]
  %any.broken = phi i1 [false, %entry], [%a.broken.so.far, %chunk.end]
  %chunk.more = icmp slt i64 %first, %last_group
  br i1 %chunk.more, label %chunk.begin, label %done
chunk.begin:
  %chunk.first = mul i64 %chunk, {GROUPS}
  %full = add i64 %chunk.first, {GROUPS}
  %is.new = icmp eq i64 %first, %chunk.first
  br i1 %is.new, label %clear, label %part
clear:
  call void @llvm.memset.p0.i64(ptr %lanes, i8 0, i64 %lane.bytes, i1 false)
  br label %part
part:
  %reaches.full = icmp sle i64 %full, %last_group
  %part.end = select i1 %reaches.full, i64 %full, i64 %last_group
  %is.whole = icmp sle i64 %part.end, %groups
  %part.groups = sub i64 %part.end, %first
  %is.short = icmp sle i64 %part.groups, %together
  %pad.first = select i1 %is.short, i64 %first, i64 %groups
  %last = select i1 %is.whole, i64 %part.end, i64 %pad.first
  %any = icmp slt i64 %first, %last
  br i1 %any, label %whole, label %after
whole:
  call void @block(ptr %table, ptr %columns, ptr %strides, ptr %lanes, ptr %outputs, i64 %first, i64 %last)
  br label %after
after:
  br i1 %is.whole, label %part.done, label %pad.begin
pad.begin:
  %begun = mul i64 %pad.first, {LANES}
  %padded = sub i64 %samples, %begun
  %pad.groups = sub i64 %part.end, %pad.first
  %pad.samples = mul i64 %pad.groups, {LANES}
  br label %pad
pad:
  %c = phi i64 [0, %pad.begin], [%c.next, %pad.end]
  %c.more = icmp slt i64 %c, %column_count
  br i1 %c.more, label %pad.column, label %tail
pad.column:
  %c.from.at = getelementptr ptr, ptr %columns, i64 %c
  %c.from = load ptr, ptr %c.from.at, align 8
  %c.to.at = getelementptr ptr, ptr %tail_columns, i64 %c
  %c.to = load ptr, ptr %c.to.at, align 8
  %c.stride.at = getelementptr i64, ptr %strides, i64 %c
  %c.stride = load i64, ptr %c.stride.at, align 8
  br label %pad.lane
pad.lane:
  %p = phi i64 [0, %pad.column], [%p.next, %pad.lane]
  %p.inside = icmp slt i64 %p, %padded
  %p.lane = select i1 %p.inside, i64 %p, i64 0
  %p.sample = add i64 %begun, %p.lane
  %p.place = mul i64 %p.sample, %c.stride
  %p.from = getelementptr double, ptr %c.from, i64 %p.place
  %p.number = load double, ptr %p.from, align 8
  %p.to = getelementptr double, ptr %c.to, i64 %p
  store double %p.number, ptr %p.to, align 8
  %p.next = add i64 %p, 1
  %p.more = icmp slt i64 %p.next, %pad.samples
  br i1 %p.more, label %pad.lane, label %pad.end
pad.end:
  %c.next = add i64 %c, 1
  br label %pad
tail:
  %tail.sums = select i1 %counts.samples, ptr %lanes, ptr %tail_lanes
  %tail.bytes = select i1 %counts.samples, i64 0, i64 %lane.bytes
  call void @llvm.memset.p0.i64(ptr %tail.sums, i8 0, i64 %tail.bytes, i1 false)
  store i64 %rest, ptr %counted.at, align 8
  call void @block(
    ptr %table, ptr %tail_columns, ptr %tail_strides, ptr %tail.sums, ptr %tail_outputs, i64 0, i64 %pad.groups)
  store i64 {LANES}, ptr %counted.at, align 8
{_in_all_lanes("%rest.all", "%rest")}
  %is.sample = icmp ult {_COUNTS} {_COUNTED}, %rest.all
  %tail.summed = select i1 %counts.samples, i64 0, i64 %summed
  br label %tail.add
tail.add:
  ; The last group's numbers belong to the sums of its samples' lanes; of no others where there is no such group.
  %t = phi i64 [0, %tail], [%t.next, %tail.add.one]
  %t.more = icmp slt i64 %t, %tail.summed
  br i1 %t.more, label %tail.add.one, label %tail.keep
tail.add.one:
  %t.at = getelementptr {_ALL_LANES}, ptr %lanes, i64 %t
  %t.before = load {_ALL_LANES}, ptr %t.at, align 64
  %t.tail.at = getelementptr {_ALL_LANES}, ptr %tail_lanes, i64 %t
  %t.tail = load {_ALL_LANES}, ptr %t.tail.at, align 64
  %t.with = fadd {_ALL_LANES} %t.before, %t.tail
  %t.lanes = select <{LANES} x i1> %is.sample, {_ALL_LANES} %t.with, {_ALL_LANES} %t.before
  store {_ALL_LANES} %t.lanes, ptr %t.at, align 64
  %t.next = add i64 %t, 1
  br label %tail.add
tail.keep:
  %k = phi i64 [0, %tail.add], [%k.next, %tail.keep.end]
  %k.more = icmp slt i64 %k, %kept
  br i1 %k.more, label %tail.output, label %part.done
tail.output:
  %k.from.at = getelementptr ptr, ptr %tail_outputs, i64 %k
  %k.from = load ptr, ptr %k.from.at, align 8
  %k.to.at = getelementptr ptr, ptr %outputs, i64 %k
  %k.to = load ptr, ptr %k.to.at, align 8
  br label %tail.sample
tail.sample:
  %s = phi i64 [0, %tail.output], [%s.next, %tail.sample]
  %s.from = getelementptr double, ptr %k.from, i64 %s
  %s.number = load double, ptr %s.from, align 8
  %s.place = add i64 %begun, %s
  %s.to = getelementptr double, ptr %k.to, i64 %s.place
  store double %s.number, ptr %s.to, align 8
  %s.next = add i64 %s, 1
  %s.more = icmp slt i64 %s.next, %padded
  br i1 %s.more, label %tail.sample, label %tail.keep.end
tail.keep.end:
  %k.next = add i64 %k, 1
  br label %tail.keep
part.done:
  %reaches.end = icmp eq i64 %part.end, %all.groups
  %is.done = or i1 %reaches.full, %reaches.end
  br i1 %is.done, label %add, label %chunk.end
add:
{_in_all_lanes("%summed.all", "%summed")}
  %sums.row = mul i64 %chunk, %summed
  br label %add.loop
add.loop:
  %a = phi i64 [0, %add], [%a.next, %add.some]
  %a.nothing = phi {_ALL_LANES} [zeroinitializer, %add], [%a.nothing.next, %add.some]
  %a.more = icmp slt i64 %a, %summed
  br i1 %a.more, label %add.some, label %add.end
add.some:
{_sums_of_lanes()}
{_in_all_lanes("%a.all", "%a")}
  %a.count = add {_COUNTS} %a.all, {_COUNTED}
  %a.is = icmp ult {_COUNTS} %a.count, %summed.all
  %a.place = add i64 %sums.row, %a
  %a.to = getelementptr double, ptr %sums, i64 %a.place
  call void @llvm.masked.store.v{LANES}f64.p0({_ALL_LANES} {_SUMS}, ptr %a.to, i32 8, <{LANES} x i1> %a.is)
  ; What is not finite leaves a nan.
  %a.difference = fsub {_ALL_LANES} {_SUMS}, {_SUMS}
  %a.difference.is = select <{LANES} x i1> %a.is, {_ALL_LANES} %a.difference, {_ALL_LANES} zeroinitializer
  %a.nothing.next = fadd {_ALL_LANES} %a.nothing, %a.difference.is
  %a.next = add i64 %a, {LANES}
  br label %add.loop
add.end:
  %a.are.broken = fcmp uno {_ALL_LANES} %a.nothing, zeroinitializer
  %a.which = bitcast <{LANES} x i1> %a.are.broken to i{LANES}
  %a.is.broken = icmp ne i{LANES} %a.which, 0
  %a.broken = or i1 %any.broken, %a.is.broken
  br label %chunk.end
chunk.end:
  %a.broken.so.far = phi i1 [%a.broken, %add.end], [%any.broken, %part.done]
  %chunk.next = add i64 %chunk, 1
  br label %chunks
done:
  %result = zext i1 %any.broken to i32
  ret i32 %result
}}
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.masked.store.v{LANES}f64.p0({_ALL_LANES}, ptr, i32, <{LANES} x i1>)
"""


def chunks_of_a_round(summed: int, threads: int) -> int:
    """The chunks of a round that adds up so many numbers: at least one for each thread, and as many for each."""
    chunks = ROUND_BYTES // (8 * max(summed, 1))
    return max(chunks - chunks % threads, threads)


class Table:
    """The table of addresses for one caller at a time: buffers for lanes, sums and the last group.

    Args:
        together: how many groups the native code takes at once, which then leaves the lanes of its last group alone
            that are no samples; 0: it does not.

    The chunks are run in rounds, so that their sums take memory of a round alone. The total of the rounds before is the
    first term of the next one's, so that the chunks are added in order, however many there are in a round.
    """

    def __init__(self, columns: int, summed: int, kept: int, uniform: Any, together: int = 0) -> None:
        self.entries = np.zeros(len(FIELDS), np.int64)
        self.columns = np.zeros(max(columns, 1), np.int64)
        self.strides, self._tail_strides = np.ones(max(columns, 1), np.int64), np.ones(max(columns, 1), np.int64)
        self.outputs = np.zeros(max(kept, 1), np.int64)
        step = LANES * max(together, 1)
        self.tail_columns, self.tail_outputs = aligned((max(columns, 1), step)), aligned((max(kept, 1), step))
        # One row more than there are sums, for what the interpreter adds to no sum, and up to a multiple of the lanes.
        rows = (summed // LANES + 1) * LANES
        self.lanes, self.tail_lanes = aligned((rows, LANES)), aligned((rows, LANES))
        #: What the interpreter works in, or the columns of machine code's loops and the tiles of its layers.
        self.memory: Any = None
        self.summed = summed
        self._samples = -1
        #: How many chunks there are in all, and in a round at most.
        self.chunks = self.room = 0
        #: The first chunk of the present round, and the one behind its last.
        self.first = self.last = 0
        # The total so far, and then the sums of a round's chunks.
        self._sums = np.zeros((1, summed))
        self._tables = [
            np.arange(len(buffer), dtype=np.int64) * (8 * step) + address(buffer)
            for buffer in (self.tail_columns, self.tail_outputs)
        ]
        self.set(
            columns=address(self.columns), strides=address(self.strides), tail_strides=address(self._tail_strides),
            uniform=address(uniform), lanes=address(self.lanes),
            outputs=address(self.outputs), tail_columns=address(self._tables[0]), tail_outputs=address(self._tables[1]),
            tail_lanes=address(self.tail_lanes), column_count=columns, summed=summed, kept=kept,
            together=together, counted=LANES,
        )  # fmt: skip
        self.pointer = address(self.entries)

    def set(self, **fields: int) -> None:
        """Write entries."""
        for name, number in fields.items():
            self.entries[FIELDS.index(name)] = number

    def size(self, samples: int, threads: int = 1) -> range:
        """Make room for the sums of that many samples; the first chunk of every round.

        Args:
            threads: how many share a round, so that it has a chunk for each at least.
        """
        if samples != self._samples:
            self.chunks = -(-samples // CHUNK)
            self.room = min(self.chunks, chunks_of_a_round(self.summed, threads))
            self._sums = np.zeros((1 + self.room, self.summed))
            self.set(samples=samples)
            self._samples = samples
            self.begin(0)
        return range(0, self.chunks, max(self.room, 1))

    def begin(self, first: int) -> None:
        """Make a round present by its first chunk, after the rounds before."""
        if first:
            self._sums[0] = self.total()
        self.first, self.last = first, min(first + self.room, self.chunks)
        # The native code writes a chunk's sums where they stand among those of all chunks.
        place = address(self._sums) + 8 * self.summed * (1 - first)
        first_group, last_group = self.groups(self.first, self.last)
        self.set(sums=place, first_group=first_group, last_group=last_group)

    def groups(self, first: int, last: int) -> tuple[int, int]:
        """The first group of samples of a run of chunks, and the one behind their last."""
        return first * GROUPS, min(last * GROUPS, -(-self._samples // LANES))

    def total(self) -> Any:
        """The sums of all chunks up to the present round's last, added in order."""
        rows = self._sums[0 if self.first else 1 : 1 + self.last - self.first]
        if len(rows) == 1:
            return rows[0]
        with arrays.computing():
            if self.summed == 1:  # NumPy adds a single column in pairs
                return np.add.accumulate(rows[:, 0])[-1:] if len(rows) else np.zeros(1)
            return np.add.reduce(rows, axis=0) if len(rows) else np.zeros(self.summed)
