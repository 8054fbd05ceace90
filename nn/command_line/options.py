"""The options of ``valuegrad train``, each with what its text must be, said in one line where it is not."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NoReturn

from nn.activations import activation_name
from nn.datasets import BUILT_IN
from nn.initializers import INITIALIZERS
from nn.schedules import Cosine, Plateau, Schedule, Step, WarmUp
from nn.tables.models import LOSSES_OF_QUANTITIES, OPTIMIZERS, Options


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
        raise argparse.ArgumentTypeError(f"{text!r:.200} is not a whole number") from None


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


def activations(text: str) -> str | tuple[str, ...]:
    """The name of one activation, or of several with commas between.

    >>> activations("arctan"), activations("relu,tanh")
    ('atan', ('relu', 'tanh'))
    """
    names = tuple(activation(part.strip()) for part in text.split(","))
    return names if len(names) > 1 else names[0]


def at_least_zero(text: str) -> float:
    """A number from 0 on."""
    number = _number(text)
    if not 0.0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"it must be a finite number from 0 on; it is {text}")
    return number


def momentum(text: str) -> float:
    """A number from 0 on and below 1."""
    number = _number(text)
    if not 0.0 <= number < 1.0:
        raise argparse.ArgumentTypeError(f"it must be from 0 on and below 1, such as 0.9; it is {text}")
    return number


def names(text: str) -> tuple[str, ...]:
    """Names with commas between.

    >>> names("a, b")
    ('a', 'b')
    """
    return tuple(part.strip() for part in text.split(",") if part.strip())


#: The schedules that the command line knows, each made for a number of epochs; none for a constant rate.
SCHEDULES: Mapping[str, Callable[[int], Schedule | None]] = MappingProxyType(
    {
        "constant": lambda epochs: None,
        "step": lambda epochs: Step(every=max(1, epochs // 3), by=0.1),
        "cosine": lambda epochs: Cosine(epochs),
        "warm-up": lambda epochs: WarmUp(max(1, epochs // 10), then=Cosine(max(1, epochs - epochs // 10))),
        "plateau": lambda epochs: Plateau(patience=max(1, epochs // 20), by=0.3),
    }
)


def add_training(training: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of ``valuegrad train``."""
    defaults = Options()
    _add_the_table(training)
    _add_the_network(training.add_argument_group("the network"), defaults)
    _add_the_training(training.add_argument_group("the training"), defaults)


def _add(group: Any, *flags: str, **settings: Any) -> None:
    """Add an argument; a default that can be read as it is written is told in its help."""
    if isinstance(settings.get("default"), str | int | float):
        settings["help"] += "; default: %(default)s"
    group.add_argument(*flags, **settings)


def _add_the_table(training: argparse.ArgumentParser) -> None:
    known = ", ".join(BUILT_IN)
    _add(training, "file", metavar="FILE", help=f"a CSV file with a header, or one that is built in: {known}")
    _add(training, "--target", metavar="COLUMN", help="the column to learn")
    tasks = ["classification", "regression"]
    _add(training, "--task", choices=tasks, help="default: what the target's column looks like")
    texts = "columns of texts that repeat are known by themselves"
    what = f"columns of numbers that are names, such as postal codes; {texts}"
    _add(training, "--categories", metavar="COLUMNS", type=names, default=(), help=what)
    _add(training, "--test", metavar="SHARE", type=share, default=0.2, help="share of the rows kept for the test")
    _add(training, "--out", metavar="DIR", help="folder for model and pictures; default: build/NAME-OF-FILE")
    _add(training, "--quiet", action="store_true", help="print the results only")


def _add_the_network(network: Any, defaults: Options) -> None:
    what = "widths of the hidden layers, or none; default: 16,16"
    _add(network, "--hidden", metavar="WIDTHS", type=widths, default=defaults.hidden, help=what)
    what = "of the hidden layers, such as relu, or one for each, such as relu,tanh"
    _add(network, "--activation", metavar="NAMES", type=activations, default=defaults.activation, help=what)
    _add(network, "--initializer", choices=list(INITIALIZERS), help="of the weights; default: as suits the activation")


def _add_the_training(how: Any, defaults: Options) -> None:
    _add(how, "--epochs", metavar="N", type=count, default=defaults.epochs, help="how often the rows are gone through")
    _add(how, "--batch-size", metavar="N", type=count, default=defaults.batch_size, help="rows per step")
    _add(how, "--seed", metavar="N", type=whole, default=defaults.seed, help="decides split, first weights and batches")
    _add(how, "--loss", choices=list(LOSSES_OF_QUANTITIES), help="of a quantity; default: mse")
    _add(how, "--optimizer", choices=list(OPTIMIZERS), default=defaults.optimizer, help="what moves the weights")
    rates = ", ".join(f"{number:g} for {name}" for name, (_, number) in OPTIMIZERS.items())
    _add(how, "--learning-rate", metavar="R", type=rate, help=f"default: {rates}")
    what = (
        "of the learning rate: a tenth after each third of the epochs, down along a cosine, up during a tenth of them "
        "before that, or down when the loss stays"
    )
    _add(how, "--schedule", choices=list(SCHEDULES), default="constant", help=what)
    _add(how, "--momentum", metavar="M", type=momentum, help="for sgd and rmsprop, such as 0.9")
    _add(how, "--weight-decay", metavar="R", type=at_least_zero, help="of the optimizer, such as 0.001")
    _add(how, "--l1", metavar="R", type=at_least_zero, help="strength of the penalty on the weights' sizes")
    _add(how, "--l2", metavar="R", type=at_least_zero, help="strength of the penalty on the weights' squares")
    _add(how, "--clip-norm", metavar="BOUND", type=rate, help="the largest norm of a step's gradient")
    what = (
        "stop when the loss of a fifth of the training rows, which is then not trained on, was not better for N "
        "epochs, and keep the best weights"
    )
    _add(how, "--patience", metavar="N", type=count, help=what)


def settings(chosen: argparse.Namespace) -> Options:
    """The options of a training that was asked for."""
    fields = {name: getattr(chosen, name) for name in Options._fields}
    fields["schedule"] = SCHEDULES[chosen.schedule](chosen.epochs)
    return Options(**fields)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r:.200} is not a number") from None
