"""Optimizers: ``step()`` moves every parameter by its gradient. They and nobody else write a parameter's ``.data``.

What an optimizer does to one parameter is its ``rule``, over any number system: floats in ``step()``, arrays of all
parameters and native code in ``fit``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from types import SimpleNamespace
from typing import Any, ClassVar, Protocol

from autograd import Value, number_system
from nn.checks import leaves, with_gradients, within
from nn.interrupts import all_or_nothing, assign, uninterrupted

#: What a rule returns: the next number of a parameter, and what is kept for it.
Moved = tuple[Any, tuple[Any, ...]]


class Keeper(Protocol):
    """Whoever has the states of an optimizer in arrays."""

    def states(self) -> list[list[float]]:
        """The lists, in the order of ``STATE``."""


class Optimizer:
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

    STATE: ClassVar[tuple[str, ...]] = ()
    SETTINGS: ClassVar[tuple[str, ...]] = ("weight_decay",)

    #: Who has what ``STATE`` names, until it is asked for.
    keeper: Keeper | None = None

    def __init__(self, parameters: Iterable[Value], *, learning_rate: float, weight_decay: float = 0.0) -> None:
        self.parameters = leaves(parameters)
        self.learning_rate = within("learning_rate", learning_rate, 0.0, open_below=True)
        self.weight_decay = within("weight_decay", weight_decay, 0.0)
        self.steps = 0

    @property
    def settings(self) -> SimpleNamespace:
        """What the rule reads besides its arguments."""
        return SimpleNamespace(**{name: getattr(self, name) for name in self.SETTINGS})

    def leave_to(self, keeper: Keeper, steps: int) -> None:
        """Let another have the states, after so many steps, until somebody asks for them here."""
        self.steps = steps
        if not self.is_left_to(keeper):
            self.keeper = keeper
            for name in filter(self._holds, self.STATE):
                delattr(self, name)

    def is_left_to(self, keeper: Keeper) -> bool:
        """Whether that other has the states, and nobody has written any here since."""
        return self.keeper is keeper and not any(map(self._holds, self.STATE))

    def _holds(self, name: str) -> bool:
        try:
            object.__getattribute__(self, name)
        except AttributeError:
            return False
        return True

    def __getattr__(self, name: str) -> Any:
        keeper = self.keeper
        if keeper is None or name not in self.STATE:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
        with uninterrupted():
            for state, numbers in zip(self.STATE, keeper.states(), strict=True):
                if not self._holds(state):
                    setattr(self, state, numbers)
            self.keeper = None
        return object.__getattribute__(self, name)

    def __getstate__(self) -> dict[str, Any]:
        if self.keeper is not None and self.STATE:
            getattr(self, self.STATE[0])
        return {name: x for name, x in vars(self).items() if name != "keeper"}

    def step(self) -> None:
        """Move every parameter once, by its ``.grad``; ``None`` counts as 0.0. After an error none is."""
        kept = [getattr(self, name) for name in self.STATE]
        with all_or_nothing(self, "steps"):
            self.steps += 1
            m, rule, rate, steps, settings = _FLOATS, self.rule, self.learning_rate, self.steps, self.settings
            states = zip(*kept, strict=True) if kept else repeat(())
            moved = [
                rule(m, p.data, p.grad, state, rate, steps, settings)
                for p, state in zip(with_gradients(self.parameters), states, strict=False)
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


class SGD(Optimizer):
    """p ← p - rate · v, where v ← momentum · v + g: gradient descent, without momentum by default.

    g is ∂C/∂p + weight_decay · p; with ``nesterov``, p ← p - rate · (g + momentum · v) (Sutskever et al., 2013).

    >>> p = Value(3.0)
    >>> optimizer = SGD([p], learning_rate=0.25)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> p.data
    1.5

    Raises:
        ValueError: a learning rate that is not positive, a weight decay below 0, a momentum outside 0 … 1 (1 not among
            them), Nesterov's without momentum.
    """

    STATE = ("velocities",)
    SETTINGS = ("weight_decay", "momentum", "nesterov")

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.1,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, learning_rate=learning_rate, weight_decay=weight_decay)
        self.momentum, self.nesterov = within("momentum", momentum, 0.0, 1.0), nesterov
        if nesterov and momentum == 0.0:
            raise ValueError("nesterov needs a momentum above 0, such as 0.9")
        self.velocities = [0.0] * len(self.parameters)

    @staticmethod
    def rule(m: Any, p: Any, g: Any, state: Sequence[Any], rate: Any, step: Any, settings: Any) -> Moved:
        """p - rate · v."""
        g = decayed(p, g, settings)
        v = settings.momentum * state[0] + g
        return p - rate * (g + settings.momentum * v if settings.nesterov else v), (v,)
