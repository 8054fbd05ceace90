"""Steps of a descent as one call of native code: batch after batch, gradient, penalty, bounds, and the rule that moves.

The code is one function ``steps`` over a table, the same for every model and every rule: it calls the native code of
gradient, penalty and rule by their addresses, and ends before a step whose numbers are not all finite, or one of whose
guards does not hold. What the rule moves, and what it keeps of each, lie in two buffers that change places at every
step. The chunks of a batch are shared among threads that each run ``work`` meanwhile, and wait for each other twice in
a step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from autograd.compiled.backends.native import driver
from autograd.compiled.backends.native.jit import Library, load
from autograd.compiled.backends.native.workers import DONE, DUE, FAILED
from autograd.compiled.backends.reduction import CHUNK, LANES
from autograd.number_systems.llvm.emitter import literal

#: The entries of the table: addresses first, then counts.
ADDRESSES = (
    "run", "run_table", "columns", "column_sources", "column_offsets", "strides", "sources", "sums", "places", "found",
    "uniform", "segments", "point", "point_code", "guards", "penalty_uniform", "penalty_segments", "penalty_code",
    "penalty_rows", "penalty_guards", "penalties", "total", "bound", "norm", "rule", "rule_table", "rule_columns",
    "rule_outputs", "worker_tables", "sync", "yield",
)  # fmt: skip
COUNTS = (
    "column_count", "source_count", "summed", "first_summed", "found_count", "segment_count", "guard_count",
    "penalty_segment_count", "penalty_guard_count", "moved", "rule_states", "rule_rows", "workers",
)  # fmt: skip
#: What differs from call to call: whether a gradient was other than zero so far, the steps taken, which are none, the
#: samples, those of a batch, the most steps, where what the rule shares stands, and the order of the samples, of which
#: some are to be checked.
VARIED = ("pushed", "taken", "first", "last", "size", "most", "rule_uniforms", "order", "checked", "count")
FIELDS = ADDRESSES + COUNTS + VARIED

#: How often a thread looks before it lets others have the processor.
LOOKS = 2000

#: A guard: where its truths are, the one that it was recorded with, and whether there is one for each sample.
GUARD = 3
#: Truth of a guard that was not asked.
_NOT_ASKED = literal(-1.0)

_ZERO = {"double": literal(0.0), f"<{LANES} x double>": "zeroinitializer"}


@cache
def library() -> Library:
    """The code, loaded once in a process: ``steps(table)`` returns how many steps were taken, or -1 where the order has
    the index of no sample; ``work(table, run_table)`` does the share of a thread until there is nothing more to do."""
    return load(_text(), "steps", "work")


class _Writer:
    """The lines of a function. A loop or a branch is a context that ends where it began."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._label, self._names = "entry", 0

    @classmethod
    def of_table(cls) -> _Writer:
        """The lines of a function of ``%table``, whose entries have names."""
        w = cls()
        for index, name in enumerate(FIELDS):
            kind = "ptr" if name in (*ADDRESSES, "rule_uniforms", "order") else "i64"
            w.lines += [
                f"%{name}.at = getelementptr i64, ptr %table, i64 {index}",
                f"%{name} = load {kind}, ptr %{name}.at, align 8",
            ]
        return w

    def name(self) -> str:
        """A name that no other line has."""
        self._names += 1
        return f"n{self._names}"

    def line(self, text: str) -> str:
        """A line that computes something; its name."""
        name = f"%{self.name()}"
        self.lines.append(f"{name} = {text}")
        return name

    def at(self, label: str) -> None:
        """What follows belongs to a label."""
        self.lines.append(f"{label}:")
        self._label = label

    @contextmanager
    def loop(self, first: str, last: str, step: int = 1) -> Iterator[str]:
        """For i from the first on, up to the last, which is not among them."""
        name, before, head = self.name(), self._label, len(self.lines)
        self.at(f"{name}.body")
        yield f"%{name}.i"
        following = self.line(f"add i64 %{name}.i, {step}")
        self.lines.append(f"br label %{name}.head")
        self.lines[head:head] = [
            f"br label %{name}.head",
            f"{name}.head:",
            f"%{name}.i = phi i64 [{first}, %{before}], [{following}, %{self._label}]",
            f"%{name}.more = icmp slt i64 %{name}.i, {last}",
            f"br i1 %{name}.more, label %{name}.body, label %{name}.end",
        ]
        self.at(f"{name}.end")

    @contextmanager
    def where(self, truth: str) -> Iterator[None]:
        """What is done where something is true."""
        name = self.name()
        self.lines.append(f"br i1 {truth}, label %{name}.then, label %{name}.end")
        self.at(f"{name}.then")
        yield
        self.lines.append(f"br label %{name}.end")
        self.at(f"{name}.end")

    def stop_unless(self, truth: str, result: int | None = None) -> None:
        """Go to the end unless something is true; perhaps with another result."""
        name = self.name()
        self.lines.append(f"br i1 {truth}, label %{name}.on, label %{'stop' if result is None else f'{name}.off'}")
        if result is not None:
            self.at(f"{name}.off")
            self.lines += [f"store i64 {result}, ptr %taken.at", "br label %stop"]
        self.at(f"{name}.on")

    def over(self, count: str, body: Callable[[str, str], None]) -> None:
        """``body(place, type)`` for so many numbers: for vectors of them, and for the rest one by one."""
        whole = self.line(f"and i64 {count}, {-LANES}")
        for first, last, width in (("0", whole, LANES), (whole, count, 1)):
            with self.loop(first, last, width) as i:
                body(i, "double" if width == 1 else f"<{width} x double>")

    def least(self, x: str, y: str) -> str:
        """The lesser of two counts."""
        return self.line(f"select i1 {self.line(f'icmp slt i64 {x}, {y}')}, i64 {x}, i64 {y}")

    def call(self, intrinsic: str, *xs: str) -> str:
        """One of LLVM's own functions of doubles."""
        return self.line(f"call double @llvm.{intrinsic}.f64({', '.join(f'double {x}' for x in xs)})")

    def place(self, base: str, i: str, kind: str = "i64") -> str:
        """The address of an entry of an array."""
        return self.line(f"getelementptr {kind}, ptr {base}, i64 {i}")

    def load(self, base: str, i: str, kind: str = "i64", *, of: str = "") -> str:
        """An entry of an array; ``of`` is what the array holds, where more of it is loaded at once."""
        return self.line(f"load {kind}, ptr {self.place(base, i, of or kind)}, align 8")

    def store(self, number: str, base: str, i: str, kind: str = "i64", *, of: str = "") -> None:
        """Write an entry of an array."""
        self.lines.append(f"store {kind} {number}, ptr {self.place(base, i, of or kind)}, align 8")


def _text() -> str:
    """The module."""
    w = _Writer.of_table()
    w.lines += ["%parts = alloca [3 x double], align 64"]
    w.lines += [f"%sum.{width} = alloca <{width} x double>, align 64" for width in (1, LANES)]
    _check_order(w)
    with w.loop("0", "%most") as k:
        begin = w.line(f"add i64 %first, {w.line(f'mul i64 {k}, %size')}")
        w.stop_unless(w.line(f"icmp slt i64 {begin}, %last"))
        n = _write_gradient(w, begin)
        _stop_unless_guards_hold(w, "%guards", "%guard_count", n)
        _write_penalty(w, k)
        w.stop_unless(_all_finite(w))
        _write_bounds(w)
        _write_norm(w)
        losses = w.line(f"fmul double {w.load('%found', '0', 'double')}, {w.line(f'sitofp i64 {n} to double')}")
        w.store(w.line(f"fadd double {w.load('%total', '0', 'double')}, {losses}"), "%total", "0", "double")
        _write_rule(w, k)
        w.lines.append(f"store i64 {w.line(f'add i64 {k}, 1')}, ptr %taken.at")
    return "\n".join(
        [
            "define i64 @steps(ptr %table) {",
            "entry:",
            *w.lines,
            "br label %stop",
            "stop:",
            "%result = load i64, ptr %taken.at",
            "ret i64 %result",
            "}",
            *_share(),
            *_work(),
            _UNTIL,
            *(f"declare double @llvm.{name}.f64({kinds})" for name, kinds in _INTRINSICS.items()),
            "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)",
            "",
        ]
    )


def _check_order(w: _Writer) -> None:
    """Return -1 if one of the indices is that of no sample."""
    with w.loop("%first", "%checked") as i:
        index = w.load("%order", i)  # as a number without a sign, a negative one is large
        w.stop_unless(w.line(f"icmp ult i64 {index}, %count"), -1)


def _share() -> list[str]:
    """``share(table, run table, begin)``: gather the samples of some groups of a batch, and run these."""
    w = _Writer.of_table()
    with w.where(w.line("icmp ne ptr %order, null")):
        samples, first, last = (
            w.load("%share", str(driver.FIELDS.index(name))) for name in ("samples", "first_group", "last_group")
        )
        last = w.least(w.line(f"mul i64 {last}, {LANES}"), samples)
        with w.loop(w.line(f"mul i64 {first}, {LANES}"), last) as i:
            index = w.load("%order", w.line(f"add i64 %begin, {i}"))
            with w.loop("0", "%source_count") as source:
                at = w.line(f"mul i64 {source}, 3")
                given, buffer = w.load("%sources", at, "ptr"), w.load("%sources", w.line(f"add i64 {at}, 2"), "ptr")
                width = w.load("%sources", w.line(f"add i64 {at}, 1"))
                origin = w.place(given, w.line(f"mul i64 {index}, {width}"), "double")
                to = w.place(buffer, w.line(f"mul i64 {i}, {width}"), "double")
                w.over(
                    width,
                    lambda j, kind, origin=origin, to=to: w.store(  # type: ignore[misc]
                        w.load(origin, j, kind, of="double"), to, j, kind, of="double"
                    ),
                )
    w.lines.append("call i32 %run(ptr %share)")
    return ["define internal void @share(ptr %table, ptr %share, i64 %begin) {", "entry:", *w.lines, "ret void", "}"]


def _work() -> list[str]:
    """``work``: whenever a step is due, a share of it."""
    w = _Writer.of_table()
    w.lines += ["%due = alloca i64", "store i64 0, ptr %due", "br label %wait"]
    w.at("wait")
    before = w.line("load i64, ptr %due")
    is_due = w.line(f"call i64 @until(ptr %sync, i64 {DUE}, i64 {before}, i1 false, ptr %yield)")
    w.stop_unless(w.line(f"icmp ne i64 {is_due}, 0"))
    due = w.line("load atomic i64, ptr %sync acquire, align 8")
    w.lines.append(f"store i64 {due}, ptr %due")
    w.stop_unless(w.line(f"icmp ne i64 {due}, -1"))
    step = w.line(f"sub i64 {due}, 1")
    begin = w.line(f"add i64 %first, {w.line(f'mul i64 {step}, %size')}")
    w.lines.append(f"call void @share(ptr %table, ptr %share, i64 {begin})")
    w.line(f"atomicrmw add ptr {w.place('%sync', str(DONE))}, i64 1 acq_rel")
    w.lines.append("br label %wait")
    return ["define void @work(ptr %table, ptr %share) {", "entry:", *w.lines, "stop:", "ret void", "}"]


#: Wait until a word is a number, or is another if ``equal`` is false; 0 where that is in vain.
_UNTIL = f"""
define internal i64 @until(ptr %sync, i64 %place, i64 %number, i1 %equal, ptr %yield) {{
entry:
  %word.at = getelementptr i64, ptr %sync, i64 %place
  %failed.at = getelementptr i64, ptr %sync, i64 {FAILED}
  br label %look
look:
  %looks = phi i64 [0, %entry], [%following, %again]
  %word = load atomic i64, ptr %word.at acquire, align 8
  %is = icmp eq i64 %word, %number
  %found = icmp eq i1 %is, %equal
  br i1 %found, label %yes, label %more
more:
  %failed = load atomic i64, ptr %failed.at acquire, align 8
  %in.vain = icmp ne i64 %failed, 0
  br i1 %in.vain, label %no, label %patience
patience:
  %following = add i64 %looks, 1
  %is.long = icmp sgt i64 %looks, {LOOKS}
  %can = icmp ne ptr %yield, null
  %lets = and i1 %is.long, %can
  br i1 %lets, label %let, label %again
let:
  call i32 %yield()
  br label %again
again:
  br label %look
yes:
  ret i64 1
no:
  ret i64 0
}}
"""


def _write_gradient(w: _Writer, begin: str) -> str:
    """The mean of value and gradient over a batch goes to ``found``; how many samples it has."""
    n = w.line(f"sub i64 {w.least(w.line(f'add i64 {begin}, %size'), '%last')}, {begin}")
    is_gathered = w.line("icmp ne ptr %order, null")
    at = w.line(f"select i1 {is_gathered}, i64 0, i64 {begin}")
    which = w.line(f"select i1 {is_gathered}, i64 2, i64 0")
    with w.loop("0", "%column_count") as c:
        source = w.load("%column_sources", c)
        source = w.line(f"add i64 {w.line(f'mul i64 {source}, 3')}, {which}")
        numbers = w.line(f"mul i64 {w.load('%strides', c)}, {at}")
        numbers = w.line(f"add i64 {numbers}, {w.load('%column_offsets', c)}")
        w.store(w.place(w.load("%sources", source, "ptr"), numbers, "double"), "%columns", c, "ptr")
    _write_leaves(w, "%uniform", "%segments", "%segment_count")
    with w.where(w.line("icmp ne ptr %point_code, null")):
        w.lines.append("call void %point(ptr %uniform, ptr %point_code)")
    chunks = w.line(f"sdiv i64 {w.line(f'add i64 {n}, {CHUNK - 1}')}, {CHUNK}")
    _run_shares(w, begin, n, chunks)
    with w.loop("1", chunks) as chunk:
        row = w.place("%sums", w.line(f"mul i64 {chunk}, %summed"), "double")

        def add(i: str, kind: str) -> None:
            so_far, here = w.load("%sums", i, kind, of="double"), w.load(row, i, kind, of="double")
            w.store(w.line(f"fadd {kind} {so_far}, {here}"), "%sums", i, kind, of="double")

        w.over("%summed", add)
    for width in (1, LANES):
        w.lines.append(f"store <{width} x double> zeroinitializer, ptr %sum.{width}")
    count = w.line(f"sitofp i64 {n} to double")
    counts = w.line(f"insertelement <{LANES} x double> poison, double {count}, i64 0")
    counts = w.line(
        f"shufflevector <{LANES} x double> {counts}, <{LANES} x double> poison, <{LANES} x i32> zeroinitializer"
    )

    def note(mean: str, i: str, kind: str) -> None:
        mean = w.line(f"fadd {kind} {mean}, {_ZERO[kind]}")  # never -0.0, as what backward() adds up
        w.store(mean, "%found", i, kind, of="double")
        _note(w, mean, kind)

    def divide(i: str, kind: str) -> None:
        total = w.load(sums, i, kind, of="double")
        note(w.line(f"fdiv {kind} {total}, {count if kind == 'double' else counts}"), i, kind)

    sums = w.place("%sums", "%first_summed", "double")
    is_in_order = w.line("icmp eq ptr %places, null")
    with w.where(is_in_order):
        w.over("%found_count", divide)
    with w.where(w.line(f"xor i1 {is_in_order}, true")), w.loop("0", "%found_count") as i:
        place = w.load("%places", i)  # among the sums, or below 0 among what all samples share
        is_summed = w.line(f"icmp sge i64 {place}, 0")
        base = w.line(f"select i1 {is_summed}, ptr %sums, ptr %uniform")
        row = w.line(f"select i1 {is_summed}, i64 {place}, i64 {w.line(f'xor i64 {place}, -1')}")
        divisor = w.line(f"select i1 {is_summed}, double {count}, double {literal(1.0)}")
        note(w.line(f"fdiv double {w.load(base, row, 'double')}, {divisor}"), i, "double")
    return n


def _run_shares(w: _Writer, begin: str, n: str, chunks: str) -> None:
    """Run the chunks of a batch, a run of them in each thread."""
    groups = w.line(f"sdiv i64 {w.line(f'add i64 {n}, {LANES - 1}')}, {LANES}")
    several = w.line("add i64 %workers, 1")
    shares = w.least(several, chunks)

    def set_share(table: str, share: str) -> None:
        """Samples, first and last group of one."""
        bounds = []
        for which in (share, w.line(f"add i64 {share}, 1")):
            chunk = w.line(f"sdiv i64 {w.line(f'mul i64 {chunks}, {w.least(which, shares)}')}, {shares}")
            bounds.append(w.least(w.line(f"mul i64 {chunk}, {driver.GROUPS}"), groups))
        for name, number in zip(("samples", "first_group", "last_group"), (n, *bounds), strict=True):
            w.store(number, table, str(driver.FIELDS.index(name)))

    done = w.place("%sync", str(DONE))
    is_shared = w.line(f"icmp sgt i64 {shares}, 1")
    with w.where(is_shared):
        with w.loop("0", "%workers") as worker:
            set_share(w.load("%worker_tables", worker, "ptr"), w.line(f"add i64 {worker}, 1"))
        w.lines.append(f"store atomic i64 0, ptr {done} release, align 8")
        due = w.line(f"sdiv i64 {w.line(f'sub i64 {begin}, %first')}, %size")
        w.lines.append(f"store atomic i64 {w.line(f'add i64 {due}, 1')}, ptr %sync release, align 8")
    set_share("%run_table", "0")
    w.lines.append(f"call void @share(ptr %table, ptr %run_table, i64 {begin})")
    with w.where(is_shared):
        all_done = w.line(f"call i64 @until(ptr %sync, i64 {DONE}, i64 %workers, i1 true, ptr %yield)")
        w.stop_unless(w.line(f"icmp ne i64 {all_done}, 0"))


def _stop_unless_guards_hold(w: _Writer, guards: str, count: str, n: str) -> None:
    """Stop before a step that is recorded otherwise: where a truth that was asked is another."""
    with w.loop("0", count) as guard:
        first = w.line(f"mul i64 {guard}, {GUARD}")
        truths = w.load(guards, first, "ptr")
        outcome = w.load(guards, w.line(f"add i64 {first}, 1"), "double")
        varies = w.line(f"icmp ne i64 {w.load(guards, w.line(f'add i64 {first}, 2'))}, 0")
        with w.loop("0", w.line(f"select i1 {varies}, i64 {n}, i64 1")) as i:
            truth = w.load(truths, i, "double")
            holds = w.line(f"fcmp oeq double {truth}, {outcome}")
            w.stop_unless(w.line(f"or i1 {holds}, {w.line(f'fcmp oeq double {truth}, {_NOT_ASKED}')}"))


def _note(w: _Writer, number: str, kind: str) -> None:
    """Numbers that are not finite make a sum nan: their product with 0 is."""
    at = "%sum.1" if kind == "double" else f"%sum.{LANES}"
    nothing = w.line(f"fmul {kind} {number}, {_ZERO[kind]}")
    so_far = w.line(f"load {kind}, ptr {at}, align 8")
    w.lines.append(f"store {kind} {w.line(f'fadd {kind} {so_far}, {nothing}')}, ptr {at}, align 8")


def _all_finite(w: _Writer) -> str:
    """Whether all numbers that were noted are finite."""
    total = w.load("%sum.1", "0", "double")
    for lane in range(LANES):
        total = w.line(f"fadd double {total}, {w.load(f'%sum.{LANES}', str(lane), 'double')}")
    return w.line(f"fcmp ord double {total}, {literal(0.0)}")


def _write_leaves(w: _Writer, uniform: str, segments: str, count: str) -> None:
    """Copy the numbers that the rule moves to where they are read, run by run: row, first of the numbers, how many."""
    numbers = w.load("%rule_columns", "0", "ptr")
    with w.loop("0", count) as i:
        first = w.line(f"mul i64 {i}, 3")
        row, at, length = (w.load(segments, w.line(f"add i64 {first}, {part}")) for part in range(3))
        to, source = w.place(uniform, row, "double"), w.place(numbers, at, "double")
        size = w.line(f"shl i64 {length}, 3")
        w.lines.append(f"call void @llvm.memcpy.p0.p0.i64(ptr {to}, ptr {source}, i64 {size}, i1 false)")


def _write_penalty(w: _Writer, k: str) -> None:
    """The penalty is noted, and its gradient added."""
    with w.where(w.line("icmp ne ptr %penalty_code, null")):
        _write_leaves(w, "%penalty_uniform", "%penalty_segments", "%penalty_segment_count")
        w.lines.append("call void %point(ptr %penalty_uniform, ptr %penalty_code)")
        _stop_unless_guards_hold(w, "%penalty_guards", "%penalty_guard_count", "1")
        value = w.load("%penalty_uniform", w.load("%penalty_rows", "0"), "double")
        w.store(value, "%penalties", k, "double")
        _note(w, value, "double")
        with w.loop("1", "%found_count") as i:
            part = w.load("%penalty_uniform", w.load("%penalty_rows", i), "double")
            total = w.line(
                f"fadd double {w.load('%found', i, 'double')}, {w.line(f'fadd double {part}, {literal(0.0)}')}"
            )
            w.store(total, "%found", i, "double")
            _note(w, total, "double")


def _write_bounds(w: _Writer) -> None:
    """Keep each gradient of what is moved within the bound, and note whether one is other than zero."""
    gradient = w.place("%found", "1", "double")
    with w.where(w.line("icmp ne ptr %bound, null")):
        bound = w.load("%bound", "0", "double")
        least = w.line(f"fneg double {bound}")
        with w.loop("0", "%moved") as i:
            g = w.load(gradient, i, "double")
            g = w.line(f"select i1 {w.line(f'fcmp ogt double {g}, {bound}')}, double {bound}, double {g}")
            g = w.line(f"select i1 {w.line(f'fcmp olt double {g}, {least}')}, double {least}, double {g}")
            w.store(g, gradient, i, "double")
    with w.where(w.line(f"fcmp une double {w.load(gradient, '0', 'double')}, {literal(0.0)}")):
        w.store("1", "%pushed.at", "0")  # it mostly is
    has_pushed = w.load("%pushed.at", "0")
    with w.where(w.line(f"icmp eq i64 {has_pushed}, 0")), w.loop("0", "%moved") as i:
        g = w.load(gradient, i, "double")
        bit = w.line(f"zext i1 {w.line(f'fcmp une double {g}, {literal(0.0)}')} to i64")
        w.store(w.line(f"or i64 {w.load('%pushed.at', '0')}, {bit}"), "%pushed.at", "0")


_INTRINSICS = {"fabs": "double", "sqrt": "double", "maxnum": "double, double", "fma": "double, double, double"}


def _write_norm(w: _Writer) -> None:
    """Scale the gradient of what is moved if its norm is above the bound.

    The squares are added with what each sum and each square loses, and the root is corrected once, so it is that of
    ``math.hypot`` but for one in a great many. It stops where the norm is too large for a float.
    """
    gradient = w.place("%found", "1", "double")
    with w.where(w.line("icmp ne ptr %norm, null")):
        bound = w.load("%norm", "0", "double")
        for part in ("0", "1", "2"):
            w.store(literal(0.0), "%parts", part, "double")
        with w.loop("0", "%moved") as i:
            size = w.call("fabs", w.load(gradient, i, "double"))
            w.store(w.call("maxnum", w.load("%parts", "0", "double"), size), "%parts", "0", "double")
        # A power of two near the largest, so that no square overflows; its bits are the exponent's alone.
        largest = w.load("%parts", "0", "double")
        exponent = w.line(f"and i64 {w.line(f'bitcast double {largest} to i64')}, {0x7FF << 52}")
        is_small = w.line(f"icmp ult i64 {exponent}, {2 << 52}")
        exponent = w.line(f"select i1 {is_small}, i64 {2 << 52}, i64 {exponent}")
        scale = w.line(f"bitcast i64 {w.line(f'sub i64 {0x7FE << 52}, {exponent}')} to double")
        w.store(literal(0.0), "%parts", "0", "double")
        with w.loop("0", "%moved") as i:
            x = w.line(f"fmul double {w.load(gradient, i, 'double')}, {scale}")
            _add_product(w, x, x)
        root = w.call("sqrt", _parts(w))
        _add_product(w, w.line(f"fneg double {root}"), root)
        left = w.line(f"fdiv double {_parts(w)}, {w.line(f'fadd double {root}, {root}')}")
        is_zero = w.line(f"fcmp oeq double {root}, {literal(0.0)}")
        corrected = w.line(f"select i1 {is_zero}, double {root}, double {w.line(f'fadd double {root}, {left}')}")
        total = w.line(f"fdiv double {corrected}, {scale}")
        w.stop_unless(w.line(f"fcmp olt double {total}, {literal(math.inf)}"))
        with w.where(w.line(f"fcmp ogt double {total}, {bound}")), w.loop("0", "%moved") as i:
            share = w.line(f"fdiv double {w.load(gradient, i, 'double')}, {total}")
            w.store(w.line(f"fmul double {share}, {bound}"), gradient, i, "double")


def _add_product(w: _Writer, x: str, y: str) -> None:
    """Add x · y to a sum in three parts: the sum, what the products lose, and what the sums lose."""
    product = w.line(f"fmul double {x}, {y}")
    lost = w.call("fma", x, y, w.line(f"fneg double {product}"))
    before, of_products, of_sums = (w.load("%parts", str(i), "double") for i in range(3))
    total = w.line(f"fadd double {before}, {product}")
    part = w.line(f"fsub double {total}, {before}")
    lost_of_before = w.line(f"fsub double {before}, {w.line(f'fsub double {total}, {part}')}")
    lost_of_part = w.line(f"fsub double {product}, {part}")
    w.store(total, "%parts", "0", "double")
    w.store(w.line(f"fadd double {of_products}, {lost}"), "%parts", "1", "double")
    lost_of_sum = w.line(f"fadd double {lost_of_before}, {lost_of_part}")
    w.store(w.line(f"fadd double {of_sums}, {lost_of_sum}"), "%parts", "2", "double")


def _parts(w: _Writer) -> str:
    total, of_products, of_sums = (w.load("%parts", str(i), "double") for i in range(3))
    return w.line(f"fadd double {total}, {w.line(f'fadd double {of_products}, {of_sums}')}")


def _write_rule(w: _Writer, k: str) -> None:
    """Move, and let the buffers change places."""
    numbers = w.line(f"mul i64 {k}, %rule_rows")
    w.store(w.place("%rule_uniforms", numbers, "double"), "%rule_table", str(driver.FIELDS.index("uniform")), "ptr")
    w.lines.append("call i32 %rule(ptr %rule_table)")
    outputs = w.line("add i64 %rule_states, 1")
    with w.loop("0", outputs) as i:
        # The columns are the numbers, their gradients, and what is kept; the outputs lack the gradients.
        is_state = w.line(f"zext i1 {w.line(f'icmp sgt i64 {i}, 0')} to i64")
        column = w.line(f"add i64 {i}, {is_state}")
        before, after = w.load("%rule_columns", column), w.load("%rule_outputs", i)
        w.store(after, "%rule_columns", column)
        w.store(before, "%rule_outputs", i)
