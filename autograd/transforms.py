"""Derivatives as functions: ``grad``, ``jacobian``, ``hessian`` and their products with vectors, to any order.

Each call gives its arguments fresh nodes, so that an inner derivative cannot be mistaken for an outer one (no
perturbation confusion), and keeps the cotangents outside ``.grad``. The results are plain floats; where an argument, or
a leaf that the function captured, is a Value, they are Values that can be differentiated again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import copysign, isfinite, nan
from typing import Any

from autograd.adding_up import terms_of
from autograd.eager import watching
from autograd.eager.garbage import at_rest_for
from autograd.errors import naming_nodes
from autograd.interpret import pull_back, push_forward
from autograd.nesting import Builder, take_apart, take_apart_like
from autograd.number_systems import floats, system_of
from autograd.primitives import TABLE
from autograd.program import Program, flatten
from autograd.value import Value, active_nodes, backward_order, constant, maker, plain, refuse_if_stale

_IDENTITY = TABLE["identity"]
_identity = maker(_IDENTITY)
# What an argument of a function is while the function runs: so an inner derivative sees that an outer one needs it.
_ARGUMENT = _IDENTITY._replace(name="argument", built_in=False, formula=lambda m, x: x)


class _Call:
    """One call of a function on fresh nodes, as a program."""

    def __init__(
        self, f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], argnums: Sequence[int]
    ) -> None:
        self.name = getattr(f, "__name__", f"{f!r:.80}")
        fresh_args = list(args)
        self.fresh: list[Value] = []
        self.builders: list[tuple[int, int, Builder]] = []
        nested = False
        for argnum in argnums:
            scalars, build = take_apart(args[argnum], f"argument {argnum} of {self.name}")
            nodes = [_identity(x) if isinstance(x, Value) else constant(float(x)) for x in scalars]
            for node in nodes:
                node.primitive = _ARGUMENT
            for node, x in zip(nodes, scalars, strict=True):
                node.label = getattr(x, "label", "")
            nested = nested or any(isinstance(x, Value) for x in scalars)
            self.builders.append((len(self.fresh), len(self.fresh) + len(nodes), build))
            self.fresh += nodes
            fresh_args[argnum] = build(nodes)
        try:
            result = f(*fresh_args, **kwargs)
        finally:
            for node in self.fresh:
                node.primitive = _IDENTITY
        self.kind = type(result).__name__
        self.one_number = isinstance(result, Value) or plain(result) is not None
        self.outputs, self.build_output = take_apart(result, f"the result of {self.name}")
        self.roots = [o for o in self.outputs if isinstance(o, Value)]
        known = frozenset(self.fresh)
        self.program, self.nodes = flatten(self.roots, until=known)
        nested = nested or any(node not in known for node in self.nodes[: self.program.inputs])
        nested = nested or _ARGUMENT in self.program.primitives
        self.m: Any = system_of("values").here() if nested else floats
        self.nested = nested
        if nested:
            self.numbers = self.nodes
        else:
            self.numbers = [getattr(node, "_data", getattr(node, "outcome", node)) for node in self.nodes]
        self.slot_of = slot_of = {node: slot for slot, node in enumerate(self.nodes) if isinstance(node, Value)}
        self.slots = [slot_of.get(node, -1) for node in self.fresh]
        self.output_slots = [slot_of[o] if isinstance(o, Value) else -1 for o in self.outputs]

    def result(self, x: Any) -> Any:
        """A number as this call returns it: a float, or a Value when nested."""
        if isinstance(x, Value):
            return x
        number = 0.0 if x is None else float(x)
        return constant(number) if self.nested else number

    def derivative(self, x: Any) -> Any:
        """The same of a derivative, which is never -0.0, as what ``backward()`` adds up."""
        number = self.result(x)
        return number + 0.0 if number.__class__ is float else _never_minus_zero(number, self.m)

    def values(self) -> Any:
        """What the function returned, as numbers of this call."""
        return self.build_output(
            [
                self.result(self.numbers[s] if s >= 0 else o)
                for s, o in zip(self.output_slots, self.outputs, strict=True)
            ]
        )

    def cotangents(self, seeds: Sequence[Any]) -> list[Any]:
        """One cotangent per fresh node, given one seed per output."""
        self.refuse_if_stale()
        by_slot: dict[int, Any] = {}
        for slot, seed in zip(self.output_slots, seeds, strict=True):
            if slot >= 0 and seed is not None:
                by_slot[slot] = by_slot[slot] + seed if slot in by_slot else seed
        order: list[int] = []
        if len(self.outputs) == 1 and by_slot:  # in the order of its backward()
            (slot,) = by_slot
            order = [self.slot_of[node] for node in backward_order(self.nodes[slot], until=self.fresh)]
        terms = terms_of(self.program, self.nodes, order, self.program.outputs)
        wanted = [slot for slot in self.slots if slot >= 0]
        with naming_nodes(self.nodes, self.roots):
            m = self.m.here() if self.nested else self.m  # a vjp may be pulled back after the recording
            found = _walked(pull_back, self.program, self.numbers, by_slot, m, wanted, order, terms)
        return [self.derivative(found[slot] if slot >= 0 else None) for slot in self.slots]

    def row(self, i: int) -> list[Any]:
        """The derivatives of one output by every fresh node."""
        return self.cotangents([1.0 if j == i else None for j in range(len(self.outputs))])

    def refuse_if_stale(self) -> None:
        """Refuse if a captured leaf was written since the function ran."""
        refuse_if_stale(active_nodes(self.roots, until=frozenset(self.fresh)))

    def arranged(self, flat: Sequence[Any]) -> list[Any]:
        """One number per fresh node, in the shapes of the arguments."""
        return [build(list(flat[start:stop])) for start, stop, build in self.builders]

    def the_one_output(self, asked: str) -> None:
        """Refuse anything but one scalar."""
        if not self.one_number:
            raise TypeError(
                f"{asked} needs a function that returns one number; {self.name} returned {len(self.outputs)} in a "
                f"{self.kind}. Use jacobian, or return one number, such as their sum"
            )


def _walked(
    walk: Callable[..., Any], program: Program, numbers: Sequence[Any], given: Mapping[int, Any], m: Any, *how: Any
) -> list[Any]:
    """What a walk over a program finds; of one that is recorded, what plain numbers raise is raised too."""
    watch = watching.watch
    if not m.LANES or watch is None:
        return walk(program, numbers, given, m, *how)  # type: ignore[no-any-return]
    if not (watch.attempts or watch.everywhere or any(row.is_loop for row in program.primitives)):
        try:
            walk(program, [*map(m.plain, numbers)], {slot: m.plain(x) for slot, x in given.items()}, floats, *how)
        except (ValueError, ArithmeticError) as error:
            raise watching.noted(error, numbers) from None
    found: list[Any] = walk(program, numbers, given, m, *how)
    return found


def _positions(argnums: int | Sequence[int], args: Sequence[Any], asked: str) -> tuple[int, ...]:
    positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for position in positions:
        if not -len(args) <= position < len(args):
            raise TypeError(f"{asked}: argnums is {argnums}, but the call has {len(args)} positional arguments")
    found = tuple(position % len(args) for position in positions)
    if len(set(found)) < len(found):
        raise ValueError(f"{asked}: argnums is {argnums}, which names an argument twice")
    return found


def _one_or_all(parts: list[Any], argnums: int | Sequence[int]) -> Any:
    return parts[0] if isinstance(argnums, int) else tuple(parts)


def value_and_grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., tuple[Any, Any]]:
    """A function that returns ``f``'s value and its gradient.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)

    Args:
        f: returns one number.
        argnums: which positional argument to differentiate by, or a tuple of several.
    """

    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        call = _Call(f, args, kwargs, _positions(argnums, args, "value_and_grad"))
        call.the_one_output("value_and_grad")
        return call.values(), _one_or_all(call.arranged(call.cotangents([1.0])), argnums)

    return value_and_gradient


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """A function that returns the gradient of ``f``, in the shape of the argument.

    >>> grad(lambda x: x["a"] * x["b"])({"a": 2.0, "b": 5.0})
    {'a': 5.0, 'b': 2.0}
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0

    Args:
        f: returns one number. Arguments are scalars or nested lists, tuples and dicts of them; an array reaches ``f``
            as a nested list.
        argnums: which positional argument to differentiate by, or a tuple of several (the result is then a tuple).

    Raises:
        TypeError: ``f`` returns something else than one number.
    """

    def gradient(*args: Any, **kwargs: Any) -> Any:
        call = _Call(f, args, kwargs, _positions(argnums, args, "grad"))
        call.the_one_output("grad")
        return _one_or_all(call.arranged(call.cotangents([1.0])), argnums)

    return gradient


def jacobian(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """A function that returns the derivative of every output by every input.

    The result has the shape of ``f``'s result, with each number replaced by its gradient in the shape of the argument.

    >>> jacobian(lambda x: [x[0] * x[1], x[0] + x[1]])([2.0, 5.0])
    [[5.0, 2.0], [1.0, 1.0]]
    """

    def derivative(*args: Any, **kwargs: Any) -> Any:
        call = _Call(f, args, kwargs, _positions(argnums, args, "jacobian"))
        rows = map(call.row, range(len(call.outputs)))
        return call.build_output([_one_or_all(call.arranged(row), argnums) for row in rows])

    return derivative


def hessian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """A function that returns all second derivatives of ``f``: the Jacobian of its gradient.

    A mixed one is found in both orders. Where these are not one number, other than by rounding, as where 0·∞ comes up
    on the one way alone, it is nan in both places.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 5.0])
    [[10.0, 6.0], [6.0, 0.0]]

    At a kink the slope is a convention, and its own slope is 0 (as in PyTorch and JAX): of ``abs(x)**2`` at 0 it is 0
    and not 2. Write ``square(x)``, which is smooth; √(x² + y²) as ``hypot``, which refuses.

    >>> hessian(lambda x: abs(x) ** 2)(0.0), hessian(lambda x: x.square())(0.0)
    (0.0, 2.0)
    """

    def derivative(*args: Any, **kwargs: Any) -> Any:
        call = _Call(grad(f, argnums), args, kwargs, _positions(argnums, args, "hessian"))
        rows = [call.row(i) for i in range(len(call.outputs))]
        for i, row in enumerate(rows):
            for j, x in enumerate(row[:i]):
                y = rows[j][i]
                if plain(x) != plain(y) and not all(map(isfinite, map(call.m.plain, (x, y)))):
                    row[j], rows[j][i] = call.result(nan), call.result(nan)
        return call.build_output([_one_or_all(call.arranged(row), argnums) for row in rows])

    return derivative


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """``f``'s value, and the function that pulls a cotangent of its shape back to one gradient per argument.

    >>> value, pull = vjp(lambda x, y: [x * y, x + y], 2.0, 5.0)
    >>> value, pull([1.0, 10.0])
    ([10.0, 7.0], (15.0, 12.0))
    """
    call = _Call(f, primals, {}, range(len(primals)))

    def pull(cotangent: Any) -> tuple[Any, ...]:
        seeds = take_apart_like(
            cotangent, call.build_output(call.outputs), "the cotangent", f"what {call.name} returned"
        )
        if any(isinstance(seed, Value) for seed in seeds) and not call.nested:
            call.nested, call.m, call.numbers = True, system_of("values").here(), call.nodes
        return tuple(call.arranged(call.cotangents(seeds)))

    return call.values(), pull


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """``f``'s value and its derivative along the tangents, one per argument and of its shape (forward mode).

    >>> jvp(lambda x, y: x * y, (2.0, 5.0), (1.0, 10.0))
    (10.0, 25.0)
    """
    if len(primals) != len(tangents):
        raise ValueError(f"jvp needs one tangent per primal; there are {len(tangents)} for {len(primals)}")
    directions: list[Any] = []
    for i, (primal, tangent) in enumerate(zip(primals, tangents, strict=True)):
        directions += take_apart_like(tangent, primal, f"tangent {i}", f"primal {i}")
    call = _Call(f, primals, {}, range(len(primals)))
    if any(isinstance(t, Value) for t in directions) and not call.nested:
        call.nested, call.m, call.numbers = True, system_of("values").here(), call.nodes
    call.refuse_if_stale()
    # What does not move is not asked for its slope, be it infinite.
    moving = {
        slot: call.m.number(t)
        for slot, t in zip(call.slots, directions, strict=True)
        if slot >= 0 and (isinstance(t, Value) or t != 0)
    }
    with naming_nodes(call.nodes, call.roots):
        found = _walked(push_forward, call.program, call.numbers, moving, call.m)
    tangent_out = [call.derivative(found[slot] if slot >= 0 else None) for slot in call.output_slots]
    return call.values(), call.build_output(tangent_out)


def hvp(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """A function ``(*args, vector)`` that returns the Hessian of ``f`` times the vector, without the Hessian.

    Forward mode over the gradient: its cost is a small multiple of one gradient's.

    >>> hvp(lambda x: x[0] ** 2 * x[1])([3.0, 5.0], [1.0, 10.0])
    [70.0, 6.0]
    """

    def product(*args_and_vector: Any, **kwargs: Any) -> Any:
        if len(args_and_vector) < 2:
            raise TypeError("hvp needs the function's arguments and then the vector")
        *args, vector = args_and_vector
        if not isinstance(argnums, int):
            raise TypeError(f"hvp: argnums is one position, not {argnums!r:.200}; put several arguments into one list")
        position = _positions(argnums, args, "hvp")[0]

        def gradient(x: Any) -> Any:
            return grad(f, position)(*args[:position], x, *args[position + 1 :], **kwargs)

        return jvp(gradient, (args[position],), (vector,))[1]

    return product


def gradients(output: Value, wrt: Any) -> Any:
    """∂output/∂each of ``wrt``, nodes of the output's graph, as Values; ``.grad`` is neither read nor written.

    >>> x = Value(2.0)
    >>> y = x**3
    >>> dy = gradients(y, x)
    >>> dy.data, gradients(dy, x).data
    (12.0, 12.0)

    Args:
        output: a Value.
        wrt: a Value, leaf or not, or nested lists, tuples and dicts of them; the result has the same shape.
    """
    if not isinstance(output, Value):
        raise TypeError(f"gradients differentiates a Value, not {output!r:.200}")
    targets, build = take_apart(wrt, "wrt")
    for target in targets:
        if not isinstance(target, Value):
            raise TypeError(f"gradients differentiates with respect to Values; wrt holds the number {target!r:.200}")
    program, nodes = flatten([output])
    with at_rest_for(len(nodes)):
        refuse_if_stale(active_nodes([output]))
        slot_of = {node: slot for slot, node in enumerate(nodes) if isinstance(node, Value)}
        slots = [slot_of.get(target, -1) for target in targets]
        wanted = [slot for slot in slots if slot >= 0]
        with naming_nodes(nodes, [output]):
            order = [slot_of[node] for node in backward_order(output)]
            terms = terms_of(program, nodes, order, program.outputs)
            m = system_of("values").here()
            cotangents = _walked(pull_back, program, nodes, {program.outputs[0]: 1.0}, m, wanted, order, terms)
    found = [cotangents[slot] if slot >= 0 else None for slot in slots]
    return build([_never_minus_zero(x, m) if isinstance(x, Value) else constant(x or 0.0) for x in found])


def _never_minus_zero(x: Value, m: Any) -> Value:
    """A derivative as ``backward()`` adds it up, to 0.0; a recording is the same whatever the numbers."""
    is_minus_zero = x._data == 0.0 and copysign(1.0, x._data) < 0.0
    return x + 0.0 if is_minus_zero or m.LANES else x
