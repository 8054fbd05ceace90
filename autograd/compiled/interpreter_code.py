"""The interpreter, written once as LLVM instructions from the table: any program runs on it without compiling.

Two functions. ``block`` runs a code over blocks of 64 samples: operation by operation, each over the whole block, so
that choosing the operation is paid once for 64 samples. ``point`` runs groups of equal operations over the rows of one
array, four at a time, for a single point. Both know the primitives; ``block`` has besides what loads columns and keeps
outputs, and the sums of products in which most of a network's time goes; ``point`` has long sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from autograd.compiled import driver, sums_of_products
from autograd.compiled.code import (
    DOT,
    FIRST_PRIMITIVE,
    GATHER,
    KEEP,
    LAYER,
    LOAD,
    MOVE,
    NEXT,
    OUTER,
    PRODUCT,
    REPEAT,
    SUM,
    VECTOR,
    Code,
    add_product,
    end,
    loop,
    loop_end,
    store,
)
from autograd.compiled.reduction import LANES
from autograd.number_systems import llvm_kernels
from autograd.number_systems.llvm import Emitter, Register
from autograd.primitives import TABLE

#: Vectors that a kernel of one operand is called for at once.
TOGETHER = 2


@cache
def operations() -> dict[str, int]:
    """Primitive → its operation, for all that native code can compute."""
    known: dict[str, int] = {}
    for name, row in TABLE.items():
        if row.n_ary or name in ("identity", "detach"):
            continue
        try:
            _written(Emitter(LANES, llvm_kernels.call), name)
        except NotImplementedError:
            continue
        known[name] = FIRST_PRIMITIVE + len(known)
    return known


def _written(emitter: Emitter, name: str) -> Register:
    """The lines of a primitive over operands %x0, %x1, %x2."""
    operands = [Register(emitter, f"%x{i}") for i in range(arity(name))]
    return emitter.as_number(emitter.apply(name, *operands))


def arity(name: str) -> int:
    """The number of operands of a primitive."""
    return TABLE[name].arity


@cache
def text(*, fast: bool = False, wide: bool = False) -> str:
    """The module: ``run`` with this ``block``, and ``point``.

    Args:
        fast: round each product and its sum once together in ``dot`` and ``gather``.
        wide: for a processor with registers of eight numbers.
    """
    emitter = Emitter(LANES, llvm_kernels.call)
    parts = [_block(emitter, fast, wide), _point(emitter)]
    if fast:
        for lanes in (LANES, 2 * LANES):
            kind = f"<{lanes} x double>"
            emitter.declarations.add(f"declare {kind} @llvm.fma.v{lanes}f64({kind}, {kind}, {kind})")
    return "\n".join([*sorted(emitter.declarations), *emitter.functions.values(), *parts, driver.TEXT])


def _body(emitter: Emitter, name: str, text: Code, numbers: list[str]) -> str:
    """The lines of a primitive over numbers, inside of another function."""
    inner = Emitter(LANES, llvm_kernels.call)
    inner.functions, inner.declarations = emitter.functions, emitter.declarations
    inner.prefix = f"%{name}{text.number}."
    result = inner.as_number(inner.apply(name, *[Register(inner, number) for number in numbers]))
    text.number += 1
    text.add(*inner.lines)
    return result.text


def _block(emitter: Emitter, fast: bool, wide: bool) -> str:
    t = Code()
    t.add(
        "define internal void @block(ptr %table, ptr noalias %columns, ptr noalias %strides, ptr noalias %lanes, "
        "ptr noalias %outputs, "
        "i64 %first, i64 %last) {",
        "entry:",
    )
    fields = (("memory", "ptr"), ("code", "ptr"), ("uniform", "ptr"), ("instructions", "i64"), ("vectors", "i64"))
    t.add(*(f"%loop.{name} = alloca i64, align 8" for name in ("base", "left", "stride")))
    for field, kind in fields:
        t.add(
            f"%{field}.at = getelementptr i64, ptr %table, i64 {driver.FIELDS.index(field)}",
            f"%{field} = load {kind}, ptr %{field}.at, align 8",
        )
    # The code begins with the rows of shared numbers; each is laid down four times.
    t.add(
        "br label %spread",
        "spread:",
        "%s = phi i64 [0, %entry], [%s.next, %spread.one]",
        "%s.more = icmp slt i64 %s, %instructions",
        "br i1 %s.more, label %spread.one, label %begin",
        "spread.one:",
        "%s.at = getelementptr i32, ptr %code, i64 %s",
        "%s.row = load i32, ptr %s.at, align 4",
        "%s.from = getelementptr double, ptr %uniform, i32 %s.row",
        "%s.number = load double, ptr %s.from, align 8",
        f"%s.one = insertelement {VECTOR} poison, double %s.number, i64 0",
        f"%s.all = shufflevector {VECTOR} %s.one, {VECTOR} poison, <{LANES} x i32> zeroinitializer",
        f"%s.to = getelementptr {VECTOR}, ptr %memory, i64 %s",
        f"store {VECTOR} %s.all, ptr %s.to, align 32",
        "%s.next = add i64 %s, 1",
        "br label %spread",
        "begin:",
        "%start = getelementptr i32, ptr %code, i64 %instructions",
        "br label %blocks",
        "blocks:",
        "%g = phi i64 [%first, %begin], [%g.next, %block.end]",
        "%g.more = icmp slt i64 %g, %last",
        "br i1 %g.more, label %block.begin, label %done",
        "block.begin:",
        "%left = sub i64 %last, %g",
        "%full = icmp sge i64 %left, %vectors",
        "%n = select i1 %full, i64 %vectors, i64 %left",
        "br label %fetch",
        "fetch:",
    )
    body = Code()
    body.number = 1_000_000
    labels = {
        LOAD: "load", KEEP: "keep", DOT: "dot", GATHER: "gather", LAYER: "layer", OUTER: "outer",
        PRODUCT: "product", MOVE: "move", REPEAT: "repeat", NEXT: "next",
    }  # fmt: skip
    nexts = [
        ("load", _load(body)),
        ("keep", _keep(body)),
        ("dot", sums_of_products.dot(body, fast)),
        ("gather", sums_of_products.gather(body, fast)),
        ("layer", sums_of_products.layer(body, fast, wide=wide)),
        ("outer", sums_of_products.outer(body, fast)),
        ("product", _product(body, fast)),
        ("move", _move(body)),
        ("repeat", _repeat(body)),
        ("next", _next(body)),
    ]
    for name, number in operations().items():
        labels[number] = f"op.{name}"
        nexts.append((f"op.{name}", _operation(emitter, body, name)))
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


def _operation(emitter: Emitter, t: Code, name: str) -> str:
    """``operation, out, x, y, z``."""
    label, count = f"op.{name}", arity(name)
    t.add(f"{label}:")
    out, _ = t.operand(t.word("%pc", 1))
    operands = [t.operand(t.word("%pc", 2 + i)) for i in range(count)]
    if count == 1 and name in llvm_kernels.KERNELS:
        _kernel(emitter, t, name, out, operands[0])
        return end(t, label, "3")
    _vector_by_vector(t, label, out, operands, lambda numbers: _body(emitter, name, t, numbers))
    return end(t, label, str(2 + count))


def _product(t: Code, fast: bool) -> str:
    """``product, out, start, x, y``: start + x·y."""

    def result(numbers: list[str]) -> str:
        found = t.name("p")
        start, x, y = numbers
        add_product(t, found, start, x, y, fast)
        return found

    t.add("product:")
    out, _ = t.operand(t.word("%pc", 1))
    operands = [t.operand(t.word("%pc", 2 + i)) for i in range(3)]
    _vector_by_vector(t, "product", out, operands, result)
    return end(t, "product", "5")


def _vector_by_vector(
    t: Code, label: str, out: str, operands: Sequence[tuple[str, str]], result: Callable[[list[str]], str]
) -> None:
    """The loops of an operation: four vectors at a time, then one by one."""
    t.add(
        f"%{label}.fours = and i64 %n, -4",
        f"%{label}.any = icmp sgt i64 %{label}.fours, 0",
        f"br i1 %{label}.any, label %{label}.four, label %{label}.rest",
    )
    for part, width, limit, after in (("four", 4, f"%{label}.fours", "rest"), ("one", 1, "%n", "end")):
        name = f"{label}.{part}"
        origin = f"[0, %{label}]" if width == 4 else f"[%{label}.done, %{label}.rest]"
        if width == 1:
            t.add(
                f"{label}.rest:",
                f"%{label}.done = phi i64 [0, %{label}], [%{label}.fours, %{label}.four]",
                f"%{label}.left = icmp slt i64 %{label}.done, %n",
                f"br i1 %{label}.left, label %{name}, label %{label}.end",
            )
        t.add(f"{name}:", f"%{name}.v0 = phi i64 {origin}, [%{name}.next, %{name}]")
        places = [f"%{name}.v{k}" for k in range(width)]
        t.add(*(f"{places[k]} = add i64 {places[0]}, {k}" for k in range(1, width)))
        for v in places:
            store(t, out, v, result([t.load(operand, v) for operand in operands]))
        t.add(
            f"%{name}.next = add i64 {places[0]}, {width}",
            f"%{name}.more = icmp slt i64 %{name}.next, {limit}",
            f"br i1 %{name}.more, label %{name}, label %{label}.{after}",
        )
    t.add(f"{label}.end:")


def _kernel(emitter: Emitter, t: Code, name: str, out: str, operand: tuple[str, str]) -> None:
    """The loop of a kernel of one operand, several vectors at a time: where fewer are left, the last one again."""
    label, b = f"op.{name}", f"%op.{name}.b"
    t.add(f"{b}.last = sub i64 %n, 1")
    t.add(f"br label %{label}.loop", f"{label}.loop:", f"{b} = phi i64 [0, %{label}], [{b}.next, %{label}.loop]")
    places = [f"%{label}.v{k}" for k in range(TOGETHER)]
    for k, v in enumerate(places):
        t.add(
            f"{v}.at = add i64 {b}, {k}",
            f"{v}.is = icmp slt i64 {v}.at, %n",
            f"{v} = select i1 {v}.is, i64 {v}.at, i64 {b}.last",
        )
    inner = Emitter(LANES, llvm_kernels.call)
    inner.functions, inner.declarations, inner.prefix = emitter.functions, emitter.declarations, f"%{name}.t."
    numbers = [Register(inner, t.load(operand, v)) for v in places]
    results = llvm_kernels.call_together(inner, name, numbers)
    t.add(*inner.lines)
    for v, result in zip(places, results, strict=True):
        store(t, out, v, result.text)
    t.add(
        f"{b}.next = add i64 {b}, {TOGETHER}",
        f"{b}.more = icmp slt i64 {b}.next, %n",
        f"br i1 {b}.more, label %{label}.loop, label %{label}.end",
        f"{label}.end:",
    )


def _load(t: Code) -> str:
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
        "%load.sample = shl i64 %load.group, 2",
        "%load.place = mul i64 %load.sample, %load.stride",
        "%load.p0 = getelementptr double, ptr %load.column, i64 %load.place",
    )
    number = "poison"
    for lane in range(LANES):
        if lane:
            t.add(f"%load.p{lane} = getelementptr double, ptr %load.p{lane - 1}, i64 %load.stride")
        one, joined = t.name("l"), t.name("l")
        t.add(
            f"{one} = load double, ptr %load.p{lane}, align 8",
            f"{joined} = insertelement {VECTOR} {number}, double {one}, i64 {lane}",
        )
        number = joined
    store(t, out, v, number)
    loop_end(t, "load")
    return end(t, "load", "3")


def _keep(t: Code) -> str:
    """``keep, output, x``: an output with one number per sample."""
    t.add("keep:")
    output = t.word("%pc", 1)
    operand = t.operand(t.word("%pc", 2))
    t.add(
        f"%keep.at = getelementptr ptr, ptr %outputs, i64 {output}",
        "%keep.array = load ptr, ptr %keep.at, align 8",
        f"%keep.here = getelementptr {VECTOR}, ptr %keep.array, i64 %g",
    )
    v = loop(t, "keep", "keep")
    number = t.load(operand, v)
    t.add(
        f"%keep.p = getelementptr {VECTOR}, ptr %keep.here, i64 {v}", f"store {VECTOR} {number}, ptr %keep.p, align 8"
    )
    loop_end(t, "keep")
    return end(t, "keep", "3")


def _move(t: Code) -> str:
    """``move, out, x``."""
    t.add("move:")
    out, _ = t.operand(t.word("%pc", 1))
    operand = t.operand(t.word("%pc", 2))
    _vector_by_vector(t, "move", out, [operand], lambda numbers: numbers[0])
    return end(t, "move", "3")


def _repeat(t: Code) -> str:
    """``repeat, steps, base, stride``: what follows is done so often; rows that move begin ``base`` vectors further,
    and move on by ``stride``."""
    t.add("repeat:")
    for place, name in enumerate(("left", "base", "stride"), start=1):
        t.add(f"store i64 {t.word('%pc', place)}, ptr %loop.{name}, align 8")
    t.add("br label %repeat.end", "repeat.end:")
    return end(t, "repeat", "4")


def _next(t: Code) -> str:
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


def _point(emitter: Emitter) -> str:
    """``operation, count of fours, first row of the result, rows of x …, rows of y …``, until an ``END``."""
    t = Code()
    t.number = 2_000_000
    t.add("define void @point(ptr noalias %numbers, ptr noalias %code) {", "entry:", "br label %fetch", "fetch:")
    body = Code()
    body.number = 3_000_000
    nexts, cases = [], []
    for name, number in operations().items():
        label = f"op.{name}"
        cases.append(f"i32 {number}, label %{label}")
        body.add(f"{label}:")
        fours, first = body.word("%pc", 1), body.word("%pc", 2)
        rows = body.name("r")
        body.add(f"{rows} = getelementptr i32, ptr %pc, i64 3", f"%{label}.n = shl i64 {fours}, 2")
        v = f"%{label}.v"
        body.add(f"br label %{label}.loop", f"{label}.loop:", f"{v} = phi i64 [0, %{label}], [{v}.next, %{label}.loop]")
        numbers = []
        for i in range(arity(name)):
            begin, at, here = (body.name("i") for _ in range(3))
            body.add(
                f"{begin} = mul i64 %{label}.n, {i}",
                f"{at} = add i64 {begin}, {v}",
                f"{here} = getelementptr i32, ptr {rows}, i64 {at}",
            )
            vector = "poison"
            for lane in range(LANES):
                row = body.word(here, lane)
                where, x, joined = (body.name("x") for _ in range(3))
                body.add(
                    f"{where} = getelementptr double, ptr %numbers, i64 {row}",
                    f"{x} = load double, ptr {where}, align 8",
                    f"{joined} = insertelement {VECTOR} {vector}, double {x}, i64 {lane}",
                )
                vector = joined
            numbers.append(vector)
        result = _body(emitter, name, body, numbers)
        place, to = body.name("q"), body.name("q")
        body.add(
            f"{place} = add i64 {first}, {v}",
            f"{to} = getelementptr double, ptr %numbers, i64 {place}",
            f"store {VECTOR} {result}, ptr {to}, align 32",
            f"{v}.next = add i64 {v}, {LANES}",
            f"{v}.more = icmp slt i64 {v}.next, %{label}.n",
            f"br i1 {v}.more, label %{label}.loop, label %{label}.end",
            f"{label}.end:",
        )
        words, length = body.name("q"), body.name("q")
        body.add(f"{words} = mul i64 %{label}.n, {arity(name)}", f"{length} = add i64 {words}, 3")
        nexts.append((label, end(body, label, length)))
    nexts.append(("op.sum", _sum(body)))
    cases.append(f"i32 {SUM}, label %op.sum")
    arrivals = ", ".join(["[%code, %entry]", *(f"[{pc}, %{label}.end]" for label, pc in nexts)])
    t.add(
        f"%pc = phi ptr {arrivals}",
        "%op = load i32, ptr %pc, align 4",
        f"switch i32 %op, label %done [{' '.join(cases)}]",
        *body.lines,
        "done:",
        "ret void",
        "}",
    )
    return "\n".join(t.lines)


def _sum(t: Code) -> str:
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
