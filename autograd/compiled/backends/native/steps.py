"""Steps of a descent as one call of native code: batch after batch, gradient, penalty, bounds, and the rule that moves.

The code is one function ``steps`` over a table, the same for every model and every rule: it calls the native code of
gradient, penalty and rule by their addresses, and ends before a step whose numbers are not all finite. What the rule
moves, and what it keeps of each, lie in two buffers that change places at every step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from autograd.compiled.backends.native import driver
from autograd.compiled.backends.native.jit import Library, load
from autograd.compiled.backends.reduction import CHUNK, LANES
from autograd.number_systems.llvm.emitter import literal

#: The entries of the table: addresses first, then counts.
ADDRESSES = (
    "run", "run_table", "columns", "starts", "sums", "found", "uniform", "segments", "point", "point_code",
    "penalty_uniform", "penalty_segments", "penalty_code", "penalty_rows", "penalties", "strides",
    "losses", "bound", "norm", "rule", "rule_table", "rule_columns", "rule_outputs",
)  # fmt: skip
COUNTS = (
    "column_count", "summed", "found_count", "segment_count", "penalty_segment_count", "moved", "pushed",
    "rule_states", "rule_rows",
)  # fmt: skip
#: What differs from call to call: the samples, those of a batch, the most steps, and where what the rule shares stands.
VARIED = ("first", "last", "size", "most", "rule_uniforms")
FIELDS = ADDRESSES + COUNTS + VARIED

_ZERO = {"double": literal(0.0), f"<{LANES} x double>": "zeroinitializer"}


@cache
def library() -> Library:
    """The code, loaded once in a process: ``steps(table)`` returns how many steps were taken."""
    return load(_text(), "steps")


class _Writer:
    """The lines of a function. A loop or a branch is a context that ends where it began."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._label, self._names = "entry", 0

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

    def stop_unless(self, truth: str) -> None:
        """Go to the end unless something is true."""
        name = self.name()
        self.lines.append(f"br i1 {truth}, label %{name}.on, label %stop")
        self.at(f"{name}.on")

    def over(self, count: str, body: Callable[[str, str], None]) -> None:
        """``body(place, type)`` for so many numbers: for vectors of them, and for the rest one by one."""
        whole = self.line(f"and i64 {count}, {-LANES}")
        for first, last, width in (("0", whole, LANES), (whole, count, 1)):
            with self.loop(first, last, width) as i:
                body(i, "double" if width == 1 else f"<{width} x double>")

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
    w = _Writer()
    for index, name in enumerate(FIELDS):
        kind = "ptr" if name in (*ADDRESSES, "rule_uniforms") else "i64"
        w.lines += [
            f"%{name}.at = getelementptr i64, ptr %table, i64 {index}",
            f"%{name} = load {kind}, ptr %{name}.at, align 8",
        ]
    w.lines += ["%taken = alloca i64", "store i64 0, ptr %taken"]
    w.lines += ["%parts = alloca [3 x double], align 64"]
    w.lines += [f"%sum.{width} = alloca <{width} x double>, align 64" for width in (1, LANES)]
    with w.loop("0", "%most") as k:
        begin = w.line(f"add i64 %first, {w.line(f'mul i64 {k}, %size')}")
        w.stop_unless(w.line(f"icmp slt i64 {begin}, %last"))
        _write_gradient(w, begin)
        _write_penalty(w, k)
        w.stop_unless(_all_finite(w))
        _write_bounds(w)
        _write_norm(w)
        w.store(w.load("%found", "0", "double"), "%losses", k, "double")
        _write_rule(w, k)
        w.lines.append(f"store i64 {w.line(f'add i64 {k}, 1')}, ptr %taken")
    return "\n".join(
        [
            "define i64 @steps(ptr %table) {",
            "entry:",
            *w.lines,
            "br label %stop",
            "stop:",
            "%result = load i64, ptr %taken",
            "ret i64 %result",
            "}",
            *(f"declare double @llvm.{name}.f64({kinds})" for name, kinds in _INTRINSICS.items()),
            "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)",
            "",
        ]
    )


def _write_gradient(w: _Writer, begin: str) -> None:
    """The mean of value and gradient over a batch goes to ``found``."""
    full = w.line(f"add i64 {begin}, %size")
    is_whole = w.line(f"icmp slt i64 {full}, %last")
    n = w.line(f"sub i64 {w.line(f'select i1 {is_whole}, i64 {full}, i64 %last')}, {begin}")
    with w.loop("0", "%column_count") as c:
        numbers = w.line(f"mul i64 {w.load('%strides', c)}, {begin}")
        start = w.line(f"add i64 {w.load('%starts', c)}, {w.line(f'shl i64 {numbers}, 3')}")
        w.store(start, "%columns", c)
    w.store(n, "%run_table", str(driver.FIELDS.index("samples")))
    groups = w.line(f"sdiv i64 {w.line(f'add i64 {n}, {LANES - 1}')}, {LANES}")
    w.store(groups, "%run_table", str(driver.FIELDS.index("last_group")))
    _write_leaves(w, "%uniform", "%segments", "%segment_count")
    with w.where(w.line("icmp ne ptr %point_code, null")):
        w.lines.append("call void %point(ptr %uniform, ptr %point_code)")
    w.lines.append("call i32 %run(ptr %run_table)")
    chunks = w.line(f"sdiv i64 {w.line(f'add i64 {n}, {CHUNK - 1}')}, {CHUNK}")
    w.over(
        "%found_count",
        lambda i, kind: w.store(w.load("%sums", i, kind, of="double"), "%found", i, kind, of="double"),
    )
    with w.loop("1", chunks) as chunk:
        row = w.place("%sums", w.line(f"mul i64 {chunk}, %summed"), "double")

        def add(i: str, kind: str) -> None:
            so_far, here = w.load("%found", i, kind, of="double"), w.load(row, i, kind, of="double")
            w.store(w.line(f"fadd {kind} {so_far}, {here}"), "%found", i, kind, of="double")

        w.over("%found_count", add)
    for width in (1, LANES):
        w.lines.append(f"store <{width} x double> zeroinitializer, ptr %sum.{width}")
    count = w.line(f"sitofp i64 {n} to double")
    counts = w.line(f"insertelement <{LANES} x double> poison, double {count}, i64 0")
    counts = w.line(
        f"shufflevector <{LANES} x double> {counts}, <{LANES} x double> poison, <{LANES} x i32> zeroinitializer"
    )

    def divide(i: str, kind: str) -> None:
        mean = w.line(f"fdiv {kind} {w.load('%found', i, kind, of='double')}, {count if kind == 'double' else counts}")
        mean = w.line(f"fadd {kind} {mean}, {_ZERO[kind]}")  # never -0.0, as what backward() adds up
        w.store(mean, "%found", i, kind, of="double")
        _note(w, mean, kind)

    w.over("%found_count", divide)


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
