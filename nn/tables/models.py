"""A network for a table: rows in the units of the file go in, class names or quantities of the file come out.

``TableModel`` is what ``valuegrad train`` makes, keeps in ``model.json``, and what can predict from that file alone.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from autograd import softmax
from nn.adaptive import Adagrad, Adam, AdamW, RMSprop
from nn.checks import brief
from nn.metrics import r2
from nn.model_files import damaged
from nn.networks import MLP, Sequential
from nn.optimizers import SGD, Optimizer
from nn.saving import load_with_extras
from nn.schedules import Schedule
from nn.tables.cells import TableError
from nn.tables.preparation import Standardisation
from nn.tables.table import Column, Table
from nn.training.fit import fit
from nn.training.history import History
from nn.training.penalties import L1, L2, Penalty
from nn.training.progress import Report

#: The optimizers by the names of the command line, each with a learning rate that suits a few hundred rows.
OPTIMIZERS: Mapping[str, tuple[Callable[..., Optimizer], float]] = MappingProxyType(
    {
        "adam": (Adam, 0.01),
        "adamw": (AdamW, 0.01),
        "adagrad": (Adagrad, 0.1),
        "rmsprop": (RMSprop, 0.01),
        "sgd": (SGD, 0.05),
    }
)

#: The losses of a quantity, by which a user may choose.
LOSSES_OF_QUANTITIES = ("mse", "half_squared_error", "mae", "huber")


class Options(NamedTuple):
    """How to train on a table; the defaults suit a few hundred rows.

    ``activation`` is that of all hidden layers, or one for each of them. ``loss`` is for quantities, ``learning_rate``
    what suits the optimizer unless it is given, ``momentum`` for SGD and RMSprop.
    """

    hidden: tuple[int, ...] = (16, 16)
    activation: str | tuple[str, ...] = "tanh"
    epochs: int = 100
    learning_rate: float | None = None
    batch_size: int = 16
    seed: int = 0
    initializer: str | None = None
    loss: str | None = None
    optimizer: str = "adam"
    momentum: float | None = None
    weight_decay: float | None = None
    l1: float | None = None
    l2: float | None = None
    clip_norm: float | None = None
    schedule: Schedule | None = None
    patience: int | None = None


class TableModel(NamedTuple):
    """A network with what it takes to apply it to rows of a table.

    ``columns`` of a file are made into features, which ``inputs`` standardises. ``classes`` are the names of the
    classes, or None for a quantity; then ``outputs`` standardises the target. Two classes share one logit, that of the
    second; more have one each.
    """

    network: Sequential
    columns: tuple[Column, ...]
    target_name: str
    classes: tuple[str, ...] | None
    inputs: Standardisation
    outputs: Standardisation | None

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features, in the order of the network's inputs."""
        return tuple(name for column in self.columns for name in column.feature_names)

    @property
    def loss(self) -> str:
        """The name of the loss that fits the target."""
        if self.classes is None:
            return "mse"
        return "bce_with_logits" if len(self.classes) == 2 else "cross_entropy"

    def logits(self, rows: Sequence[Sequence[float]], *, compile: bool = True) -> list[list[float]]:
        """One logit per class for each row; ``compile`` as in ``predict``."""
        outputs = self.network.predict(self.inputs.apply(rows), compile=compile)
        return [[0.0, output] for output in outputs] if self.loss == "bce_with_logits" else outputs

    def probabilities(self, rows: Sequence[Sequence[float]], *, compile: bool = True) -> list[list[float]]:
        """One probability per class for each row: the softmax of the logits; ``compile`` as in ``predict``."""
        return [softmax(logits) for logits in self.logits(rows, compile=compile)]

    def predict(self, rows: Sequence[Sequence[float]], *, compile: bool = True) -> list[Any]:
        """The index of the likeliest class for each row, the first at a tie; or the quantity in the table's units.

        Args:
            rows: the numbers of the features.
            compile: whether the network may be recorded once and replayed over batches (``autograd.compile``), from
                1,000 rows on, where NumPy is installed. One that cannot be recorded is run row by row.
        """
        if self.outputs is None:
            return [logits.index(max(logits)) for logits in self.logits(rows, compile=compile)]
        (mean,), (deviation,) = self.outputs.means, self.outputs.deviations
        outputs = self.network.predict(self.inputs.apply(rows), compile=compile)
        return [mean + deviation * output for output in outputs]

    def right(self, table: Table) -> int:
        """How many rows of a table get their true class."""
        pairs = zip(self.predict(table.rows), table.targets, strict=True)
        return sum(predicted == target for predicted, target in pairs)

    def score(self, table: Table) -> float | None:
        """The accuracy, or R² = 1 - Σ(y - ŷ)² / Σ(y - ȳ)², None where all y are equal and R² means nothing."""
        if self.classes is not None:
            return self.right(table) / len(table)
        targets = self.standardised_targets(table)
        if max(targets) == min(targets):
            return None
        return r2(self.network.predict(self.inputs.apply(table.rows)), targets)

    def standardised_targets(self, table: Table) -> list[Any]:
        """The targets of a table as the loss wants them."""
        if self.outputs is None:
            return list(table.targets)
        return [target for (target,) in self.outputs.apply([[float(target)] for target in table.targets])]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write network, names, classes and standardisation to one file."""
        table = {
            "columns": [{"name": c.name, "categories": c.categories} for c in self.columns],
            "target": self.target_name,
            "classes": None if self.classes is None else list(self.classes),
            "inputs": self.inputs.to_dict(),
            "outputs": None if self.outputs is None else self.outputs.to_dict(),
        }
        self.network.save(path, {"table": table})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """What ``save`` wrote.

        Raises:
            ModelFileError: the file is damaged, of a later version, or holds a network without a table.
        """
        network, extras = load_with_extras(path)
        table = extras.get("table")
        if not isinstance(table, dict):
            raise damaged(path, "this model was not trained on a table; use nn.load", remedy="")
        try:
            classes = None if table["classes"] is None else _names(table["classes"])
            outputs = None if table["outputs"] is None else Standardisation.from_dict(table["outputs"])
            inputs, columns = Standardisation.from_dict(table["inputs"]), _columns(table["columns"])
            made = cls(network, columns, _names([table["target"]])[0], classes, inputs, outputs)
        except KeyError as error:
            raise damaged(path, f"{error} is missing") from None
        except TableError as error:
            raise damaged(path, str(error), remedy="") from None
        if classes is not None and len(classes) < 2:
            raise damaged(path, f"{len(classes)} class")
        widths = {"mse": 1, "bce_with_logits": 1, "cross_entropy": len(classes or ())}
        fits = network.nin == len(made.feature_names) == len(inputs.means) and network.nout == widths[made.loss]
        if not fits or (classes is None) is not (outputs is not None and len(outputs.means) == 1):
            raise damaged(path, "network and table do not fit each other")
        return made


def new_table_model(table: Table, options: Options) -> TableModel:
    """An untrained network for a table, standardised on these rows, which are those to train on.

    Raises:
        ValueError: a number of activations that is not that of the hidden layers.
    """
    classes, hidden = table.classes, options.hidden
    outputs = None if classes is not None else Standardisation.fit([[float(target)] for target in table.targets])
    width = len(classes) if classes is not None and len(classes) > 2 else 1
    activations = (options.activation,) * len(hidden) if isinstance(options.activation, str) else options.activation
    if len(activations) != len(hidden):
        raise ValueError(f"there are {len(hidden)} hidden layers, but {len(activations)} activations; give one each")
    network = MLP(
        len(table.feature_names),
        [*hidden, width],
        [*activations, "linear"],
        seed=options.seed,
        initializer=options.initializer,
    )
    inputs = Standardisation.fit(table.rows)
    return TableModel(network, table.columns, table.target_name, classes, inputs, outputs)


def new_optimizer(model: TableModel, options: Options) -> Optimizer:
    """The optimizer that the options choose, over the parameters of a model.

    Raises:
        ValueError, TypeError: an option that this optimizer does not have, or that is out of its bounds.
    """
    make, rate = OPTIMIZERS[options.optimizer]
    chosen = {"momentum": options.momentum, "weight_decay": options.weight_decay}
    settings = {name: number for name, number in chosen.items() if number is not None}
    if "momentum" in settings and options.optimizer not in ("sgd", "rmsprop"):
        raise ValueError(f"momentum is for sgd and rmsprop; {options.optimizer} has means of its own")
    return make(model.network.parameters(), learning_rate=options.learning_rate or rate, **settings)


def train(
    model: TableModel, table: Table, options: Options, progress: bool | Report = False, validation: Table | None = None
) -> History:
    """Train the network of a model on the rows of a table; ``options.patience`` watches the rows of validation.

    Raises:
        ValueError: an option that does not go with the table or the optimizer.
    """
    if options.loss is not None and model.classes is not None:
        raise ValueError(f"loss {options.loss} is for quantities; classes are learned by {model.loss}")
    penalties: list[Penalty] = [L1(options.l1)] if options.l1 else []
    penalties += [L2(options.l2)] if options.l2 else []
    return fit(
        model.network,
        model.inputs.apply(table.rows),
        model.standardised_targets(table),
        loss=options.loss or model.loss,
        optimizer=new_optimizer(model, options),
        epochs=options.epochs,
        batch_size=options.batch_size,
        validation=None
        if validation is None
        else (model.inputs.apply(validation.rows), model.standardised_targets(validation)),
        seed=options.seed,
        progress=progress,
        schedule=options.schedule,
        penalty=(lambda network: sum(penalty(network) for penalty in penalties)) if penalties else None,
        clip_norm=options.clip_norm,
        patience=options.patience,
        keep_best=options.patience is not None,
    )


def _columns(found: Any) -> tuple[Column, ...]:
    if not isinstance(found, list) or not found or not all(isinstance(column, dict) for column in found):
        raise TableError(f"a list of columns was expected, not {brief(found)}; is the file damaged?")
    names = _names([column["name"] for column in found])
    categories = [None if column["categories"] is None else _names(column["categories"]) for column in found]
    return tuple(map(Column, names, categories))


def _names(texts: Any) -> tuple[str, ...]:
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise TableError(f"a list of names was expected, not {brief(texts)}; is the file damaged?")
    for text, count in Counter(texts).items():
        if count > 1:
            raise TableError(
                f"the name {brief(text)} stands {count} times among names of one kind; is the file damaged?"
            )
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise TableError(f"the name {brief(text)} holds half of a character; is the file damaged?")
    return tuple(texts)
