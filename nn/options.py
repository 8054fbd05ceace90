"""The options of the command line: what a text must be, said in one line where it is not."""

import argparse
import math
from typing import Any, NoReturn

from nn.activations import activation_name


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are one line, and which takes no option by half its name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """End with the complaint in one line and the status 2."""
        self.exit(2, f"{self.prog}: {' '.join(message.split())}; see {self.prog} --help\n")


def widths(text: str) -> tuple[int, ...]:
    """The widths of hidden layers, "none" being none.

    >>> widths("16,8"), widths("none")
    ((16, 8), ())
    """
    if text.strip().lower() == "none":
        return ()
    found = []
    for number, part in enumerate(text.split(","), start=1):
        width = part.strip()
        what = f"{width!r:.40}" if width else "empty"
        if not (width.isascii() and width.isdigit() and len(width) < 100) or int(width) < 1:
            shown = repr(text if len(text) <= 40 else text[:39] + "…")
            wanted = "give whole numbers from 1 on with commas between, such as 16,16, or none"
            raise argparse.ArgumentTypeError(f"{shown}: width {number} is {what}; {wanted}")
        found.append(int(width))
    return tuple(found)


def count(text: str) -> int:
    """A whole number from 1 on."""
    number = whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"it must be at least 1; it is {number}")
    return number


def whole(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def rate(text: str) -> float:
    """A number above zero."""
    number = _number(text)
    if not 0.0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"it must be a finite number above 0; it is {text}")
    return number


def share(text: str) -> float:
    """A number between 0 and 1, the bounds not among them."""
    number = _number(text)
    if not 0.0 < number < 1.0:
        raise argparse.ArgumentTypeError(f"it must be between 0 and 1, such as 0.2; it is {text}")
    return number


def activation(text: str) -> str:
    """The name of an activation.

    >>> activation("arctan")
    'atan'
    """
    try:
        return activation_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
