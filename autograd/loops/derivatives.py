"""The derivative of a loop that is recorded as a whole: loops, over the same steps.

Forward, a step carries tangents beside its numbers. Back, it carries the cotangents of the carries and, added up, of
what all steps share; a loop before that keeps the carries that each step begins with. What is certain to flow at each
step and in all lanes carries no mask of lanes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from autograd.cotangents import Cotangents
from autograd.eager import watching
from autograd.interpret import move_forward, send_back
from autograd.nesting import take_apart
from autograd.primitives import TABLE
from autograd.program import Program
from autograd.value import Value, constant, maker

#: A derivative, and in which lanes it flows: ``None``, in all.
Flowing = tuple[Any, Any]
#: Runs ``f(carry, element)`` over elements, from a first carry: the last carry, and what comes out of each step; the
#: last step first, if ``is_reverse``.
Looped = Callable[..., tuple[Any, list[Any]]]

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

    before: list[Any] = [[]] * steps
    if carries:
        before = looped(kept, ins.first, ins.elements, is_reverse=body.is_reverse)[1]

    def sent(totals: Sequence[Flowing], numbers: Sequence[Any], ys: Sequence[Flowing]) -> list[Flowing | None]:
        """What the sums and elements get in a step."""
        at = _numbers(program, numbers, m)
        seeds = dict(zip(sums[carries:], totals[carries:], strict=True))
        for out, cotangent in zip(outs, [*totals[:carries], *ys], strict=True):
            slot = program.outputs[out]
            seeds[slot] = _sum(m, seeds[slot], cotangent) if slot in seeds else cotangent
        found = _given(m, at, seeds, body.terms)
        send_back(found, program, [*sums, *wanted], body.order)
        return [found.flowing(slot) for slot in (*sums, *wanted)]

    ys = [[parts.get(carries + t * count + r, _NOTHING) for r in results] for t in range(steps)]
    loop = _Masked(
        lambda totals, _, x: ([], sent(totals, [*x[0], *ins.shared, *x[1]], x[2])),
        [parts.get(k, _NOTHING) for k in range(carries)] + [_NOTHING] * len(sums[carries:]),
        [*zip(before, ins.elements, ys, strict=True)],
        carries,
    )
    last, found = loop.run(partial(looped, is_reverse=not body.is_reverse))
    products = []
    for i in arguments:
        t, element = divmod(i - begin, body.elements) if i >= begin else (0, 0)
        flowing = last[sums.index(i)] if i < begin else found[t][wanted.index(begin + element)]
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
        found = _given(m, at, given, {})
        move_forward(found, program, given)
        return [at[slot] for slot in program.outputs[:carries]], [found.flowing(slot) for slot in program.outputs]

    loop = _Masked(
        lambda dc, c, x: moved(dc, [*c, *ins.shared, *x[0]], x[1]),
        [x or _NOTHING for x in tangents.first],
        [*zip(ins.elements, dxs, strict=True)],
        carries,
        ins.first,
    )
    last, found = loop.run(partial(looped, is_reverse=body.is_reverse))
    return [*last, *(x for step in found for x in step)]


class _Masked:
    """A loop that carries derivatives, of which as few as can be have masks.

    Args:
        step: takes the derivatives and numbers that are carried, and an element; returns the next numbers, and the next
            derivatives with the results behind them.
        firsts: the derivatives before the first step; beyond ``carries`` they are sums.
        elements: the last part of each is a list of derivatives.
        numbers: those that are carried too.
    """

    def __init__(
        self,
        step: Callable[..., tuple[Any, list[Flowing | None]]],
        firsts: Sequence[Flowing],
        elements: Sequence[Any],
        carries: int,
        numbers: Sequence[Any] = (),
    ) -> None:
        self._step, self._firsts, self._elements, self._numbers = step, firsts, elements, numbers
        masks = zip(*[[mask for _, mask in x[-1]] for x in elements], strict=True)
        #: Per derivative in an element, whether it has a mask in any.
        self._have_masks = [any(mask is not None for mask in of_one) for of_one in masks]
        unsure = {k for k in range(carries) if firsts[k][1] is not None}
        element, nodes = _as_nodes(self._bare(elements[0])), _as_nodes([[_flag(mask), d] for d, mask in firsts])
        while True:  # a mask makes others
            totals = [(d, mask if k in unsure or k >= carries else None) for k, (mask, d) in enumerate(nodes)]
            found = self._taken(totals, _as_nodes([*numbers]), element)[1]
            masked = {k for k, x in enumerate(found[: len(firsts)]) if x is None or x[1] is not None}
            if all(k in unsure or k >= carries for k in masked):
                break
            unsure |= masked
        self._masked = sorted(unsure | masked)
        #: Per result, whether there is one, and whether it has a mask.
        self._kinds = [None if x is None else x[1] is not None for x in found[len(firsts) :]]

    def _bare(self, element: Any) -> Any:
        """An element as numbers: its derivatives, and those masks of them that there are."""
        flags = [_flag(mask) for (_, mask), has in zip(element[-1], self._have_masks, strict=True) if has]
        return [*element[:-1], [d for d, _ in element[-1]], flags]

    def _taken(self, totals: Sequence[Flowing], numbers: Any, bare: Any) -> tuple[Any, list[Flowing | None]]:
        """A step."""
        *rest, derivatives, flags = bare
        masks = iter(flags)
        flowing = [(d, next(masks) if has else None) for d, has in zip(derivatives, self._have_masks, strict=True)]
        watch = watching.watch
        assert watch is not None
        with watch.going_on():
            return self._step(totals, numbers, [*rest, flowing])

    def _recorded(self, carry: Any, element: Any) -> tuple[Any, Any]:
        numbers, derivatives, flags = carry
        mask_of = dict(zip(self._masked, flags, strict=True))
        totals = [(d, mask_of.get(k)) for k, d in enumerate(derivatives)]
        following, flowing = self._taken(totals, numbers, element)
        found = [_NOTHING if x is None else x for x in flowing]
        count = len(derivatives)
        masks = [_flag(mask) for (_, mask), kind in zip(found[count:], self._kinds, strict=True) if kind]
        carried = following, [d for d, _ in found[:count]], [_flag(found[k][1]) for k in self._masked]
        return carried, ([d for d, _ in found[count:]], masks)

    def run(self, looped: Looped) -> tuple[list[Flowing], list[list[Flowing | None]]]:
        """The last derivatives, and the results of each step."""
        firsts = self._firsts
        begin = [*self._numbers], [d for d, _ in firsts], [_flag(firsts[k][1]) for k in self._masked]
        (_, derivatives, flags), ys = looped(self._recorded, begin, [*map(self._bare, self._elements)])
        mask_of = dict(zip(self._masked, flags, strict=True))
        found: list[list[Flowing | None]] = []
        for ds, flags_here in ys:
            masks = iter(flags_here)
            kinds = zip(ds, self._kinds, strict=True)
            found.append([None if kind is None else (d, next(masks) if kind else None) for d, kind in kinds])
        return [(d, mask_of.get(k)) for k, d in enumerate(derivatives)], found


def _as_nodes(tree: Any) -> Any:
    """The same with a node for each plain number, as steps that are recorded have it."""
    scalars, build = take_apart(tree, "an element")
    return build([x if isinstance(x, Value) else constant(float(x)) for x in scalars])


def _flag(mask: Any) -> Any:
    return 1.0 if mask is None else mask


def _given(m: Any, numbers: Sequence[Any], flowing: Mapping[int, Flowing], terms: Mapping[int, Any]) -> Cotangents:
    """Derivatives, by slot, for others to be added."""
    ds, masks = {slot: d for slot, (d, _) in flowing.items()}, {slot: mask for slot, (_, mask) in flowing.items()}
    return Cotangents(m, numbers, ds, terms, masks)


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
