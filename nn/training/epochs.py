"""``epochs``: one epoch of a training after the other, each yielded when all of its steps are done.

How an epoch goes through its samples is handed in; what has to be done after it is the business of who asks for the
next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from nn.schedules import Schedule
from nn.training.callbacks import Training
from nn.training.failures import Place


class Epoch:
    """An epoch, from 1, and what its steps add up to.

    ``total_loss`` is the sum over the samples, each loss taken before the step that it led to; ``penalties`` are those
    of the steps. ``pushed`` tells of the first epoch whether any gradient of a parameter to move was other than zero.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.began = time.perf_counter()
        self.steps = 0
        self.total_loss = 0.0
        self.penalties: list[float] = []
        self.pushed = False

    def place(self, sample: int | None = None, of: str = "X") -> Place:
        """Where the training is: at the last step that began, and at a sample of what ``of`` names."""
        return Place(self.number, self.steps, sample, of)


#: Goes through the samples in an order, and adds up in the epoch what came of it. ``Steps.run`` is one.
RunEpoch = Callable[[Epoch, Sequence[int]], None]


def epochs(
    training: Training,
    run: RunEpoch,
    *,
    count: int,
    samples: int,
    draw: Callable[[], Sequence[int]] | None,
    schedule: Schedule | None,
) -> Iterator[Epoch]:
    """Each epoch, finished, at the learning rate that the schedule gives it; the last is where the training stops.

    Args:
        count: how many there are at the most.
        samples: how many samples each goes through.
        draw: what draws their order anew for each; None for the order given.
    """
    rate = training.optimizer.learning_rate
    for number in range(1, count + 1):
        epoch = Epoch(number)
        factor = 1.0 if schedule is None else schedule.factor(number, training.history.watched)
        training.optimizer.learning_rate = rate * factor
        run(epoch, range(samples) if draw is None else draw())
        yield epoch
        if training.stopping:
            return
