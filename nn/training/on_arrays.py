"""``OnArrays``: steps of a training whose parameters, gradients and states lie in arrays from one step to the next."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autograd import Value, descent
from nn.cost import LossFunction
from nn.interrupts import uninterrupted
from nn.module import Module
from nn.optimizers import Optimizer
from nn.training.epochs import Epoch
from nn.training.penalties import L1, L2, Penalty

#: Samples of a validation between which Ctrl-C is looked for.
ROWS = 4096


class OnArrays:
    """Steps by the rule of an optimizer; or nothing, where that cannot serve.

    What goes wrong is not told here: the Values are written, and the caller meets it in a step upon these.
    """

    def __init__(
        self,
        model: Module,
        loss: LossFunction,
        optimizer: Optimizer,
        leaves: Sequence[Value],
        *,
        penalty: Penalty | None = None,
        clip_value: float | None = None,
        clip_norm: float | None = None,
        threads: int = 1,
        expected_samples: int | None = None,
    ) -> None:
        self._model, self._optimizer, self._moved = model, optimizer, list(optimizer.parameters)
        self._leaves = leaves
        #: Whether the arrays have something that the Values do not have yet.
        self._is_ahead = False
        #: Whether losses and outputs can be computed upon the arrays, as far as that was tried.
        self._has_losses = self._has_outputs = True
        #: Whether the arrays move on, so that what is written is soon behind.
        self._is_running = False
        #: What went wrong, if it does not work any more.
        self.error: Exception | None = None
        self.works = serves(optimizer)
        if not self.works:
            return
        try:
            self._descent = descent(
                lambda x, y: loss(model(x), y),
                leaves,
                optimizer.rule,
                moved=self._moved,
                penalty=None if penalty is None else lambda: penalty(model),
                penalty_may_change=type(penalty) not in (L1, L2),
                clip_value=clip_value,
                clip_norm=clip_norm,
                threads=threads,
                expected_samples=expected_samples,
            )
        except ModuleNotFoundError as error:
            self._fail(error)
        else:
            self._descent.show = self._show

    def _fail(self, error: Exception) -> None:
        self.works, self.error = False, error

    def arrays(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Samples and targets as arrays, which ``run`` takes; it does not work any more if they are no numbers."""
        try:
            return self._descent.arrays(X, y)
        except (ValueError, TypeError) as error:
            self._fail(error)
            return None, None

    def run(self, epoch: Epoch, arrays: tuple[Any, Any], order: Any, at: int, size: int, signals: uninterrupted) -> int:
        """Go through the samples in an order, from one of them on; how many are behind us then.

        If it is not all, the Values are written: the next step cannot be taken here, or a signal waits.

        Args:
            order: ``None`` for that of the arrays.
        """
        down, optimizer = self._descent, self._optimizer
        before = down.ran
        count = len(arrays[0] if order is None else order)
        try:
            if not self._is_ahead:
                self._begin()
            self._is_ahead = self._is_running = True
            batches = down.batches(*arrays, order)
            down.run(batches, size, at, rate=optimizer.learning_rate, settings=optimizer.settings, signals=signals)
        except Exception as error:  # whatever recordings or arrays cannot do
            self._fail(error)
        finally:
            self._is_ahead, self._is_running = self._is_running, False
        if down.ran is before:
            self.write()
            return at
        ran = down.ran
        epoch.steps += ran.steps
        epoch.total_loss += ran.total
        epoch.penalties += ran.penalties
        epoch.pushed = epoch.pushed or (epoch.number == 1 and ran.pushed)
        if at + ran.samples < count:
            self.write()
        return at + ran.samples

    def mean_loss(self, arrays: tuple[Any, Any], signals: uninterrupted) -> float | None:
        """The mean loss over other samples, without the Values; ``None`` where that cannot serve."""
        X, y = arrays
        total = 0.0
        for first, last in self._pieces(X, signals) if self._has_losses else ():
            try:
                found = self._descent.losses(X[first:last], y[first:last], signals=signals)
            except Exception:  # upon the Values it is met again, where it can be named
                self._has_losses = False
                break
            for number in found.tolist():  # in order, as eagerly
                total += number
        return total / len(X) if self._has_losses and math.isfinite(total) else None

    def outputs(self, X: Any, signals: uninterrupted) -> list[Any] | None:
        """What the model returns for other samples, without the Values; ``None`` where that cannot serve."""
        outputs: list[Any] = []
        for first, last in self._pieces(X, signals) if self._has_outputs else ():
            try:
                found = self._descent.outputs(self._model, X[first:last], signals=signals)
            except Exception:  # as above
                self._has_outputs = False
                break
            if not math.isfinite(found.sum()):
                return None
            outputs += found.tolist()
        return outputs if self._has_outputs else None

    def _pieces(self, X: Any, signals: uninterrupted) -> Iterator[tuple[int, int]]:
        """The bounds of pieces of an array; between them signals are looked for, whose handlers see the Values."""
        for first in range(0, len(X), ROWS):
            yield first, min(first + ROWS, len(X))
            if signals.pending:
                self.write(gradients=True)
                with signals.allowed():
                    pass

    def numbers(self) -> list[float]:
        """The number of each leaf that it was given, be it in the arrays or in the Values."""
        if not self._is_ahead:
            return [leaf.data for leaf in self._leaves]
        found: list[float] = self._descent.numbers_of(self._leaves).tolist()
        return found

    def end(self) -> None:
        """Write all, and let the samples go."""
        self.write(gradients=True)
        if hasattr(self, "_descent"):  # it served once
            self._descent.forget_samples()

    def orders(self, count: int, chance: random.Random) -> Callable[[], Sequence[int]]:
        """What draws the permutations of so many samples that ``permutation`` would draw."""
        return self._descent.orders(count, chance)

    def _begin(self) -> None:
        """Take over what the optimizer holds, if it holds it itself."""
        down, optimizer = self._descent, self._optimizer
        if optimizer.parameters != self._moved:
            raise ValueError("the optimizer has got other parameters")
        down.ask_again()
        if not optimizer.is_left_to(self) or optimizer.steps != down.steps:
            down.begin([getattr(optimizer, name) for name in optimizer.STATE], optimizer.steps)

    def write(self, *, gradients: bool = False) -> None:
        """Write into Values what they do not have yet; gradients too, if somebody looks at them. What the optimizer
        keeps stays here until it is asked for. Signals wait meanwhile."""
        if self._is_ahead:
            self._descent.write(gradients=gradients)
            self._optimizer.leave_to(self, self._descent.steps)
            self._is_ahead = False

    def _show(self) -> None:
        self._is_ahead = self._is_ahead or self._is_running
        self.write()

    def states(self) -> list[list[float]]:
        """What the rule keeps, as the optimizer holds it."""
        return [state.tolist() for state in self._descent.states]


def serves(optimizer: Optimizer) -> bool:
    """Whether the optimizer is its rule and nothing else."""
    return getattr(optimizer.step, "__func__", None) is Optimizer.step
