"""`valuegrad draw`, `derive` and `step`: a formula and its numbers become a picture, a derivation, a page."""

from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import autograd
from autograd.pictures import layout
from nn.expressions import graph_of

#: What `derive` writes a derivation as, by its option.
_FORMATS = ("text", "markdown", "latex")


def add(commands: Any) -> None:
    """Add the three commands to a command line."""
    drawing = commands.add_parser(
        "draw",
        help="draw the graph of a formula",
        description='Draw the graph of a formula: valuegrad draw "tanh(w*x + b)" w=0.5 x=2 b=1 -o graph.svg',
    )
    _add_formula(drawing)
    endings = "a file that ends in .svg, .png, .pdf, .dot or .mmd; default: %(default)s"
    drawing.add_argument("-o", "--out", metavar="FILE", default="graph.svg", help=endings)
    drawing.add_argument("--partials", action="store_true", help="write the local derivatives on the edges")
    drawing.add_argument("--expanded", action="store_true", help="show fused primitives as what they are made of")
    drawing.add_argument("--no-gradients", action="store_true", help="leave the backward pass out")

    deriving = commands.add_parser(
        "derive",
        help="write a derivative out as the chain rule",
        description='Write a derivative out: valuegrad derive "z = w*x + b; tanh(z)" w=0.5 x=2 b=1 --wrt w',
    )
    _add_formula(deriving)
    deriving.add_argument("--wrt", metavar="NAME", required=True, help="the name to differentiate by")
    deriving.add_argument("--format", choices=_FORMATS, default="text", help="default: %(default)s")
    deriving.add_argument("-o", "--out", metavar="FILE", help="file to write; default: the standard output")

    stepping = commands.add_parser(
        "step",
        help="write a page that plays backpropagation step by step",
        description='Write a page that plays both passes: valuegrad step "tanh(w*x + b)" w=0.5 x=2 b=1 -o page.html',
    )
    _add_formula(stepping)
    stepping.add_argument("-o", "--out", metavar="PAGE.html", default="page.html", help="default: %(default)s")


def _add_formula(parser: Any) -> None:
    parser.add_argument("formula", help='such as "tanh(w*x + b)"; "z = w*x + b; tanh(z)" names what is in between')
    parser.add_argument("numbers", nargs="*", metavar="NAME=NUMBER", help="a number for each name")


def _numbers(texts: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for text in texts:
        name, equals, number = text.partition("=")
        if not equals or not name.isidentifier():
            raise ValueError(f"{text!r} is no NAME=NUMBER; write x=1.5, without blanks")
        if name in found:
            raise ValueError(f"{name!r} is given twice")
        try:
            found[name] = float(number)
        except ValueError:
            raise ValueError(f"{text!r}: {number!r} is not a number") from None
    return found


def draw(chosen: Namespace) -> int:
    """`valuegrad draw`."""
    output, _ = graph_of(chosen.formula, _numbers(chosen.numbers))
    if not chosen.no_gradients:
        output.backward()
    picture = autograd.draw(output, partials=chosen.partials, detail="expanded" if chosen.expanded else "whole")
    print(layout.render(picture, chosen.out))
    return 0


def derive(chosen: Namespace) -> int:
    """`valuegrad derive`."""
    output, names = graph_of(chosen.formula, _numbers(chosen.numbers))
    wrt = names.get(chosen.wrt)
    if not isinstance(wrt, autograd.Value):
        raise ValueError(f"--wrt {chosen.wrt}: the formula has no such name; it has {', '.join(names)}")
    if not output.label:
        output.label = "y" if "y" not in names else "output"
    derivation = autograd.derive(output, wrt)
    write: dict[str, Callable[[], str]] = {
        "text": derivation.__str__, "markdown": derivation.markdown, "latex": derivation.latex,
    }  # fmt: skip
    text = write[chosen.format]()
    if chosen.out is None:
        print(text)
    else:
        Path(chosen.out).write_text(f"{text}\n", "utf-8")
        print(chosen.out)
    return 0


def step(chosen: Namespace) -> int:
    """`valuegrad step`."""
    output, _ = graph_of(chosen.formula, _numbers(chosen.numbers))
    print(autograd.step_through(output, title=chosen.formula).save(chosen.out))
    return 0


#: Name of a command → what runs it.
COMMANDS = {"draw": draw, "derive": derive, "step": step}
