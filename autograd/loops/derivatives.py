"""The derivative of a loop that is recorded as a whole: loops, over the same steps.

Forward, a step carries tangents beside its numbers. Back, it carries the cotangents of the carries and, added up, of
what all steps share; a loop before that keeps the carries that each step begins with. What is certain to flow at each
step and in all lanes carries no mask of lanes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd.eager import watching
from autograd.interpret import moved_forward, sent_back
from autograd.nesting import take_apart
from autograd.primitives import TABLE
from autograd.program import Program
from autograd.value import Value, constant, maker

#: A derivative, and in which lanes it flows: ``None``, in all.
Flowing = tuple[Any, Any]
#: Runs ``f(carry, element)`` over elements, from a first carry: the last carry, and what comes out of each step.
Looped = Callable[[Callable[..., Any], Any, Sequence[Any]], tuple[Any, list[Any]]]

_WHERE, _NOTHING = TABLE["where"], (-0.0, 0.0)


class _Parts:
    """What goes into a loop, by what it is there."""

    def __init__(self, body: Any, operands: Sequence[Any]) -> None:
        begin, count = body.carries + body.captured, body.elements
        self.first, self.shared = [*operands[: body.carries]], [*operands[body.carries : begin]]
        self.elements = [[*operands[begin + t * count : begin + (t + 1) * count]] for t in range(body.steps)]


def pulled_back(
    body: Any, looped: Looped, m: Any, operands: Sequence[Any], parts: dict[int, Flowing], arguments: Sequence[int]
) -> list[tuple[int, Any, Any]]:
    """Argument, cotangent and lanes for each argument of a loop that something flows to.

    Args:
        parts: the cotangents of what comes out of it: the carries, then the results of each step.
    """
    program, carries, count, steps = body.program, body.carries, body.results, body.steps
    begin, ins = carries + body.captured, _Parts(body, operands)
    sums = [*range(carries), *(i for i in arguments if carries <= i < begin)]
    wanted = sorted({begin + (i - begin) % body.elements for i in arguments if i >= begin})
    results = sorted({(part - carries) % count for part in parts if part >= carries})
    outs = [*range(carries), *(carries + r for r in results)]

    def kept(carry: Any, x: Any) -> Any:
        numbers = _numbers(program, [*carry, *ins.shared, *x], m)
        return [numbers[slot] for slot in program.outputs[:carries]], list(carry)

    before = looped(kept, ins.first, ins.elements)[1] if carries else [[]] * steps

    def sent(totals: Sequence[Flowing], numbers: Sequence[Any], ys: Sequence[Flowing]) -> list[Flowing | None]:
        """What the sums and elements get in a step."""
        at = _numbers(program, numbers, m)
        seeds = dict(zip(sums[carries:], totals[carries:], strict=True))
        for out, cotangent in zip(outs, [*totals[:carries], *ys], strict=True):
            slot = program.outputs[out]
            seeds[slot] = _sum(m, seeds[slot], cotangent) if slot in seeds else cotangent
        found = sent_back(program, at, *_apart(seeds), m, [*sums, *wanted], body.order, body.terms)
        return [found.flowing(slot) for slot in (*sums, *wanted)]

    ys = [[parts.get(carries + t * count + r, _NOTHING) for r in results] for t in range(steps)]
    elements = [(before[t], ins.elements[t], ys[t]) for t in reversed(range(steps))]
    firsts = [parts.get(k, _NOTHING) for k in sums[:carries]] + [_NOTHING] * len(sums[carries:])
    last, found = _looped(
        looped, lambda totals, x: sent(totals, [*x[0], *ins.shared, *x[1]], x[2]), firsts, elements, carries
    )
    products = []
    for i in arguments:
        t, element = divmod(i - begin, body.elements) if i >= begin else (0, 0)
        flowing = last[sums.index(i)] if i < begin else found[steps - 1 - t][wanted.index(begin + element)]
        products += [(i, *flowing)] if flowing is not None else []
    return products


def pushed_forward(
    body: Any, looped: Looped, m: Any, operands: Sequence[Any], moving: Sequence[Flowing | None]
) -> list[Flowing | None]:
    """The tangents of what comes out of a loop, the carries, then the results of each step."""
    program, carries, ins = body.program, body.carries, _Parts(body, operands)
    tangents = _Parts(body, moving)
    moves = [any(x is not None for x in column) for column in zip(*tangents.elements, strict=True)]
    dxs = [[x or _NOTHING for x, is_moving in zip(one, moves, strict=True) if is_moving] for one in tangents.elements]
    begin = carries + body.captured
    slots = [*range(carries), *(begin + i for i, is_moving in enumerate(moves) if is_moving)]
    shared = {carries + i: x for i, x in enumerate(tangents.shared) if x is not None}

    def moved(dc: Sequence[Flowing], numbers: Sequence[Any], dx: Sequence[Flowing]) -> tuple[Any, list[Flowing | None]]:
        at = _numbers(program, numbers, m)
        given = shared | dict(zip(slots, [*dc, *dx], strict=True))
        found = moved_forward(program, at, *_apart(given), m)
        return [at[slot] for slot in program.outputs[:carries]], [found.flowing(slot) for slot in program.outputs]

    firsts = [x or _NOTHING for x in tangents.first]
    last, found = _looped(
        looped,
        lambda dc, x, c: moved(dc, [*c, *ins.shared, *x[0]], x[1]),
        firsts,
        [*zip(ins.elements, dxs, strict=True)],
        carries,
        ins.first,
    )
    return [*last, *(x for step in found for x in step)]


def _looped(
    looped: Looped,
    step: Callable[..., Any],
    firsts: Sequence[Flowing],
    elements: Sequence[Any],
    carries: int,
    numbers: Sequence[Any] | None = None,
) -> tuple[list[Flowing | None], list[list[Flowing | None]]]:
    """A loop that carries derivatives, of which as few as can be have masks: the last ones, and the results.

    Args:
        step: takes the derivatives that are carried, an element, and numbers if there are any that are carried too;
            returns the next ones of these, numbers first, and the results.
        firsts: those before the first step; beyond ``carries`` they are sums.
    """
    count = len(firsts)
    watch = watching.watch
    assert watch is not None

    def run(totals: Any, x: Any, carried: Any) -> Any:
        with watch.going_on():
            return step(totals, x) if numbers is None else step(totals, x, carried)

    def of(found: Any) -> list[Flowing | None]:
        return found if numbers is None else found[1]  # type: ignore[no-any-return]

    masks_in_elements = [*zip(*[_flowing_in(x) for x in elements], strict=True)]
    always = [all(mask is None for mask in masks) for masks in masks_in_elements]

    def whole(x: Any, flags: Sequence[Any]) -> Any:
        """An element, with a mask for each derivative in it that needs one."""
        rest = iter(flags)
        masks = [None if sure else next(rest) for sure in always]
        return (*x[:-1], [(d, mask) for d, mask in zip(x[-1], masks, strict=True)])

    def bare(x: Any) -> Any:
        """The same without those masks, and beside it those."""
        flags = [_flag(mask) for mask, sure in zip(_flowing_in(x), always, strict=True) if not sure]
        return (*x[:-1], [d for d, _ in x[-1]]), flags

    unsure = {k for k in range(carries) if firsts[k][1] is not None}
    first, nodes = _as_nodes(bare(elements[0])), _as_nodes([[_flag(mask), d] for d, mask in firsts])
    while True:  # a mask makes others
        totals = [(d, mask if k in unsure or k >= carries else None) for k, (mask, d) in enumerate(nodes)]
        found = of(run(totals, whole(*first), numbers and _as_nodes(numbers)))
        more = {k for k in range(carries) if found[k] is None or found[k][1] is not None} - unsure  # type: ignore[index]
        if not more:
            break
        unsure |= more
    unsure |= {k for k in range(carries, count) if found[k] is None or found[k][1] is not None}  # type: ignore[index]
    masked = sorted(unsure)
    # Per result: whether there is one, and whether it has a mask.
    results = found[count:] if numbers is None else found[carries:]
    kinds = [None if x is None else x[1] is not None for x in results]

    def looping(carry: Any, element: Any) -> Any:
        carried, derivatives, flags = carry
        mask_of = dict(zip(masked, flags, strict=True))
        ran = run([(d, mask_of.get(k)) for k, d in enumerate(derivatives)], whole(*element), carried)
        found = [_NOTHING if x is None else x for x in of(ran)]
        following = [d for d, _ in found[:count]], [_flag(found[k][1]) for k in masked]
        outs = found[count:] if numbers is None else found[carries:]
        y = [[d for d, _ in outs], [_flag(mask) for (_, mask), kind in zip(outs, kinds, strict=True) if kind]]
        return ([] if numbers is None else ran[0], *following), y

    begin = [*(numbers or [])], [d for d, _ in firsts], [_flag(firsts[k][1]) for k in masked]
    (_, derivatives, flags), ys = looped(looping, begin, [bare(x) for x in elements])
    mask_of = dict(zip(masked, flags, strict=True))
    found_by_step: list[list[Flowing | None]] = []
    for ds, masks in ys:
        rest = iter(masks)
        found_by_step.append(
            [None if kind is None else (d, next(rest) if kind else None) for d, kind in zip(ds, kinds, strict=True)]
        )
    return [(d, mask_of.get(k)) for k, d in enumerate(derivatives)], found_by_step


def _flowing_in(element: Any) -> list[Any]:
    return [mask for _, mask in element[-1]]


def _as_nodes(tree: Any) -> Any:
    """The same with a node for each plain number, as steps that are recorded have it."""
    scalars, build = take_apart(tree, "an element")
    return build([x if isinstance(x, Value) else constant(float(x)) for x in scalars])


def _flag(mask: Any) -> Any:
    return 1.0 if mask is None else mask


def _apart(flowing: dict[int, Flowing]) -> tuple[dict[int, Any], dict[int, Any]]:
    """Derivatives, and their masks, by slot."""
    return {slot: x for slot, (x, _) in flowing.items()}, {slot: mask for slot, (_, mask) in flowing.items()}


def _sum(m: Any, x: Flowing, y: Flowing) -> Flowing:
    return x[0] + y[0], None if x[1] is None or y[1] is None else m.maximum(x[1], y[1])


def _numbers(program: Program, inputs: Iterable[Any], m: Any) -> list[Any]:
    """The numbers of a step's slots, recorded."""
    numbers = [*inputs, *program.constants]
    watch = watching.watch
    assert watch is not None
    with watch.going_on():
        for primitive, slots in program.instructions():
            operands = [None if o < 0 else numbers[o] for o in slots]
            if primitive is _WHERE:
                numbers.append(m.where(*operands))
            elif primitive.n_ary and primitive.built_in:
                numbers.append(getattr(m, primitive.name)(operands))
            else:
                numbers.append(maker(primitive)(*operands))
    return numbers
