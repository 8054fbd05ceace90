"""``valuegrad draw``, ``derive`` and ``step``: a formula and its numbers become a picture, a derivation, a page."""

from __future__ import annotations

import math
import re
from argparse import ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import autograd
from nn import files
from nn.command_line.drawing import drawn
from nn.command_line.formulas import FormulaError, graph_of, last_expression, name_of, shortened

#: What ``derive`` writes a derivation as, by its option.
_FORMATS = ("text", "markdown", "latex")

_PICTURES = (".svg", ".png", ".pdf", ".dot", ".mmd")
_PAGES = (".html", ".htm")

_WHAT_MAY_STAND = """
A formula holds names, numbers, pi and e, + - * / // % **, the functions of the
table of primitives (exp, log, sqrt, sin, tanh, relu, max and some sixty more),
and where(x > 0, a, b) for a choice. "z = w*x + b; tanh(z)" gives a name to what
is in between. It is read, never run as code.
"""


def add(commands: Any) -> None:
    """Add the three commands to a command line."""
    drawing = _added(
        commands, "draw", "draw the graph of a formula",
        "Draw the graph of a formula, with the numbers of both passes.",
        'valuegrad draw "tanh(w*x + b)" w=0.5 x=2 b=1 -o graph.svg',
    )  # fmt: skip
    endings = "a file that ends in .svg, .png, .pdf, .dot or .mmd (Mermaid); default: %(default)s"
    drawing.add_argument("-o", "--out", metavar="FILE", type=_file(_PICTURES), default="graph.svg", help=endings)
    drawing.add_argument("--partials", action="store_true", help="write the local derivatives on the edges")
    drawing.add_argument("--expanded", action="store_true", help="show fused primitives as what they are made of")
    drawing.add_argument("--no-gradients", action="store_true", help="leave the backward pass out")

    deriving = _added(
        commands, "derive", "write a derivative out as the chain rule",
        "Write a derivative out: the chain rule between what has a name, and the numbers.",
        'valuegrad derive "z = w*x + b; tanh(z)" w=0.5 x=2 b=1 --wrt w',
    )  # fmt: skip
    deriving.add_argument("--wrt", metavar="NAME", type=_name, required=True, help="the name to differentiate by")
    deriving.add_argument("--format", choices=_FORMATS, default="text", help="of what is written; default: %(default)s")
    deriving.add_argument("-o", "--out", metavar="FILE", type=_file(), help="file to write; default: standard output")

    stepping = _added(
        commands, "step", "write a page that plays backpropagation step by step",
        "Write a page that plays both passes in a browser; its numbers can be edited.",
        'valuegrad step "tanh(w*x + b)" w=0.5 x=2 b=1 -o page.html',
    )  # fmt: skip
    endings = "a file that ends in .html; default: %(default)s"
    stepping.add_argument("-o", "--out", metavar="FILE", type=_file(_PAGES), default="page.html", help=endings)


def _added(commands: Any, name: str, short: str, description: str, example: str) -> Any:
    parser = commands.add_parser(
        name,
        help=short,
        description=f"{description}\n\n  {example}",
        epilog=_WHAT_MAY_STAND.strip(),
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("formula", metavar="FORMULA", help='such as "tanh(w*x + b)"; quotes keep the shell away')
    parser.add_argument(
        "numbers", nargs="+", metavar="NAME=NUMBER", type=_number, help="a number for each name, such as x=1.5"
    )
    return parser


def protected(arguments: Sequence[str]) -> list[str]:
    """The arguments, a formula such as -x, the first that is no option, told from an option by a blank before it.

    >>> protected(["draw", "-omega*t", "t=1"]), protected(["draw", "-o", "graph.svg", "-x", "x=1"])
    (['draw', ' -omega*t', 't=1'], ['draw', '-o', 'graph.svg', ' -x', 'x=1'])
    """
    found = list(arguments)
    if found and found[0] in COMMANDS:
        for place, argument in enumerate(found[1:], start=1):
            if found[place - 1] not in _WITH_A_VALUE and not _OPTION.fullmatch(argument):
                found[place] = f" {argument}" if argument.startswith("-") else argument
                break
    return found


_WITH_A_VALUE = ("-o", "--out", "--wrt", "--format")
#: -ograph.svg is an option, and -omega*0.5 a formula.
_OPTION = re.compile(r"-[ho]|-o.*\.[a-z]\w*|--([a-z][a-z-]+(=.*)?)?", re.DOTALL)


def _number(text: str) -> tuple[str, float]:
    """Name and number of ``x=1.5``."""
    name, equals, number = text.partition("=")
    if not equals:
        raise ArgumentTypeError(f"{shortened(text)} is no NAME=NUMBER; write x=1.5, without blanks")
    try:
        found = float(number)
    except ValueError:
        raise ArgumentTypeError(f"{shortened(text)}: {shortened(number)} is not a number; write {name}=1.5") from None
    if not math.isfinite(found):
        raise ArgumentTypeError(f"{shortened(text)}: the number must be finite; for a float it is {found}")
    return _name(name), found


def _name(text: str) -> str:
    try:
        return name_of(text)
    except FormulaError as error:
        raise ArgumentTypeError(str(error)) from None


def _file(endings: Sequence[str] = ()) -> Callable[[str], str]:
    def file(text: str) -> str:
        if not text or "\0" in text:
            raise ArgumentTypeError(f"{text!r:.200} is no name of a file")
        if endings and Path(text).suffix.lower() not in endings:
            known = f"{', '.join(endings[:-1])} or {endings[-1]}"
            raise ArgumentTypeError(f"{shortened(text)} must end in {known}, which says what to write")
        return text

    return file


def _numbers(pairs: Sequence[tuple[str, float]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, number in pairs:
        if name in found:
            raise FormulaError(f"{name!r:.200} is given twice: {name}={found[name]:g} and {name}={number:g}")
        found[name] = number
    return found


def draw(chosen: Namespace) -> int:
    """``valuegrad draw``."""
    output, _ = graph_of(chosen.formula, _numbers(chosen.numbers))
    if not chosen.no_gradients:
        output.backward()
    print(drawn(output, chosen.out, partials=chosen.partials, detail="expanded" if chosen.expanded else "whole"))
    return 0


def derive(chosen: Namespace) -> int:
    """``valuegrad derive``."""
    output, names = graph_of(chosen.formula, _numbers(chosen.numbers))
    wrt = names.get(chosen.wrt)
    if wrt is None:
        derivable = [name for name, found in names.items() if isinstance(found, autograd.Value)]
        raise FormulaError(f"--wrt {chosen.wrt}: the formula has no such name; it has {', '.join(derivable)}")
    if not isinstance(wrt, autograd.Value):
        remedy = f"give its number after the formula, as {chosen.wrt}=1.5"
        raise FormulaError(f"--wrt {chosen.wrt}: it depends on no name that has a number; {remedy}")
    head = ""
    if not output.label:
        output.label = next(name for name in _names_of_results() if name not in names)
        head = f"{output.label} = {last_expression(chosen.formula)}\n"
    derivation = autograd.derive(output, wrt)
    write: dict[str, Callable[[], str]] = {
        "text": lambda: f"{head}{derivation}", "markdown": derivation.markdown, "latex": derivation.latex,
    }  # fmt: skip
    text = write[chosen.format]()
    if chosen.out is None:
        print(text)
    else:
        target = Path(chosen.out)
        target.parent.mkdir(parents=True, exist_ok=True)
        files.write(target, f"{text}\n")
        print(chosen.out)
    return 0


def _names_of_results() -> Iterator[str]:
    """What a result without a name is called: y, or y1, y2 … where the formula has these."""
    yield "y"
    for number in count(1):
        yield f"y{number}"


def step(chosen: Namespace) -> int:
    """``valuegrad step``."""
    output, _ = graph_of(chosen.formula, _numbers(chosen.numbers))
    print(autograd.step_through(output, title=chosen.formula).save(chosen.out))
    return 0


#: Name of a command → what runs it.
COMMANDS = {"draw": draw, "derive": derive, "step": step}
