"""The pull-back of each primitive as one Python function, written out from the table by running its rules over source
text.

A pull-back adds ``c · ∂z/∂x`` to the gradient of every parent that is a Value; ``c`` is the node's own gradient. It
computes all products before it adds the first, so that one which raises leaves nothing half done. Calling a lambda per
argument instead of a written-out function makes ``backward()`` about 2.5 times slower (measured).

>>> from autograd.primitives import TABLE
>>> print(text_of_pull_back(TABLE["mul"]))
def pull_back(node):
    c = node._grad
    X, Y = node._x, node._y
    if X.__class__ is Value:
        if Y.__class__ is Value:
            x = X._data
            y = Y._data
            X._grad += c * y
            Y._grad += c * x
        else:
            y = number(Y)
            X._grad += c * y
    else:
        if Y.__class__ is Value:
            x = number(X)
            Y._grad += c * x
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

from autograd import errors
from autograd.eager.unrolled import Unrolled, in_order
from autograd.eager.unrolled import text_of_pull_back as unrolled_text
from autograd.number_systems import floats
from autograd.number_systems.formulas import FloatWriter
from autograd.number_systems.source import Text, Writer
from autograd.primitives import TABLE, Primitive
from autograd.rules import is_nothing

PullBack = Callable[[Any], None]


def text_of_pull_back(primitive: Primitive) -> str:
    """The source of a primitive's pull-back, for a row with a fixed number of arguments."""
    partials = primitive.partials
    assert not callable(partials)
    names = primitive.arguments[: len(partials)] if len(partials) > 2 else ("x", "y")[: len(partials)]
    nodes = tuple(name.upper() for name in names)
    writer = FloatWriter()  # a product of an integer and a float takes 1.5 times as long as one of floats
    writer.line("c = node._grad")
    slots = {1: "node._x", 2: "node._x, node._y"}.get(len(nodes), "node._x")
    writer.line(f"{', '.join(nodes)} = {slots}")

    def branch(argument: int, wanted: tuple[int, ...]) -> None:
        if argument == len(nodes):
            _add_products(writer, partials, names, nodes, wanted)
        elif partials[argument] is None:
            branch(argument + 1, wanted)
        else:
            with writer.block(f"if {nodes[argument]}.__class__ is Value:"):
                branch(argument + 1, (*wanted, argument))
            if any(rule is not None for i, rule in enumerate(partials) if i > argument) or wanted:
                with writer.block("else:"):
                    branch(argument + 1, wanted)

    branch(0, ())
    return "\n".join(["def pull_back(node):", *_without_empty_blocks(writer.lines)])


#: Primitives whose pull-backs stand in the loop of ``backward()`` itself, which saves a sixth of their time (measured).
_IN_THE_LOOP = ("add", "mul")

_LOOP = """
def loop(output, order, zero):
    for node in reversed(order):
        c = node._grad
        if c is zero:  # nothing flowed to it, so it is not asked for its slope
            continue
        primitive = node.primitive
        try:
            PULL_BACK
        except (ValueError, ArithmeticError):
            after(node, output)
"""


def text_of_loop() -> str:
    """The source of the loop of ``backward()`` over the nodes, the last one first."""
    lines: list[str] = []
    for line in _LOOP.splitlines():
        indent, mark, _ = line.partition("PULL_BACK")
        if not mark:
            lines.append(line)
            continue
        for name in _IN_THE_LOOP:
            lines.append(f"{indent}{'if' if name == _IN_THE_LOOP[0] else 'elif'} primitive is {name.upper()}:")
            lines += [indent + text for text in text_of_pull_back(TABLE[name]).splitlines()[2:]]  # its head, and c
        lines += [f"{indent}else:", f"{indent}    pull_backs[primitive](node)"]
    return "\n".join(lines)


def _add_products(
    writer: Writer, partials: tuple[Any, ...], names: tuple[str, ...], nodes: tuple[str, ...], wanted: tuple[int, ...]
) -> None:
    """The lines for one set of wanted arguments: their numbers, the partials, then the additions."""
    if not wanted:
        return
    m, start = writer.m, len(writer.lines)
    arguments = [Text(name, writer) for name in names]
    sums: list[str] = []
    for i in wanted:
        slope = partials[i](m, Text("z", writer), *arguments)
        sums += writer.where_it_flows(slope, partial(_sum, nodes[i]))
    used = set(re.findall(r"\w+", " ".join([*writer.lines[start:], *sums])))
    indent = "    " * writer.indent
    numbers = [
        (name, f"{node}._data" if i in wanted else f"number({node})")
        for i, (name, node) in enumerate(zip(names, nodes, strict=True))
    ]
    numbers.append(("z", "node._data"))
    writer.lines[start:start] = [f"{indent}{name} = {text}" for name, text in numbers if name in used]
    writer.lines += sums


def _sum(node: str, slope: str) -> str:
    """What adds cotangent times partial to a node's gradient."""
    if slope in ("1", "-1"):
        return f"{node}._grad {'+' if slope == '1' else '-'}= c"
    return f"{node}._grad += c * {slope}"


def _without_empty_blocks(lines: list[str]) -> list[str]:
    """The lines without ``else:`` blocks that do nothing."""
    kept: list[str] = []
    for line in lines:
        kept.append(line)
        if line.strip() == "pass" and kept[-2].strip() == "else:":
            del kept[-2:]
    return kept


class PullBacks(dict[Primitive, PullBack]):
    """Primitive → pull-back; each is written and compiled when it is first wanted, so that importing costs nothing."""

    def __init__(self, value_class: type, number: Callable[[Any], Any], partials: Callable[..., list[Any]]) -> None:
        super().__init__()
        self._namespace: dict[str, Any] = vars(floats) | {"Value": value_class, "number": number}
        self._value_class = value_class
        self._number = number
        self._partials = partials

    @cached_property
    def loop(self) -> Callable[[Any, list[Any], float], None]:
        """``(output, order, zero)`` runs the pull-backs of these nodes, the last first, without those that nothing
        flowed to: their gradient still is this zero.
        """
        rows = {name.upper(): TABLE[name] for name in _IN_THE_LOOP}
        namespace = self._namespace | rows | {"pull_backs": self, "after": self.after}
        exec(compile(text_of_loop(), "<backward>", "exec"), namespace)
        return namespace["loop"]  # type: ignore[no-any-return]

    def __missing__(self, primitive: Primitive) -> PullBack:
        if not primitive.built_in:  # not kept: a table of users' primitives would hold them for ever
            return self.one_by_one
        if callable(primitive.partials):
            made = self._of_any_number(primitive, primitive.partials)
        else:
            namespace = dict(self._namespace)
            code = compile(text_of_pull_back(primitive), f"<pull-back of {primitive.name}>", "exec")
            exec(code, namespace)
            made = namespace["pull_back"]
        self[primitive] = made
        return made

    def _of_any_number(self, primitive: Primitive, rule: Callable[..., list[Any]]) -> PullBack:
        """The pull-back of an n-ary row; ``node._which`` is the pattern of its operands."""

        def loop(node: Any) -> None:
            c, operands = node._grad, in_order(node._x, node._y)
            partials = rule(floats, node._data, [self._number(operand) for operand in operands])
            for is_value, parent, slope in zip(node._which, operands, partials, strict=True):
                if is_value:
                    parent._grad += c * slope

        unrolled = Unrolled(primitive, unrolled_text, loop)

        def pull_back(node: Any) -> None:
            unrolled[node._which](node)

        return pull_back

    def after(self, node: Any, output: Any) -> None:
        """The pull-back of a node after what is written out for it has raised, before it added anything."""
        try:
            self.one_by_one(node)
        except (ValueError, ArithmeticError) as error:
            errors.say_path(error, node, [output])
            raise

    def one_by_one(self, node: Any) -> None:
        """The pull-back of any node, from the rules themselves: for limits, and primitives that are not built in."""
        operands = node._operands()
        wanted = [i for i, o in enumerate(operands) if o.__class__ is self._value_class]
        partials = self._partials(floats, node.primitive, node._data, operands, wanted)
        products = [None if is_nothing(slope) else node._grad * slope for slope in partials]
        for i, product in zip(wanted, products, strict=True):
            if product is not None:
                operands[i]._grad += product
