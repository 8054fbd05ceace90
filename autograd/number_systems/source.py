"""Python source text: a rule run in this number system writes its own code.

Every operation becomes a line ``t1 = …`` of a ``Writer``; a branch given as a function becomes an indented block, so
that only the branch taken is ever computed. This is how the table's rules become the functions that ``backward()``
runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

from autograd.number_systems.arithmetic import Arithmetic
from autograd.primitives import TABLE, Primitive
from autograd.rules import is_nothing

NAME = "source"
LANES = False
LACKS: dict[str, str] = {}

#: Primitive → infix operator, the same in Python and in JavaScript.
SYMBOLS = {
    name: row.symbol
    for name, row in TABLE.items()
    if row.arity == 2 and row.symbol in ("+", "-", "*", "/", "<", "<=", ">", ">=")
}


class Text(Arithmetic):
    """A number that is known by its source text alone."""

    __slots__ = ("text", "writer")

    def __init__(self, text: str, writer: Writer) -> None:
        self.text = text
        self.writer = writer

    def _apply(self, name: str, *operands: Any) -> Any:
        return self.writer.apply(name, *operands)

    def __repr__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        raise TypeError("a rule cannot use if, and, or, not on its numbers: use m.where, m.greater, m.less")

    def __eq__(self, other: object) -> bool:
        raise TypeError("a rule cannot compare its numbers with ==: use m.where, m.greater, m.less")

    __hash__ = object.__hash__


class Choice(Text):
    """What ``where`` wrote, which can be taken back and written in another form while nothing came after it."""

    __slots__ = ("before", "branches", "condition", "outcomes")

    def __init__(self, text: str, writer: Writer, before: tuple[int, int]) -> None:
        super().__init__(text, writer)
        #: How many lines and temporaries there were before.
        self.before = before
        self.condition = ""
        #: The branches as they were given, and what each turned out to be.
        self.branches: tuple[Any, ...] = ()
        self.outcomes: tuple[Any, ...] = ()


def may_be_nothing(partial: Any) -> bool:
    """Whether a partial is a literal 0, through which nothing flows, or comes to one in some branch."""
    return any(map(may_be_nothing, partial.outcomes)) if isinstance(partial, Choice) else is_nothing(partial)


def text_of(x: Any) -> str:
    """How a number is written: its text, or a literal."""
    return x.text if isinstance(x, Text) else repr(x)


class Writer:
    """Collects the lines of a function; ``m`` is the number system that rules see."""

    #: What ``m`` calls itself, its functions, and how it writes π. A subclass writes another language.
    name = NAME
    functions: Iterable[str] = TABLE
    symbolic = False
    pi = "pi"

    def __init__(self) -> None:
        self.start_afresh()
        functions = {name: self._function(name) for name in self.functions}
        self.m = SimpleNamespace(
            **{
                **functions,
                "where": self.where,
                "number": self.number,
                "pi": Text(self.pi, self),
                "LANES": LANES,
                "NAME": self.name,
                "is_formula": lambda *xs: self.symbolic,
            }
        )

    def _function(self, name: str) -> Any:
        return lambda *operands: self.apply(name, *operands)

    def start_afresh(self) -> None:
        """Begin another function."""
        self.lines: list[str] = []
        self.indent = 1
        self._temporaries = 0

    def line(self, text: str) -> None:
        """Add a line at the present depth."""
        self.lines.append("    " * self.indent + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Lines of an indented block under a head such as ``if x > 0:``."""
        self.line(head)
        self.indent += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.line("pass")
        self.indent -= 1

    def number(self, x: Any) -> Any:
        """A literal as a number of this system."""
        return x if isinstance(x, Text) else Text(self.literal(x), self)

    def literal(self, x: Any) -> str:
        """How a plain number is written."""
        return repr(x)

    def text(self, x: Any) -> str:
        """How a number is written: its text, or a literal."""
        return x.text if isinstance(x, Text) else self.literal(x)

    def call(self, name: str, operands: list[str]) -> str:
        """How a function is called."""
        return f"{name}({', '.join(operands)})"

    # How the language says it.

    def set(self, name: str, text: str) -> None:
        """Give a name that is there a number."""
        self.line(f"{name} = {text}")

    def define(self, name: str, text: str) -> None:
        """Give a new name a number that it keeps."""
        self.set(name, text)

    def declare(self, name: str, text: str = "") -> None:
        """Say that there is a name whose number comes later, or is this until then."""
        if text:
            self.set(name, text)

    def heads(self, condition: str) -> tuple[str, str, str]:
        """The heads of blocks: if it holds, else, if it does not hold."""
        return f"if {condition}:", "else:", f"if not {condition}:"

    def conditional(self, condition: str, x: str, y: str) -> str:
        """The expression that chooses."""
        return f"{x} if {condition} else {y}"

    def assign(self, text: str) -> Text:
        """A new temporary that holds what the text computes."""
        self._temporaries += 1
        name = f"t{self._temporaries}"
        self.define(name, text)
        return Text(name, self)

    def apply(self, name: str, *operands: Any) -> Text:
        """The result of a primitive, as a temporary."""
        texts = [f"[{', '.join(map(self.text, x))}]" if isinstance(x, list) else self.text(x) for x in operands]
        if name in SYMBOLS:
            return self.assign(f"{texts[0]} {SYMBOLS[name]} {texts[1]}")
        if name == "square" and texts[0].isidentifier():  # quicker than a call
            return self.assign(f"{texts[0]} * {texts[0]}")
        if name == "neg":
            return self.assign(f"-({texts[0]})" if texts[0].startswith("-") else f"-{texts[0]}")
        return self.assign(self.call(name, texts))

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """The choice; a branch that is a function is written inside its own block."""
        before = len(self.lines), self._temporaries
        self._temporaries += 1
        chosen = Choice(f"t{self._temporaries}", self, before)
        chosen.condition, chosen.branches = self.text(condition), (x, y)
        if not callable(x) and not callable(y):
            chosen.outcomes = x, y
            self.define(chosen.text, self.conditional(chosen.condition, self.text(x), self.text(y)))
            return chosen
        self.declare(chosen.text)
        outcomes = []
        for head, branch in zip(self.heads(chosen.condition), (x, y), strict=False):
            with self.block(head):
                outcomes.append(branch() if callable(branch) else branch)
                self.set(chosen.text, self.text(outcomes[-1]))
        chosen.outcomes = tuple(outcomes)
        return chosen

    def where_it_flows(self, partial: Any, statement: Callable[[str], str]) -> list[str]:
        """The lines of a statement about a partial's text, where something flows: not where it is a literal 0.

        A choice that the partial is must be the last that was written; it becomes that of the statement.
        """
        if isinstance(partial, Choice) and may_be_nothing(partial):
            self.take_back(partial)
        start = len(self.lines)
        self._send(partial, statement)
        lines = self.lines[start:]
        del self.lines[start:]
        return lines

    def take_back(self, choice: Choice) -> None:
        """Remove the lines of a choice, the last that were written."""
        start, self._temporaries = choice.before
        del self.lines[start:]

    def _send(self, partial: Any, statement: Callable[[str], str]) -> None:
        if not may_be_nothing(partial):
            self.line(statement(self.text(partial)))
        elif isinstance(partial, Choice):
            holds, otherwise, fails = self.heads(partial.condition)
            ways = list(zip((holds, otherwise), partial.branches, partial.outcomes, strict=True))
            if is_nothing(partial.outcomes[0]):
                ways = [(fails, partial.branches[1], partial.outcomes[1])]
            for head, branch, outcome in ways:
                if not is_nothing(outcome):
                    with self.block(head):
                        self.lines += self.where_it_flows(branch() if callable(branch) else branch, statement)


def computing(digits: int | None = None) -> AbstractContextManager[Any]:
    """A context to compute in; text needs none."""
    return nullcontext()


def operands_of(primitive: Primitive, writer: Writer) -> list[Any]:
    """What a row's formula takes, as text: its arguments; of a row of any number, a list of three, the shortest that
    shows all that a ``dot`` does: a product and a start."""
    if primitive.n_ary:
        return [[Text(f"x{i}", writer) for i in range(3)]]
    return [Text(name, writer) for name in primitive.arguments[: primitive.arity]]


def slopes(primitive: Primitive, m: Any, z: Any, operands: list[Any]) -> list[Any]:
    """What each rule of a primitive makes of text; ``None`` where there is no rule."""
    if callable(primitive.partials):
        return list(primitive.partials(m, z, operands))
    rules = [primitive.rule(i, m, operands) for i in range(primitive.arity)]
    return [None if rule is None else rule(m, z, *operands) for rule in rules]


class Inline(Writer):
    """A writer whose results are one expression each, for documentation."""

    symbolic = True

    def assign(self, text: str) -> Text:
        return Text(f"({text})", self)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        chosen = [text_of(branch() if callable(branch) else branch) for branch in (x, y)]
        return Text(f"({chosen[0]} if {text_of(condition)} else {chosen[1]})", self)


def formulas(primitive: Primitive) -> dict[str, str]:
    """Argument → its partial derivative as one expression in x, y and the result z.

    >>> formulas(TABLE["tanh"])
    {'x': '1 - z * z'}
    """
    import ast  # for documentation alone

    if callable(primitive.partials):
        return {}
    writer = Inline()
    written = slopes(primitive, writer.m, Text("z", writer), operands_of(primitive, writer))
    found = {}
    for name, slope in zip(primitive.arguments, written, strict=False):
        if slope is not None:
            text = text_of(slope)
            found[name] = ast.unparse(ast.parse(text, mode="eval"))  # drops the brackets that precedence makes needless
    return found
