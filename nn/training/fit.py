"""``fit``: the training loop over epochs, with what can go wrong in it said early."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from autograd import Value, collector_at_rest
from nn.checks import whole, within
from nn.cost import LossFunction, find_loss, loss_name
from nn.interrupts import uninterrupted
from nn.metrics import Metric, metrics_for
from nn.module import Module
from nn.optimizers import Optimizer
from nn.passes import MANY_ROWS
from nn.randomness import permutation, seeded
from nn.schedules import Schedule
from nn.training.after_epoch import AfterEpoch
from nn.training.callbacks import BestWeights, Callback, Training, early_stopping
from nn.training.epochs import epochs as finished_epochs
from nn.training.failures import NothingMoved, non_finite
from nn.training.history import History
from nn.training.moved import parameters_to_move
from nn.training.on_arrays import OnArrays
from nn.training.penalties import Penalty
from nn.training.progress import Report, reporting, shows_a_bar
from nn.training.recorded_loss import RecordedLoss
from nn.training.samples import held_out, samples_for
from nn.training.steps import Steps


# More than 60 lines: half of them document the options, and what they mean is told in one place.
def fit(
    model: Module,
    X: Any,
    y: Any,
    *,
    loss: str | LossFunction,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int | None = None,
    validation: tuple[Any, Any] | None = None,
    metrics: Sequence[str | Metric] = (),
    seed: int = 0,
    callbacks: Sequence[Callback] = (),
    progress: bool | Report = True,
    schedule: Schedule | None = None,
    penalty: Penalty | None = None,
    clip_value: float | None = None,
    clip_norm: float | None = None,
    patience: int | None = None,
    keep_best: bool = False,
    compile: bool = True,
    threads: int = 1,
) -> History:
    """Train a model on samples in place; what happened, epoch by epoch, is returned.

    Gradients are set to zero before every step and after the last, so nothing accumulates over steps or calls. The
    optimizer keeps its running means, so a second call goes on where the first ended. Ctrl-C ends the training early
    and returns the history so far; the model keeps the weights that it has after a whole step.

    >>> from nn.networks import MLP
    >>> from nn.optimizers import SGD
    >>> model = MLP(1, [1])
    >>> optimizer = SGD(model.parameters(), learning_rate=0.3)
    >>> history = fit(model, [[-1.0], [0.0], [1.0]], [-1.0, 1.0, 3.0], loss="mse", optimizer=optimizer, epochs=50)
    >>> [round(p.data, 6) for p in model.parameters()], history.epochs
    ([2.0, 1.0], 50)

    Args:
        model: called with a list of floats, it returns a Value or a list of them.
        X: m samples, each a list of numbers; lists, tuples, a NumPy array or a pandas frame.
        y: one target per sample, as the loss wants it; the same, or a pandas series.
        loss: a name (see ``nn.LOSSES``), or a function of (what the model returns, target).
        optimizer: built over parameters of this model, all or some.
        batch_size: samples per step, drawn anew in every epoch; None for all of them, in the order given.
        validation: samples and targets (X, y) that are not trained on; their mean loss is taken after every epoch.
        metrics: "accuracy", "r2", names of losses, or functions of (predictions, targets); taken after every epoch over
            the samples, and over those of validation.
        seed: decides the batches.
        callbacks: functions of a ``nn.Training``, called after every epoch; its ``stop(why)`` ends the training.
        progress: True for tqdm's bar where a person looks (a terminal or a notebook) and tqdm is installed, and nothing
            elsewhere; False for nothing; or a function that is called with epoch and mean loss after every epoch.
        schedule: such as ``nn.schedules.Cosine(epochs)``: the learning rate of each epoch. The optimizer's own comes
            back at the end.
        penalty: such as ``nn.L2(0.001)``: a function of the model, added to the cost once per step. One of your own is
            recorded too, if it computed the same twice; it is asked again whenever your code has run (a callback, say).
        clip_value: the largest magnitude of a gradient.
        clip_norm: the largest norm of all gradients together, taken after ``clip_value``.
        patience: end after so many epochs in a row without a better loss, of validation where there is one.
        keep_best: put back the weights after the epoch with the best such loss, at the end and after Ctrl-C. Without
            validation the loss of an epoch is the mean over its steps, so take it with a validation.
        compile: whether the loss may be recorded once and replayed over batches (``autograd.compile``), where NumPy is
            installed, and the model for validation and metrics. A loss that cannot be recorded is run sample by sample;
            the numbers differ by rounding alone. An optimizer that has a rule moves arrays then, whole epochs in native
            code, and the Values are written before anybody is called that can see them.
        threads: how many share a batch of more than 1,024 samples in native code; results do not depend on it.

    Raises:
        ValueError, TypeError: X, y or an option is not what it should be, or the optimizer is over other parameters.
        NonFiniteLoss: a loss or a parameter became infinite or nan, or an operation left its domain.
        NothingMoved: the first epoch changed no parameter, although there were gradients.
    """
    history: History | None = None
    try:
        with uninterrupted() as signals:
            history = History()
            with collector_at_rest(), signals.allowed():  # what is made here are lists of numbers
                function, epochs, chance = find_loss(loss), whole("epochs", epochs), seeded(seed)
                name = loss_name(function)
                samples = samples_for(model, X, y, name)
                unseen = held_out(model, validation, name)
                measures = metrics_for(metrics, name)
                m, n = len(samples.rows), 0 if unseen is None else len(unseen.rows)
                threads = whole("threads", threads)
                size = m if batch_size is None else min(whole("batch_size", batch_size), m)
                moved, leaves = parameters_to_move(model, optimizer)
                _check_options(optimizer, callbacks, schedule, penalty, clip_value, clip_norm)
                training = Training(model, optimizer, history)
                bounds: Any = {"penalty": penalty, "clip_value": clip_value, "clip_norm": clip_norm}
                arrays = (
                    OnArrays(model, function, optimizer, leaves, threads=threads, expected_samples=epochs * m, **bounds)
                    if compile
                    else None
                )
                given = arrays.arrays(*samples) if arrays is not None and arrays.works else None
                outside = arrays.arrays(*unseen) if arrays is not None and given and unseen else None
                recorded = RecordedLoss(model, function, samples, epochs=epochs, threads=threads) if compile else None
                steps = Steps(
                    model, function, samples, size, optimizer, leaves, moved, signals, arrays, given, recorded, **bounds
                )
                best = BestWeights(leaves, steps.numbers) if keep_best else None
                between: list[Callback] = [] if best is None else [best]
                between += [] if patience is None else [early_stopping(patience)]
                after_epoch = AfterEpoch(
                    training, function, samples, unseen, measures, between, callbacks, compile, steps, outside,
                    bool(metrics) and not any(map(callable, metrics)) and epochs * (m + n) >= MANY_ROWS,
                )  # fmt: skip
                draw = None if size == m else _draw(arrays, m, chance)
                course = _Course(training, steps, after_epoch, epochs, draw, schedule, progress, best)
            course.run(signals)
    except KeyboardInterrupt:
        history = History() if history is None else history
        history.interrupted = True
    return history


class _Course(NamedTuple):
    """A training that is ready to run."""

    training: Training
    steps: Steps
    after_epoch: AfterEpoch
    epochs: int
    #: What draws the order of the samples; None for the order given.
    draw: Callable[[], Sequence[int]] | None
    schedule: Schedule | None
    progress: bool | Report
    #: The best weights so far, to be put back; None for those of the last step.
    best: BestWeights | None

    def run(self, signals: uninterrupted) -> None:
        """Run it, until Ctrl-C at the most; what else is done here is done whole."""
        model, optimizer, history = self.training.model, self.training.optimizer, self.training.history
        moved, rate = self.steps.moved, optimizer.learning_rate
        began = {parameter: parameter.data for parameter in moved}
        try:
            with reporting(self.progress, self.epochs) as report:
                self._go_through(began, report, signals)
        except KeyboardInterrupt:
            history.interrupted = True
        finally:
            self.steps.end()
            history.drop_unfinished()
            model.zero_grad()
            optimizer.learning_rate = rate
        if self.best is not None:
            self.best.restore()
        history.never_moved = tuple(path for parameter, path in moved.items() if parameter.data == began[parameter])
        if len(history.never_moved) == len(moved) and any(history.losses) and self.best is None:
            warnings.warn("no parameter moved: no gradient reaches any of them", stacklevel=3)

    def _go_through(self, began: Mapping[Value, float], report: Report, signals: uninterrupted) -> None:
        """All epochs. Signals wait but where something of the user's runs: the Values have been written there."""
        model, losses = self.training.model, self.training.history.losses
        m, schedule = len(self.steps.samples.rows), self.schedule
        if not _is_known(schedule):
            schedule = _Allowed(schedule, self.steps, signals)
        is_shown = callable(self.progress) or (self.progress and shows_a_bar())
        for epoch in finished_epochs(
            self.training, self.steps.run, count=self.epochs, samples=m, draw=self.draw, schedule=schedule
        ):
            if epoch.pushed or is_shown:
                self.steps.write()
            if epoch.pushed and all(parameter.data == number for parameter, number in began.items()):
                raise NothingMoved
            self.after_epoch(epoch)
            if is_shown:
                with signals.allowed():
                    report(epoch.number, losses[-1])
        self.steps.write()
        if not all(math.isfinite(parameter.data) for parameter in self.steps.parameters):
            raise non_finite(model, "cannot be computed any more", epoch.place())


def _is_known(schedule: Any) -> bool:
    """Whether a schedule looks at nothing but the losses: none of the user's own is in it."""
    while schedule is not None and type(schedule).__module__ == "nn.schedules":
        schedule = getattr(schedule, "then", None)
    return schedule is None


class _Allowed(NamedTuple):
    """A schedule of the user's own, which may see the Values, and be interrupted."""

    schedule: Any
    steps: Steps
    signals: uninterrupted

    def factor(self, epoch: int, losses: Sequence[float] = ()) -> float:
        """The factor of the learning rate in this epoch."""
        self.steps.write()
        with self.signals.allowed():
            return float(self.schedule.factor(epoch, losses))


def _draw(arrays: OnArrays | None, count: int, chance: random.Random) -> Callable[[], Sequence[int]]:
    """What draws the order of so many samples for an epoch."""
    if arrays is not None and arrays.works:
        return arrays.orders(count, chance)
    return lambda: permutation(count, chance)


def _check_options(
    optimizer: Any, callbacks: Any, schedule: Any, penalty: Any, clip_value: Any, clip_norm: Any
) -> None:
    """Refuse before the first step what would fail in the midst of training."""
    if not hasattr(optimizer, "learning_rate"):
        raise TypeError(f"the optimizer {optimizer!r:.200} has no learning_rate, which schedules and histories read")
    if isinstance(callbacks, str) or not hasattr(callbacks, "__iter__") or not all(map(callable, callbacks)):
        raise TypeError(f"callbacks is a list of functions, not {callbacks!r:.200}")
    if schedule is not None and not hasattr(schedule, "factor"):
        raise TypeError(f"schedule is one of nn.schedules, such as Cosine(epochs), not {schedule!r:.200}")
    if penalty is not None and not callable(penalty):
        raise TypeError(f"penalty is a function of the model, such as nn.L2(0.001), not {penalty!r:.200}")
    for option, bound in (("clip_value", clip_value), ("clip_norm", clip_norm)):
        if bound is not None:
            within(option, bound, 0.0, open_below=True)
