"""The node, written out once, and from it the source text of every function that makes one.

Such a function spells out what a call could do, since a call saved is a fifth of the time of an operation (measured).
Hooks may be handed each node as soon as it is made: the functions run other code then, of the same text with the hook
written in, so that one which is not there costs nothing.

``now`` is time: a counter that writing a leaf moves on, and that each node notes when it is born.
"""

from __future__ import annotations

from _weakref import ref  # the module ``weakref`` takes most of a millisecond to import
from collections.abc import Callable, Sequence
from functools import cache, partial
from math import nan
from types import CodeType, FunctionType
from typing import Any

from autograd import errors
from autograd.eager import watching
from autograd.eager.operands import kind_of, number_of, plain
from autograd.locks import new_lock
from autograd.primitives import Primitive

Hook = Callable[[Any], None]

now = 0


def objects_of(value_class: Any) -> Callable[[], Any]:
    """A function that makes objects with empty slots; ``__new__`` with the class takes a tenth longer (measured)."""
    return partial(object.__new__, value_class)


#: A node that is born now: in the texts below, it stands for ``NODE``.
_NODE = """
node = new()
node._data = data
node._grad = 0.0
node.primitive = primitive
node._x = x
node._y = y
node.label = ""
node._moment = now
"""

#: What makes the functions that make nodes, by their kind.
_TEXTS = {
    "node": """
def make(Value):
    new = objects_of(Value)
    def node(data, primitive, x, y):
        NODE
        return node
    return node
""",
    "unary": """
def make(Value, primitive, compute):
    new = objects_of(Value)
    def unary(x):
        try:
            if x.__class__ is Value:
                data = compute(x._data)
            else:
                number = plain(x)
                if number is None:
                    raise strange(primitive, (x,))
                return compute(number)
        except (ValueError, ArithmeticError) as error:
            data = without_value(primitive, (x,), error)
        y = None
        NODE
        return node
    return unary
""",
    "binary": """
def make(Value, primitive, compute, unknown):
    new = objects_of(Value)
    def binary(x, y):
        try:
            if y.__class__ is Value and x.__class__ is Value:
                data = compute(x._data, y._data)
            elif y.__class__ is float and x.__class__ is Value:
                data = compute(x._data, y)
            else:
                left = x._data if x.__class__ is Value else plain(x)
                right = y._data if y.__class__ is Value else plain(y)
                if left is None or right is None:
                    return unknown(primitive, (x, y))
                data = compute(left, right)
                if x.__class__ is not Value:
                    if y.__class__ is not Value:
                        return data
                    x = left
                elif y.__class__ is not Value:
                    y = right
        except (ValueError, ArithmeticError) as error:
            data = without_value(primitive, (x, y), error)
            x, y = (o if o.__class__ is Value else plain(o) for o in (x, y))
        NODE
        return node
    return binary
""",
    "n-ary": """
def make(Value, primitive, last, of_another_pattern):
    new = objects_of(Value)
    def n_ary(xs, y=None):
        nodes = []
        count = -1
        for x in xs:
            try:
                if len(x) != count:
                    count = len(x)
                    which, compute = last[count]
                data = compute(x, y)
            except (AttributeError, KeyError, ValueError, ArithmeticError):
                data, count = None, -1
            if data.__class__ is not float:
                data, x, y, which = of_another_pattern(x, y)
                if not which:
                    nodes.append(data)
                    continue
            NODE
            node._which = which
            nodes.append(node)
        return nodes
    return n_ary
""",
}

# Python's ``pow`` hands on a modulus too.
_TEXTS["power"] = _TEXTS["binary"].replace(
    "def binary(x, y):",
    "def binary(x, y, modulus=None):\n        if modulus is not None:\n            return binary(x, y) % modulus",
)

#: An operator that never raises, for a Value on the left: computing in place saves a seventh of its time (measured).
_OPERATOR = """
def make(Value, primitive, general):
    new = objects_of(Value)
    def operator(x, y):
        if y.__class__ is Value:
            data = x._data @ y._data
        elif y.__class__ is float:
            data = x._data @ y
        else:
            return general(x, y)
        NODE
        return node
    return operator
"""

#: The operators that never raise, and so are computed in place.
IN_PLACE = "+-*"
_TEXTS.update({symbol: _OPERATOR.replace("@", symbol) for symbol in IN_PLACE})


def no_hook(node: Any) -> None:
    """The hook where there is none; only what still runs in another thread when the last one is left calls it."""


#: What the texts call: the hooks that there are, one after the other.
hook: Hook = no_hook
_hooks: dict[str, Hook] = {}
_ONE_AT_A_TIME = new_lock()

#: The functions that make nodes, and of which kind each is.
_kinds: dict[ref[FunctionType], str] = {}


def written(kind: str, *names: Any) -> Callable[..., Any]:
    """A function that makes nodes, from the text of its kind and what ``make`` takes there."""
    function = _make(kind, hook is not no_hook)(*names)
    _kinds[ref(function, _kinds.pop)] = kind
    return function  # type: ignore[no-any-return]


@cache
def _make(kind: str, hooked: bool) -> Any:
    """``make`` of a text, compiled, with the hook or without."""
    node = _NODE + "hook(node)\n" if hooked else _NODE
    lines: list[str] = []
    for line in _TEXTS[kind].splitlines():
        indent, mark, _ = line.partition("NODE")
        lines += [indent + part for part in node.splitlines()] if mark else [line]
    made: dict[str, FunctionType] = {}
    exec(compile("\n".join(lines), f"<nodes of {kind}>", "exec"), globals(), made)
    return made["make"]


@cache
def copier(value_class: Any) -> Callable[[float, Primitive | None, Any, Any], Any]:
    """``(data, primitive, x, y) -> node``, for copies: they are handed to no hook, since no operation makes them."""
    return _make("node", False)(value_class)  # type: ignore[no-any-return]


def hand_to(new: Hook, place: str = "") -> None:
    """Hand each node to this hook from now on, as soon as it is made; what the hook raises, the operation raises.

    Of a node of any number of operands, their pattern is not there yet. A hook stays until another takes its place.
    """
    global _hooks
    with _ONE_AT_A_TIME:
        hooks = {**_hooks, place: new}
        if new is no_hook:
            del hooks[place]
        _call(_one_after_the_other([*hooks.values()]))
        _hooks = hooks


def _one_after_the_other(hooks: Sequence[Hook]) -> Hook:
    if len(hooks) < 2:
        return hooks[0] if hooks else no_hook

    def all_of_them(node: Any) -> None:
        for one in hooks:
            one(node)

    return all_of_them


def _call(new: Hook) -> None:
    global hook
    if (new is no_hook) is (hook is no_hook):
        hook = new
        return
    references = list(_kinds)  # whole: pairs would be garbage-collected objects, and a collection takes entries away
    alive = [(function, _kinds[reference]) for reference in references if (function := reference()) is not None]
    codes = {}
    for kind in {kind for _, kind in alive}:  # whatever can fail comes first
        make = _make(kind, new is not no_hook)
        codes[kind] = next(part for part in make.__code__.co_consts if isinstance(part, CodeType))
    hook = new
    for function, kind in alive:
        function.__code__ = codes[kind]


# What the texts call, beside ``plain``, where an operand is no number or a primitive has no value.


def strange(primitive: Primitive, operands: Sequence[Any]) -> TypeError:
    """What to say of an operand that is neither a Value nor a real number."""
    names = ["xs"] * len(operands) if primitive.n_ary else primitive.arguments
    for name, operand in zip(names, operands, strict=False):
        if not hasattr(operand, "_moment") and plain(operand) is None:
            many = hasattr(operand, "__len__") and not isinstance(operand, str | bytes)
            hint = f"; apply it to each element: [{primitive.name}(v) for v in …]" if many else ""
            return TypeError(f"{primitive.name} takes Values and real numbers; {name} is {kind_of(operand)}{hint}")
    return TypeError(f"{primitive.name} cannot be applied to {operands!r:.200}")


def without_value(primitive: Primitive, operands: Sequence[Any], error: Exception) -> float:
    """What a primitive gives where it has no value: the error, or nan in a branch that is recorded but not taken, or
    what the watch has for it."""
    watch = watching.watch
    if watch is not None and watch.is_ours() and any(hasattr(o, "_moment") for o in operands):
        if watch.attempts:
            return nan
        if watch.goes_on():
            return watch.as_replayed(primitive, [number_of(o) for o in operands])
    raise watching.noted(errors.failure(primitive, operands, error), operands) from None
