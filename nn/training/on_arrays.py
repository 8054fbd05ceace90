"""``OnArrays``: steps of a training whose parameters, gradients and states lie in arrays from one step to the next."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from autograd import descent
from nn.cost import LossFunction
from nn.interrupts import uninterrupted
from nn.module import Module
from nn.optimizers import Optimizer
from nn.training.epochs import Epoch
from nn.training.penalties import L1, L2, Penalty
from nn.training.samples import Samples


class OnArrays:
    """Steps by the rule of an optimizer; or nothing, where that cannot serve.

    What goes wrong is not told here: the Values are written, and the caller meets it in a step upon these.
    """

    def __init__(
        self,
        model: Module,
        loss: LossFunction,
        samples: Samples,
        optimizer: Optimizer,
        *,
        epochs: int,
        penalty: Penalty | None = None,
        clip_value: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        self._optimizer = optimizer
        #: Whether the arrays have something that Values and optimizer do not have yet.
        self._is_ahead = False
        #: The states of the optimizer as they were written last.
        self._states: list[list[float]] = []
        self.works = serves(optimizer, penalty)
        if not self.works:
            return
        try:
            self._descent = descent(
                lambda x, y: loss(model(x), y),
                model.parameters(),
                optimizer.rule,
                moved=optimizer.parameters,
                penalty=None if penalty is None else lambda: penalty(model),
                clip_value=clip_value,
                clip_norm=clip_norm,
                expected_samples=epochs * len(samples.rows),
            )
            self._X, self._y = self._descent.arrays(*samples)
        except (ModuleNotFoundError, ValueError, TypeError):
            self.works = False

    def run(self, epoch: Epoch, order: Sequence[int], at: int, size: int, signals: uninterrupted) -> int:
        """Go through the samples in this order, from one of them on; how many are behind us then.

        If it is not all, the Values are written: the next step cannot be taken here, or a signal waits.
        """
        down, optimizer = self._descent, self._optimizer
        if not self._is_ahead:
            self._begin()
        self._is_ahead = True
        try:
            batches = down.batches(self._X, self._y, None if isinstance(order, range) else order)
            down.run(
                batches, size, at, rate=optimizer.learning_rate, settings=optimizer.settings, signals=signals
            )
        except Exception:  # whatever recordings or arrays cannot do: the loop over samples does it or says why
            self.works = False
        ran = down.ran
        epoch.steps += ran.steps
        epoch.total_loss += ran.total
        epoch.penalties += ran.penalties
        epoch.pushed = epoch.pushed or (epoch.number == 1 and ran.pushed)
        if at + ran.samples < len(order):
            self.write()
        return at + ran.samples

    def orders(self, chance: random.Random) -> Callable[[], Sequence[int]]:
        """What draws the permutations of the samples that ``permutation`` would draw."""
        return self._descent.orders(len(self._X), chance)

    def _begin(self) -> None:
        """Take over the states of the optimizer, which others may have changed."""
        down, optimizer = self._descent, self._optimizer
        states = [getattr(optimizer, name) for name in optimizer.STATE]
        if states != self._states or down.steps != optimizer.steps:
            down.begin(states, optimizer.steps)

    def write(self) -> None:
        """Write into Values and optimizer what they do not have yet."""
        if not self._is_ahead:
            return
        with uninterrupted():
            self._descent.write()
            self._states = [state.tolist() for state in self._descent.states]
            for name, numbers in zip(self._optimizer.STATE, self._states, strict=True):
                getattr(self._optimizer, name)[:] = numbers
            self._optimizer.steps = self._descent.steps
            self._is_ahead = False


def serves(optimizer: Optimizer, penalty: Penalty | None) -> bool:
    """Whether the optimizer is its rule and nothing else, and the penalty does not depend on numbers that may change."""
    known = type(optimizer).step is Optimizer.step and "step" not in vars(optimizer)
    return known and (penalty is None or type(penalty) in (L1, L2))
