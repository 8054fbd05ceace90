"""The interpreter's sums of products, held in registers: ``dot`` within a sample, ``gather`` over samples.

Every sum is taken in the order of the eager engine; with ``fast`` each product and its sum are rounded once together.
"""

from __future__ import annotations

from collections.abc import Sequence

from autograd.compiled.backends.interpreter.words import GATHERED
from autograd.compiled.backends.native.lines import Lines, add_product, end, store, sums_over_samples
from autograd.compiled.backends.reduction import LANES


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
    operands = begin, first_x, first_y
    _tiles(t, "dot.tile", "[0, %dot]", 4, count, out, operands, fast)
    t.add(
        "dot.rest:",
        "%dot.done = phi i64 [0, %dot], [%dot.fours, %dot.tile.end]",
        "%dot.left = icmp slt i64 %dot.done, %n",
        "br i1 %dot.left, label %dot.one, label %dot.end",
    )
    _tiles(t, "dot.one", "[%dot.done, %dot.rest]", 1, count, out, operands, fast)
    t.add("dot.end:", "%dot.length = add i64 %dot.words, 4")
    return end(t, "dot", "%dot.length")


def _tiles(
    t: Lines, label: str, origin: str, width: int, count: str, out: str, operands: Sequence[tuple[str, str]], fast: bool
) -> None:
    """The loop of ``dot`` over vectors, so many at a time, and within it the one over products.

    Args:
        origin: where the vectors begin, and the label that the loop is entered from.
        operands: the start, and the factors of the first product, which begins the sum where there is no start.
    """
    begin, first_x, first_y = operands
    b = f"%{label}.b"
    t.add(f"{label}:", f"{b} = phi i64 {origin}, [{b}.next, %{label}.end]")
    at = [f"%{label}.v{j}" for j in range(width)]
    for j in range(width):
        t.add(f"{at[j]} = add i64 {b}, {j}")
    begun = []
    for j in range(width):
        from_start = t.load(begin, at[j])
        x, y = t.load(first_x, at[j]), t.load(first_y, at[j])
        product, chosen = t.name("d"), t.name("d")
        t.add(
            f"{product} = fmul {t.vector} {x}, {y}",
            f"{chosen} = select i1 %dot.from, {t.vector} {from_start}, {t.vector} {product}",
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
        t.add(f"{sums[j]} = phi {t.vector} [{begun[j]}, %{label}], [{sums[j]}.next, %{label}.inner]")
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
        t.add(f"{sums[j]}.all = phi {t.vector} [{begun[j]}, %{label}], [{sums[j]}.next, %{label}.inner]")
    for j in range(width):
        store(t, out, at[j], f"{sums[j]}.all")
    limit, after = ("%dot.fours", "dot.rest") if label == "dot.tile" else ("%n", "dot.end")
    t.add(
        f"{b}.next = add i64 {b}, {width}",
        f"{b}.more = icmp slt i64 {b}.next, {limit}",
        f"br i1 {b}.more, label %{label}, label %{after}",
    )


def gather(t: Lines, fast: bool) -> str:
    """``gather, sum1, x1, y1, …``: the sums over samples of eight products, each lane adding its samples in order."""
    t.add("gather:")
    places, xs, ys = [], [], []
    for j in range(GATHERED):
        places.append(t.word("%pc", 1 + 3 * j))
        xs.append(t.operand(t.word("%pc", 2 + 3 * j)))
        ys.append(t.operand(t.word("%pc", 3 + 3 * j)))
    before, parts = "gather", LANES // t.width
    for part in range(parts):
        label = f"gather.{part}"
        lanes, so_far = zip(*[t.lanes_of(place, part) for place in places], strict=True)

        def factors(v: str) -> list[tuple[str, str]]:
            return [(t.load(x, v), t.load(y, v)) for x, y in zip(xs, ys, strict=True)]

        sums = sums_over_samples(t, label, before, part, so_far, factors, fast)
        t.add(*(f"store {t.vector} {s}, ptr {at}, align {t.align}" for s, at in zip(sums, lanes, strict=True)))
        before = f"{label}.end"
    t.add("br label %gather.end", "gather.end:")
    return end(t, "gather", str(1 + 3 * GATHERED))
