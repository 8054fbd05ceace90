"""Mutants: one small change of one place in the syntax tree of a file, each a mistake that a person could make.

Text is left alone (messages, docstrings, names in strings), but for code, which begins on a line of its own; so are
annotations, assertions and ``strict=True``, which say what holds anyway. A mutant is known by where it is and by what
it changes, never by a line number, so that a list of survivors outlives edits elsewhere in the file.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class Mutant(NamedTuple):
    """A change of a tree that is not made yet."""

    #: The function that it lies in, as ``Value.backward``, or the row of the table; ``<module>`` outside.
    where: str
    #: ``x < y → x <= y``; the same change at a second place of the function ends in ``(2)``.
    change: str
    line: int
    parent: ast.AST
    field: str
    #: Its place in the field, where that is a list.
    index: int | None
    replacement: ast.AST

    def apply(self) -> None:
        """Make the change in the tree that the mutant was found in."""
        if self.index is None:
            setattr(self.parent, self.field, self.replacement)
        else:
            getattr(self.parent, self.field)[self.index] = self.replacement


COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}

OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}

#: What a rule calls in a number system → what could stand there by mistake.
FUNCTIONS = {
    "abs": "sign",
    "cos": "sin",
    "cosh": "sinh",
    "erfc": "erf",
    "exp": "expm1",
    "hypot": "maximum",
    "log": "log2",
    "pow": "mul",
    "sigmoid": "tanh",
    "sign": "abs",
    "sin": "cos",
    "sinh": "cosh",
    "softplus": "relu",
    "sqrt": "cbrt",
    "sum": "mean",
    "tanh": "sigmoid",
    "greater": "less",
    "less": "greater",
}

#: What a row can lose, whose texts are not mutated. (Elsewhere, no call has arguments of these names.)
KEYWORDS = ("aliases", "arguments", "compares", "domain", "kinks", "limits", "partial_domains")


def _operators(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for other in COMPARISONS[type(op)]:
                yield ast.Compare(node.left, [*node.ops[:i], other(), *node.ops[i + 1 :]], node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS and not _is_text(node):
        yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
    elif isinstance(node, ast.AugAssign):
        yield ast.AugAssign(node.target, OPERATORS[type(node.op)](), node.value)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand
    elif isinstance(node, ast.If | ast.While | ast.IfExp) and isinstance(node.test, ast.Name | ast.Call):
        changed = {name: getattr(node, name) for name in node._fields}
        yield type(node)(**changed | {"test": ast.UnaryOp(ast.Not(), node.test)})


def _is_text(node: ast.BinOp) -> bool:
    return any(isinstance(n, ast.JoinedStr | ast.Constant) and _is_string(n) for n in (node.left, node.right))


def _is_string(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _constants(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, int | float):
            yield ast.Constant(node.value + 1)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Return) and node.value is not None:
        if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Continue):
        yield ast.Break()
    elif isinstance(node, ast.Break):
        yield ast.Continue()
    elif isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        yield ast.Pass()
    elif isinstance(node, ast.Assign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if all(isinstance(target, ast.Attribute | ast.Subscript) for target in targets):
            yield ast.Pass()
    elif isinstance(node, ast.comprehension):
        for i in range(len(node.ifs)):
            rest = [*node.ifs[:i], *node.ifs[i + 1 :]]
            yield ast.comprehension(node.target, node.iter, rest, node.is_async)


def _replacements(node: ast.AST, names: tuple[str, ...] = ()) -> Iterator[ast.AST]:
    yield from _operators(node)
    yield from _constants(node)
    yield from _statements(node)


def _replacements_in_a_rule(node: ast.AST, names: tuple[str, ...]) -> Iterator[ast.AST]:
    """What can be wrong in mathematics besides: a sign, a factor, another variable, another function.

    ``names`` are the variables of the rule; a predicate, as it has no output ``z``, keeps its own.
    """
    if not (isinstance(node, ast.UnaryOp) and _is_infinity(node.operand)):  # the sign of infinity changes below
        yield from _replacements(node)
    if isinstance(node, ast.Constant) and type(node.value) is int and node.value > 1:
        yield ast.Constant(node.value - 1)
    elif isinstance(node, ast.Constant) and node.value == 1 and type(node.value) is int:
        yield ast.Constant(0)
    elif isinstance(node, ast.BinOp):
        yield node.left
        yield node.right if not isinstance(node.op, ast.Div) else ast.BinOp(node.right, ast.Div(), node.left)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        if node.id in names and "z" in names:
            for other in names:
                if other != node.id:
                    yield ast.Name(other, ast.Load())
        elif _is_infinity(node):
            yield ast.UnaryOp(ast.USub(), node)
    elif isinstance(node, ast.Attribute) and node.attr in FUNCTIONS and isinstance(node.value, ast.Name):
        yield ast.Attribute(node.value, FUNCTIONS[node.attr], ast.Load())
    elif isinstance(node, ast.Lambda) and "z" in names:
        yield ast.Lambda(node.args, ast.UnaryOp(ast.USub(), node.body))


def _is_infinity(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "INFINITY"


def _children(node: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    """The parts of a node that are mutated, each with its place."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        if isinstance(value, ast.AST):
            yield name, None, value
        elif isinstance(value, list):
            for i, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield name, i, item


def _leave_alone(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert) or _is_string(node):
        return True
    return isinstance(node, ast.keyword) and node.arg == "strict"


def mutants_of(tree: ast.Module) -> list[Mutant]:
    """Every mutant of a file, in its order."""
    found = _Found(_replacements)
    for i, node in enumerate(tree.body):
        found.visit(tree, "body", i, node, "<module>")
    return found.mutants


def _mutants_of_text(text: str) -> Iterator[tuple[Mutant, str]]:
    """The mutants of code that is a text, and the text that each makes of it."""
    for i in range(len(mutants_of(ast.parse(text)))):
        tree = ast.parse(text)
        mutant = mutants_of(tree)[i]
        mutant.apply()
        yield mutant, ast.unparse(tree)


def mutants_of_rules(tree: ast.Module, table: ast.Module) -> tuple[list[Mutant], dict[str, list[str]]]:
    """Every mutant of the rules that take more than a line, which the rows of the table name.

    Returns:
        The mutants, and for each function the rows that depend on it: the first word of ``where``.
    """
    return _of_helpers(_Found(_replacements_in_a_rule), tree, _rows(table), _helpers(table) | _helpers(tree))


def mutants_of_table(tree: ast.Module) -> tuple[list[Mutant], dict[str, list[str]]]:
    """Every mutant of the rows of the table, and of the functions that rows are made with.

    Returns:
        The mutants, and for each row or function the rows that depend on it: the first word of ``where``.
    """
    rows = _rows(tree)
    found = _Found(_replacements_in_a_rule)
    for name, row in rows.items():
        for i, argument in enumerate(row.args[1:], start=1):
            if i == 3 and row.func.id == "Primitive":
                continue  # the example of the documentation
            found.visit(row, "args", i, argument, f"{name} partials")
        for i, keyword in enumerate(row.keywords):
            found.visit(row, "keywords", i, keyword, f"{name} {keyword.arg}")
    return _of_helpers(found, tree, rows, _helpers(tree))


def _of_helpers(
    found: _Found, tree: ast.Module, rows: dict[str, Any], helpers: dict[str, Any]
) -> tuple[list[Mutant], dict[str, list[str]]]:
    """Add the mutants of those helpers that stand in a file and that a row depends on."""
    depends = {name: _names_in(node) for name, node in (rows | helpers).items()}
    users: dict[str, list[str]] = {name: [name] for name in rows}
    for name, node in helpers.items():
        if node not in tree.body:
            continue
        reached = {name}
        while more := {user for user, names in depends.items() if names & reached} - reached:
            reached |= more
        users[name] = [row for row in rows if row in reached]
        if users[name]:
            found.visit(tree, "body", tree.body.index(node), node, name)
    return found.mutants, users


def _rows(tree: ast.Module) -> dict[str, Any]:
    """The rows by name: the calls in the tuple ``_ROWS``."""
    for node in tree.body:
        target = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(target, ast.Name) and target.id == "_ROWS":
            rows = node.value  # type: ignore[union-attr]
            assert isinstance(rows, ast.Tuple)
            return {row.args[0].value: row for row in rows.elts}  # type: ignore[attr-defined]
    raise LookupError("the file has no table: no _ROWS")


def _helpers(tree: ast.Module) -> dict[str, Any]:
    """The functions and predicates of the file that a row may use; the public ones of the table are its own."""
    helpers: dict[str, Any] = {}
    is_table = "_ROWS" in {node.target.id for node in tree.body if isinstance(node, ast.AnnAssign)}  # type: ignore[union-attr]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and (node.name.startswith("_") or not is_table):
            helpers[node.name] = node
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            assert isinstance(node.targets[0], ast.Name)
            helpers[node.targets[0].id] = node
    return helpers


def _names_in(node: ast.AST) -> set[str]:
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return names | {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute) and _is_rules(n.value)}


def _is_rules(node: ast.AST) -> bool:
    """Whether a name is that of the module of rules."""
    return isinstance(node, ast.Name) and node.id == "rules"


class _Found:
    """The mutants found so far, each under a name of its own."""

    def __init__(self, replacements: Callable[[ast.AST, tuple[str, ...]], Iterator[ast.AST]]) -> None:
        self.mutants: list[Mutant] = []
        self._replacements = replacements
        self._seen: Counter[tuple[str, str]] = Counter()

    def add(self, mutant: Mutant) -> None:
        """Note a mutant; the same change at a second place of a function is numbered."""
        key = mutant.where, mutant.change
        self._seen[key] += 1
        if self._seen[key] > 1:
            mutant = mutant._replace(change=f"{mutant.change} ({self._seen[key]})")
        ast.fix_missing_locations(mutant.replacement)
        self.mutants.append(mutant)

    def visit(
        self, parent: Any, field: str, index: int | None, node: Any, where: str, names: tuple[str, ...] = ()
    ) -> None:
        """Add the mutants of a node and of all below; ``names`` are the variables of the functions around."""
        if isinstance(node, ast.Constant) and str(node.value).startswith("\n"):
            for mutant, text in _mutants_of_text(node.value):
                line, replacement = node.lineno + mutant.line - 1, ast.Constant(text)
                self.add(Mutant(mutant.where, mutant.change, line, parent, field, index, replacement))
        if isinstance(node, ast.Assert) or _is_string(node) or (isinstance(node, ast.keyword) and node.arg == "strict"):
            return
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            where = node.name if where in ("<module>", node.name) else f"{where}.{node.name}"
        if isinstance(node, ast.Lambda | ast.FunctionDef):
            inner = [argument.arg for argument in node.args.args if argument.arg != "m"]
            names = (*names, *(name for name in inner if name not in names))
        line = node.iter.lineno if isinstance(node, ast.comprehension) else getattr(node, "lineno", 0)
        if isinstance(node, ast.keyword) and node.arg in KEYWORDS:
            # Without its value, a keyword argument is the double star of nothing.
            nothing = ast.keyword(None, ast.Dict([], []))
            self.add(Mutant(where, f"{_text(node)} → nothing", node.lineno, parent, field, index, nothing))
        for replacement in self._replacements(node, names):
            ast.copy_location(replacement, node)
            self.add(Mutant(where, f"{_text(node)} → {_text(replacement)}", line, parent, field, index, replacement))
        for name, i, child in _children(node):
            self.visit(node, name, i, child, where, names)


def _text(node: ast.AST) -> str:
    """The code of a node in one line; of a statement with a body, its head."""
    text = ast.unparse(node).strip()
    return text.splitlines()[0] if text else "pass"
