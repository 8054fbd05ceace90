"""The interpreter, written once as LLVM instructions from the table: any program runs on it without compiling.

Two functions. ``block`` runs a code over blocks of 64 samples: operation by operation, each over the whole block, so
that choosing the operation is paid once for 64 samples. ``point`` runs groups of equal operations over the rows of one
array, four at a time, for a single point. Both know the same operations, and ``block`` two more, in which most of a
network's time goes: ``dot``, a chain of products that are added up, whose sum stays in registers; and ``gather``, which
adds products of rows to the sums over samples, eight at a time.

A word of code that names an operand is ``2 * place + 1`` for a row of the block, and ``2 * place`` for a number that
all samples share, which lies there four times; a place counts vectors of four.
"""

from __future__ import annotations

from functools import cache

from autograd.compiled import driver
from autograd.compiled.reduction import LANES
from autograd.number_systems import llvm_kernels
from autograd.number_systems.llvm import Emitter, Register
from autograd.primitives import TABLE

#: Vectors of a block: 64 samples.
VECTORS = 16
#: Products that ``gather`` adds at a time.
GATHERED = 8

END, LOAD, KEEP, DOT, GATHER, LAYER, OUTER = range(7)
#: Of ``point`` alone, which has none of the others.
SUM = 1
_FIRST = 7
#: Neurons that ``layer`` and ``outer`` take at a time, and vectors or inputs beside them: eight sums stay in registers.
NEURONS = 4
_BESIDE = 2

_VECTOR = f"<{LANES} x double>"


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
        known[name] = _FIRST + len(known)
    return known


def _written(emitter: Emitter, name: str) -> Register:
    """The lines of a primitive over operands %x0, %x1, %x2."""
    operands = [Register(emitter, f"%x{i}") for i in range(arity(name))]
    return emitter.as_number(emitter.apply(name, *operands))


def arity(name: str) -> int:
    """The number of operands of a primitive."""
    return TABLE[name].arity


class _Text:
    """The lines of a function, and names that are its own."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.number = 0

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
        """Where an operand begins, and its step from vector to vector: 1 for a row, 0 for a shared number."""
        place, step, pointer = self.name("o"), self.name("o"), self.name("o")
        self.add(
            f"{place} = lshr i64 {word}, 1",
            f"{step} = and i64 {word}, 1",
            f"{pointer} = getelementptr {_VECTOR}, ptr %memory, i64 {place}",
        )
        return pointer, step

    def load(self, operand: tuple[str, str], v: str) -> str:
        """Vector ``v`` of an operand."""
        offset, pointer, number = self.name("l"), self.name("l"), self.name("l")
        self.add(
            f"{offset} = mul i64 {v}, {operand[1]}",
            f"{pointer} = getelementptr {_VECTOR}, ptr {operand[0]}, i64 {offset}",
            f"{number} = load {_VECTOR}, ptr {pointer}, align 32",
        )
        return number

    def advance(self, pc: str, words: str) -> str:
        """The place in the code after so many words."""
        after = self.name("pc")
        self.add(f"{after} = getelementptr i32, ptr {pc}, i64 {words}")
        return after


@cache
def text(*, fast: bool = False) -> str:
    """The module: ``run`` with this ``block``, and ``point``.

    Args:
        fast: round each product and its sum once together in ``dot`` and ``gather``.
    """
    emitter = Emitter(LANES, llvm_kernels.call)
    parts = [_block(emitter, fast), _point(emitter)]
    if fast:
        emitter.declarations.add(f"declare {_VECTOR} @llvm.fma.v{LANES}f64({_VECTOR}, {_VECTOR}, {_VECTOR})")
    return "\n".join([*sorted(emitter.declarations), *emitter.functions.values(), *parts, driver.TEXT])


def _body(emitter: Emitter, name: str, text: _Text, numbers: list[str]) -> str:
    """The lines of a primitive over numbers, inside of another function."""
    inner = Emitter(LANES, llvm_kernels.call)
    inner.functions, inner.declarations = emitter.functions, emitter.declarations
    inner.prefix = f"%{name}{text.number}."
    result = inner.as_number(inner.apply(name, *[Register(inner, number) for number in numbers]))
    text.number += 1
    text.add(*inner.lines)
    return result.text


def _block(emitter: Emitter, fast: bool) -> str:
    t = _Text()
    t.add(
        "define internal void @block(ptr %table, ptr noalias %columns, ptr noalias %strides, ptr noalias %lanes, "
        "ptr noalias %outputs, "
        "i64 %first, i64 %last) {",
        "entry:",
    )
    for field, kind in (("memory", "ptr"), ("code", "ptr"), ("uniform", "ptr"), ("instructions", "i64")):
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
        f"%s.one = insertelement {_VECTOR} poison, double %s.number, i64 0",
        f"%s.all = shufflevector {_VECTOR} %s.one, {_VECTOR} poison, <{LANES} x i32> zeroinitializer",
        f"%s.to = getelementptr {_VECTOR}, ptr %memory, i64 %s",
        f"store {_VECTOR} %s.all, ptr %s.to, align 32",
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
        f"%full = icmp sge i64 %left, {VECTORS}",
        f"%n = select i1 %full, i64 {VECTORS}, i64 %left",
        "br label %fetch",
        "fetch:",
    )
    body = _Text()
    body.number = 1_000_000
    labels = {LOAD: "load", KEEP: "keep", DOT: "dot", GATHER: "gather", LAYER: "layer", OUTER: "outer"}
    nexts = [
        ("load", _load(body)),
        ("keep", _keep(body)),
        ("dot", _dot(body, fast)),
        ("gather", _gather(body, fast)),
        ("layer", _layer(body, fast)),
        ("outer", _outer(body, fast)),
    ]
    for name, number in operations().items():
        labels[number] = f"op.{name}"
        nexts.append((f"op.{name}", _operation(emitter, body, name)))
    arrivals = ", ".join(["[%start, %block.begin]", *(f"[{pc}, %{label}.end]" for label, pc in nexts)])
    cases = " ".join(f"i32 {number}, label %{label}" for number, label in labels.items())
    t.add(
        f"%pc = phi ptr {arrivals}",
        "%op = load i32, ptr %pc, align 4",
        f"switch i32 %op, label %block.end [{cases}]",
        *body.lines,
        "block.end:",
        f"%g.next = add i64 %g, {VECTORS}",
        "br label %blocks",
        "done:",
        "ret void",
        "}",
    )
    return "\n".join(t.lines)


def _add_product(t: _Text, result: str, total: str, x: str, y: str, fast: bool) -> None:
    """``result = total + x·y``."""
    if fast:
        t.add(
            f"{result} = call {_VECTOR} @llvm.fma.v{LANES}f64({_VECTOR} {x}, {_VECTOR} {y}, {_VECTOR} {total})",
        )
        return
    product = t.name("d")
    t.add(f"{product} = fmul {_VECTOR} {x}, {y}", f"{result} = fadd {_VECTOR} {total}, {product}")


def _loop(t: _Text, label: str, before: str) -> str:
    """The head of a loop over the vectors of a block; its counter."""
    v = f"%{label}.v"
    t.add(f"br label %{label}.loop", f"{label}.loop:", f"{v} = phi i64 [0, %{before}], [{v}.next, %{label}.loop]")
    return v


def _loop_end(t: _Text, label: str) -> None:
    v = f"%{label}.v"
    t.add(
        f"{v}.next = add i64 {v}, 1",
        f"{v}.more = icmp slt i64 {v}.next, %n",
        f"br i1 {v}.more, label %{label}.loop, label %{label}.end",
        f"{label}.end:",
    )


def _store(t: _Text, row: str, v: str, number: str) -> None:
    at = t.name("s")
    t.add(f"{at} = getelementptr {_VECTOR}, ptr {row}, i64 {v}", f"store {_VECTOR} {number}, ptr {at}, align 32")


def _operation(emitter: Emitter, t: _Text, name: str) -> str:
    """``operation, out, x, y, z``."""
    label, count = f"op.{name}", arity(name)
    t.add(f"{label}:")
    out, _ = t.operand(t.word("%pc", 1))
    operands = [t.operand(t.word("%pc", 2 + i)) for i in range(count)]
    v = _loop(t, label, label)
    numbers = [t.load(operand, v) for operand in operands]
    _store(t, out, v, _body(emitter, name, t, numbers))
    _loop_end(t, label)
    return _end(t, label, str(2 + count))


def _end(t: _Text, label: str, words: str) -> str:
    after = t.advance("%pc", words)
    t.add("br label %fetch")
    return after


def _load(t: _Text) -> str:
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
    v = _loop(t, "load", "load")
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
            f"{joined} = insertelement {_VECTOR} {number}, double {one}, i64 {lane}",
        )
        number = joined
    _store(t, out, v, number)
    _loop_end(t, "load")
    return _end(t, "load", "3")


def _keep(t: _Text) -> str:
    """``keep, output, x``: an output with one number per sample."""
    t.add("keep:")
    output = t.word("%pc", 1)
    operand = t.operand(t.word("%pc", 2))
    t.add(
        f"%keep.at = getelementptr ptr, ptr %outputs, i64 {output}",
        "%keep.array = load ptr, ptr %keep.at, align 8",
        f"%keep.here = getelementptr {_VECTOR}, ptr %keep.array, i64 %g",
    )
    v = _loop(t, "keep", "keep")
    number = t.load(operand, v)
    t.add(
        f"%keep.p = getelementptr {_VECTOR}, ptr %keep.here, i64 {v}", f"store {_VECTOR} {number}, ptr %keep.p, align 8"
    )
    _loop_end(t, "keep")
    return _end(t, "keep", "3")


def _dot(t: _Text, fast: bool) -> str:
    """``dot, out, start, count, x1, y1, x2, y2 …``: start + x1·y1 + …, left to right; a start of -1 is none.

    Four vectors at a time: their sums stay in registers while the products go by.
    """
    t.add("dot:")
    out, _ = t.operand(t.word("%pc", 1))
    start = t.word("%pc", 2)
    count = t.word("%pc", 3)
    t.add(
        f"%dot.from = icmp sge i64 {start}, 0",
        f"%dot.start = select i1 %dot.from, i64 {start}, i64 0",
        "%dot.skip = select i1 %dot.from, i64 0, i64 1",
        "%dot.pairs = getelementptr i32, ptr %pc, i64 4",
        f"%dot.words = shl i64 {count}, 1",
    )
    begin = t.operand("%dot.start")
    first_x, first_y = (t.operand(t.word("%dot.pairs", i)) for i in (0, 1))
    t.add(f"%dot.fours = and i64 %n, {-4}", "%dot.any = icmp sgt i64 %dot.fours, 0",
          "br i1 %dot.any, label %dot.tile, label %dot.rest")  # fmt: skip
    for label, width in (("dot.tile", 4), ("dot.one", 1)):
        if label == "dot.one":
            t.add(
                "dot.rest:",
                "%dot.done = phi i64 [0, %dot], [%dot.fours, %dot.tile.end]",
                "%dot.left = icmp slt i64 %dot.done, %n",
                "br i1 %dot.left, label %dot.one, label %dot.end",
            )
        b = f"%{label}.b"
        origin = "[0, %dot]" if label == "dot.tile" else "[%dot.done, %dot.rest]"
        t.add(f"{label}:", f"{b} = phi i64 {origin}, [{b}.next, %{label}.end]")
        at = []
        for j in range(width):
            at.append(f"%{label}.v{j}")
            t.add(f"%{label}.v{j} = add i64 {b}, {j}")
        begun = []
        for j in range(width):
            from_start = t.load(begin, at[j])
            x, y = t.load(first_x, at[j]), t.load(first_y, at[j])
            product, chosen = t.name("d"), t.name("d")
            t.add(
                f"{product} = fmul {_VECTOR} {x}, {y}",
                f"{chosen} = select i1 %dot.from, {_VECTOR} {from_start}, {_VECTOR} {product}",
            )
            begun.append(chosen)
        t.add(
            f"%{label}.has = icmp slt i64 %dot.skip, {count}",
            f"br i1 %{label}.has, label %{label}.inner, label %{label}.end",
            f"{label}.inner:",
        )
        p = f"%{label}.p"
        t.add(f"{p} = phi i64 [%dot.skip, %{label}], [{p}.next, %{label}.inner]")
        sums = [f"%{label}.s{j}" for j in range(width)]
        for j in range(width):
            t.add(f"{sums[j]} = phi {_VECTOR} [{begun[j]}, %{label}], [{sums[j]}.next, %{label}.inner]")
        t.add(f"{p}.x = shl i64 {p}, 1", f"{p}.at = getelementptr i32, ptr %dot.pairs, i64 {p}.x")
        x_at, y_at = (t.operand(t.word(f"{p}.at", i)) for i in (0, 1))
        for j in range(width):
            x, y = t.load(x_at, at[j]), t.load(y_at, at[j])
            _add_product(t, f"{sums[j]}.next", sums[j], x, y, fast)
        t.add(
            f"{p}.next = add i64 {p}, 1",
            f"{p}.more = icmp slt i64 {p}.next, {count}",
            f"br i1 {p}.more, label %{label}.inner, label %{label}.end",
            f"{label}.end:",
        )
        for j in range(width):
            t.add(f"{sums[j]}.all = phi {_VECTOR} [{begun[j]}, %{label}], [{sums[j]}.next, %{label}.inner]")
        for j in range(width):
            _store(t, out, at[j], f"{sums[j]}.all")
        limit, after = ("%dot.fours", "dot.rest") if label == "dot.tile" else ("%n", "dot.end")
        t.add(
            f"{b}.next = add i64 {b}, {width}",
            f"{b}.more = icmp slt i64 {b}.next, {limit}",
            f"br i1 {b}.more, label %{label}, label %{after}",
        )
    t.add("dot.end:", "%dot.length = add i64 %dot.words, 4")
    return _end(t, "dot", "%dot.length")


def _gather(t: _Text, fast: bool) -> str:
    """``gather, sum1, x1, y1, …``: the sums over samples of eight products, each lane adding its samples in order."""
    t.add("gather:")
    lanes, xs, ys = [], [], []
    for j in range(GATHERED):
        sum_at = t.word("%pc", 1 + 3 * j)
        at = t.name("g")
        t.add(f"{at} = getelementptr {_VECTOR}, ptr %lanes, i64 {sum_at}")
        lanes.append(at)
        xs.append(t.operand(t.word("%pc", 2 + 3 * j)))
        ys.append(t.operand(t.word("%pc", 3 + 3 * j)))
    so_far = []
    for at in lanes:
        number = t.name("g")
        t.add(f"{number} = load {_VECTOR}, ptr {at}, align 32")
        so_far.append(number)
    v = _loop(t, "gather", "gather")
    sums = [f"%gather.s{j}" for j in range(GATHERED)]
    for j in range(GATHERED):
        t.add(f"{sums[j]} = phi {_VECTOR} [{so_far[j]}, %gather], [{sums[j]}.next, %gather.loop]")
    for j in range(GATHERED):
        x, y = t.load(xs[j], v), t.load(ys[j], v)
        _add_product(t, f"{sums[j]}.next", sums[j], x, y, fast)
    _loop_end(t, "gather")
    for j in range(GATHERED):
        t.add(f"store {_VECTOR} {sums[j]}.next, ptr {lanes[j]}, align 32")
    return _end(t, "gather", str(1 + 3 * GATHERED))


def _layer(t: _Text, fast: bool) -> str:
    """``layer, inputs, x …, then four times: out, start, first weight``: start + w·x for four neurons.

    The weights of a neuron are shared numbers that lie one after the other; all x are rows.
    """
    t.add("layer:")
    inputs = t.word("%pc", 1)
    t.add(
        "%layer.x = getelementptr i32, ptr %pc, i64 2", f"%layer.rest = getelementptr i32, ptr %layer.x, i64 {inputs}"
    )
    outs, starts, weights = [], [], []
    for j in range(NEURONS):
        outs.append(t.operand(t.word("%layer.rest", 3 * j))[0])
        starts.append(t.operand(t.word("%layer.rest", 3 * j + 1))[0])
        weights.append(t.operand(t.word("%layer.rest", 3 * j + 2))[0])
    for label, width in (("layer.two", _BESIDE), ("layer.one", 1)):
        if width == 1:
            t.add(
                "layer.left:",
                "%layer.done = phi i64 [0, %layer], [%layer.pairs, %layer.two.end]",
                "%layer.more = icmp slt i64 %layer.done, %n",
                "br i1 %layer.more, label %layer.one, label %layer.end",
            )
        else:
            t.add(
                "%layer.pairs = and i64 %n, -2",
                "%layer.any = icmp sgt i64 %layer.pairs, 0",
                "br i1 %layer.any, label %layer.two, label %layer.left",
            )
        origin = "[0, %layer]" if width == _BESIDE else "[%layer.done, %layer.left]"
        b = f"%{label}.b"
        t.add(f"{label}:", f"{b} = phi i64 {origin}, [{b}.next, %{label}.end]")
        at = [f"%{label}.v{v}" for v in range(width)]
        t.add(*(f"{at[v]} = add i64 {b}, {v}" for v in range(width)))
        begun = []
        for j in range(NEURONS):
            number = t.name("l")
            t.add(f"{number} = load {_VECTOR}, ptr {starts[j]}, align 32")
            begun.append(number)
        i = f"%{label}.i"
        t.add(f"br label %{label}.loop", f"{label}.loop:", f"{i} = phi i64 [0, %{label}], [{i}.next, %{label}.loop]")
        sums = [[f"%{label}.s{j}.{v}" for v in range(width)] for j in range(NEURONS)]
        for j in range(NEURONS):
            for v in range(width):
                t.add(f"{sums[j][v]} = phi {_VECTOR} [{begun[j]}, %{label}], [{sums[j][v]}.next, %{label}.loop]")
        t.add(f"{i}.at = getelementptr i32, ptr %layer.x, i64 {i}")
        x_at = t.operand(t.word(f"{i}.at", 0))[0]
        xs = []
        for v in range(width):
            pointer, number = t.name("l"), t.name("l")
            t.add(
                f"{pointer} = getelementptr {_VECTOR}, ptr {x_at}, i64 {at[v]}",
                f"{number} = load {_VECTOR}, ptr {pointer}, align 32",
            )
            xs.append(number)
        for j in range(NEURONS):
            pointer, weight = t.name("l"), t.name("l")
            t.add(
                f"{pointer} = getelementptr {_VECTOR}, ptr {weights[j]}, i64 {i}",
                f"{weight} = load {_VECTOR}, ptr {pointer}, align 32",
            )
            for v in range(width):
                _add_product(t, f"{sums[j][v]}.next", sums[j][v], weight, xs[v], fast)
        t.add(
            f"{i}.next = add i64 {i}, 1",
            f"{i}.more = icmp slt i64 {i}.next, {inputs}",
            f"br i1 {i}.more, label %{label}.loop, label %{label}.end",
            f"{label}.end:",
        )
        for j in range(NEURONS):
            for v in range(width):
                _store(t, outs[j], at[v], f"{sums[j][v]}.next")
        limit, after = ("%layer.pairs", "layer.left") if width == _BESIDE else ("%n", "layer.end")
        t.add(
            f"{b}.next = add i64 {b}, {width}",
            f"{b}.more = icmp slt i64 {b}.next, {limit}",
            f"br i1 {b}.more, label %{label}, label %{after}",
        )
    t.add("layer.end:", f"%layer.words = add i64 {inputs}, {2 + 3 * NEURONS}")
    return _end(t, "layer", "%layer.words")


def _outer(t: _Text, fast: bool) -> str:
    """``outer, inputs, x …, then four times: cotangent, first sum``: the sums over samples of cotangent · x.

    The number of inputs is even; the sums of a neuron lie one after the other; all x and cotangents are rows.
    """
    t.add("outer:")
    inputs = t.word("%pc", 1)
    t.add(
        "%outer.x = getelementptr i32, ptr %pc, i64 2", f"%outer.rest = getelementptr i32, ptr %outer.x, i64 {inputs}"
    )
    cotangents, firsts = [], []
    for j in range(NEURONS):
        cotangents.append(t.operand(t.word("%outer.rest", 2 * j))[0])
        firsts.append(t.word("%outer.rest", 2 * j + 1))
    t.add("br label %outer.some", "outer.some:", "%outer.i = phi i64 [0, %outer], [%outer.i.next, %outer.some.end]")
    t.add("%outer.at = getelementptr i32, ptr %outer.x, i64 %outer.i")
    xs = [t.operand(t.word("%outer.at", k))[0] for k in range(_BESIDE)]
    lanes: list[list[str]] = []
    begun: list[list[str]] = []
    for j in range(NEURONS):
        place = t.name("g")
        t.add(f"{place} = add i64 {firsts[j]}, %outer.i")
        row, numbers = [], []
        for k in range(_BESIDE):
            here, at, number = t.name("g"), t.name("g"), t.name("g")
            t.add(
                f"{here} = add i64 {place}, {k}",
                f"{at} = getelementptr {_VECTOR}, ptr %lanes, i64 {here}",
                f"{number} = load {_VECTOR}, ptr {at}, align 32",
            )
            row.append(at)
            numbers.append(number)
        lanes.append(row)
        begun.append(numbers)
    v = "%outer.v"
    t.add("br label %outer.loop", "outer.loop:", f"{v} = phi i64 [0, %outer.some], [{v}.next, %outer.loop]")
    sums = [[f"%outer.s{j}.{k}" for k in range(_BESIDE)] for j in range(NEURONS)]
    for j in range(NEURONS):
        for k in range(_BESIDE):
            t.add(f"{sums[j][k]} = phi {_VECTOR} [{begun[j][k]}, %outer.some], [{sums[j][k]}.next, %outer.loop]")
    loaded = []
    for pointer in (*xs, *cotangents):
        at, number = t.name("l"), t.name("l")
        t.add(
            f"{at} = getelementptr {_VECTOR}, ptr {pointer}, i64 {v}",
            f"{number} = load {_VECTOR}, ptr {at}, align 32",
        )
        loaded.append(number)
    for j in range(NEURONS):
        for k in range(_BESIDE):
            _add_product(t, f"{sums[j][k]}.next", sums[j][k], loaded[_BESIDE + j], loaded[k], fast)
    t.add(
        f"{v}.next = add i64 {v}, 1",
        f"{v}.more = icmp slt i64 {v}.next, %n",
        f"br i1 {v}.more, label %outer.loop, label %outer.some.end",
        "outer.some.end:",
    )
    for j in range(NEURONS):
        for k in range(_BESIDE):
            t.add(f"store {_VECTOR} {sums[j][k]}.next, ptr {lanes[j][k]}, align 32")
    t.add(
        f"%outer.i.next = add i64 %outer.i, {_BESIDE}",
        f"%outer.i.more = icmp slt i64 %outer.i.next, {inputs}",
        "br i1 %outer.i.more, label %outer.some, label %outer.end",
        "outer.end:",
        f"%outer.words = add i64 {inputs}, {2 + 2 * NEURONS}",
    )
    return _end(t, "outer", "%outer.words")


def _point(emitter: Emitter) -> str:
    """``operation, count of fours, first row of the result, rows of x …, rows of y …``, until an ``END``."""
    t = _Text()
    t.number = 2_000_000
    t.add("define void @point(ptr noalias %numbers, ptr noalias %code) {", "entry:", "br label %fetch", "fetch:")
    body = _Text()
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
                    f"{joined} = insertelement {_VECTOR} {vector}, double {x}, i64 {lane}",
                )
                vector = joined
            numbers.append(vector)
        result = _body(emitter, name, body, numbers)
        place, to = body.name("q"), body.name("q")
        body.add(
            f"{place} = add i64 {first}, {v}",
            f"{to} = getelementptr double, ptr %numbers, i64 {place}",
            f"store {_VECTOR} {result}, ptr {to}, align 32",
            f"{v}.next = add i64 {v}, {LANES}",
            f"{v}.more = icmp slt i64 {v}.next, %{label}.n",
            f"br i1 {v}.more, label %{label}.loop, label %{label}.end",
            f"{label}.end:",
        )
        words, length = body.name("q"), body.name("q")
        body.add(f"{words} = mul i64 %{label}.n, {arity(name)}", f"{length} = add i64 {words}, 3")
        nexts.append((label, _end(body, label, length)))
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


def _sum(t: _Text) -> str:
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
    return _end(t, "op.sum", "%sum.words")
