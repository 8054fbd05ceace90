"""``Optimizer``: what all optimizers share.

What one does to a parameter is its ``rule``, over any number system: floats in ``step()``, arrays of all parameters and
native code in ``fit``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from types import SimpleNamespace
from typing import Any, ClassVar

from autograd import Value, number_system
from nn.checks import leaves, within
from nn.interrupts import all_or_nothing, assign
from nn.kept import Kept

#: What a rule returns: the next number of a parameter, and what is kept for it.
Moved = tuple[Any, tuple[Any, ...]]


class Optimizer(Kept):
    """What all optimizers share: the parameters, the loop over them, their number of steps, gradients to zero.

    One of your own gives a ``rule``, in the functions of ``m`` and without ``if`` on numbers but settings, and names
    the lists that hold a number per parameter in ``STATE``, and the attributes that the rule reads in ``SETTINGS``:

    >>> class SignDescent(Optimizer):
    ...     STATE, SETTINGS = ("means",), ("smoothing",)
    ...     def __init__(self, parameters, learning_rate=0.25, smoothing=0.5):
    ...         super().__init__(parameters, learning_rate=learning_rate)
    ...         self.smoothing, self.means = smoothing, [0.0] * len(self.parameters)
    ...     @staticmethod
    ...     def rule(m, p, g, state, rate, step, settings):
    ...         mean = settings.smoothing * state[0] + (1.0 - settings.smoothing) * g
    ...         return p - rate * m.sign(mean), (mean,)
    >>> p = Value(3.0)
    >>> optimizer = SignDescent([p])
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> p.data, optimizer.means
    (2.75, [3.0])

    Or it gives ``step`` itself, which writes ``p.data``; then ``fit`` enters Python at every step.
    """

    SETTINGS: ClassVar[tuple[str, ...]] = ("weight_decay",)

    def __init__(self, parameters: Iterable[Value], *, learning_rate: float, weight_decay: float = 0.0) -> None:
        self.parameters = leaves(parameters)
        self.learning_rate = within("learning_rate", learning_rate, 0.0, open_below=True)
        self.weight_decay = within("weight_decay", weight_decay, 0.0)
        self.steps = 0

    @property
    def settings(self) -> SimpleNamespace:
        """What the rule reads besides its arguments."""
        return SimpleNamespace(**{name: getattr(self, name) for name in self.SETTINGS})

    def step(self) -> None:
        """Move every parameter once, by its ``.grad``. After an error none is."""
        kept = [getattr(self, name) for name in self.STATE]
        with all_or_nothing(self, "steps"):
            self.steps += 1
            m, rule, rate, steps, settings = _FLOATS, self.rule, self.learning_rate, self.steps, self.settings
            states = zip(*kept, strict=True) if kept else repeat(())
            moved = [
                rule(m, p.data, p.grad, state, rate, steps, settings)
                for p, state in zip(self.parameters, states, strict=False)
            ]
            for place, numbers in enumerate(kept):
                numbers[:] = [state[place] for _, state in moved]
            assign(self.parameters, "data", [number for number, _ in moved])

    @staticmethod
    def rule(m: Any, p: Any, g: Any, state: Sequence[Any], rate: Any, step: Any, settings: Any) -> Moved:
        """The next number of a parameter and its next state, from its number, its gradient and its state.

        Args:
            m: the number system.
            rate, step: the learning rate, and how many steps there were, this one included.
        """
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0.0, as is due before each ``backward()``."""
        assign(self.parameters, "grad", [0.0] * len(self.parameters))


_FLOATS = number_system("floats")


def decayed(p: Any, g: Any, settings: Any) -> Any:
    """The gradient with that of the weight decay, g + weight_decay · p."""
    return g + settings.weight_decay * p if settings.weight_decay else g
