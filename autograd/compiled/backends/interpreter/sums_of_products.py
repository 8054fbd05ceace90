"""The operations of the interpreter in which most of a network's time goes: sums of products, held in registers.

``dot`` and ``layer`` add products up within a sample, ``gather`` and ``outer`` over samples; ``layer`` and ``outer``
take four neurons at a time, so that each number that is loaded is used several times. Every sum is taken in the order
of the eager engine; with ``fast`` each product and its sum are rounded once together.
"""

from __future__ import annotations

from collections.abc import Sequence

from autograd.compiled.backends.interpreter.lines import VECTOR, Lines, add_product, end, loop, loop_end, store
from autograd.compiled.backends.interpreter.words import GATHERED, NEURONS
from autograd.compiled.backends.reduction import LANES

#: Vectors or inputs that four neurons are taken with: eight sums fit into the registers.
_BESIDE = 2


def dot(t: Lines, fast: bool) -> str:
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
                f"{product} = fmul {VECTOR} {x}, {y}",
                f"{chosen} = select i1 %dot.from, {VECTOR} {from_start}, {VECTOR} {product}",
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
            t.add(f"{sums[j]} = phi {VECTOR} [{begun[j]}, %{label}], [{sums[j]}.next, %{label}.inner]")
        t.add(f"{p}.x = shl i64 {p}, 1", f"{p}.at = getelementptr i32, ptr %dot.pairs, i64 {p}.x")
        x_at, y_at = (t.operand(t.word(f"{p}.at", i)) for i in (0, 1))
        for j in range(width):
            x, y = t.load(x_at, at[j]), t.load(y_at, at[j])
            add_product(t, f"{sums[j]}.next", sums[j], x, y, fast)
        t.add(
            f"{p}.next = add i64 {p}, 1",
            f"{p}.more = icmp slt i64 {p}.next, {count}",
            f"br i1 {p}.more, label %{label}.inner, label %{label}.end",
            f"{label}.end:",
        )
        for j in range(width):
            t.add(f"{sums[j]}.all = phi {VECTOR} [{begun[j]}, %{label}], [{sums[j]}.next, %{label}.inner]")
        for j in range(width):
            store(t, out, at[j], f"{sums[j]}.all")
        limit, after = ("%dot.fours", "dot.rest") if label == "dot.tile" else ("%n", "dot.end")
        t.add(
            f"{b}.next = add i64 {b}, {width}",
            f"{b}.more = icmp slt i64 {b}.next, {limit}",
            f"br i1 {b}.more, label %{label}, label %{after}",
        )
    t.add("dot.end:", "%dot.length = add i64 %dot.words, 4")
    return end(t, "dot", "%dot.length")


def gather(t: Lines, fast: bool) -> str:
    """``gather, sum1, x1, y1, …``: the sums over samples of eight products, each lane adding its samples in order."""
    t.add("gather:")
    lanes, xs, ys = [], [], []
    for j in range(GATHERED):
        sum_at = t.word("%pc", 1 + 3 * j)
        at = t.name("g")
        t.add(f"{at} = getelementptr {VECTOR}, ptr %lanes, i64 {sum_at}")
        lanes.append(at)
        xs.append(t.operand(t.word("%pc", 2 + 3 * j)))
        ys.append(t.operand(t.word("%pc", 3 + 3 * j)))
    so_far = []
    for at in lanes:
        number = t.name("g")
        t.add(f"{number} = load {VECTOR}, ptr {at}, align 32")
        so_far.append(number)
    v = loop(t, "gather", "gather")
    sums = [f"%gather.s{j}" for j in range(GATHERED)]
    for j in range(GATHERED):
        t.add(f"{sums[j]} = phi {VECTOR} [{so_far[j]}, %gather], [{sums[j]}.next, %gather.loop]")
    for j in range(GATHERED):
        x, y = t.load(xs[j], v), t.load(ys[j], v)
        add_product(t, f"{sums[j]}.next", sums[j], x, y, fast)
    loop_end(t, "gather")
    for j in range(GATHERED):
        t.add(f"store {VECTOR} {sums[j]}.next, ptr {lanes[j]}, align 32")
    return end(t, "gather", str(1 + 3 * GATHERED))


def layer(t: Lines, fast: bool, *, wide: bool = False) -> str:
    """``layer, inputs, x …, then four times: out, start, first weight``: start + w·x for four neurons.

    The weights of a neuron are shared numbers that lie one after the other; all x are rows.

    Args:
        wide: the processor has registers of eight numbers, 32 of them.
    """
    t.add("layer:")
    inputs = t.word("%pc", 1)
    t.add(
        "%layer.x = getelementptr i32, ptr %pc, i64 2", f"%layer.rest = getelementptr i32, ptr %layer.x, i64 {inputs}"
    )
    outs, starts, weights = [], [], []
    for j in range(NEURONS):
        outs.append(t.row(t.word("%layer.rest", 3 * j)))
        starts.append(t.row(t.word("%layer.rest", 3 * j + 1)))
        weights.append(t.row(t.word("%layer.rest", 3 * j + 2)))
    lanes = 2 * LANES if wide else LANES
    together = _BESIDE * lanes // LANES
    t.add(
        f"%layer.most = and i64 %n, {-together}",
        "%layer.any = icmp sgt i64 %layer.most, 0",
        "br i1 %layer.any, label %layer.many, label %layer.left",
    )
    _neurons(t, "layer.many", lanes, _BESIDE, inputs, outs, starts, weights, fast)
    t.add(
        "layer.left:",
        "%layer.done = phi i64 [0, %layer], [%layer.most, %layer.many.end]",
        "%layer.more = icmp slt i64 %layer.done, %n",
        "br i1 %layer.more, label %layer.one, label %layer.end",
    )
    _neurons(t, "layer.one", LANES, 1, inputs, outs, starts, weights, fast)
    t.add("layer.end:", f"%layer.words = add i64 {inputs}, {2 + 3 * NEURONS}")
    return end(t, "layer", "%layer.words")


def _neurons(
    t: Lines,
    label: str,
    lanes: int,
    beside: int,
    inputs: str,
    outs: Sequence[str],
    starts: Sequence[str],
    weights: Sequence[str],
    fast: bool,
) -> None:
    """The loop of ``layer`` over vectors, taking so many registers of so many lanes at a time."""
    kind, each = f"<{lanes} x double>", lanes // LANES
    many = label == "layer.many"
    b, i = f"%{label}.b", f"%{label}.i"
    t.add(
        f"{label}:",
        f"{b} = phi i64 {'[0, %layer]' if many else '[%layer.done, %layer.left]'}, [{b}.next, %{label}.end]",
    )
    at = [f"%{label}.v{v}" for v in range(beside)]
    t.add(*(f"{at[v]} = add i64 {b}, {v * each}" for v in range(beside)))
    begun = [t.splat(starts[j], lanes) for j in range(NEURONS)]
    t.add(f"br label %{label}.loop", f"{label}.loop:", f"{i} = phi i64 [0, %{label}], [{i}.next, %{label}.loop]")
    sums = [[f"%{label}.s{j}.{v}" for v in range(beside)] for j in range(NEURONS)]
    for j in range(NEURONS):
        for v in range(beside):
            t.add(f"{sums[j][v]} = phi {kind} [{begun[j]}, %{label}], [{sums[j][v]}.next, %{label}.loop]")
    t.add(f"{i}.at = getelementptr i32, ptr %layer.x, i64 {i}")
    x_at = t.row(t.word(f"{i}.at", 0))
    xs = []
    for v in range(beside):
        pointer, number = t.name("l"), t.name("l")
        t.add(
            f"{pointer} = getelementptr {VECTOR}, ptr {x_at}, i64 {at[v]}",
            f"{number} = load {kind}, ptr {pointer}, align 32",
        )
        xs.append(number)
    for j in range(NEURONS):
        pointer = t.name("l")
        t.add(f"{pointer} = getelementptr {VECTOR}, ptr {weights[j]}, i64 {i}")
        weight = t.splat(pointer, lanes)
        for v in range(beside):
            add_product(t, f"{sums[j][v]}.next", sums[j][v], weight, xs[v], fast, lanes)
    t.add(
        f"{i}.next = add i64 {i}, 1",
        f"{i}.more = icmp slt i64 {i}.next, {inputs}",
        f"br i1 {i}.more, label %{label}.loop, label %{label}.end",
        f"{label}.end:",
    )
    for j in range(NEURONS):
        for v in range(beside):
            to = t.name("s")
            t.add(
                f"{to} = getelementptr {VECTOR}, ptr {outs[j]}, i64 {at[v]}",
                f"store {kind} {sums[j][v]}.next, ptr {to}, align 32",
            )
    limit, after = ("%layer.most", "layer.left") if many else ("%n", "layer.end")
    t.add(
        f"{b}.next = add i64 {b}, {beside * each}",
        f"{b}.more = icmp slt i64 {b}.next, {limit}",
        f"br i1 {b}.more, label %{label}, label %{after}",
    )


def outer(t: Lines, fast: bool) -> str:
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
        cotangents.append(t.row(t.word("%outer.rest", 2 * j)))
        firsts.append(t.word("%outer.rest", 2 * j + 1))
    t.add("br label %outer.some", "outer.some:", "%outer.i = phi i64 [0, %outer], [%outer.i.next, %outer.some.end]")
    t.add("%outer.at = getelementptr i32, ptr %outer.x, i64 %outer.i")
    xs = [t.row(t.word("%outer.at", k)) for k in range(_BESIDE)]
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
                f"{at} = getelementptr {VECTOR}, ptr %lanes, i64 {here}",
                f"{number} = load {VECTOR}, ptr {at}, align 32",
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
            t.add(f"{sums[j][k]} = phi {VECTOR} [{begun[j][k]}, %outer.some], [{sums[j][k]}.next, %outer.loop]")
    loaded = []
    for pointer in (*xs, *cotangents):
        at, number = t.name("l"), t.name("l")
        t.add(
            f"{at} = getelementptr {VECTOR}, ptr {pointer}, i64 {v}",
            f"{number} = load {VECTOR}, ptr {at}, align 32",
        )
        loaded.append(number)
    for j in range(NEURONS):
        for k in range(_BESIDE):
            add_product(t, f"{sums[j][k]}.next", sums[j][k], loaded[_BESIDE + j], loaded[k], fast)
    t.add(
        f"{v}.next = add i64 {v}, 1",
        f"{v}.more = icmp slt i64 {v}.next, %n",
        f"br i1 {v}.more, label %outer.loop, label %outer.some.end",
        "outer.some.end:",
    )
    for j in range(NEURONS):
        for k in range(_BESIDE):
            t.add(f"store {VECTOR} {sums[j][k]}.next, ptr {lanes[j][k]}, align 32")
    t.add(
        f"%outer.i.next = add i64 %outer.i, {_BESIDE}",
        f"%outer.i.more = icmp slt i64 %outer.i.next, {inputs}",
        "br i1 %outer.i.more, label %outer.some, label %outer.end",
        "outer.end:",
        f"%outer.words = add i64 {inputs}, {2 + 2 * NEURONS}",
    )
    return end(t, "outer", "%outer.words")
