"""The interpreter, written once as LLVM instructions from the table: any program runs on it without compiling.

``block`` runs a code over blocks of 64 samples, fewer where columns of loops take much memory: operation by operation,
each over the whole block, so that choosing the operation is paid once for a block. It knows the primitives, and besides
what loads columns and keeps outputs, and the sums of products in which most of a network's time goes.
"""

from __future__ import annotations

from functools import cache

from autograd.compiled.backends.interpreter import elementwise, four_neurons, sums_of_products
from autograd.compiled.backends.interpreter.words import (
    DOT,
    GATHER,
    KEEP,
    LAYER,
    LOAD,
    MOVE,
    NEXT,
    OUTER,
    PRODUCT,
    REPEAT,
)
from autograd.compiled.backends.native import driver
from autograd.compiled.backends.native.lines import Lines, end, loop, loop_end, store
from autograd.compiled.backends.native.operations import operations, twins
from autograd.compiled.backends.reduction import LANES
from autograd.number_systems.llvm import kernels
from autograd.number_systems.llvm.emitter import Emitter


@cache
def text(width: int, *, fast: bool = False, wide: bool = False) -> str:
    """The module: ``run`` with this ``block``.

    Args:
        fast: round each product and its sum once together in ``dot``, ``gather``, ``layer``, ``product`` and ``outer``.
        width: the numbers of a vector.
        wide: for a processor that has registers of eight numbers, if only in halves.
    """
    emitter = Emitter(width, kernels.call)
    parts = [_block(emitter, fast, wide)]
    if fast:
        for lanes in sorted({width, LANES}):
            kind = f"<{lanes} x double>"
            emitter.declarations.add(f"declare {kind} @llvm.fma.v{lanes}f64({kind}, {kind}, {kind})")
    return "\n".join([*sorted(emitter.declarations), *emitter.functions.values(), *parts, driver.TEXT])


def _block(emitter: Emitter, fast: bool, wide: bool) -> str:
    t = Lines(emitter.width)
    t.add(driver.HEAD, "entry:")
    fields = (
        ("memory", "ptr"),
        ("code", "ptr"),
        ("uniform", "ptr"),
        ("shared", "i64"),
        ("vectors", "i64"),
        ("counted", "i64"),
    )
    t.add(*(f"%loop.{name} = alloca i64, align 8" for name in ("base", "left", "stride")))
    t.add(f"%twins = alloca {t.vector}, i64 {elementwise.TOGETHER}, align {t.align}")
    t.add(*(driver.field(name, kind) for name, kind in fields))
    t.add(*_beginning(t))
    body = Lines(emitter.width, 1_000_000)
    labels = {
        LOAD: "load", KEEP: "keep", DOT: "dot", GATHER: "gather", LAYER: "layer", OUTER: "outer",
        PRODUCT: "product", MOVE: "move", REPEAT: "repeat", NEXT: "next",
    }  # fmt: skip
    nexts = [
        ("load", _load(body)),
        ("keep", _keep(body)),
        ("dot", sums_of_products.dot(body, fast)),
        ("gather", sums_of_products.gather(body, fast)),
        ("layer", four_neurons.layer(body, fast, wide=wide)),
        ("outer", four_neurons.outer(body, fast)),
        ("product", elementwise.product(body, fast)),
        ("move", elementwise.move(body)),
        ("repeat", _repeat(body)),
        ("next", _next(body)),
    ]
    for name, number in operations().items():
        labels[number] = f"op.{name}"
        nexts.append((f"op.{name}", elementwise.operation(emitter, body, name)))
    for names, number in twins().items():
        labels[number] = f"op.{'.'.join(names)}"
        nexts.append((labels[number], elementwise.twins(emitter, body, names)))
    arrivals = ", ".join(["[%start, %block.begin]", *(f"[{pc}, %{label}.end]" for label, pc in nexts)])
    cases = " ".join(f"i32 {number}, label %{label}" for number, label in labels.items())
    t.add(
        f"%pc = phi ptr {arrivals}",
        "%base = load i64, ptr %loop.base, align 8",
        "%op = load i32, ptr %pc, align 4",
        f"switch i32 %op, label %block.end [{cases}]",
        *body.lines,
        "block.end:",
        "%g.next = add i64 %g, %vectors",
        "br label %blocks",
        "done:",
        "ret void",
        "}",
    )
    return "\n".join(t.lines)


def _beginning(t: Lines) -> tuple[str, ...]:
    """What ``block`` does first. The code begins with the rows of shared numbers; each is laid down in all lanes."""
    parts = LANES // t.width
    numbers = [[f"i64 {lane}" for lane in range(part * t.width, (part + 1) * t.width)] for part in range(parts)]
    counts, index = f"<{t.width} x i64>", f"<{t.width} x i32>"
    return (
        f"%counted.one = insertelement {counts} poison, i64 %counted, i64 0",
        f"%counted.all = shufflevector {counts} %counted.one, {counts} poison, {index} zeroinitializer",
        *(
            f"%is.sample.{part} = icmp ult {counts} <{', '.join(lanes)}>, %counted.all"
            for part, lanes in enumerate(numbers)
        ),
        f"%is.padded = icmp slt i64 %counted, {LANES}",
        f"%begin.vector = mul i64 %first, {parts}",
        f"%end.vector = mul i64 %last, {parts}",
        "br label %spread",
        "spread:",
        "%s = phi i64 [0, %entry], [%s.next, %spread.one]",
        "%s.more = icmp slt i64 %s, %shared",
        "br i1 %s.more, label %spread.one, label %begin",
        "spread.one:",
        "%s.at = getelementptr i32, ptr %code, i64 %s",
        "%s.row = load i32, ptr %s.at, align 4",
        "%s.from = getelementptr double, ptr %uniform, i32 %s.row",
        "%s.number = load double, ptr %s.from, align 8",
        f"%s.one = insertelement {t.vector} poison, double %s.number, i64 0",
        f"%s.all = shufflevector {t.vector} %s.one, {t.vector} poison, <{t.width} x i32> zeroinitializer",
        f"%s.to = getelementptr {t.vector}, ptr %memory, i64 %s",
        f"store {t.vector} %s.all, ptr %s.to, align {t.align}",
        "%s.next = add i64 %s, 1",
        "br label %spread",
        "begin:",
        "%start = getelementptr i32, ptr %code, i64 %shared",
        "br label %blocks",
        "blocks:",
        "%g = phi i64 [%begin.vector, %begin], [%g.next, %block.end]",
        "%g.more = icmp slt i64 %g, %end.vector",
        "br i1 %g.more, label %block.begin, label %done",
        "block.begin:",
        "%left = sub i64 %end.vector, %g",
        "%full = icmp sge i64 %left, %vectors",
        "%n = select i1 %full, i64 %vectors, i64 %left",
        "%is.last = icmp sle i64 %left, %vectors",
        "%has.rest = and i1 %is.last, %is.padded",
        f"%without.rest = sub i64 %n, {parts}",
        "%whole = select i1 %has.rest, i64 %without.rest, i64 %n",
        "br label %fetch",
        "fetch:",
    )


def _load(t: Lines) -> str:
    """``load, out, column``: this block's samples of a column."""
    t.add("load:")
    out, _ = t.operand(t.word("%pc", 1))
    column = t.word("%pc", 2)
    t.add(
        f"%load.at = getelementptr ptr, ptr %columns, i64 {column}",
        "%load.column = load ptr, ptr %load.at, align 8",
        f"%load.stride.at = getelementptr i64, ptr %strides, i64 {column}",
        "%load.stride = load i64, ptr %load.stride.at, align 8",
    )
    v = loop(t, "load", "load")
    t.add(
        f"%load.group = add i64 %g, {v}",
        f"%load.sample = mul i64 %load.group, {t.width}",
        "%load.place = mul i64 %load.sample, %load.stride",
        "%load.p0 = getelementptr double, ptr %load.column, i64 %load.place",
    )
    number = "poison"
    for lane in range(t.width):
        if lane:
            t.add(f"%load.p{lane} = getelementptr double, ptr %load.p{lane - 1}, i64 %load.stride")
        one, joined = t.name("l"), t.name("l")
        t.add(
            f"{one} = load double, ptr %load.p{lane}, align 8",
            f"{joined} = insertelement {t.vector} {number}, double {one}, i64 {lane}",
        )
        number = joined
    store(t, out, v, number)
    loop_end(t, "load")
    return end(t, "load", "3")


def _keep(t: Lines) -> str:
    """``keep, output, x``: an output with one number per sample."""
    t.add("keep:")
    output = t.word("%pc", 1)
    operand = t.operand(t.word("%pc", 2))
    t.add(
        f"%keep.at = getelementptr ptr, ptr %outputs, i64 {output}",
        "%keep.array = load ptr, ptr %keep.at, align 8",
        f"%keep.here = getelementptr {t.vector}, ptr %keep.array, i64 %g",
    )
    v = loop(t, "keep", "keep")
    number = t.load(operand, v)
    t.add(
        f"%keep.p = getelementptr {t.vector}, ptr %keep.here, i64 {v}",
        f"store {t.vector} {number}, ptr %keep.p, align 8",
    )
    loop_end(t, "keep")
    return end(t, "keep", "3")


def _repeat(t: Lines) -> str:
    """``repeat, steps, base, stride``: what follows is done so often; rows that move begin ``base`` vectors further,
    and move on by ``stride``."""
    t.add("repeat:")
    for place, name in enumerate(("left", "base", "stride"), start=1):
        t.add(f"store i64 {t.word('%pc', place)}, ptr %loop.{name}, align 8")
    t.add("br label %repeat.end", "repeat.end:")
    return end(t, "repeat", "4")


def _next(t: Lines) -> str:
    """``next, back``: on to the next step, so many words before this one; or to what comes after the loop."""
    t.add("next:")
    back = t.word("%pc", 1)
    t.add(
        "%next.base = load i64, ptr %loop.base, align 8",
        "%next.stride = load i64, ptr %loop.stride, align 8",
        "%next.moved = add i64 %next.base, %next.stride",
        "store i64 %next.moved, ptr %loop.base, align 8",
        "%next.left = load i64, ptr %loop.left, align 8",
        "%next.fewer = sub i64 %next.left, 1",
        "store i64 %next.fewer, ptr %loop.left, align 8",
        "%next.more = icmp sgt i64 %next.fewer, 0",
        f"%next.start = sub i64 0, {back}",
        "%next.words = select i1 %next.more, i64 %next.start, i64 2",
        "br label %next.end",
        "next.end:",
    )
    return end(t, "next", "%next.words")
