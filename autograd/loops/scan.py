"""``scan`` and ``map``: loops that keep their structure when a function is recorded for replay.

Called on Values they are Python's own loops, and the graph holds every step. While a function is recorded, a loop of
many operations becomes one node instead: the *body*, recorded once, stands for all steps, and a *part* is one of the
numbers that come out. So a program does not grow with the number of steps. Three steps are run, and the first of them
once more; one that would need another body is refused. Of all others the body gives the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from autograd.eager import watching
from autograd.loops.recorder import Recorder
from autograd.loops.steps import Shapes, pair

#: Operations, all steps together, from which on a recorded loop stays a loop unless told otherwise.
WORTH_A_LOOP = 1000


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Iterable[Any] | None = None,
    *,
    length: int | None = None,
    unroll: bool | None = None,
) -> tuple[Any, list[Any]]:
    """The last carry and the results of all steps of ``carry, y = f(carry, x)``, one step for each of ``xs``.

    >>> carry, ys = scan(lambda total, x: (total + x, total * x), 0.0, [1.0, 2.0, 3.0])
    >>> carry, ys
    (6.0, [0.0, 2.0, 9.0])

    Args:
        f: a step: takes the carry and an element, returns the next carry and a result (``None`` for none). Carry,
            element and result may be numbers or nested lists, tuples and dicts of them; each keeps one shape.
        init: the first carry.
        xs: the elements; without them ``f`` gets ``None``, ``length`` times.
        length: the number of steps, where there are no elements.
        unroll: matters while the function around it is recorded by ``compile``. ``False``: the loop stays a loop;
            ``True``: its steps are recorded one by one; unless told, a loop of more than 1000 operations stays one. In
            a loop that stays one, choices are written with ``where``, entries of a list are read with ``take``, and
            all steps compute the same from carry, element and what they share.

    Raises:
        ValueError: carry, element or result change their shape from step to step; the step is named.
        TypeError: neither elements nor a length are given, or ``f`` does not return a pair.
        RecordingError: while recorded as a loop, the step asks a comparison of its numbers for its truth, or one of the
            first three computes something else than the first; later ones are not run.
    """
    elements = _elements(xs, length)
    carry, results, shapes = init, [], Shapes(init)
    watch = watching.watch
    if unroll is not True and watch is not None and not watch.in_loop and watch.records_here() and elements:
        recorder = Recorder(f, init, elements, shapes, watch)
        first = recorder.first_step()
        if unroll is False or recorder.operations(first) >= WORTH_A_LOOP:
            return recorder.run(first)
        carry, y = recorder.put_in_place(first)
        results.append(y)
    for step, x in enumerate(elements[len(results) :], start=len(results)):
        following, y = pair(f(carry, x), step)
        shapes.check(step, following, x, y)
        carry = following
        results.append(y)
    return carry, results


def map(f: Callable[[Any], Any], xs: Iterable[Any], *, unroll: bool | None = None) -> list[Any]:
    """``f`` of each element, as a list: a ``scan`` without a carry.

    >>> map(lambda x: x * x, [1.0, 2.0, 3.0])
    [1.0, 4.0, 9.0]

    Args:
        f: takes an element, returns a number or nested lists, tuples and dicts of numbers.
        xs: the elements, all of one shape.
        unroll: as in ``scan``.
    """
    return scan(lambda carry, x: (carry, f(x)), [], xs, unroll=unroll)[1]


def _elements(xs: Iterable[Any] | None, length: int | None) -> list[Any]:
    if xs is None:
        if length is None or not hasattr(length, "__index__") or length < 0:
            raise TypeError(f"scan needs elements, or length as a whole number of steps; length is {length!r:.200}")
        return [None] * int(length)
    try:
        elements = list(xs.tolist() if hasattr(xs, "tolist") else xs)
    except TypeError:
        raise TypeError(f"scan needs elements to go through, such as a list; xs is {xs!r:.200}") from None
    if length is not None and length != len(elements):
        raise ValueError(f"scan was given {len(elements)} elements and length={length}; leave one of them out")
    return elements
